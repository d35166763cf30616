// The six functions of ksproxy.ax from C++: what they answer, and that no argument breaks them.
//
// proxy_functions LIBRARY
//
// LIBRARY is loaded and must export the functions, and on Linux KspCreateAllocator and KspCreateSinkPin. Each line of the
// output is "ok what" or "FAIL what". Exit code 1 if one failed, 2 if the library cannot be used.
//
// Linux:   g++ -std=c++17 -I../../include proxy_functions.cpp -ldl -pthread
// Windows: x86_64-w64-mingw32-g++ -std=c++17 -static proxy_functions.cpp -lole32

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define __STREAMS__
#include <windows.h>
#include <objbase.h>
#include <strmif.h>
#include <vfwmsgs.h>
#include <ks.h>
#include <ksproxy.h>
#else
#include "kspipe.h"
#include <cstdlib>
#include <dlfcn.h>
#include <unistd.h>
#define WINAPI
#define CoTaskMemFree std::free
#endif

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

// By value, so that no library of identifiers is needed.
const GUID PIN_PROPERTIES = {0x8C134960, 0x51AD, 0x11CF, {0x87, 0x8A, 0x94, 0xF8, 0x01, 0xC1, 0x00, 0x00}};
const GUID NOBODYS = {0x12345678, 0x1234, 0x1234, {1, 2, 3, 4, 5, 6, 7, 8}};
const GUID OTHER = {0x12345678, 0x1234, 0x1234, {1, 2, 3, 4, 5, 6, 7, 9}};

struct {
    HRESULT(WINAPI *resolve)(const KSDATARANGE *, const KSMULTIPLE_ITEM *);
    HRESULT(WINAPI *open_default)(const GUID *, ULONG, HANDLE *);
    HRESULT(WINAPI *control)(HANDLE, ULONG, void *, ULONG, void *, ULONG, ULONG *);
    HRESULT(WINAPI *items)(HANDLE, ULONG, ULONG, void **);
    HRESULT(WINAPI *count)(HANDLE, ULONG, ULONG *);
    HRESULT(WINAPI *media_type)(int, AM_MEDIA_TYPE *, HANDLE, ULONG);
} ks;

int failures;

void check(bool holds, const char *what) {
    std::printf("%s %s\n", holds ? "ok" : "FAIL", what);
    failures += !holds;
}

HRESULT win32(ULONG error) { return static_cast<HRESULT>(error | 0x80070000u); }

const ULONG MORE_DATA = 234, NO_MORE_ITEMS = 259, NOT_FOUND = 1168;
const ULONG PROPERTY = 0x002F0003;

#ifdef _WIN32
typedef HMODULE Library;
#else
typedef void *Library;
#endif

template <typename Function> bool find(Library library, const char *name, Function *function) {
#ifdef _WIN32
    FARPROC found = GetProcAddress(library, name);
#else
    void *found = dlsym(library, name);
#endif
    static_assert(sizeof found == sizeof *function, "both are addresses");
    std::memcpy(function, &found, sizeof found);
    return found != nullptr;
}

bool is_zero(const AM_MEDIA_TYPE &type) {
    AM_MEDIA_TYPE zero;
    std::memset(&zero, 0, sizeof zero);
    return std::memcmp(&type, &zero, sizeof zero) == 0;
}

