// Conformance of an IKsAllocatorEx implementation, statement by statement (docs/conformance.md of kspipe).
//
//     conformance [options] LIBRARY
//
// One line per statement on the standard output:
//
//     ok N what
//     FAIL N what: detail
//     not applicable N why
//
// and a last line that counts them, which begins with '#'. A case that crashes, or does not end in time, fails, and the
// program goes on with the next one in a process of its own. Exit code 0, 1 if a statement failed, 2 if the library
// cannot be used.
#include "library.hpp"
#include "platform.hpp"
#include "suite.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <set>

namespace {

struct Options {
    bool list = false;
    std::set<int> only;
    unsigned timeout = 60;
    const char *library = nullptr;
    const char *class_id = nullptr;
    // What came before, where this process goes on for another one.
    int after = 0;
    int counts[3] = {0, 0, 0}; // ok, failed, not applicable
};

const char usage[] =
    "usage: conformance [options] LIBRARY\n"
    "  --list             the statements, without checking them\n"
    "  --only N[,N...]    only these statements\n"
    "  --timeout SECONDS  how long a statement may take (60)\n"
    "  --class {GUID}     create the allocator by DllGetClassObject, not by KspCreateAllocator\n";

enum { Ok, Failed, NotApplicable };

Options options;
std::vector<std::string> given; // the arguments, to go on with
std::atomic<const Statement *> running{nullptr};
std::atomic<unsigned> ticks{0};
std::atomic_flag reported = ATOMIC_FLAG_INIT;

void report(int verdict, const Statement &statement, const std::string &detail) {
    static const char *const words[] = {"ok", "FAIL", "not applicable"};
    ++options.counts[verdict];
    std::string line = std::string(words[verdict]) + ' ' + std::to_string(statement.number) + ' ';
    if (verdict == NotApplicable) {
        line += detail;
    } else {
        line += statement.what;
        line += verdict == Failed ? ": " + detail : "";
    }
    std::replace(line.begin(), line.end(), '\n', ' ');
    platform::write_line(line + '\n');
}

// The statement that runs has failed, and this process with it: another one goes on behind it.
void lost(const char *how) {
    if (reported.test_and_set()) {
        return; // the one that came first goes on
    }
    const Statement *statement = running.exchange(nullptr);
    if (statement == nullptr) {
        platform::write_line(std::string("# lost outside of a statement: ") + how + '\n');
        std::_Exit(1);
    }
    report(Failed, *statement, how);
    std::vector<std::string> arguments = given;
    arguments.insert(arguments.begin(), "--after");
    std::string state = std::to_string(statement->number);
    for (int count : options.counts) {
        state += ',' + std::to_string(count);
    }
    arguments.insert(arguments.begin() + 1, state);
    platform::run_again(arguments);
}

void watch_over_the_time() {
    for (;;) {
        platform::pause_milliseconds(100);
        if (running.load() != nullptr && ++ticks > options.timeout * 10) {
            lost(("does not end within " + std::to_string(options.timeout) + " seconds").c_str());
        }
    }
}

std::vector<int> numbers(const char *text) {
    std::vector<int> all;
    for (char *end; *text != 0; text = *end == ',' ? end + 1 : end) {
        long number = std::strtol(text, &end, 10);
        if (end == text || number < 0 || (*end != ',' && *end != 0)) {
            return {};
        }
        all.push_back(static_cast<int>(number));
    }
    return all;
}

bool parse(int count, char **arguments) {
    for (int i = 1; i < count; ++i) {
        std::string option = arguments[i];
        if (option == "--list") {
            options.list = true;
            continue;
        }
        if (option.compare(0, 2, "--") != 0) {
            if (options.library != nullptr) {
                return false;
            }
            options.library = arguments[i];
            given.push_back(option);
            continue;
        }
        if (++i == count) {
            return false;
        }
        const char *value = arguments[i];
        if (option == "--after") {
            std::vector<int> state = numbers(value);
            if (state.size() != 4) {
                return false;
            }
            options.after = state[0];
            std::copy(state.begin() + 1, state.end(), options.counts);
            continue;
        }
        if (option == "--only") {
            std::vector<int> wanted = numbers(value);
            options.only.insert(wanted.begin(), wanted.end());
            if (wanted.empty()) {
                return false;
            }
        } else if (option == "--timeout") {
            options.timeout = static_cast<unsigned>(std::strtoul(value, nullptr, 10));
            if (options.timeout == 0) {
                return false;
            }
        } else if (option == "--class") {
            options.class_id = value;
        } else {
            return false;
        }
        given.push_back(option);
        given.push_back(value);
    }
    return options.list || options.library != nullptr;
}

void check(const Statement &statement) {
    Case test;
    ticks = 0;
    running = &statement;
    try {
        statement.check(test);
    } catch (const std::exception &error) {
        test.fail(error.what(), __FILE__, __LINE__);
    }
    if (running.exchange(nullptr) == nullptr) {
        for (;;) { // it was reported as lost at the last moment, and another process goes on
            platform::pause_milliseconds(1000);
        }
    }
    if (!test.failure().empty()) {
        report(Failed, statement, test.failure());
    } else if (!test.reason().empty()) {
        report(NotApplicable, statement, test.reason());
    } else {
        report(Ok, statement, "");
    }
}

} // namespace

int main(int count, char **arguments) {
    if (!parse(count, arguments)) {
        std::fputs(usage, stderr);
        return 2;
    }
    std::vector<Statement> &all = statements();
    std::sort(all.begin(), all.end(), [](const Statement &a, const Statement &b) { return a.number < b.number; });
    if (options.list) {
        for (const Statement &statement : all) {
            std::printf("%d %s\n", statement.number, statement.what);
        }
        return 0;
    }
    std::string why;
    if (!library::load(options.library, options.class_id, &why)) {
        std::fprintf(stderr, "%s: %s\n", options.library, why.c_str());
        return 2;
    }
    // A number that is no statement of the suite is a mistake, not a success.
    for (int number : options.only) {
        if (std::none_of(all.begin(), all.end(), [&](const Statement &one) { return one.number == number; })) {
            std::fprintf(stderr, "there is no statement %d here\n", number);
            return 2;
        }
    }
    platform::on_crash(lost);
    platform::write_line(std::string("# the library's calls are watched: ") +
                         (platform::watched().counts ? "yes\n" : "no\n"));
    platform::write_line(std::string("# requests to pins are recorded: ") +
                         (platform::requests_are_recorded() ? "yes\n" : "no\n"));
    // It ends with the process.
    new platform::Thread(watch_over_the_time);
    for (const Statement &statement : all) {
        if (statement.number > options.after && (options.only.empty() || options.only.count(statement.number) != 0)) {
            check(statement);
        }
    }
    char last[100];
    std::snprintf(last, sizeof last, "# %d ok, %d failed, %d not applicable\n", options.counts[Ok],
                  options.counts[Failed], options.counts[NotApplicable]);
    platform::write_line(last);
    // Without the destructors: threads may be left of a statement that failed.
    std::_Exit(options.counts[Failed] == 0 ? 0 : 1);
}
