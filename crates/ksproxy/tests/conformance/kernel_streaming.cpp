// Statements 109 to 129: IKsAllocator and IKsAllocatorEx.
#include "library.hpp"
#include "suite.hpp"

namespace {

#define REQUIRE_SINK_PIN(object)                                                                  \
    object.handle = platform::sink_pin();                                                         \
    if (object.handle == nullptr) {                                                               \
        NOT_APPLICABLE("there is no KS object here on which an allocator could be created");      \
    }

// What was asked of the pin for the allocator that `a` has a handle of: as the pin saw it, or as the new one tells it.
bool framing_of(const Allocator &a, KSALLOCATOR_FRAMING *framing) {
    if (platform::requests_are_recorded()) {
        *framing = platform::requests().framing;
        return true;
    }
    KSSTREAMALLOCATOR_STATUS status = {};
    HRESULT answer = a.ks->KsGetAllocatorStatus(&status);
    *framing = status.Framing;
    return answer == S_OK;
}

void ask_for_4_of_4096(const Allocator &a) {
    ALLOCATOR_PROPERTIES_EX *properties = a.ks->KsGetProperties();
    properties->cBuffers = 4;
    properties->cbBuffer = 4096;
    properties->cbAlign = 64;
    properties->LogicalMemoryType = KS_MemoryTypeKernelPaged;
}

} // namespace

STATEMENT(109, "user mode and no handle at creation") {
    Allocator a;
    EXPECT_EQUAL(a.ks->KsGetAllocatorMode(), KsAllocatorMode_User);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), nullptr);
}

STATEMENT(110, "the mode is kept") {
    Allocator a;
    a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
    EXPECT_EQUAL(a.ks->KsGetAllocatorMode(), KsAllocatorMode_Kernel);
    a.ks->KsSetAllocatorMode(KsAllocatorMode_User);
    EXPECT_EQUAL(a.ks->KsGetAllocatorMode(), KsAllocatorMode_User);
}

STATEMENT(111, "SetProperties in kernel mode is VFW_E_ALREADY_COMMITTED, with a NULL E_POINTER") {
    Allocator a;
    a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
    ALLOCATOR_PROPERTIES given = {1, 1, 1, 0};
    EXPECT_EQUAL(a.set(1, 1, 1, 0), VFW_E_ALREADY_COMMITTED);
    EXPECT_EQUAL(a.memory->SetProperties(nullptr, &given), E_POINTER);
    EXPECT_EQUAL(a.memory->SetProperties(&given, nullptr), E_POINTER);
}

STATEMENT(112, "Commit and Decommit in kernel mode are S_OK and do nothing") {
    constexpr LONG size = 64 << 20;
    Allocator a;
    REQUIRE_EQUAL(a.set(1, size, 1, 0), S_OK);
    a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
    uint64_t before = platform::mapped_bytes();
    EXPECT_EQUAL(a.memory->Commit(), S_OK);
    EXPECT(platform::mapped_bytes() < before + size / 2);
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
    // It was not committed behind the mode either.
    a.ks->KsSetAllocatorMode(KsAllocatorMode_User);
    EXPECT_EQUAL(a.set(1, 16, 1, 0), S_OK);
}

STATEMENT(113, "GetBuffer in kernel mode is VFW_E_NOT_COMMITTED at once") {
    Allocator a;
    REQUIRE_EQUAL(a.set(1, 16, 1, 0), S_OK);
    a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
    a.memory->Commit();
    Sample none;
    EXPECT_EQUAL(a.get(none.put(), 0), VFW_E_NOT_COMMITTED);
    EXPECT_EQUAL(a.get(none.put(), AM_GBF_NOWAIT), VFW_E_NOT_COMMITTED);
}

STATEMENT(114, "going to kernel mode fails who waits, and the samples come home") {
    for (int round = 0; round < 10; ++round) {
        Client client; // goes with the allocator, when nothing is left of it
        {
            Allocator a;
            REQUIRE_EQUAL(a.commit(1, 16), S_OK);
            REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
            Sample out = a.sample();
            REQUIRE(out);
            Waiter waiter(a);
            EXPECT(waiter.was_blocked());
            a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
            EXPECT_EQUAL(waiter.answer(), VFW_E_NOT_COMMITTED);
            out.reset();
            EXPECT_EQUAL(a.free(), 1);
            a.drop();
        }
        EXPECT_EQUAL(client.count.load(), 1);
    }
}

