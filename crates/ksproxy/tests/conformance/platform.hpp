// What the suite needs of the operating system: threads that can be looked at, handles that can be counted, memory that
// can be measured, and a way to go on after a case that crashed or never ended.
#pragma once

#include "headers.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace platform {

// ---- The library under test ----

// Loads a library for good; on failure false, and why.
bool load(const char *path, std::string *why);
// A function it exports, or null.
void *exported(const char *name);

// ---- Threads ----

class Thread {
public:
    explicit Thread(std::function<void()> body);
    Thread(const Thread &) = delete;
    Thread &operator=(const Thread &) = delete;
    // Joins.
    ~Thread();
    void join();
    // Whether the thread sleeps in the operating system, now.
    bool sleeps() const;
    // The processor time the thread has used, in nanoseconds.
    uint64_t processor_time() const;

    struct State; // the operating system's part

private:
    State *state;
};

// Lets other threads run.
void yield();
// The watchdog's clock.
void pause_milliseconds(unsigned milliseconds);

// ---- Memory ----

// The address space this process has in use, in bytes.
uint64_t mapped_bytes();
// What is allocated on the heap, in bytes, as far as the heap says it.
uint64_t heap_bytes();
// Runs a body in which a block of 2^31 - 1 bytes cannot be had. False where that cannot be arranged.
bool with_little_memory(const std::function<void()> &body);

// ---- Handles ----

// A handle that nobody else knows, or null.
HANDLE new_handle();
bool is_open(HANDLE handle);
void close_handle(HANDLE handle);
// Counts what is done to one handle from now on: how often the library closed it, and what it sent to the object behind
// it. `counts` is false where the library's calls cannot be watched; then is_open is all there is.
struct Watch {
    bool counts = false;
    int closed = 0;
    int controls = 0;
    DWORD code = 0;
    std::vector<uint8_t> input;
    DWORD output_length = 0;
};
void watch(HANDLE handle);
Watch watched();

// ---- KS objects ----

// What a pin was asked to create.
struct Requests {
    int count = 0;
    HANDLE pin = nullptr;
    KSALLOCATOR_FRAMING framing = {};
};
// A pin's object on which allocators can be created, or null where there is none; close_handle ends it.
HANDLE sink_pin();
// Whether `requests` and `refuse_creation` can be used.
bool requests_are_recorded();
Requests requests();
void refuse_creation(bool refuse);

// ---- Going on ----

// Calls `crashed` with a word for what happened when this process crashes.
void on_crash(void (*crashed)(const char *));
// Starts this program again with these arguments, gives it this process's place, and does not return.
[[noreturn]] void run_again(const std::vector<std::string> &arguments);
// Writes to the standard output, at once.
void write_line(const std::string &line);

} // namespace platform
