// Statements 11, 152 to 160 and 164: pins, where the library makes them (KspCreatePin).
//
// Pins are called slot by slot, as functions of C. So IKsPinPipe's slot 10 is called in Microsoft's order of arguments,
// which is not the one in which g++ calls a method that returns a structure.
#include "library.hpp"
#include "suite.hpp"

namespace {

const GUID mem_input_pin = {0x56A8689D, 0x0AD4, 0x11CE, {0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70}};
const GUID pin_pipe = {0xE539CD90, 0xA8B4, 0x11D1, {0x81, 0x89, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}};
// KSMEDIUMSETID_Standard
const GUID standard_medium = {0x4747B320, 0x62CE, 0x11CF, {0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00}};
const GUID some_bus = {0x01234567, 0x89AB, 0xCDEF, {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF}};

// KSP_PIN_DESCRIPTION, which no header of Windows has.
struct Description {
    ULONG size;
    ULONG direction; // PINDIR_INPUT, PINDIR_OUTPUT
    const uint16_t *pin_name;
    const uint16_t *filter_name;
    const KSALLOCATOR_FRAMING_EX *framing;
    ULONG framing_size;
    ULONG communication;
    HANDLE handle;
};
typedef HRESULT(STDMETHODCALLTYPE *CreatePin)(const Description *pin, const GUID *iid, void **object);

enum Property : ULONG { Uninitialized, None, Old, Ex };
enum Option : ULONG { Update, ReadLast, ReadOrig, Write, Fourth };
enum Operation : ULONG { PeekOnly, WithReference };

// An input or an output pin by the interfaces that are tested.
struct ReadyPin {
    Reference<IUnknown> ks, pipe;

    explicit ReadyPin(ULONG direction, const KSALLOCATOR_FRAMING_EX *framing = nullptr) {
        auto create = reinterpret_cast<CreatePin>(platform::exported("KspCreatePin"));
        Description description = {sizeof description, direction, nullptr, nullptr,
                                   framing,            framing == nullptr ? 0 : ULONG(sizeof *framing), 0, nullptr};
        if (create != nullptr && SUCCEEDED(create(&description, &IID_IKsPin, ks.put_void()))) {
            ks->QueryInterface(pin_pipe, pipe.put_void());
        }
    }
    explicit operator bool() const { return ks && pipe; }

    template <typename Answer, typename... Arguments>
    static Answer call(IUnknown *object, size_t index, Arguments... arguments) {
        return slot<Answer(STDMETHODCALLTYPE *)(void *, Arguments...)>(object, index)(object, arguments...);
    }
    IMemAllocator *peek_allocator(Operation operation) const {
        return call<IMemAllocator *>(ks.get(), 10, operation);
    }
    HRESULT receive_allocator(IMemAllocator *allocator) const { return call<HRESULT>(ks.get(), 11, allocator); }
    HRESULT get_framing(KSALLOCATOR_FRAMING_EX **framing, Property *property, Option option) const {
        return call<HRESULT>(pipe.get(), 3, framing, property, option);
    }
    HRESULT set_framing(KSALLOCATOR_FRAMING_EX *framing, Property property, Option option) const {
        return call<HRESULT>(pipe.get(), 4, framing, &property, option);
    }
    KSALLOCATOR_FRAMING_EX *framing(Option option) const {
        KSALLOCATOR_FRAMING_EX *framing = nullptr;
        Property property;
        return get_framing(&framing, &property, option) == S_OK ? framing : nullptr;
    }
    IKsAllocatorEx *get_pipe(Operation operation) const { return call<IKsAllocatorEx *>(pipe.get(), 6, operation); }
    HRESULT set_pipe(IKsAllocatorEx *allocator) const { return call<HRESULT>(pipe.get(), 7, allocator); }
    ULONG flag() const { return call<ULONG>(pipe.get(), 8); }
    HRESULT set_flag(ULONG flag) const { return call<HRESULT>(pipe.get(), 9, flag); }
    GUID *bus(GUID *out) const { return call<GUID *>(pipe.get(), 10, out); }
    HRESULT set_bus(GUID bus) const { return call<HRESULT>(pipe.get(), 11, bus); }
};

KSALLOCATOR_FRAMING_EX one_item(ULONG frames, ULONG size, ULONG mask) {
    KSALLOCATOR_FRAMING_EX framing = {};
    framing.CountItems = 1;
    framing.OutputCompression.RatioNumerator = framing.OutputCompression.RatioDenominator = 1;
    KS_FRAMING_ITEM &item = framing.FramingItem[0];
    item.MemoryType = KSMEMORY_TYPE_USER;
    item.Frames = frames;
    item.FileAlignment = mask;
    item.PhysicalRange.MaxFrameSize = 0xFFFFFFFF;
    item.PhysicalRange.Stepping = 1;
    item.FramingRange.Range.MinFrameSize = item.FramingRange.Range.MaxFrameSize = size;
    return framing;
}

// The same in memory that a pin takes over, at the beginning of a block of so many bytes.
KSALLOCATOR_FRAMING_EX *given(const KSALLOCATOR_FRAMING_EX &framing, size_t bytes = sizeof(KSALLOCATOR_FRAMING_EX)) {
    auto *memory = static_cast<KSALLOCATOR_FRAMING_EX *>(library::task_memory(bytes));
    *memory = framing;
    return memory;
}

// Each class of pin.
constexpr ULONG directions[] = {0, 1};

#define REQUIRE_PINS()                                          \
    if (platform::exported("KspCreatePin") == nullptr) {        \
        NOT_APPLICABLE("the library makes no pins by KspCreatePin") \
    }

} // namespace

