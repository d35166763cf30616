// Linux.
#include "platform.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The library calls close() through the dynamic linker, which finds this one first where the program exports it
// (-rdynamic).
namespace {
std::atomic<int> watched_descriptor{-1};
std::atomic<int> times_closed{0};
} // namespace

extern "C" int close(int descriptor) {
    if (descriptor == watched_descriptor) {
        ++times_closed;
    }
    return static_cast<int>(syscall(SYS_close, descriptor));
}

namespace platform {
namespace {

void *library;

int number_of(HANDLE handle) { return static_cast<int>(reinterpret_cast<intptr_t>(handle)); }

HANDLE handle_of(int number) {
    return number < 0 ? nullptr : reinterpret_cast<HANDLE>(static_cast<intptr_t>(number));
}

} // namespace

bool load(const char *path, std::string *why) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        *why = dlerror();
    }
    return library != nullptr;
}

void *exported(const char *name) { return dlsym(library, name); }

// ---- Threads ----

struct Thread::State {
    std::function<void()> body;
    pthread_t thread;
    std::atomic<pid_t> id{0};
    bool joined = false;

    static void *run(void *argument) {
        auto *state = static_cast<State *>(argument);
        state->id = static_cast<pid_t>(syscall(SYS_gettid));
        state->body();
        return nullptr;
    }
};

Thread::Thread(std::function<void()> body) : state(new State) {
    state->body = std::move(body);
    if (pthread_create(&state->thread, nullptr, State::run, state) != 0) {
        write_line("# no thread could be made\n");
        std::abort();
    }
}

Thread::~Thread() {
    join();
    delete state;
}

void Thread::join() {
    if (!state->joined) {
        state->joined = true;
        pthread_join(state->thread, nullptr);
    }
}

bool Thread::sleeps() const {
    if (state->id == 0) {
        return false;
    }
    // "S" is the third word, behind the program's name in parentheses.
    char name[64], text[512];
    std::snprintf(name, sizeof name, "/proc/self/task/%d/stat", static_cast<int>(state->id));
    FILE *file = std::fopen(name, "re");
    if (file == nullptr) {
        return false;
    }
    text[std::fread(text, 1, sizeof text - 1, file)] = 0;
    std::fclose(file);
    const char *behind = std::strrchr(text, ')');
    return behind != nullptr && behind[1] == ' ' && behind[2] == 'S';
}

uint64_t Thread::processor_time() const {
    clockid_t clock;
    timespec now;
    if (pthread_getcpuclockid(state->thread, &clock) != 0 || clock_gettime(clock, &now) != 0) {
        return 0;
    }
    return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

void yield() { sched_yield(); }

void pause_milliseconds(unsigned milliseconds) {
    timespec time = {milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1000000};
    nanosleep(&time, nullptr);
}

// ---- Memory ----

uint64_t mapped_bytes() {
    unsigned long long pages = 0;
    FILE *file = std::fopen("/proc/self/statm", "re");
    if (file == nullptr || std::fscanf(file, "%llu", &pages) != 1) {
        std::abort();
    }
    std::fclose(file);
    return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t heap_bytes() {
    struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

bool with_little_memory(const std::function<void()> &body) {
    rlimit before, little;
    if (getrlimit(RLIMIT_AS, &before) != 0) {
        return false;
    }
    little = before;
    little.rlim_cur = mapped_bytes() + (64u << 20);
    if (setrlimit(RLIMIT_AS, &little) != 0) {
        return false;
    }
    body();
    setrlimit(RLIMIT_AS, &before);
    return true;
}

// ---- Handles ----

HANDLE new_handle() { return handle_of(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)); }

bool is_open(HANDLE handle) { return fcntl(number_of(handle), F_GETFD) != -1; }

void close_handle(HANDLE handle) { close(number_of(handle)); }

void watch(HANDLE handle) {
    times_closed = 0;
    watched_descriptor = number_of(handle);
}

Watch watched() {
    Watch seen;
    seen.counts = dlsym(RTLD_DEFAULT, "close") == reinterpret_cast<void *>(&close);
    seen.closed = times_closed;
    return seen;
}

// ---- KS objects ----

HANDLE sink_pin() {
    auto create = reinterpret_cast<KspCreateSinkPinFunction>(exported("KspCreateSinkPin"));
    HANDLE handle = nullptr;
    return create != nullptr && SUCCEEDED(create(&handle)) ? handle : nullptr;
}

bool requests_are_recorded() { return false; }

Requests requests() { return Requests(); }

void refuse_creation(bool) {}

// ---- Going on ----

namespace {

void (*tell)(const char *);

void crashed(int signal) {
    const char *what = signal == SIGSEGV   ? "crashes (SIGSEGV)"
                       : signal == SIGBUS  ? "crashes (SIGBUS)"
                       : signal == SIGILL  ? "crashes (SIGILL)"
                       : signal == SIGFPE  ? "crashes (SIGFPE)"
                       : signal == SIGABRT ? "aborts"
                                           : "ends by a signal";
    // What is broken may be what the rest needs: then the process ends all the same.
    std::signal(SIGALRM, SIG_DFL);
    alarm(10);
    tell(what);
    _exit(1);
}

} // namespace

void on_crash(void (*told)(const char *)) {
    tell = told;
    alarm(0); // of the process this one goes on for
    static char stack[256 * 1024]; // the thread's own may be what overflowed
    stack_t other = {};
    other.ss_sp = stack;
    other.ss_size = sizeof stack;
    sigaltstack(&other, nullptr);
    struct sigaction action = {};
    action.sa_handler = crashed;
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
        sigaction(signal, &action, nullptr);
    }
}

void run_again(const std::vector<std::string> &arguments) {
    std::vector<char *> list;
    char name[] = "conformance";
    list.push_back(name);
    for (const std::string &argument : arguments) {
        list.push_back(const_cast<char *>(argument.c_str()));
    }
    list.push_back(nullptr);
    execv("/proc/self/exe", list.data());
    _exit(1);
}

void write_line(const std::string &line) {
    for (size_t done = 0; done < line.size();) {
        ssize_t wrote = ::write(STDOUT_FILENO, line.data() + done, line.size() - done);
        if (wrote <= 0 && errno != EINTR) {
            _exit(2);
        }
        done += wrote > 0 ? static_cast<size_t>(wrote) : 0;
    }
}

} // namespace platform