// No pointer and no handle breaks a function.
void hostile() {
    ULONG number = 7;
    char buffer[64] = {};
    HANDLE invalid[] = {nullptr, INVALID_HANDLE_VALUE, reinterpret_cast<HANDLE>(static_cast<intptr_t>(0x7FFFFFFC))};
    for (HANDLE handle : invalid) {
        void *items = &number;
        AM_MEDIA_TYPE type;
        std::memset(&type, 0xA5, sizeof type);
        number = 7;
        check(FAILED(ks.control(handle, PROPERTY, buffer, sizeof buffer, buffer, sizeof buffer, &number)) && number == 0,
              "KsSynchronousDeviceControl of no object");
        check(FAILED(ks.items(handle, 0, KSPROPERTY_PIN_DATARANGES, &items)) && items == nullptr,
              "KsGetMultiplePinFactoryItems of no filter");
        number = 7;
        check(FAILED(ks.count(handle, 0, &number)) && number == 0, "KsGetMediaTypeCount of no filter");
        check(FAILED(ks.media_type(0, &type, handle, 0)) && is_zero(type), "KsGetMediaType of no filter");
        std::memset(&type, 0xA5, sizeof type);
        check(ks.media_type(-1, &type, handle, 0) == E_INVALIDARG && is_zero(type), "at a negative position");
    }
    check(ks.control(nullptr, PROPERTY, buffer, 24, nullptr, 0, nullptr) == E_POINTER, "no place for the bytes returned");
    number = 7;
    check(ks.control(nullptr, PROPERTY, nullptr, 24, nullptr, 0, &number) == E_POINTER && number == 0, "no request");
    number = 7;
    check(ks.control(nullptr, PROPERTY, buffer, 24, nullptr, 1, &number) == E_POINTER && number == 0, "no data");
    check(FAILED(ks.control(nullptr, 0xFFFFFFFF, nullptr, 0, nullptr, 0, &number)), "nothing at all");
    // Where memory ends.
    void *end = reinterpret_cast<void *>(~static_cast<uintptr_t>(7));
    number = 7;
    check(ks.control(nullptr, PROPERTY, end, 24, nullptr, 0, &number) == E_INVALIDARG && number == 0,
          "a request past the end of memory");
    check(ks.control(nullptr, PROPERTY, buffer, 24, end, 0xFFFFFFFF, &number) == E_INVALIDARG,
          "data past the end of memory");
    check(ks.items(nullptr, 0, 0, nullptr) == E_POINTER, "KsGetMultiplePinFactoryItems to NULL");
    check(ks.count(nullptr, 0, nullptr) == E_POINTER, "KsGetMediaTypeCount to NULL");
    check(ks.media_type(0, nullptr, nullptr, 0) == E_POINTER, "KsGetMediaType to NULL");

    HANDLE device = &number;
    check(ks.open_default(nullptr, 0, &device) == E_POINTER && device == nullptr, "KsOpenDefaultDevice of no category");
    check(ks.open_default(&NOBODYS, 0, nullptr) == E_POINTER, "KsOpenDefaultDevice to NULL");
    device = &number;
    check(ks.open_default(&NOBODYS, 0x80000000, &device) == win32(NO_MORE_ITEMS) && device == nullptr,
          "of a category that is empty");
}

// A data range, and what may follow it.
struct Range {
    KSDATARANGE range;
    KSMULTIPLE_ITEM list;
    KSATTRIBUTE attributes[2];
};

struct Asked {
    KSMULTIPLE_ITEM list;
    KSATTRIBUTE attributes[2];
};