STATEMENT(11, "IKsPinPipe's slot 10 takes the object first, then where the GUID goes, and returns that") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        GUID result = some_bus;
        EXPECT_EQUAL(pin.bus(&result), &result);
        EXPECT(!equal(result, some_bus));
        EXPECT(pin);
    }
}

STATEMENT(152, "KsPeekAllocator gives the pin's allocator, with a reference only if asked") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        Allocator x;
        Reference<IMemAllocator> memory;
        REQUIRE_EQUAL(x.memory->QueryInterface(IID_IMemAllocator, memory.put_void()), S_OK);
        EXPECT_EQUAL(pin.receive_allocator(memory.get()), S_OK);
        ULONG before = references(memory.get());
        EXPECT_EQUAL(pin.peek_allocator(PeekOnly), memory.get());
        EXPECT_EQUAL(references(memory.get()), before);
        Reference<IMemAllocator> counted(pin.peek_allocator(WithReference));
        EXPECT_EQUAL(counted.get(), memory.get());
        EXPECT_EQUAL(references(memory.get()), before + 1);
    }
}

STATEMENT(153, "KsPeekAllocator of a pin without an allocator is null") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        EXPECT_EQUAL(pin.peek_allocator(PeekOnly), nullptr);
        EXPECT_EQUAL(pin.peek_allocator(WithReference), nullptr);
    }
}

STATEMENT(154, "KsGetPipe gives the pin's pipe, with a reference only if asked") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        Allocator p;
        EXPECT_EQUAL(pin.set_pipe(p.ks.get()), S_OK);
        ULONG before = references(p.ks.get());
        EXPECT_EQUAL(pin.get_pipe(PeekOnly), p.ks.get());
        EXPECT_EQUAL(references(p.ks.get()), before);
        Reference<IKsAllocatorEx> counted(pin.get_pipe(WithReference));
        EXPECT_EQUAL(counted.get(), p.ks.get());
        EXPECT_EQUAL(references(p.ks.get()), before + 1);
    }
}

STATEMENT(155, "KsSetPipe(NULL) takes the pipe away and releases it once") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        Allocator p;
        ULONG before = references(p.ks.get());
        EXPECT_EQUAL(pin.set_pipe(p.ks.get()), S_OK);
        EXPECT_EQUAL(pin.set_pipe(p.ks.get()), S_OK);
        EXPECT_EQUAL(references(p.ks.get()), before + 1);
        EXPECT_EQUAL(pin.set_pipe(nullptr), S_OK);
        EXPECT_EQUAL(pin.get_pipe(PeekOnly), nullptr);
        EXPECT_EQUAL(pin.get_pipe(WithReference), nullptr);
        EXPECT_EQUAL(references(p.ks.get()), before);
    }
}