STATEMENT(115, "the extended properties are zero at first") {
    Allocator a;
    const ALLOCATOR_PROPERTIES_EX *live = a.ks->KsGetProperties();
    REQUIRE(live != nullptr);
    static const ALLOCATOR_PROPERTIES_EX zero = {};
    EXPECT(std::memcmp(live, &zero, sizeof zero) == 0);
}

STATEMENT(116, "KsSetProperties copies every byte, once") {
    Allocator a;
    ALLOCATOR_PROPERTIES_EX given, before;
    std::memset(&given, 0, sizeof given); // padding too, which is compared
    given.cBuffers = 4;
    given.MemoryType = KSMEMORY_TYPE_USER;
    given.State = PipeState_Finalized;
    given.Dimensions.EndPin.RatioNumerator = 7;
    given.NumberPins = 3;
    before = given;
    a.ks->KsSetProperties(&given);
    EXPECT(std::memcmp(&given, &before, sizeof given) == 0);
    EXPECT(std::memcmp(a.ks->KsGetProperties(), &given, sizeof given) == 0);
    given.cBuffers = 5;
    EXPECT_EQUAL(a.ks->KsGetProperties()->cBuffers, 4);
}

STATEMENT(117, "KsGetProperties answers one address for life, of what is there") {
    Allocator a;
    ALLOCATOR_PROPERTIES_EX *live = a.ks->KsGetProperties();
    REQUIRE(live != nullptr);
    ALLOCATOR_PROPERTIES_EX given = {};
    given.Weight = 11;
    a.ks->KsSetProperties(&given);
    EXPECT_EQUAL(a.ks->KsGetProperties(), live);
    EXPECT_EQUAL(live->Weight, 11);
    live->Weight = 12;
    EXPECT_EQUAL(a.ks->KsGetProperties()->Weight, 12);
}

STATEMENT(118, "KsSetProperties of a null pointer or of its own structure changes nothing") {
    Allocator a;
    ALLOCATOR_PROPERTIES_EX *live = a.ks->KsGetProperties();
    REQUIRE(live != nullptr);
    live->cBuffers = 4;
    live->NumberPins = 3;
    a.ks->KsSetProperties(nullptr);
    a.ks->KsSetProperties(live);
    EXPECT_EQUAL(a.ks->KsGetProperties(), live);
    EXPECT_EQUAL(live->cBuffers, 4);
    EXPECT_EQUAL(live->NumberPins, 3);
}

STATEMENT(119, "segments in the extended properties are no references") {
    Allocator a, previous, next;
    IKsAllocatorEx *segments[1] = {next.ks.get()};
    ALLOCATOR_PROPERTIES_EX given = {};
    given.PrevSegment = previous.ks.get();
    given.CountNextSegments = 1;
    given.NextSegments = segments;
    ULONG before[] = {references(a.ks.get()), references(previous.ks.get()), references(next.ks.get())};
    a.ks->KsSetProperties(&given);
    EXPECT_EQUAL(references(a.ks.get()), before[0]);
    EXPECT_EQUAL(references(previous.ks.get()), before[1]);
    EXPECT_EQUAL(references(next.ks.get()), before[2]);
    EXPECT_EQUAL(a.ks->KsGetProperties()->PrevSegment, previous.ks.get());
    EXPECT_EQUAL(a.ks->KsGetProperties()->NextSegments, static_cast<IKsAllocatorEx **>(segments));
    ALLOCATOR_PROPERTIES_EX none = {};
    a.ks->KsSetProperties(&none);
    EXPECT_EQUAL(references(previous.ks.get()), before[1]);
}

STATEMENT(120, "KsGetAllocatorHandle answers the handle that was set") {
    Allocator a;
    HANDLE handle = platform::new_handle();
    a.ks->KsSetAllocatorHandle(handle);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), handle);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), handle);
    EXPECT(platform::is_open(handle));
}

