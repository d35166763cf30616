// The cases, and how they are checked. A case is one numbered statement; it fails with every expectation that does not
// hold, and says which.
#pragma once

#include "headers.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

// One statement while it is checked.
class Case {
public:
    // The conditions a case depends on are few, so the first that fails is what the line says.
    bool expect(bool holds, const char *condition, const char *file, int line);

    template <typename A, typename B>
    bool expect_equal(A actual, B expected, const char *expression, const char *file, int line) {
        long long a = number(actual), b = number(expected);
        if (a == b) {
            return true;
        }
        char text[400];
        std::snprintf(text, sizeof text, "%s is %s, not %s", expression, written(a).c_str(), written(b).c_str());
        return fail(text, file, line);
    }

    // The statement cannot be checked here, and why.
    void not_applicable(const char *why);

    bool fail(const std::string &what, const char *file, int line);

    const std::string &failure() const { return detail; }
    const std::string &reason() const { return why_not; }

private:
    template <typename T> static long long number(T value) {
        if constexpr (std::is_pointer_v<T> || std::is_null_pointer_v<T>) {
            return static_cast<long long>(reinterpret_cast<intptr_t>(static_cast<const volatile void *>(value)));
        } else {
            return static_cast<long long>(value);
        }
    }
    static std::string written(long long value);

    std::string detail;
    std::string why_not;
};

struct Statement {
    int number;
    const char *what;
    void (*check)(Case &);
};

// All of them; each file of cases adds its own.
std::vector<Statement> &statements();

struct Registration {
    Registration(int number, const char *what, void (*check)(Case &)) { statements().push_back({number, what, check}); }
};

#define STATEMENT(number, what)                                      \
    static void statement_##number(Case &test);                      \
    static const Registration registration_##number(number, what, statement_##number); \
    static void statement_##number([[maybe_unused]] Case &test)

#define EXPECT(condition) test.expect(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
#define EXPECT_EQUAL(actual, expected) test.expect_equal((actual), (expected), #actual, __FILE__, __LINE__)
// The rest of a case that needs this makes no sense without it.
#define REQUIRE(condition)  \
    if (!EXPECT(condition)) \
    return
#define REQUIRE_EQUAL(actual, expected)  \
    if (!EXPECT_EQUAL(actual, expected)) \
    return
#define NOT_APPLICABLE(why)      \
    {                            \
        test.not_applicable(why); \
        return;                  \
    }