STATEMENT(156, "the pipe allocator flag is 0 at first, and kept") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        EXPECT_EQUAL(pin.flag(), 0);
        EXPECT_EQUAL(pin.set_flag(5), S_OK);
        EXPECT_EQUAL(pin.flag(), 5);
    }
}

STATEMENT(157, "the bus is the medium's set, unless one was set first") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction), other(direction);
        REQUIRE(pin && other);
        GUID bus = some_bus;
        pin.bus(&bus);
        EXPECT(equal(bus, standard_medium));
        EXPECT_EQUAL(other.set_bus(some_bus), S_OK);
        other.bus(&bus);
        EXPECT(equal(bus, some_bus));
    }
}

STATEMENT(158, "a framing is in the slot it was put into, and in no other") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        KSALLOCATOR_FRAMING_EX *framing = given(one_item(2, 100, 15)), *read = nullptr;
        EXPECT_EQUAL(pin.set_framing(framing, Ex, ReadLast), S_OK);
        Property property = Uninitialized;
        EXPECT_EQUAL(pin.get_framing(&read, &property, ReadLast), S_OK);
        EXPECT_EQUAL(read, framing);
        EXPECT_EQUAL(property, Ex);
        EXPECT_EQUAL(pin.get_framing(&read, &property, ReadOrig), S_OK);
        EXPECT_EQUAL(read, nullptr);
        EXPECT_EQUAL(property, Uninitialized);
    }
}

STATEMENT(159, "an option that names no slot is E_INVALIDARG") {
    REQUIRE_PINS();
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        KSALLOCATOR_FRAMING_EX *framing = nullptr;
        Property property;
        EXPECT_EQUAL(pin.get_framing(&framing, &property, Fourth), E_INVALIDARG);
        EXPECT_EQUAL(pin.get_framing(&framing, &property, Update), E_INVALIDARG);
        EXPECT_EQUAL(pin.set_framing(nullptr, None, Fourth), E_INVALIDARG);
    }
}

STATEMENT(160, "a framing is freed with the last slot that has it") {
    REQUIRE_PINS();
    constexpr size_t block = 60000;
    for (ULONG direction : directions) {
        ReadyPin pin(direction);
        REQUIRE(pin);
        KSALLOCATOR_FRAMING_EX *framing = given(one_item(7, 70, 15), block);
        uint64_t with = platform::heap_bytes();
        EXPECT_EQUAL(pin.set_framing(framing, Ex, ReadLast), S_OK);
        EXPECT_EQUAL(pin.set_framing(framing, Ex, ReadOrig), S_OK);
        EXPECT_EQUAL(pin.set_framing(framing, Ex, ReadOrig), S_OK);
        EXPECT_EQUAL(pin.set_framing(nullptr, None, ReadLast), S_OK);
        EXPECT_EQUAL(pin.framing(ReadOrig), framing);
        EXPECT_EQUAL(framing->FramingItem[0].Frames, 7);
        EXPECT(platform::heap_bytes() > with - block / 2);
        EXPECT_EQUAL(pin.set_framing(nullptr, None, ReadOrig), S_OK);
        EXPECT_EQUAL(pin.framing(ReadOrig), nullptr);
        EXPECT(platform::heap_bytes() < with - block / 2);
    }
}

STATEMENT(164, "GetAllocatorRequirements says what the framing says, the alignment as a number of bytes") {
    REQUIRE_PINS();
    KSALLOCATOR_FRAMING_EX framing = one_item(3, 4096, 63);
    ReadyPin pin(0, &framing);
    REQUIRE(pin);
    Reference<IUnknown> input;
    REQUIRE_EQUAL(pin.ks->QueryInterface(mem_input_pin, input.put_void()), S_OK);
    ALLOCATOR_PROPERTIES asked = {-7, -7, -7, -7};
    EXPECT_EQUAL(ReadyPin::call<HRESULT>(input.get(), 5, &asked), S_OK);
    EXPECT_EQUAL(asked.cBuffers, 3);
    EXPECT_EQUAL(asked.cbBuffer, 4096);
    EXPECT_EQUAL(asked.cbAlign, 64);
    EXPECT_EQUAL(asked.cbPrefix, 0);
}
