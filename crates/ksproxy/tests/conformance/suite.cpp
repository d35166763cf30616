#include "suite.hpp"

#include <cstring>

std::vector<Statement> &statements() {
    static std::vector<Statement> all;
    return all;
}

bool Case::fail(const std::string &what, const char *file, int line) {
    if (detail.empty()) {
        const char *name = file;
        for (const char *at = file; *at != 0; ++at) {
            if (*at == '/' || *at == '\\') {
                name = at + 1;
            }
        }
        detail = what + " (" + name + ':' + std::to_string(line) + ')';
    }
    return false;
}

bool Case::expect(bool holds, const char *condition, const char *file, int line) {
    return holds || fail(std::string("not so: ") + condition, file, line);
}

void Case::not_applicable(const char *why) { why_not = why; }

std::string Case::written(long long value) {
    char text[60];
    // An HRESULT that failed is known by its hexadecimal digits.
    if (value < 0 && value >= INT32_MIN) {
        std::snprintf(text, sizeof text, "0x%08X", static_cast<unsigned>(value));
    } else {
        std::snprintf(text, sizeof text, value > 0xFFFF || value < 0 ? "0x%llX" : "%lld", value);
    }
    return text;
}