void attributes() {
    static_assert(offsetof(Range, list) == 64 && offsetof(Asked, attributes) == 8, "one after the other");
    Range range;
    std::memset(&range, 0, sizeof range);
    range.range.FormatSize = sizeof range.range;
    Asked asked = {{8 + 2 * 24, 2}, {{24, 0, NOBODYS}, {24, 0, OTHER}}};
    Asked one = {{8 + 24, 1}, {{24, 0, NOBODYS}, {0, 0, {}}}};
    Asked none = {{8, 0}, {{0, 0, {}}, {0, 0, {}}}};

    check(ks.resolve(nullptr, nullptr) == E_POINTER && ks.resolve(nullptr, &asked.list) == E_POINTER,
          "KsResolveRequiredAttributes of NULL");
    check(ks.resolve(&range.range, nullptr) == S_OK, "no attributes, and none asked for");
    check(ks.resolve(&range.range, &none.list) == S_OK, "nor by an empty list");
    check(ks.resolve(&range.range, &one.list) == win32(NOT_FOUND), "one asked for that is not there");

    range.range.Flags = KSDATARANGE_ATTRIBUTES | KSDATARANGE_REQUIRED_ATTRIBUTES;
    range.list = asked.list;
    range.attributes[0] = {24, KSATTRIBUTE_REQUIRED, NOBODYS};
    range.attributes[1] = {24, 0, OTHER};
    Range before = range;
    check(ks.resolve(&range.range, &one.list) == S_OK, "the required one asked for");
    check(ks.resolve(&range.range, &asked.list) == S_OK, "and the other");
    check(ks.resolve(&range.range, nullptr) == win32(NOT_FOUND), "attributes, and none asked for");
    check(ks.resolve(&range.range, &none.list) == win32(NOT_FOUND), "the required one not asked for");
    one.attributes[0].Attribute = OTHER;
    check(ks.resolve(&range.range, &one.list) == win32(NOT_FOUND), "only the other asked for");
    check(std::memcmp(&before, &range, sizeof range) == 0, "the range is not changed");

    // Sizes that contradict each other.
    Range wrong = range;
    wrong.range.FormatSize = 63;
    check(ks.resolve(&wrong.range, &one.list) == E_INVALIDARG, "a range shorter than its head");
    wrong = range;
    wrong.list.Size = 7;
    check(ks.resolve(&wrong.range, &one.list) == E_INVALIDARG, "a list shorter than its head");
    wrong = range;
    wrong.list.Count = 3;
    check(ks.resolve(&wrong.range, &one.list) == E_INVALIDARG, "more attributes than the list has bytes for");
    wrong.list.Count = 0xFFFFFFFF;
    check(ks.resolve(&wrong.range, &one.list) == E_INVALIDARG, "far more");
    wrong = range;
    wrong.attributes[0].Size = 23;
    check(ks.resolve(&wrong.range, &one.list) == E_INVALIDARG, "an attribute shorter than its head");
    wrong.attributes[0].Size = 0xFFFFFFFF;
    check(ks.resolve(&wrong.range, &one.list) == E_INVALIDARG, "an attribute longer than its list");
    Asked odd = asked;
    odd.list.Size = 0;
    check(ks.resolve(&range.range, &odd.list) == E_INVALIDARG, "a list of 0 bytes");
}

KSP_PIN request(ULONG property) {
    KSP_PIN asked;
    std::memset(&asked, 0, sizeof asked);
    asked.Property.Set = PIN_PROPERTIES;
    asked.Property.Id = property;
    asked.Property.Flags = KSPROPERTY_TYPE_GET;
    return asked;
}

#ifdef _WIN32

const ULONG PIPE_LISTEN = 0x00110008, PIPE_PEEK = 0x0011400C;
const char PIPE[] = "\\\\.\\pipe\\kspipe-proxy-functions";

