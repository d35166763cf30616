// Windows, and Wine.
#include "platform.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace platform {
namespace {

HMODULE library;

// ---- The library's imports, replaced ----

Watch seen;
HANDLE watched_handle;
BOOL(WINAPI *real_close)(HANDLE);
BOOL(WINAPI *real_control)(HANDLE, DWORD, LPVOID, DWORD, LPVOID, DWORD, LPDWORD, LPOVERLAPPED);

BOOL WINAPI counting_close(HANDLE handle) {
    if (handle == watched_handle && handle != nullptr) {
        ++seen.closed;
    }
    return real_close(handle);
}

BOOL WINAPI counting_control(HANDLE handle, DWORD code, LPVOID input, DWORD input_length, LPVOID output,
                             DWORD output_length, LPDWORD returned, LPOVERLAPPED overlapped) {
    if (handle == watched_handle && handle != nullptr) {
        ++seen.controls;
        seen.code = code;
        auto *bytes = static_cast<const uint8_t *>(input);
        seen.input.assign(bytes, bytes + input_length);
        seen.output_length = output_length;
    }
    return real_control(handle, code, input, input_length, output, output_length, returned, overlapped);
}

// Puts `ours` in place of a function that the library imports by name. False if it imports none of that name.
template <typename Function> bool replace(const char *name, Function ours, Function *real) {
    auto *base = reinterpret_cast<uint8_t *>(library);
    auto *dos = reinterpret_cast<IMAGE_DOS_HEADER *>(base);
    auto *headers = reinterpret_cast<IMAGE_NT_HEADERS *>(base + dos->e_lfanew);
    const IMAGE_DATA_DIRECTORY &imports = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    if (imports.VirtualAddress == 0) {
        return false;
    }
    bool found = false;
    for (auto *from = reinterpret_cast<IMAGE_IMPORT_DESCRIPTOR *>(base + imports.VirtualAddress); from->Name != 0; ++from) {
        if (from->OriginalFirstThunk == 0) {
            continue;
        }
        auto *names = reinterpret_cast<IMAGE_THUNK_DATA *>(base + from->OriginalFirstThunk);
        auto *slots = reinterpret_cast<IMAGE_THUNK_DATA *>(base + from->FirstThunk);
        for (; names->u1.AddressOfData != 0; ++names, ++slots) {
            if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal)) {
                continue;
            }
            auto *import = reinterpret_cast<IMAGE_IMPORT_BY_NAME *>(base + names->u1.AddressOfData);
            if (std::strcmp(reinterpret_cast<const char *>(import->Name), name) != 0) {
                continue;
            }
            DWORD before;
            if (VirtualProtect(slots, sizeof *slots, PAGE_READWRITE, &before)) {
                *real = reinterpret_cast<Function>(slots->u1.Function);
                slots->u1.Function = reinterpret_cast<ULONG_PTR>(ours);
                VirtualProtect(slots, sizeof *slots, before, &before);
                found = true;
            }
        }
    }
    return found;
}

} // namespace

bool load(const char *path, std::string *why) {
    library = LoadLibraryA(path);
    if (library == nullptr) {
        char text[80];
        std::snprintf(text, sizeof text, "LoadLibrary fails with %lu", GetLastError());
        *why = text;
        return false;
    }
    bool closes = replace("CloseHandle", counting_close, &real_close);
    bool controls = replace("DeviceIoControl", counting_control, &real_control);
    seen.counts = closes && controls;
    return true;
}

void *exported(const char *name) { return reinterpret_cast<void *>(GetProcAddress(library, name)); }

// ---- Threads ----

struct Thread::State {
    std::function<void()> body;
    HANDLE thread = nullptr;
    bool joined = false;

    static DWORD WINAPI run(LPVOID argument) {
        static_cast<State *>(argument)->body();
        return 0;
    }
};

Thread::Thread(std::function<void()> body) : state(new State) {
    state->body = std::move(body);
    state->thread = CreateThread(nullptr, 0, State::run, state, 0, nullptr);
    if (state->thread == nullptr) {
        write_line("# no thread could be made\n");
        std::abort();
    }
}

Thread::~Thread() {
    join();
    CloseHandle(state->thread);
    delete state;
}

void Thread::join() {
    if (!state->joined) {
        state->joined = true;
        WaitForSingleObject(state->thread, INFINITE);
    }
}

// A thread that waits has its instruction pointer in ntdll.dll, behind the system call; one that runs elsewhere has not.
bool Thread::sleeps() const {
    if (SuspendThread(state->thread) == static_cast<DWORD>(-1)) {
        return false;
    }
    CONTEXT context = {};
    context.ContextFlags = CONTEXT_CONTROL;
    BOOL known = GetThreadContext(state->thread, &context);
    ResumeThread(state->thread);
    if (!known) {
        return false;
    }
#ifdef _WIN64
    auto at = reinterpret_cast<const void *>(context.Rip);
#else
    auto at = reinterpret_cast<const void *>(context.Eip);
#endif
    MEMORY_BASIC_INFORMATION region;
    if (VirtualQuery(at, &region, sizeof region) == 0) {
        return false;
    }
    return region.AllocationBase == GetModuleHandleA("ntdll.dll");
}