STATEMENT(121, "the handle before is closed once") {
    Allocator a;
    HANDLE one = platform::new_handle(), two = platform::new_handle();
    a.ks->KsSetAllocatorHandle(one);
    platform::watch(one);
    a.ks->KsSetAllocatorHandle(two);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), two);
    EXPECT(!platform::is_open(one));
    EXPECT(platform::is_open(two));
    platform::Watch seen = platform::watched();
    if (seen.counts) {
        EXPECT_EQUAL(seen.closed, 1);
    }
    // Nor is it closed again later, when its number may be somebody else's.
    std::vector<HANDLE> others;
    for (int i = 0; i < 64; ++i) {
        others.push_back(platform::new_handle());
    }
    a.drop();
    for (HANDLE other : others) {
        EXPECT(platform::is_open(other));
        platform::close_handle(other);
    }
    EXPECT(!platform::is_open(two));
}

STATEMENT(122, "a pin that is no KS object gives no allocator, and the old handle is closed and forgotten") {
    Allocator a;
    HANDLE handle = platform::new_handle();
    a.ks->KsSetAllocatorHandle(handle);
    Pin pin;
    EXPECT_EQUAL(a.ks->KsCreateAllocatorAndGetHandle(&pin), nullptr);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), nullptr);
    EXPECT(!platform::is_open(handle));
    EXPECT_EQUAL(pin.unexpected_calls, 0);
    EXPECT_EQUAL(pin.count.load(), 1);
    EXPECT_EQUAL(a.ks->KsCreateAllocatorAndGetHandle(nullptr), nullptr);
}

STATEMENT(123, "a pin without a handle gives no allocator, and nothing is asked of it") {
    Allocator a;
    ask_for_4_of_4096(a);
    Pin pin;
    Object object;
    pin.object = &object;
    int before = platform::requests_are_recorded() ? platform::requests().count : 0;
    for (HANDLE handle : {HANDLE(nullptr), INVALID_HANDLE_VALUE}) {
        object.handle = handle;
        EXPECT_EQUAL(a.ks->KsCreateAllocatorAndGetHandle(&pin), nullptr);
        EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), nullptr);
    }
    EXPECT_EQUAL(object.count.load(), 1);
    EXPECT_EQUAL(object.asked, 2);
    EXPECT_EQUAL(pin.unexpected_calls, 0);
    if (platform::requests_are_recorded()) {
        EXPECT_EQUAL(platform::requests().count, before);
    }
}

STATEMENT(124, "the request says what the extended properties say") {
    Allocator a;
    Pin pin;
    Object object;
    pin.object = &object;
    REQUIRE_SINK_PIN(object);
    ask_for_4_of_4096(a);
    EXPECT(a.ks->KsCreateAllocatorAndGetHandle(&pin) != nullptr);
    KSALLOCATOR_FRAMING framing = {};
    REQUIRE(framing_of(a, &framing));
    EXPECT_EQUAL(framing.OptionsFlags, KSALLOCATOR_OPTIONF_SYSTEM_MEMORY);
    EXPECT_EQUAL(static_cast<int>(framing.PoolType), 1);
    EXPECT_EQUAL(framing.Frames, 4);
    EXPECT_EQUAL(framing.FrameSize, 4096);
    EXPECT_EQUAL(framing.FileAlignment, 63);
    EXPECT_EQUAL(framing.Reserved, 0);
    if (platform::requests_are_recorded()) {
        EXPECT_EQUAL(platform::requests().pin, object.handle);
    }
    platform::close_handle(object.handle);
}

STATEMENT(125, "the pool is the nonpaged one unless the memory is KernelPaged") {
    Allocator a;
    Pin pin;
    Object object;
    pin.object = &object;
    REQUIRE_SINK_PIN(object);
    ask_for_4_of_4096(a);
    for (auto type : {KS_MemoryTypeDontCare, KS_MemoryTypeKernelNonPaged, KS_MemoryTypeDeviceHostMapped,
                      KS_MemoryTypeDeviceSpecific, KS_MemoryTypeUser, KS_MemoryTypeAnyHost}) {
        a.ks->KsGetProperties()->LogicalMemoryType = type;
        EXPECT(a.ks->KsCreateAllocatorAndGetHandle(&pin) != nullptr);
        KSALLOCATOR_FRAMING framing = {};
        framing.PoolType = decltype(framing.PoolType)(1);
        REQUIRE(framing_of(a, &framing));
        EXPECT_EQUAL(static_cast<int>(framing.PoolType), 0);
    }
    platform::close_handle(object.handle);
}