// A client of the pipe, once it can be one. Until its server listens, the pipe is busy.
DWORD WINAPI connect(void *) {
    HANDLE client;
    do {
        client = CreateFileA(PIPE, GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    } while (client == INVALID_HANDLE_VALUE);
    DWORD written;
    WriteFile(client, "0123456789", 10, &written, nullptr);
    // Open to the end of the program: a message can be read while its sender is there.
    return 0;
}

// Any object answers DeviceIoControl; a pipe lets a request wait.
void objects(Library) {
    HANDLE pipe = CreateNamedPipeA(PIPE, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                   PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, 4096, 4096, 0, nullptr);
    check(pipe != INVALID_HANDLE_VALUE, "a pipe");
    HANDLE first = CreateFileA(PIPE, GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    CloseHandle(first);
    DisconnectNamedPipe(pipe);

    ULONG returned = 7;
    HANDLE thread = CreateThread(nullptr, 0, connect, nullptr, 0, nullptr);
    check(ks.control(pipe, PIPE_LISTEN, nullptr, 0, nullptr, 0, &returned) == S_OK && returned == 0,
          "a request that waits (ERROR_IO_PENDING) is waited for");
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    struct {
        ULONG state, available, messages, length;
        char data[32];
    } peeked = {};
    check(ks.control(pipe, PIPE_PEEK, nullptr, 0, &peeked, sizeof peeked, &returned) == S_OK && returned == 16 + 10 &&
              std::memcmp(peeked.data, "0123456789", 10) == 0,
          "an answer, and its length");
    check(ks.control(pipe, PIPE_PEEK, nullptr, 0, &peeked, 16 + 4, &returned) == win32(MORE_DATA) && returned == 16 + 4,
          "ERROR_MORE_DATA, and the bytes that were returned");
    KSP_PIN asked = request(KSPROPERTY_PIN_DATARANGES);
    check(FAILED(ks.control(pipe, PROPERTY, &asked, sizeof asked, &asked, sizeof asked, &returned)),
          "a pipe answers no property");
    ULONG count = 7;
    check(FAILED(ks.count(pipe, 0, &count)) && count == 0, "and has no media types");
    CloseHandle(pipe);
}

#else

// A pin with a handle. KsCreateAllocatorAndGetHandle calls nothing of it but QueryInterface.
class Pin final : public IKsPin, public IKsObject {
public:
    explicit Pin(HANDLE handle) : handle(handle) {}
    HRESULT QueryInterface(REFIID iid, void **object) override {
        *object = std::memcmp(&iid, &IID_IKsObject, sizeof iid) == 0 ? static_cast<IKsObject *>(this) : nullptr;
        return *object != nullptr ? S_OK : E_NOINTERFACE;
    }
    ULONG AddRef() override { return 2; }
    ULONG Release() override { return 1; }
    HANDLE KsGetObjectHandle() override { return handle; }
    HRESULT KsQueryMediums(KSMULTIPLE_ITEM **) override { return E_UNEXPECTED; }
    HRESULT KsQueryInterfaces(KSMULTIPLE_ITEM **) override { return E_UNEXPECTED; }
    HRESULT KsCreateSinkPinHandle(KSPIN_INTERFACE *, KSPIN_MEDIUM *) override { return E_UNEXPECTED; }
    HRESULT KsGetCurrentCommunication(KSPIN_COMMUNICATION *, KSPIN_INTERFACE *, KSPIN_MEDIUM *) override {
        return E_UNEXPECTED;
    }
    HRESULT KsPropagateAcquire() override { return E_UNEXPECTED; }
    HRESULT KsDeliver(IMediaSample *, ULONG) override { return E_UNEXPECTED; }
    HRESULT KsMediaSamplesCompleted(KSSTREAM_SEGMENT *) override { return E_UNEXPECTED; }
    IMemAllocator *KsPeekAllocator(KSPEEKOPERATION) override { return nullptr; }
    HRESULT KsReceiveAllocator(IMemAllocator *) override { return E_UNEXPECTED; }
    HRESULT KsRenegotiateAllocator() override { return E_UNEXPECTED; }
    LONG KsIncrementPendingIoCount() override { return 0; }
    LONG KsDecrementPendingIoCount() override { return 0; }
    HRESULT KsQualityNotify(ULONG, REFERENCE_TIME) override { return E_UNEXPECTED; }

private:
    HANDLE handle;
};

// An allocator behind a handle of this process.
void objects(Library library) {
    KspCreateAllocatorFunction create_allocator = nullptr;
    KspCreateSinkPinFunction create_sink_pin = nullptr;
    if (!find(library, "KspCreateAllocator", &create_allocator) ||
        !find(library, "KspCreateSinkPin", &create_sink_pin)) {
        check(false, "the library's own functions");
        return;
    }
    HANDLE pin_handle = nullptr;
    IKsAllocatorEx *allocator = nullptr;
    create_sink_pin(&pin_handle);
    create_allocator(IID_IKsAllocatorEx, reinterpret_cast<void **>(&allocator));
    allocator->KsGetProperties()->cBuffers = 4;
    allocator->KsGetProperties()->cbBuffer = 4096;
    allocator->KsGetProperties()->cbAlign = 64;
    Pin pin(pin_handle);
    HANDLE handle = allocator->KsCreateAllocatorAndGetHandle(&pin);
    check(handle != nullptr, "an allocator behind a handle");

    KSPROPERTY status = {{KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS, KSPROPERTY_TYPE_GET}};
    KSSTREAMALLOCATOR_STATUS answer = {};
    ULONG returned = 7;
    check(ks.control(handle, IOCTL_KS_PROPERTY, &status, sizeof status, &answer, sizeof answer, &returned) == S_OK &&
              returned == sizeof answer && answer.Framing.Frames == 4 && answer.Framing.FrameSize == 4096,
          "an answer, and its length");
    check(ks.control(handle, IOCTL_KS_PROPERTY, &status, sizeof status, nullptr, 0, &returned) == win32(MORE_DATA) &&
              returned == sizeof answer,
          "ERROR_MORE_DATA, and the bytes the answer takes");
    union {
        KSPROPERTY request;
        KSSTREAMALLOCATOR_STATUS answer;
    } both;
    both.request = status;
    check(ks.control(handle, IOCTL_KS_PROPERTY, &both, sizeof status, &both, sizeof answer, &returned) == S_OK &&
              both.answer.Framing.Frames == 4,
          "request and answer in one buffer");
    std::vector<unsigned char> unaligned(1 + sizeof status + sizeof answer + 1 + sizeof(ULONG));
    std::memcpy(&unaligned[1], &status, sizeof status);
    void *returned_anywhere = &unaligned[1 + sizeof status + sizeof answer + 1];
    check(ks.control(handle, IOCTL_KS_PROPERTY, &unaligned[1], sizeof status, &unaligned[1 + sizeof status],
                     sizeof answer, static_cast<ULONG *>(returned_anywhere)) == S_OK &&
              std::memcmp(&unaligned[1 + sizeof status], &answer, sizeof answer) == 0,
          "buffers that lie anywhere");

    // An allocator is no filter.
    void *items = &returned;
    AM_MEDIA_TYPE type;
    KSP_PIN asked = request(KSPROPERTY_PIN_DATARANGES);
    check(FAILED(ks.control(handle, IOCTL_KS_PROPERTY, &asked, sizeof asked, nullptr, 0, &returned)) && returned == 0,
          "an allocator has no pin factories");
    check(FAILED(ks.items(handle, 0, KSPROPERTY_PIN_DATARANGES, &items)) && items == nullptr, "nor items of one");
    check(FAILED(ks.count(handle, 0, &returned)) && FAILED(ks.media_type(0, &type, handle, 0)), "nor media types");
    allocator->Release();
    close(static_cast<int>(reinterpret_cast<intptr_t>(pin_handle)));
}

#endif

} // namespace

int main(int count, char **arguments) {
    Library library = nullptr;
    if (count == 2) {
#ifdef _WIN32
        library = LoadLibraryA(arguments[1]);
#else
        library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
#endif
    }
    if (library == nullptr || !find(library, "KsResolveRequiredAttributes", &ks.resolve) ||
        !find(library, "KsOpenDefaultDevice", &ks.open_default) ||
        !find(library, "KsSynchronousDeviceControl", &ks.control) ||
        !find(library, "KsGetMultiplePinFactoryItems", &ks.items) || !find(library, "KsGetMediaTypeCount", &ks.count) ||
        !find(library, "KsGetMediaType", &ks.media_type)) {
        std::fprintf(stderr, "usage: %s LIBRARY\nLIBRARY must export the functions of ksproxy.ax\n", arguments[0]);
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IONBF, 0);
    hostile();
    attributes();
    objects(library);
    std::printf("%d failed\n", failures);
    return failures == 0 ? 0 : 1;
}
