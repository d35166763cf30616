// Statements 161 to 163: the pipes that the negotiation of live pins makes. The pins are this program's own, their vtables
// written out, so that no compiler's idea of a class comes between.

#include "library.hpp"
#include "suite.hpp"

#include <cstdlib>
#include <vector>

namespace {

typedef HRESULT(STDMETHODCALLTYPE *NegotiatePins)(IUnknown *const *pins, ULONG count, ULONG strategy, void *explain,
                                                  void *context);

const GUID ks_object = {0x423C13A2, 0x2070, 0x11D0, {0x9E, 0xF7, 0x00, 0xAA, 0x00, 0xA2, 0x16, 0xA1}};
const GUID ks_pin = {0xB61178D1, 0xA2D9, 0x11CF, {0x9E, 0x53, 0x00, 0xAA, 0x00, 0xA2, 0x16, 0xA1}};
const GUID ks_pin_pipe = {0xE539CD90, 0xA8B4, 0x11D1, {0x81, 0x89, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}};
const GUID unknown = {0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
const GUID pin_interface = {0x56A86891, 0x0AD4, 0x11CE, {0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70}};

const HRESULT not_connected = static_cast<HRESULT>(0x80040209);

extern void *const pin_slots[18];
extern void *const ks_pin_slots[16];
extern void *const pipe_slots[14];
extern void *const object_slots[4];

// A pin. Its first members are its interface pointers, in the order of Face.
struct LivePin {
    void *const *faces[4] = {pin_slots, ks_pin_slots, pipe_slots, object_slots};
    ULONG references = 1;
    ULONG direction; // PINDIR_INPUT, PINDIR_OUTPUT
    const char16_t *filter, *name;
    KSALLOCATOR_FRAMING_EX framing = {};
    bool asks = false;
    HANDLE handle = nullptr;
    LivePin *peer = nullptr;
    std::vector<LivePin *> internal;
    IKsAllocatorEx *pipe = nullptr;
    IMemAllocator *allocator = nullptr;
    ULONG flag = 0;

    LivePin(const char16_t *filter, const char16_t *name, ULONG direction)
        : direction(direction), filter(filter), name(name) {}
    LivePin(const LivePin &) = delete;
    ~LivePin() {
        keep(pipe, static_cast<IKsAllocatorEx *>(nullptr));
        keep(allocator, static_cast<IMemAllocator *>(nullptr));
    }

    template <typename Object> static void keep(Object *&held, Object *other) {
        if (other != nullptr) {
            other->AddRef();
        }
        if (held != nullptr) {
            held->Release();
        }
        held = other;
    }
    IUnknown *identity() { return reinterpret_cast<IUnknown *>(&faces[0]); }

    void ask(ULONG flags, ULONG frames, ULONG size) {
        asks = true;
        framing.CountItems = 1;
        framing.OutputCompression.RatioNumerator = framing.OutputCompression.RatioDenominator = 1;
        KS_FRAMING_ITEM &item = framing.FramingItem[0];
        item.Flags = flags;
        item.Frames = frames;
        item.PhysicalRange.MaxFrameSize = item.FramingRange.Range.MaxFrameSize = 0xFFFFFFFF;
        item.PhysicalRange.Stepping = item.FramingRange.Range.Stepping = 1;
        item.FramingRange.Range.MinFrameSize = size;
    }
};

enum Face { AsPin, AsKsPin, AsPipe, AsObject };

template <Face face> LivePin &pin_of(void *self) {
    return *reinterpret_cast<LivePin *>(static_cast<void *const **>(self) - face);
}

template <Face face> HRESULT STDMETHODCALLTYPE query_interface(void *self, const GUID *iid, void **object) {
    LivePin &pin = pin_of<face>(self);
    int found = equal(*iid, unknown) || equal(*iid, pin_interface)  ? AsPin
                : equal(*iid, ks_pin)                               ? AsKsPin
                : equal(*iid, ks_pin_pipe)                          ? AsPipe
                : equal(*iid, ks_object) && pin.handle != nullptr   ? AsObject
                                                                    : -1;
    *object = found < 0 ? nullptr : &pin.faces[found];
    pin.references += found >= 0;
    return found < 0 ? E_NOINTERFACE : S_OK;
}
template <Face face> ULONG STDMETHODCALLTYPE add_reference(void *self) { return ++pin_of<face>(self).references; }
// The case owns the pin.
template <Face face> ULONG STDMETHODCALLTYPE release(void *self) { return --pin_of<face>(self).references; }
// A slot that negotiation has no business with.
void STDMETHODCALLTYPE never() { std::abort(); }

HRESULT STDMETHODCALLTYPE connected_to(void *self, void **out) {
    LivePin *peer = pin_of<AsPin>(self).peer;
    *out = peer;
    if (peer == nullptr) {
        return not_connected;
    }
    ++peer->references;
    return S_OK;
}
HRESULT STDMETHODCALLTYPE no_answer(void *, void *) { return E_NOTIMPL; }
HRESULT STDMETHODCALLTYPE query_direction(void *self, ULONG *direction) {
    *direction = pin_of<AsPin>(self).direction;
    return S_OK;
}
HRESULT STDMETHODCALLTYPE internal_connections(void *self, void **pins, ULONG *count) {
    LivePin &pin = pin_of<AsPin>(self);
    ULONG room = *count;
    *count = static_cast<ULONG>(pin.internal.size());
    if (*count > room || pins == nullptr) {
        return *count == 0 ? S_OK : S_FALSE;
    }
    for (LivePin *other : pin.internal) {
        ++other->references;
        *pins++ = other;
    }
    return S_OK;
}

template <Face face, typename Object> Object *peek(Object *held, ULONG operation) {
    if (held != nullptr && operation == 1) {
        held->AddRef();
    }
    return held;
}
IMemAllocator *STDMETHODCALLTYPE peek_allocator(void *self, ULONG operation) {
    return peek<AsKsPin>(pin_of<AsKsPin>(self).allocator, operation);
}
HRESULT STDMETHODCALLTYPE receive_allocator(void *self, IMemAllocator *allocator) {
    LivePin::keep(pin_of<AsKsPin>(self).allocator, allocator);
    return S_OK;
}

HRESULT STDMETHODCALLTYPE get_framing(void *self, KSALLOCATOR_FRAMING_EX **framing, ULONG *property, ULONG option) {
    LivePin &pin = pin_of<AsPipe>(self);
    bool last = option == 1; // Framing_Cache_ReadLast
    *framing = last && pin.asks ? &pin.framing : nullptr;
    *property = !last ? 0 : pin.asks ? 3 : 1; // FramingProp_Uninitialized, _Ex, _None
    return S_OK;
}
void *STDMETHODCALLTYPE connected_pin(void *self) { return pin_of<AsPipe>(self).peer; }
IKsAllocatorEx *STDMETHODCALLTYPE get_pipe(void *self, ULONG operation) {
    return peek<AsPipe>(pin_of<AsPipe>(self).pipe, operation);
}
HRESULT STDMETHODCALLTYPE set_pipe(void *self, IKsAllocatorEx *pipe) {
    LivePin::keep(pin_of<AsPipe>(self).pipe, pipe);
    return S_OK;
}
ULONG STDMETHODCALLTYPE get_flag(void *self) { return pin_of<AsPipe>(self).flag; }
HRESULT STDMETHODCALLTYPE set_flag(void *self, ULONG flag) {
    pin_of<AsPipe>(self).flag = flag;
    return S_OK;
}
GUID *STDMETHODCALLTYPE get_bus(void *, GUID *bus) {
    *bus = GUID();
    return bus;
}
const char16_t *STDMETHODCALLTYPE get_pin_name(void *self) { return pin_of<AsPipe>(self).name; }
const char16_t *STDMETHODCALLTYPE get_filter_name(void *self) { return pin_of<AsPipe>(self).filter; }

HANDLE STDMETHODCALLTYPE get_handle(void *self) { return pin_of<AsObject>(self).handle; }

#define SLOT(function) reinterpret_cast<void *>(function)
#define UNKNOWN(face) SLOT(query_interface<face>), SLOT(add_reference<face>), SLOT(release<face>)
#define NEVER SLOT(never)

void *const pin_slots[18] = {UNKNOWN(AsPin), NEVER, NEVER, NEVER, SLOT(connected_to), NEVER, SLOT(no_answer),
                             SLOT(query_direction), NEVER, NEVER, NEVER, SLOT(internal_connections), NEVER, NEVER,
                             NEVER, NEVER};
void *const ks_pin_slots[16] = {UNKNOWN(AsKsPin), NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER,
                                SLOT(peek_allocator), SLOT(receive_allocator), NEVER, NEVER, NEVER, NEVER};
void *const pipe_slots[14] = {UNKNOWN(AsPipe), SLOT(get_framing), NEVER, SLOT(connected_pin), SLOT(get_pipe),
                              SLOT(set_pipe), SLOT(get_flag), SLOT(set_flag), SLOT(get_bus), NEVER, SLOT(get_pin_name),
                              SLOT(get_filter_name)};
void *const object_slots[4] = {UNKNOWN(AsObject), SLOT(get_handle)};

// Source, filter and sink, all connected.
struct Chain {
    LivePin source{u"source", u"out", 1}, in{u"effect", u"in", 0}, out{u"effect", u"out", 1}, sink{u"sink", u"in", 0};

    // What the filter asks says whether it works in place.
    explicit Chain(ULONG flags) {
        connect(source, in);
        connect(out, sink);
        in.internal.push_back(&out);
        out.internal.push_back(&in);
        source.ask(0, 2, 4096);
        in.ask(flags, 0, 0);
    }
    static void connect(LivePin &from, LivePin &to) {
        from.peer = &to;
        to.peer = &from;
    }
    HRESULT negotiate() {
        IUnknown *one[] = {in.identity()};
        auto function = reinterpret_cast<NegotiatePins>(platform::exported("KspNegotiatePins"));
        return function(one, 1, 0, nullptr, nullptr);
    }
};

#define REQUIRE_NEGOTIATION()                                        \
    if (platform::exported("KspNegotiatePins") == nullptr) {         \
        NOT_APPLICABLE("the library negotiates no pins by KspNegotiatePins") \
    }

} // namespace

STATEMENT(161, "pipes on both sides of a filter that copies have allocators of their own") {
    REQUIRE_NEGOTIATION();
    Chain chain(0);
    REQUIRE_EQUAL(chain.negotiate(), S_OK);
    REQUIRE(chain.source.pipe != nullptr && chain.out.pipe != nullptr);
    EXPECT_EQUAL(chain.in.pipe, chain.source.pipe);
    EXPECT_EQUAL(chain.sink.pipe, chain.out.pipe);
    EXPECT(chain.source.pipe != chain.out.pipe);
    ALLOCATOR_PROPERTIES_EX *first = chain.source.pipe->KsGetProperties();
    REQUIRE_EQUAL(first->CountNextSegments, 1);
    EXPECT_EQUAL(static_cast<void *>(first->NextSegments[0]), static_cast<void *>(chain.out.pipe));
    EXPECT_EQUAL(static_cast<void *>(chain.out.pipe->KsGetProperties()->PrevSegment),
                 static_cast<void *>(chain.source.pipe));
    IMemAllocator *up = chain.source.allocator, *down = chain.out.allocator;
    REQUIRE(up != nullptr && down != nullptr && up != down);
    REQUIRE_EQUAL(up->Commit(), S_OK);
    REQUIRE_EQUAL(down->Commit(), S_OK);
    {
        Sample one, two, none, other;
        EXPECT_EQUAL(up->GetBuffer(one.put(), nullptr, nullptr, AM_GBF_NOWAIT), S_OK);
        EXPECT_EQUAL(up->GetBuffer(two.put(), nullptr, nullptr, AM_GBF_NOWAIT), S_OK);
        EXPECT_EQUAL(up->GetBuffer(none.put(), nullptr, nullptr, AM_GBF_NOWAIT), VFW_E_TIMEOUT);
        EXPECT_EQUAL(down->GetBuffer(other.put(), nullptr, nullptr, AM_GBF_NOWAIT), S_OK);
    }
    up->Decommit();
    down->Decommit();
}

STATEMENT(162, "source, filter in place and sink share a pipe: one frame, taken from the allocator once") {
    REQUIRE_NEGOTIATION();
    Chain chain(KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER);
    REQUIRE_EQUAL(chain.negotiate(), S_OK);
    REQUIRE(chain.source.pipe != nullptr && chain.source.allocator != nullptr);
    for (LivePin *pin : {&chain.in, &chain.out, &chain.sink}) {
        EXPECT_EQUAL(pin->pipe, chain.source.pipe);
        EXPECT_EQUAL(pin->allocator, chain.source.allocator);
    }
    EXPECT_EQUAL(chain.source.pipe->KsGetProperties()->NumberPins, 4);
    REQUIRE_EQUAL(chain.source.allocator->Commit(), S_OK);
    Reference<IMemAllocatorCallbackTemp> count;
    REQUIRE_EQUAL(chain.sink.allocator->QueryInterface(IID_IMemAllocatorCallbackTemp, count.put_void()), S_OK);
    {
        LONG before = 0, after = 0;
        count->GetFreeCount(&before);
        Sample frame;
        REQUIRE_EQUAL(chain.source.allocator->GetBuffer(frame.put(), nullptr, nullptr, AM_GBF_NOWAIT), S_OK);
        // What is delivered from pin to pin is the sample.
        BYTE *written = nullptr, *changed = nullptr, *read = nullptr;
        frame->GetPointer(&written);
        frame->GetPointer(&changed);
        frame->GetPointer(&read);
        EXPECT(written != nullptr && written == changed && changed == read);
        count->GetFreeCount(&after);
        EXPECT_EQUAL(after, before - 1);
    }
    chain.source.allocator->Decommit();
}

STATEMENT(163, "a pipe with a user-mode end is in user mode") {
    REQUIRE_NEGOTIATION();
    Chain chain(0);
    HANDLE handle = platform::new_handle();
    REQUIRE(handle != nullptr);
    chain.source.handle = handle; // a driver's pin
    EXPECT_EQUAL(chain.negotiate(), S_OK);
    if (EXPECT(chain.source.pipe != nullptr && chain.sink.pipe != nullptr)) {
        EXPECT_EQUAL(chain.source.pipe->KsGetAllocatorMode(), KsAllocatorMode_User);
        EXPECT_EQUAL(chain.sink.pipe->KsGetAllocatorMode(), KsAllocatorMode_User);
        EXPECT_EQUAL(chain.source.pipe->KsGetAllocatorHandle(), nullptr);
    }
    platform::close_handle(handle);
}