uint64_t Thread::processor_time() const {
    FILETIME created, ended, kernel, user;
    if (!GetThreadTimes(state->thread, &created, &ended, &kernel, &user)) {
        return 0;
    }
    auto whole = [](const FILETIME &time) {
        return (static_cast<uint64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime) * 100;
    };
    return whole(kernel) + whole(user);
}

void yield() { SwitchToThread(); }

void pause_milliseconds(unsigned milliseconds) { Sleep(milliseconds); }

// ---- Memory ----

uint64_t mapped_bytes() {
    uint64_t bytes = 0;
    MEMORY_BASIC_INFORMATION region;
    for (uint8_t *at = nullptr; VirtualQuery(at, &region, sizeof region) != 0;) {
        if (region.State != MEM_FREE) {
            bytes += region.RegionSize;
        }
        uint8_t *next = static_cast<uint8_t *>(region.BaseAddress) + region.RegionSize;
        if (next <= at) {
            break;
        }
        at = next;
    }
    return bytes;
}

uint64_t heap_bytes() {
    HANDLE heap = GetProcessHeap();
    uint64_t bytes = 0;
    PROCESS_HEAP_ENTRY entry = {};
    HeapLock(heap);
    while (HeapWalk(heap, &entry)) {
        if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0) {
            bytes += entry.cbData;
        }
    }
    HeapUnlock(heap);
    return bytes;
}

bool with_little_memory(const std::function<void()> &body) {
#ifdef _WIN64
    (void)body;
    return false;
#else
    // Of the two or four gigabytes that a 32-bit process has, one block as large as that is never free.
    body();
    return true;
#endif
}

// ---- Handles ----

HANDLE new_handle() { return CreateEventA(nullptr, TRUE, FALSE, nullptr); }

bool is_open(HANDLE handle) {
    DWORD flags;
    return GetHandleInformation(handle, &flags) != 0;
}

void close_handle(HANDLE handle) { CloseHandle(handle); }

void watch(HANDLE handle) {
    bool counts = seen.counts;
    seen = Watch();
    seen.counts = counts;
    watched_handle = handle;
}

Watch watched() { return seen; }

// ---- KS objects ----

namespace {

// ksuser.c, beside this program.
struct Recorder {
    int(WINAPI *recorded)(HANDLE *, KSALLOCATOR_FRAMING *) = nullptr;
    void(WINAPI *refuse)(int) = nullptr;

    Recorder() {
        HMODULE module = LoadLibraryA("ksuser.dll");
        if (module != nullptr) {
            recorded = reinterpret_cast<decltype(recorded)>(
                reinterpret_cast<void *>(GetProcAddress(module, "ConformanceRecorded")));
            refuse = reinterpret_cast<decltype(refuse)>(
                reinterpret_cast<void *>(GetProcAddress(module, "ConformanceRefuse")));
        }
    }
};

const Recorder &recorder() {
    static const Recorder one;
    return one;
}

} // namespace

HANDLE sink_pin() { return requests_are_recorded() ? new_handle() : nullptr; }

bool requests_are_recorded() { return recorder().recorded != nullptr && recorder().refuse != nullptr; }

Requests requests() {
    Requests all;
    all.count = recorder().recorded(&all.pin, &all.framing);
    return all;
}

void refuse_creation(bool refuse) { recorder().refuse(refuse); }

// ---- Going on ----

namespace {

void (*tell)(const char *);

LONG WINAPI crashed(EXCEPTION_POINTERS *exception) {
    char text[60];
    std::snprintf(text, sizeof text, "crashes (exception 0x%08lX)", exception->ExceptionRecord->ExceptionCode);
    tell(text);
    TerminateProcess(GetCurrentProcess(), 1);
    return EXCEPTION_EXECUTE_HANDLER;
}

} // namespace

void on_crash(void (*told)(const char *)) {
    tell = told;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(crashed);
}

void run_again(const std::vector<std::string> &arguments) {
    char program[MAX_PATH];
    GetModuleFileNameA(nullptr, program, sizeof program);
    std::string line = std::string("\"") + program + '"';
    for (const std::string &argument : arguments) {
        line += " \"" + argument + '"';
    }
    STARTUPINFOA start = {};
    start.cb = sizeof start;
    PROCESS_INFORMATION process;
    DWORD code = 1;
    if (CreateProcessA(program, &line[0], nullptr, nullptr, TRUE, 0, nullptr, nullptr, &start, &process)) {
        WaitForSingleObject(process.hProcess, INFINITE);
        GetExitCodeProcess(process.hProcess, &code);
    }
    TerminateProcess(GetCurrentProcess(), code);
    std::abort();
}

void write_line(const std::string &line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
}

} // namespace platform
