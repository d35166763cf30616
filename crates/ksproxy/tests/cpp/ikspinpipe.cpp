// IKsPinPipe and its neighbours from C++ on Linux: what ready pins keep, and a pin written in C++ beside them.
//
// ikspinpipe LIBRARY
//
// LIBRARY is loaded and must export KspCreatePin and KspCreateAllocator (kspipe.h). Each line of the output is "ok N what"
// or "FAIL N what", N being the number of a statement (docs/pins.md), or 0. Exit code 1 if one failed, 2 if the library
// cannot be used.

#include "kspipe.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>

namespace {

KspCreatePinFunction create_pin;
KspCreateAllocatorFunction create_allocator;
int failures;

void check(int statement, bool holds, const char *what) {
    std::printf("%s %d %s\n", holds ? "ok" : "FAIL", statement, what);
    failures += !holds;
}

bool equal(const GUID &a, const GUID &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

ULONG references(IUnknown *object) {
    object->AddRef();
    return object->Release();
}

// The interface of an object, with a reference of its own.
template <typename Interface> Interface *query(IUnknown *object, REFIID iid) {
    Interface *found = nullptr;
    object->QueryInterface(iid, reinterpret_cast<void **>(&found));
    return found;
}

// A framing in task memory.
KSALLOCATOR_FRAMING_EX *framing(ULONG frames, ULONG size, ULONG mask) {
    auto *made = static_cast<KSALLOCATOR_FRAMING_EX *>(std::calloc(1, sizeof(KSALLOCATOR_FRAMING_EX)));
    made->CountItems = 1;
    made->OutputCompression = {1, 1, 0};
    KS_FRAMING_ITEM &item = made->FramingItem[0];
    item.MemoryType = KSMEMORY_TYPE_USER;
    item.Frames = frames;
    item.FileAlignment = mask;
    item.PhysicalRange = {0, 0xFFFFFFFFu, 1};
    item.FramingRange.Range = {size, size, 0};
    return made;
}

// A ready pin by its interfaces.
struct Pin {
    IPin *pin = nullptr;
    IKsPinEx *ks = nullptr;
    IKsPinPipe *pipe = nullptr;

    explicit Pin(PIN_DIRECTION direction) {
        KSALLOCATOR_FRAMING_EX *given = framing(4, 4096, 63);
        KSP_PIN_DESCRIPTION description = {};
        description.Size = sizeof description;
        description.Direction = direction;
        description.PinName = u"Pin";
        description.FilterName = u"Filter";
        description.Framing = given;
        description.FramingSize = sizeof *given;
        if (create_pin(&description, IID_IPin, reinterpret_cast<void **>(&pin)) != S_OK) {
            std::puts("FAIL 0 KspCreatePin makes a pin");
            std::exit(1);
        }
        std::free(given);
        ks = query<IKsPinEx>(pin, IID_IKsPinEx);
        pipe = query<IKsPinPipe>(pin, IID_IKsPinPipe);
    }
    Pin(const Pin &) = delete;
    Pin &operator=(const Pin &) = delete;
    ~Pin() {
        ks->Release();
        pipe->Release();
        pin->Release();
    }
};

IKsAllocatorEx *new_allocator() {
    IKsAllocatorEx *made = nullptr;
    create_allocator(IID_IKsAllocatorEx, reinterpret_cast<void **>(&made));
    return made;
}

void allocator_and_pipe(const Pin &pin) {
    IKsAllocatorEx *allocator = new_allocator();
    auto *memory = query<IMemAllocator>(allocator, IID_IMemAllocator);
    check(153, pin.ks->KsPeekAllocator(KsPeekOperation_AddRef) == nullptr, "no allocator is null");
    pin.ks->KsReceiveAllocator(memory);
    ULONG before = references(memory);
    bool peeked = pin.ks->KsPeekAllocator(KsPeekOperation_PeekOnly) == memory && references(memory) == before;
    bool counted = pin.ks->KsPeekAllocator(KsPeekOperation_AddRef) == memory && references(memory) == before + 1;
    memory->Release();
    check(152, peeked && counted, "the allocator is peeked with and without a reference");
    pin.ks->KsReceiveAllocator(nullptr);

    before = references(allocator);
    pin.pipe->KsSetPipe(allocator);
    peeked = pin.pipe->KsGetPipe(KsPeekOperation_PeekOnly) == allocator && references(allocator) == before + 1;
    counted = pin.pipe->KsGetPipe(KsPeekOperation_AddRef) == allocator && references(allocator) == before + 2;
    allocator->Release();
    check(154, peeked && counted, "so is the pipe");
    pin.pipe->KsSetPipe(nullptr);
    check(155, pin.pipe->KsGetPipe(KsPeekOperation_AddRef) == nullptr && references(allocator) == before,
            "null takes the pipe away");
    memory->Release();
    allocator->Release();

    bool zero = pin.pipe->KsGetPipeAllocatorFlag() == 0;
    check(156, zero && pin.pipe->KsSetPipeAllocatorFlag(5) == S_OK && pin.pipe->KsGetPipeAllocatorFlag() == 5,
            "the flag is 0, then 5");
}

void bus(const Pin &pin) {
    GUID found = {};
    bool returned = pin.pipe->KsGetPinBusCache(&found) == &found;
    check(11, returned && equal(found, KSMEDIUMSETID_Standard), "the bus is written where the argument says");
    check(157, equal(pin.pipe->KsGetPinBusCache(), KSMEDIUMSETID_Standard), "the bus is the medium's set");
    const GUID set = {0x01234567, 0x89AB, 0xCDEF, {1, 2, 3, 4, 5, 6, 7, 8}};
    check(157, pin.pipe->KsSetPinBusCache(set) == S_OK && equal(pin.pipe->KsGetPinBusCache(), set),
            "or the one that was set, which goes by value");
}

void framings(const Pin &pin) {
    KSALLOCATOR_FRAMING_EX *orig = nullptr, *last = nullptr, *found = nullptr;
    FRAMING_PROP property = FramingProp_None;
    pin.pipe->KsGetPinFramingCache(&orig, &property, Framing_Cache_ReadOrig);
    pin.pipe->KsGetPinFramingCache(&last, &property, Framing_Cache_ReadLast);
    check(158, orig && orig == last && property == FramingProp_Ex && orig->FramingItem[0].Frames == 4,
            "the framing is the one given");
    pin.pipe->KsGetPinFramingCache(&found, &property, Framing_Cache_Write);
    check(158, found == nullptr && property == FramingProp_Uninitialized, "and in no other slot");

    bool refused = pin.pipe->KsGetPinFramingCache(&found, &property, Framing_Cache_Update) == E_INVALIDARG;
    refused &= pin.pipe->KsGetPinFramingCache(&found, &property, static_cast<FRAMING_CACHE_OPS>(4)) == E_INVALIDARG;
    property = FramingProp_Ex;
    refused &= pin.pipe->KsSetPinFramingCache(nullptr, &property, static_cast<FRAMING_CACHE_OPS>(4)) == E_INVALIDARG;
    check(159, refused, "an option that names no slot is refused");

    KSALLOCATOR_FRAMING_EX *shared = framing(7, 70, 0);
    pin.pipe->KsSetPinFramingCache(shared, &property, Framing_Cache_ReadLast);
    pin.pipe->KsSetPinFramingCache(shared, &property, Framing_Cache_Write);
    pin.pipe->KsSetPinFramingCache(nullptr, &property, Framing_Cache_ReadLast);
    pin.pipe->KsGetPinFramingCache(&found, &property, Framing_Cache_Write);
    check(160, found == shared && shared->FramingItem[0].Frames == 7, "a shared framing is good while a slot has it");
}

void requirements() {
    Pin pin(PINDIR_INPUT);
    auto *input = query<IMemInputPin>(pin.pin, IID_IMemInputPin);
    ALLOCATOR_PROPERTIES asked = {-1, -1, -1, -1};
    bool answered = input->GetAllocatorRequirements(&asked) == S_OK;
    check(164, answered && asked.cBuffers == 4 && asked.cbBuffer == 4096 && asked.cbAlign == 64 && asked.cbPrefix == 0,
            "the requirements are the framing's");
    input->Release();
}

// A pin of the program's own.
class OwnPin : public IPin {
public:
    IPin *connector = nullptr;
    ULONG count = 1;

    virtual ~OwnPin() = default;

    HRESULT QueryInterface(REFIID riid, void **object) override {
        bool known = equal(riid, IID_IUnknown) || equal(riid, IID_IPin);
        *object = known ? static_cast<IPin *>(this) : nullptr;
        count += known;
        return known ? S_OK : E_NOINTERFACE;
    }
    ULONG AddRef() override { return ++count; }
    ULONG Release() override { return --count; }
    HRESULT Connect(IPin *, const AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT ReceiveConnection(IPin *pin, const AM_MEDIA_TYPE *type) override {
        connector = pin;
        return type->lSampleSize == 9 ? S_OK : VFW_E_TYPE_NOT_ACCEPTED;
    }
    HRESULT Disconnect() override { return S_OK; }
    HRESULT ConnectedTo(IPin **) override { return E_NOTIMPL; }
    HRESULT ConnectionMediaType(AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT QueryPinInfo(PIN_INFO *) override { return E_NOTIMPL; }
    HRESULT QueryDirection(PIN_DIRECTION *direction) override {
        *direction = PINDIR_INPUT;
        return S_OK;
    }
    HRESULT QueryId(WCHAR **) override { return E_NOTIMPL; }
    HRESULT QueryAccept(const AM_MEDIA_TYPE *) override { return E_NOTIMPL; }
    HRESULT EnumMediaTypes(IEnumMediaTypes **) override { return E_NOTIMPL; }
    HRESULT QueryInternalConnections(IPin **, ULONG *) override { return E_NOTIMPL; }
    HRESULT EndOfStream() override { return E_NOTIMPL; }
    HRESULT BeginFlush() override { return E_NOTIMPL; }
    HRESULT EndFlush() override { return E_NOTIMPL; }
    HRESULT NewSegment(REFERENCE_TIME, REFERENCE_TIME, double) override { return E_NOTIMPL; }
};

void connections() {
    Pin input(PINDIR_INPUT), output(PINDIR_OUTPUT);
    IPin *peer = nullptr;
    bool alone = input.pin->ConnectedTo(&peer) == VFW_E_NOT_CONNECTED && input.pipe->KsGetConnectedPin() == nullptr;
    check(0, alone, "a new pin is not connected");
    bool joined = output.pin->Connect(input.pin, nullptr) == S_OK && input.pin->ConnectedTo(&peer) == S_OK;
    check(0, joined && peer == output.pin && output.pipe->KsGetConnectedPin() == input.pin, "two pins connect");
    peer->Release();
    check(0, input.pin->NewSegment(1, 2, 0.5) == S_OK && input.pin->EndOfStream() == VFW_E_WRONG_STATE,
            "a ready pin has no stream");
    check(0, output.pin->Disconnect() == S_OK && input.pin->Disconnect() == S_OK && input.pin->Disconnect() == S_FALSE,
            "and let go");

    PIN_INFO info;
    bool told = input.pin->QueryPinInfo(&info) == S_OK && info.pFilter == nullptr && info.dir == PINDIR_INPUT;
    check(0, told && std::u16string(info.achName) == u"Pin", "a pin tells its name");
    check(0, std::u16string(output.pipe->KsGetFilterName()) == u"Filter", "and its filter's");

    OwnPin own;
    AM_MEDIA_TYPE type = {};
    check(0, output.pin->Connect(&own, &type) == VFW_E_TYPE_NOT_ACCEPTED && own.count == 1, "another's pin may refuse");
    type.lSampleSize = 9;
    joined = output.pin->Connect(&own, &type) == S_OK && own.connector == output.pin && own.count == 2;
    check(0, joined && output.pipe->KsGetConnectedPin() == &own, "or agree");
    check(0, output.pin->Disconnect() == S_OK && own.count == 1, "and is released");
}

} // namespace

int main(int count, char **arguments) {
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (!library) {
        std::fprintf(stderr, "ikspinpipe LIBRARY: %s\n", count == 2 ? dlerror() : "no library");
        return 2;
    }
    create_pin = reinterpret_cast<KspCreatePinFunction>(dlsym(library, "KspCreatePin"));
    create_allocator = reinterpret_cast<KspCreateAllocatorFunction>(dlsym(library, "KspCreateAllocator"));
    if (!create_pin || !create_allocator) {
        std::fprintf(stderr, "ikspinpipe: %s\n", dlerror());
        return 2;
    }
    for (PIN_DIRECTION direction : {PINDIR_INPUT, PINDIR_OUTPUT}) {
        Pin pin(direction);
        allocator_and_pipe(pin);
        bus(pin);
        framings(pin);
    }
    requirements();
    connections();
    return failures != 0;
}
