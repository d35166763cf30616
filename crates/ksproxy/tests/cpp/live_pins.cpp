// Live pins from C++ on Linux: pins written against kspipe.h alone are negotiated by KspNegotiatePins.
//
// live_pins LIBRARY
//
// LIBRARY is loaded and must export KspNegotiatePins and KspCreateSinkPin (kspipe.h). Each line of the output is "ok N what"
// or "FAIL N what", N being the number of a statement (docs/pins.md), or 0 for what no statement says. Exit code 1 if one
// failed, 2 if the library cannot be used; ended by SIGALRM if one never ends.

#include "kspipe.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

KspNegotiatePinsFunction negotiate_pins;
KspCreateSinkPinFunction create_sink_pin;
int failures;
int pins_alive;

void check(int statement, bool holds, const char *what) {
    std::printf("%s %d %s\n", holds ? "ok" : "FAIL", statement, what);
    failures += !holds;
}

bool equal(const GUID &a, const GUID &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// A framing of one item, as drivers declare it.
KSALLOCATOR_FRAMING_EX framing(const GUID &memory, ULONG flags, ULONG frames, ULONG size) {
    KSALLOCATOR_FRAMING_EX all = {};
    all.CountItems = 1;
    all.OutputCompression = {1, 1, 0};
    KS_FRAMING_ITEM &item = all.FramingItem[0];
    item.MemoryType = memory;
    item.Flags = flags;
    item.Frames = frames;
    item.FileAlignment = 63;
    item.PhysicalRange = {size, size == 0 ? 0xFFFFFFFFu : size, 1};
    item.FramingRange.Range = {size, size == 0 ? 0xFFFFFFFFu : size, 1};
    return all;
}

// A pin of somebody else's: it knows kspipe.h and nothing of the library.
class Pin final : public IPin, public IKsPin, public IKsPinPipe, public IKsObject {
public:
    Pin(std::u16string filter, std::u16string name, PIN_DIRECTION direction)
        : filter_(std::move(filter)), name_(std::move(name)), direction_(direction) {
        ++pins_alive;
    }
    virtual ~Pin() {
        replace(pipe, static_cast<IKsAllocatorEx *>(nullptr));
        replace(allocator, static_cast<IMemAllocator *>(nullptr));
        --pins_alive;
    }

    IUnknown *unknown() { return static_cast<IPin *>(this); }

    KSALLOCATOR_FRAMING_EX asks = {};
    FRAMING_PROP property = FramingProp_None;
    Pin *peer = nullptr;
    Pin *other_peer = nullptr; // what ConnectedTo gives instead
    std::vector<Pin *> internal;
    HANDLE handle = nullptr;
    HRESULT receives = S_OK;
    IKsAllocatorEx *pipe = nullptr;
    IMemAllocator *allocator = nullptr;
    ULONG flag = 0;
    int written = 0;
    int identities_left = 1 << 30; // how often it says who it is

    // IUnknown
    HRESULT QueryInterface(REFIID iid, void **object) override {
        if (equal(iid, IID_IUnknown) && identities_left-- == 0) {
            identities_left = 0;
            *object = this; // which is not to be looked at
            return E_NOINTERFACE;
        }
        if (equal(iid, IID_IUnknown) || equal(iid, IID_IPin)) {
            *object = static_cast<IPin *>(this);
        } else if (equal(iid, IID_IKsPin)) {
            *object = static_cast<IKsPin *>(this);
        } else if (equal(iid, IID_IKsPinPipe)) {
            *object = static_cast<IKsPinPipe *>(this);
        } else if (equal(iid, IID_IKsObject) && handle != nullptr) {
            *object = static_cast<IKsObject *>(this);
        } else {
            *object = nullptr;
            return E_NOINTERFACE;
        }
        AddRef();
        return S_OK;
    }
    ULONG AddRef() override { return ++references_; }
    ULONG Release() override {
        ULONG left = --references_;
        if (left == 0) {
            delete this;
        }
        return left;
    }

    // IKsObject
    HANDLE KsGetObjectHandle() override { return handle; }

    // IKsPinPipe
    HRESULT KsGetPinFramingCache(
            KSALLOCATOR_FRAMING_EX **out, FRAMING_PROP *prop, FRAMING_CACHE_OPS option) override {
        bool here = option == Framing_Cache_ReadLast;
        *out = here && property != FramingProp_None ? &asks : nullptr;
        *prop = here ? property : FramingProp_Uninitialized;
        return S_OK;
    }
    HRESULT KsSetPinFramingCache(KSALLOCATOR_FRAMING_EX *, FRAMING_PROP *, FRAMING_CACHE_OPS) override {
        return E_NOTIMPL;
    }
    IPin *KsGetConnectedPin() override { return peer; }
    IKsAllocatorEx *KsGetPipe(KSPEEKOPERATION operation) override {
        if (pipe != nullptr && operation == KsPeekOperation_AddRef) {
            pipe->AddRef();
        }
        return pipe;
    }
    HRESULT KsSetPipe(IKsAllocatorEx *other) override {
        ++written;
        replace(pipe, other);
        return S_OK;
    }
    ULONG KsGetPipeAllocatorFlag() override { return flag; }
    HRESULT KsSetPipeAllocatorFlag(ULONG other) override {
        ++written;
        flag = other;
        return S_OK;
    }
    GUID *KsGetPinBusCache(GUID *bus) override {
        *bus = {};
        return bus;
    }
    HRESULT KsSetPinBusCache(GUID) override { return E_NOTIMPL; }
    WCHAR *KsGetPinName() override { return reinterpret_cast<WCHAR *>(&name_[0]); }
    WCHAR *KsGetFilterName() override { return reinterpret_cast<WCHAR *>(&filter_[0]); }

    // IKsPin
    IMemAllocator *KsPeekAllocator(KSPEEKOPERATION operation) override {
        if (allocator != nullptr && operation == KsPeekOperation_AddRef) {
            allocator->AddRef();
        }
        return allocator;
    }
    HRESULT KsReceiveAllocator(IMemAllocator *other) override {
        ++written;
        if (receives == S_OK) {
            replace(allocator, other);
        }
        return receives;
    }
    HRESULT KsQueryMediums(KSMULTIPLE_ITEM **) override { return E_NOTIMPL; }
    HRESULT KsQueryInterfaces(KSMULTIPLE_ITEM **) override { return E_NOTIMPL; }
    HRESULT KsCreateSinkPinHandle(KSPIN_INTERFACE *, KSPIN_MEDIUM *) override { return E_NOTIMPL; }
    HRESULT KsGetCurrentCommunication(KSPIN_COMMUNICATION *, KSPIN_INTERFACE *, KSPIN_MEDIUM *) override {
        return E_NOTIMPL;
    }
    HRESULT KsPropagateAcquire() override { return E_NOTIMPL; }
    HRESULT KsDeliver(IMediaSample *, ULONG) override { return E_NOTIMPL; }
    HRESULT KsMediaSamplesCompleted(KSSTREAM_SEGMENT *) override { return E_NOTIMPL; }
    HRESULT KsRenegotiateAllocator() override { return E_NOTIMPL; }
    LONG KsIncrementPendingIoCount() override { return 0; }
    LONG KsDecrementPendingIoCount() override { return 0; }
    HRESULT KsQualityNotify(ULONG, REFERENCE_TIME) override { return E_NOTIMPL; }

    // IPin
    HRESULT ConnectedTo(IPin **pin) override {
        Pin *connected = other_peer != nullptr ? other_peer : peer;
        *pin = connected;
        if (connected == nullptr) {
            return VFW_E_NOT_CONNECTED;
        }
        connected->AddRef();
        return S_OK;
    }
    HRESULT QueryDirection(PIN_DIRECTION *direction) override {
        *direction = direction_;
        return S_OK;
    }
    HRESULT QueryInternalConnections(IPin **pins, ULONG *count) override {
        ULONG room = *count;
        *count = static_cast<ULONG>(internal.size());
        if (internal.size() > room) {
            return S_FALSE;
        }
        for (Pin *pin : internal) {
            pin->AddRef();
            *pins++ = pin;
        }
        return S_OK;
    }
    HRESULT QueryPinInfo(PIN_INFO *) override { return E_NOTIMPL; }
    HRESULT Connect(IPin *, const AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT ReceiveConnection(IPin *, const AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT Disconnect() override { return E_NOTIMPL; }
    HRESULT ConnectionMediaType(AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT QueryId(WCHAR **) override { return E_NOTIMPL; }
    HRESULT QueryAccept(const AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT EnumMediaTypes(IEnumMediaTypes **) override { return E_NOTIMPL; }
    HRESULT EndOfStream() override { return E_NOTIMPL; }
    HRESULT BeginFlush() override { return E_NOTIMPL; }
    HRESULT EndFlush() override { return E_NOTIMPL; }
    HRESULT NewSegment(REFERENCE_TIME, REFERENCE_TIME, double) override { return E_NOTIMPL; }

private:
    template <typename Interface> static void replace(Interface *&held, Interface *other) {
        if (other != nullptr) {
            other->AddRef();
        }
        if (held != nullptr) {
            held->Release();
        }
        held = other;
    }

    ULONG references_ = 1;
    std::u16string filter_, name_;
    PIN_DIRECTION direction_;
};

void connect(Pin *from, Pin *to) {
    from->peer = to;
    to->peer = from;
}

void join(Pin *in, Pin *out) {
    in->internal.push_back(out);
    out->internal.push_back(in);
}

void ask(Pin *pin, const KSALLOCATOR_FRAMING_EX &asks) {
    pin->asks = asks;
    pin->property = FramingProp_Ex;
}

// Source, filter and sink. The filter's framing says whether it works in place.
struct Chain {
    Pin *source = new Pin(u"source", u"out", PINDIR_OUTPUT);
    Pin *in = new Pin(u"effect", u"in", PINDIR_INPUT);
    Pin *out = new Pin(u"effect", u"out", PINDIR_OUTPUT);
    Pin *sink = new Pin(u"sink", u"in", PINDIR_INPUT);

    explicit Chain(ULONG flags) {
        connect(source, in);
        join(in, out);
        connect(out, sink);
        ask(source, framing(KSMEMORY_TYPE_WILDCARD, 0, 3, 4096));
        ask(in, framing(KSMEMORY_TYPE_WILDCARD, flags, 0, 0));
    }
    ~Chain() {
        for (Pin *pin : {source, in, out, sink}) {
            pin->Release();
        }
    }
    int written() const { return source->written + in->written + out->written + sink->written; }
};

void STDMETHODCALLTYPE remember(void *context, const char *text) {
    static_cast<std::string *>(context)->append(text).append("\n");
}

HRESULT negotiate(Pin *pin, std::string *said) {
    IUnknown *given[] = {pin->unknown()};
    return negotiate_pins(given, 1, AllocatorStrategy_DontCare, remember, said);
}

void in_place() {
    Chain chain(KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER);
    std::string said;
    check(162, negotiate(chain.sink, &said) == S_OK, "a chain with a filter in place is negotiated");
    bool same = chain.source->pipe != nullptr;
    for (Pin *pin : {chain.source, chain.in, chain.out, chain.sink}) {
        same = same && pin->pipe == chain.source->pipe && pin->allocator == chain.source->allocator;
    }
    check(162, same, "all pins have the same pipe and allocator");
    ALLOCATOR_PROPERTIES_EX *properties = chain.source->pipe->KsGetProperties();
    check(162, properties->NumberPins == 4 && properties->cBuffers == 3 && properties->cbBuffer == 4096
                    && properties->cbAlign == 64 && properties->State == PipeState_Finalized,
            "the pipe has everything that was negotiated");
    check(163, chain.source->pipe->KsGetAllocatorMode() == KsAllocatorMode_User, "a user-mode pipe is in user mode");
    IMemAllocator *memory = chain.source->allocator;
    IMediaSample *sample = nullptr;
    check(162, memory->Commit() == S_OK && memory->GetBuffer(&sample, nullptr, nullptr, AM_GBF_NOWAIT) == S_OK
                    && sample->GetSize() == 4096,
            "the source takes a frame from it");
    if (sample != nullptr) {
        sample->Release();
    }
    memory->Decommit();
}

void copying() {
    Chain chain(0);
    std::string said;
    check(161, negotiate(chain.source, &said) == S_OK, "a chain with a filter that copies is negotiated");
    check(161, chain.source->pipe == chain.in->pipe && chain.out->pipe == chain.sink->pipe
                    && chain.in->pipe != chain.out->pipe,
            "there is a pipe on each side of it");
    ALLOCATOR_PROPERTIES_EX *first = chain.in->pipe->KsGetProperties();
    ALLOCATOR_PROPERTIES_EX *second = chain.out->pipe->KsGetProperties();
    check(119, first->PrevSegment == nullptr && first->CountNextSegments == 1 && first->NextSegments != nullptr
                    && first->NextSegments[0] == chain.out->pipe && second->PrevSegment == chain.in->pipe
                    && second->CountNextSegments == 0 && second->NextSegments == nullptr,
            "the segments are linked");
}

void kernel() {
    Pin *camera = new Pin(u"camera", u"capture", PINDIR_OUTPUT);
    Pin *display = new Pin(u"display", u"in", PINDIR_INPUT);
    connect(camera, display);
    ask(camera, framing(KSMEMORY_TYPE_KERNEL_NONPAGED, KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, 4, 8192));
    create_sink_pin(&camera->handle);
    create_sink_pin(&display->handle);
    std::string said;
    check(0, negotiate(camera, &said) == S_OK, "two drivers' pins are negotiated");
    check(0, camera->pipe->KsGetAllocatorMode() == KsAllocatorMode_Kernel, "their pipe is in kernel mode");
    KSSTREAMALLOCATOR_STATUS status = {};
    check(0, camera->pipe->KsGetAllocatorHandle() != nullptr && camera->pipe->KsGetAllocatorStatus(&status) == S_OK
                    && status.Framing.Frames == 4 && status.Framing.FrameSize == 8192,
            "the allocator is behind its handle");
    check(0, camera->flag == 0 && display->flag == 1, "the pin whose handle it was made on has the flag");
    for (Pin *pin : {camera, display}) {
        HANDLE handle = pin->handle;
        pin->Release();
        close(static_cast<int>(reinterpret_cast<intptr_t>(handle)));
    }
}

void failing() {
    Chain conflict(KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER);
    ask(conflict.sink, framing(KSMEMORY_TYPE_WILDCARD, 0, 0, 8192));
    std::string said;
    check(0, negotiate(conflict.in, &said) == VFW_E_NO_ALLOCATOR, "pins that cannot agree have no allocator");
    check(0, said.find("source.out") != said.npos && said.find("sink.in") != said.npos, "both are named");
    check(0, conflict.written() == 0, "no pin was told anything");

    Chain refusing(0);
    refusing.sink->receives = VFW_E_ALREADY_COMMITTED;
    said.clear();
    check(0, negotiate(refusing.in, &said) == VFW_E_ALREADY_COMMITTED, "what a pin that refuses answers is passed on");
    check(0, said.find("sink.in refused KsReceiveAllocator") != said.npos, "it is named");
    bool clean = true;
    for (Pin *pin : {refusing.source, refusing.in, refusing.out, refusing.sink}) {
        clean = clean && pin->pipe == nullptr && pin->allocator == nullptr && pin->flag == 0;
    }
    check(0, clean, "every pin is as it was");

    Chain garbage(0);
    garbage.source->asks.CountItems = 0x41414141;
    check(0, negotiate(garbage.source, &said) == E_INVALIDARG, "an absurd CountItems is refused");
    check(0, negotiate_pins(nullptr, 1, 0, nullptr, nullptr) == E_POINTER, "a null array is refused");
    IUnknown *null_pin[] = {nullptr};
    check(0, negotiate_pins(null_pin, 1, 0, nullptr, nullptr) == E_POINTER, "a null pin is refused");
    IUnknown *pin[] = {garbage.source->unknown()};
    check(0, negotiate_pins(pin, 1, 3, nullptr, nullptr) == E_INVALIDARG, "two strategies are refused");
    check(0, negotiate_pins(pin, 0, 0, nullptr, nullptr) == VFW_E_NOT_CONNECTED, "no pins are not connected");
}

// Pins are asked again and again who they are. One that does not say it any more is an error, and no surprise.
void forgetful() {
    const int most = 100;
    bool passed_on = true, clean = true;
    int asked = 0;
    HRESULT answer = E_NOINTERFACE;
    for (; answer == E_NOINTERFACE && asked < most; ++asked) {
        Chain chain(0);
        chain.source->other_peer = chain.sink;
        chain.sink->identities_left = asked;
        std::string said;
        answer = negotiate(chain.source, &said);
        passed_on = passed_on && (answer == E_INVALIDARG || answer == E_NOINTERFACE);
        clean = clean && chain.written() == 0;
    }
    check(0, asked > 1 && asked < most, "a pin need not say for ever who it is");
    check(0, passed_on, "what a pin answers that does not say who it is is passed on");
    check(0, clean, "no pin was told anything");
}

template <typename Function> bool find(void *library, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

} // namespace

int main(int count, char **arguments) {
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (library == nullptr || !find(library, "KspNegotiatePins", negotiate_pins)
            || !find(library, "KspCreateSinkPin", create_sink_pin)) {
        std::fprintf(stderr, "usage: live_pins LIBRARY\n%s\n", count == 2 ? dlerror() : "");
        return 2;
    }
    alarm(60);
    in_place();
    copying();
    kernel();
    failing();
    forgetful();
    check(0, pins_alive == 0, "nobody keeps a pin");
    return failures == 0 ? 0 : 1;
}