STATEMENT(126, "a creation that fails leaves no handle") {
    Allocator a;
    Pin pin;
    Object object;
    pin.object = &object;
    REQUIRE_SINK_PIN(object);
    ask_for_4_of_4096(a);
    if (platform::requests_are_recorded()) {
        platform::refuse_creation(true);
    } else {
        a.ks->KsGetProperties()->cbBuffer = 0; // which no pin accepts
    }
    EXPECT_EQUAL(a.ks->KsCreateAllocatorAndGetHandle(&pin), nullptr);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), nullptr);
    EXPECT_EQUAL(object.count.load(), 1);
    if (platform::requests_are_recorded()) {
        platform::refuse_creation(false);
    }
    platform::close_handle(object.handle);
}

STATEMENT(127, "a creation that succeeds gives the handle that is kept, and holds nothing of the pin") {
    Allocator a;
    Pin pin;
    Object object;
    pin.object = &object;
    REQUIRE_SINK_PIN(object);
    ask_for_4_of_4096(a);
    HANDLE first = a.ks->KsCreateAllocatorAndGetHandle(&pin);
    REQUIRE(first != nullptr && first != INVALID_HANDLE_VALUE);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), first);
    EXPECT(platform::is_open(first));
    EXPECT_EQUAL(object.count.load(), 1);
    EXPECT_EQUAL(pin.count.load(), 1);
    EXPECT_EQUAL(pin.unexpected_calls, 0);
    // The next one takes its place.
    platform::watch(first);
    HANDLE second = a.ks->KsCreateAllocatorAndGetHandle(&pin);
    EXPECT(second != nullptr);
    EXPECT_EQUAL(a.ks->KsGetAllocatorHandle(), second);
    platform::Watch seen = platform::watched();
    if (seen.counts) {
        EXPECT_EQUAL(seen.closed, 1);
    }
    platform::close_handle(object.handle);
}

STATEMENT(128, "KsGetAllocatorStatus(NULL) is E_POINTER") {
    Allocator a;
    EXPECT_EQUAL(a.ks->KsGetAllocatorStatus(nullptr), E_POINTER);
    a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
    EXPECT_EQUAL(a.ks->KsGetAllocatorStatus(nullptr), E_POINTER);
}

STATEMENT(129, "the status is what the allocator behind the handle answers to one request") {
    Allocator a;
    Pin pin;
    Object object;
    pin.object = &object;
    REQUIRE_SINK_PIN(object);
    ask_for_4_of_4096(a);
    HANDLE handle = a.ks->KsCreateAllocatorAndGetHandle(&pin);
    REQUIRE(handle != nullptr);
    platform::watch(handle);
    KSSTREAMALLOCATOR_STATUS status;
    std::memset(&status, 0xEE, sizeof status);
    HRESULT answer = a.ks->KsGetAllocatorStatus(&status);
#ifdef _WIN32
    // The handle is an event's, to which the request means nothing.
    EXPECT(FAILED(answer));
    platform::Watch seen = platform::watched();
    if (seen.counts) {
        EXPECT_EQUAL(seen.controls, 1);
        EXPECT_EQUAL(seen.code, IOCTL_KS_PROPERTY);
        REQUIRE_EQUAL(seen.input.size(), size_t(24));
        KSPROPERTY property;
        std::memcpy(&property, seen.input.data(), 24);
        // KSPROPSETID_StreamAllocator
        const GUID set = {0xCF6E4342, 0xEC87, 0x11CF, {0xA1, 0x30, 0x00, 0x20, 0xAF, 0xD1, 0x56, 0xE4}};
        EXPECT(equal(property.Set, set));
        EXPECT_EQUAL(property.Id, 1);
        EXPECT_EQUAL(property.Flags, KSPROPERTY_TYPE_GET);
        EXPECT_EQUAL(seen.output_length, 32);
    }
#else
    EXPECT_EQUAL(answer, S_OK);
    EXPECT_EQUAL(status.Framing.Frames, 4);
    EXPECT_EQUAL(status.Framing.FrameSize, 4096);
    EXPECT_EQUAL(status.Framing.FileAlignment, 63);
    EXPECT_EQUAL(status.AllocatedFrames, 0);
    EXPECT_EQUAL(status.Reserved, 0);
#endif
    platform::close_handle(object.handle);
}
