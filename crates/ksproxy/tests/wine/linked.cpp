// A program linked with the import library, in a system whose ksuser.dll has nothing but stubs: creating a kernel's
// allocator fails as any failure does, and the program goes on.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <dshow.h>

#include <ks.h>

#define __STREAMS__
#include <ksproxy.h>

#include <cstdio>
#include <cstring>
#include <cwchar>

extern "C" {
HRESULT WINAPI KspCreateAllocator(REFIID, void **);
HRESULT WINAPI DllCanUnloadNow();
HRESULT WINAPI DllGetClassObject(REFCLSID, REFIID, void **);
}

static LONG failed;
#define CHECK(what) ((what) ? (void)0 : (void)(InterlockedIncrement(&failed), std::printf("%d: %s\n", __LINE__, #what)))

/// A pin with a handle, and nothing else of a pin.
class Pin final : public IKsPin, public IKsObject {
public:
    explicit Pin(HANDLE handle) : handle(handle) {}

    STDMETHODIMP QueryInterface(REFIID iid, void **object) override {
        if (iid == __uuidof(IKsObject)) {
            *object = static_cast<IKsObject *>(this);
        } else if (iid == IID_IUnknown || iid == __uuidof(IKsPin)) {
            *object = static_cast<IKsPin *>(this);
        } else {
            *object = nullptr;
            return E_NOINTERFACE;
        }
        AddRef();
        return S_OK;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return InterlockedIncrement(&references); }
    STDMETHODIMP_(ULONG) Release() override { return InterlockedDecrement(&references); }

    STDMETHODIMP_(HANDLE) KsGetObjectHandle() override { return handle; }

    STDMETHODIMP KsQueryMediums(PKSMULTIPLE_ITEM *) override { return E_NOTIMPL; }
    STDMETHODIMP KsQueryInterfaces(PKSMULTIPLE_ITEM *) override { return E_NOTIMPL; }
    STDMETHODIMP KsCreateSinkPinHandle(KSPIN_INTERFACE &, KSPIN_MEDIUM &) override { return E_NOTIMPL; }
    STDMETHODIMP KsGetCurrentCommunication(KSPIN_COMMUNICATION *, KSPIN_INTERFACE *, KSPIN_MEDIUM *) override {
        return E_NOTIMPL;
    }
    STDMETHODIMP KsPropagateAcquire() override { return E_NOTIMPL; }
    STDMETHODIMP KsDeliver(IMediaSample *, ULONG) override { return E_NOTIMPL; }
    STDMETHODIMP KsMediaSamplesCompleted(PKSSTREAM_SEGMENT) override { return E_NOTIMPL; }
    STDMETHODIMP_(IMemAllocator *) KsPeekAllocator(KSPEEKOPERATION) override { return nullptr; }
    STDMETHODIMP KsReceiveAllocator(IMemAllocator *) override { return E_NOTIMPL; }
    STDMETHODIMP KsRenegotiateAllocator() override { return E_NOTIMPL; }
    STDMETHODIMP_(LONG) KsIncrementPendingIoCount() override { return 0; }
    STDMETHODIMP_(LONG) KsDecrementPendingIoCount() override { return 0; }
    STDMETHODIMP KsQualityNotify(ULONG, REFERENCE_TIME) override { return E_NOTIMPL; }

    LONG references = 1;

private:
    HANDLE handle;
};

static DWORD WINAPI create_on_a_pin_again_and_again(void *) {
    IKsAllocatorEx *allocator = nullptr;
    CHECK(KspCreateAllocator(__uuidof(IKsAllocatorEx), reinterpret_cast<void **>(&allocator)) == S_OK);
    HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    Pin pin(event);
    for (int turn = 0; turn < 20; ++turn) {
        CHECK(allocator->KsCreateAllocatorAndGetHandle(&pin) == nullptr);
        CHECK(allocator->KsGetAllocatorHandle() == nullptr);
    }
    CHECK(pin.references == 1);
    CHECK(SetEvent(event)); // the pin's own handle is still its own

    // A handle that is given is closed before the next is created, whatever becomes of that.
    // An event is there under its name for as long as somebody has a handle of it.
    wchar_t name[32];
    std::swprintf(name, 32, L"ksproxy-%lu", GetCurrentThreadId());
    HANDLE given = CreateEventW(nullptr, TRUE, FALSE, name);
    allocator->KsSetAllocatorHandle(given);
    CHECK(allocator->KsGetAllocatorHandle() == given);
    KSSTREAMALLOCATOR_STATUS status;
    CHECK(FAILED(allocator->KsGetAllocatorStatus(&status))); // an event is no allocator
    CHECK(allocator->KsCreateAllocatorAndGetHandle(&pin) == nullptr);
    CHECK(OpenEventW(SYNCHRONIZE, FALSE, name) == nullptr);

    // The memory half works as before.
    IMemAllocator *memory = nullptr;
    CHECK(allocator->QueryInterface(IID_IMemAllocator, reinterpret_cast<void **>(&memory)) == S_OK);
    ALLOCATOR_PROPERTIES request = {2, 1000, 16, 0}, actual;
    CHECK(memory->SetProperties(&request, &actual) == S_OK);
    CHECK(memory->Commit() == S_OK);
    IMediaSample *sample = nullptr;
    CHECK(memory->GetBuffer(&sample, nullptr, nullptr, 0) == S_OK);
    CHECK(sample != nullptr && sample->GetSize() >= 1000);
    AM_MEDIA_TYPE *media_type = nullptr;
    AM_MEDIA_TYPE set = {};
    set.cbFormat = 5;
    BYTE format[] = "abcd";
    set.pbFormat = format;
    CHECK(sample->SetMediaType(&set) == S_OK);
    CHECK(sample->GetMediaType(&media_type) == S_OK);
    CHECK(media_type->cbFormat == 5 && memcmp(media_type->pbFormat, format, 5) == 0);
    CoTaskMemFree(media_type->pbFormat); // as DeleteMediaType of the base classes does
    CoTaskMemFree(media_type);
    CHECK(sample->Release() == 0);
    CHECK(memory->Decommit() == S_OK);
    memory->Release();
    CHECK(allocator->Release() == 0);
    CloseHandle(event);
    return 0;
}

int main() {
    IUnknown *none = nullptr;
    CHECK(DllGetClassObject(IID_IUnknown, IID_IUnknown, reinterpret_cast<void **>(&none)) == CLASS_E_CLASSNOTAVAILABLE);
    create_on_a_pin_again_and_again(nullptr);
    HANDLE threads[4];
    for (HANDLE &thread : threads) {
        thread = CreateThread(nullptr, 0, create_on_a_pin_again_and_again, nullptr, 0, nullptr);
    }
    CHECK(WaitForMultipleObjects(4, threads, TRUE, INFINITE) == WAIT_OBJECT_0);
    CHECK(DllCanUnloadNow() == S_FALSE);
    std::printf("%ld failed\n", failed);
    return failed != 0;
}
