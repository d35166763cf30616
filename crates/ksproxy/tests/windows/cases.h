// Runs the cases of a program and says how they went, in the form in which cargo test says it.
#pragma once

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <windows.h>

// What a case found wrong. It ends the case.
class Failure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string &what) {
    if (!holds) {
        throw Failure(what);
    }
}

inline std::string hexadecimal(HRESULT answer) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08lX", static_cast<unsigned long>(answer));
    return text;
}

inline void require_ok(HRESULT answer, const std::string &what) {
    require(answer == S_OK, what + " answers " + hexadecimal(answer));
}

// Ends the process if it is not destroyed in time: a call that never comes back must not hang the tests.
class Watchdog {
public:
    Watchdog(const std::string &watched, DWORD seconds) : name(watched), limit(seconds * 1000) {
        ended = CreateEventW(nullptr, TRUE, FALSE, nullptr);
        thread = CreateThread(nullptr, 0, watch, this, 0, nullptr);
    }
    ~Watchdog() {
        SetEvent(ended);
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        CloseHandle(ended);
    }
    Watchdog(const Watchdog &) = delete;
    Watchdog &operator=(const Watchdog &) = delete;

private:
    static DWORD WINAPI watch(void *argument) {
        auto *self = static_cast<Watchdog *>(argument);
        if (WaitForSingleObject(self->ended, self->limit) == WAIT_TIMEOUT) {
            std::printf("test %s ... FAILED\n  did not end in %lu seconds\n", self->name.c_str(), self->limit / 1000);
            std::printf("test result: FAILED. 0 passed; 1 failed; 0 ignored; stopped\n");
            std::fflush(stdout);
            TerminateProcess(GetCurrentProcess(), 3);
        }
        return 0;
    }

    std::string name;
    DWORD limit;
    HANDLE ended;
    HANDLE thread;
};

class Cases {
public:
    // Runs only the cases in whose name `part` is; all with an empty one.
    explicit Cases(const std::string &part = "") : wanted(part) {}

    // A case that cannot be asked of what is tested, and why.
    void ignore(const std::string &name, const std::string &reason) {
        if (name.find(wanted) != std::string::npos) {
            ++ignored;
            std::printf("test %s ... ignored, %s\n", name.c_str(), reason.c_str());
        }
    }

    void run(const std::string &name, const std::function<void()> &body, DWORD seconds = 60) {
        if (name.find(wanted) == std::string::npos) {
            return;
        }
        Watchdog watchdog(name, seconds);
        try {
            body();
            ++passed;
            std::printf("test %s ... ok\n", name.c_str());
        } catch (const Failure &failure) {
            ++failed;
            std::printf("test %s ... FAILED\n  %s\n", name.c_str(), failure.what());
        }
        std::fflush(stdout);
    }

    // Prints the sum; the answer is the program's exit code.
    int finish() const {
        std::printf("\ntest result: %s. %d passed; %d failed; %d ignored\n", failed == 0 ? "ok" : "FAILED", passed,
                    failed, ignored);
        std::fflush(stdout);
        return failed == 0 ? 0 : 1;
    }

private:
    std::string wanted;
    int passed = 0;
    int failed = 0;
    int ignored = 0;
};
