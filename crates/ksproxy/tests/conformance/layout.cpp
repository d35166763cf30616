// Statements 1 to 13: layouts, slots, constants.
#include "library.hpp"
#include "suite.hpp"

#include <cstddef>

namespace {

constexpr bool wide = sizeof(void *) == 8;

#define EXPECT_OFFSET(type, member, offset) EXPECT_EQUAL(offsetof(type, member), static_cast<size_t>(offset))
#define EXPECT_SIZE(type, size) EXPECT_EQUAL(sizeof(type), static_cast<size_t>(size))

} // namespace

STATEMENT(1, "ALLOCATOR_PROPERTIES_EX has the 64-bit layout") {
    if (!wide) {
        NOT_APPLICABLE("a 32-bit program");
    }
    EXPECT_SIZE(ALLOCATOR_PROPERTIES_EX, 264);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, PrevSegment, 232);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, CountNextSegments, 240);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, NextSegments, 248);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, InsideFactors, 256);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, NumberPins, 260);
}

STATEMENT(2, "ALLOCATOR_PROPERTIES_EX has the 32-bit layout") {
    if (wide) {
        NOT_APPLICABLE("a 64-bit program");
    }
    EXPECT_SIZE(ALLOCATOR_PROPERTIES_EX, 252);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, PrevSegment, 232);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, CountNextSegments, 236);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, NextSegments, 240);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, InsideFactors, 244);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, NumberPins, 248);
    // The library copies as much as that, no more and no less.
    struct {
        ALLOCATOR_PROPERTIES_EX properties;
        BYTE behind[16];
    } given;
    std::memset(&given, 0x5A, sizeof given);
    Allocator a;
    a.ks->KsSetProperties(&given.properties);
    EXPECT(std::memcmp(a.ks->KsGetProperties(), &given.properties, 252) == 0);
}

STATEMENT(3, "ALLOCATOR_PROPERTIES_EX has the same layout up to its pointers everywhere") {
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, MemoryType, 16);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, BusType, 32);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, State, 48);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, Input, 52);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, Output, 108);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, Strategy, 164);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, LogicalMemoryType, 176);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, AllocatorPlace, 180);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, Dimensions, 184);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, PhysicalRange, 220);
    EXPECT_OFFSET(ALLOCATOR_PROPERTIES_EX, PrevSegment, 232);
}

STATEMENT(4, "structures of pipes and framings have their sizes") {
    EXPECT_SIZE(PIPE_TERMINATION, 56);
    EXPECT_SIZE(PIPE_DIMENSIONS, 36);
    EXPECT_SIZE(KS_COMPRESSION, 12);
    EXPECT_SIZE(KS_FRAMING_RANGE, 12);
    EXPECT_SIZE(KS_FRAMING_RANGE_WEIGHTED, 20);
    EXPECT_SIZE(KS_FRAMING_ITEM, 88);
    EXPECT_SIZE(KSALLOCATOR_FRAMING, 24);
    EXPECT_SIZE(KSALLOCATOR_FRAMING_EX, 112);
    EXPECT_SIZE(KSSTREAMALLOCATOR_STATUS, 32);
    EXPECT_SIZE(ALLOCATOR_PROPERTIES, 16);
#ifdef _WIN32
    EXPECT_SIZE(KSSTREAMALLOCATOR_STATUS_EX, 120);
#endif
}

STATEMENT(5, "the unions of KSALLOCATOR_FRAMING share their places") {
    KSALLOCATOR_FRAMING framing = {};
    framing.OptionsFlags = 0x12345678;
    EXPECT_EQUAL(framing.RequirementsFlags, 0x12345678);
    EXPECT_OFFSET(KSALLOCATOR_FRAMING, RequirementsFlags, 0);
    EXPECT_OFFSET(KSALLOCATOR_FRAMING, FileAlignment, 16);
#ifndef _WIN32
    // mingw-w64's ks.h lacks FramePitch.
    EXPECT_OFFSET(KSALLOCATOR_FRAMING, FramePitch, 16);
#endif
}

STATEMENT(6, "structures with pointers have their 64-bit layouts") {
    if (!wide) {
        NOT_APPLICABLE("a 32-bit program");
    }
    EXPECT_SIZE(AM_SAMPLE2_PROPERTIES, 64);
    EXPECT_OFFSET(AM_SAMPLE2_PROPERTIES, pbBuffer, 48);
#ifdef _WIN32
    EXPECT_SIZE(KSSTREAM_HEADER, 56);
    EXPECT_OFFSET(KSSTREAM_HEADER, Data, 40);
    EXPECT_OFFSET(KSSTREAM_HEADER, OptionsFlags, 48);
    EXPECT_SIZE(KSEVENTDATA, 32);
    EXPECT_OFFSET(KSEVENTDATA, EventHandle, 8);
#endif
    // The library writes as much as that.
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    Sample sample = a.sample();
    Reference<IMediaSample2> two;
    REQUIRE_EQUAL(sample->QueryInterface(IID_IMediaSample2, two.put_void()), S_OK);
    AM_SAMPLE2_PROPERTIES all = {};
    EXPECT_EQUAL(two->GetProperties(sizeof all, reinterpret_cast<BYTE *>(&all)), S_OK);
    EXPECT_EQUAL(all.cbData, 64);
    EXPECT_EQUAL(all.cbBuffer, 16);
}

STATEMENT(7, "structures with pointers have their 32-bit layouts") {
    if (wide) {
        NOT_APPLICABLE("a 64-bit program");
    }
    EXPECT_SIZE(AM_SAMPLE2_PROPERTIES, 48);
    EXPECT_OFFSET(AM_SAMPLE2_PROPERTIES, tStart, 16);
    EXPECT_OFFSET(AM_SAMPLE2_PROPERTIES, pbBuffer, 40);
#ifdef _WIN32
    EXPECT_SIZE(KSSTREAM_HEADER, 48);
    EXPECT_OFFSET(KSSTREAM_HEADER, OptionsFlags, 44);
    EXPECT_SIZE(KSEVENTDATA, 16);
    EXPECT_OFFSET(KSEVENTDATA, EventHandle, 4);
#endif
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    Sample sample = a.sample();
    Reference<IMediaSample2> two;
    REQUIRE_EQUAL(sample->QueryInterface(IID_IMediaSample2, two.put_void()), S_OK);
    AM_SAMPLE2_PROPERTIES all = {};
    EXPECT_EQUAL(two->GetProperties(sizeof all, reinterpret_cast<BYTE *>(&all)), S_OK);
    EXPECT_EQUAL(all.cbData, 48);
    EXPECT_EQUAL(all.cbBuffer, 16);
}

STATEMENT(8, "slot 10 of IKsAllocatorEx is KsCreateAllocatorAndGetHandle") {
    typedef HANDLE(STDMETHODCALLTYPE * Create)(IKsAllocatorEx *, IKsPin *);
    Allocator a;
    Pin pin;
    Object object;
    pin.object = &object;
    HANDLE made = slot<Create>(a.ks.get(), 10)(a.ks.get(), &pin);
    EXPECT_EQUAL(made, nullptr);
    EXPECT_EQUAL(pin.queries, 1);
    EXPECT_EQUAL(object.asked, 1);
}

STATEMENT(9, "slots 9 and 10 of IMemAllocator are SetNotify and GetFreeCount") {
    typedef HRESULT(STDMETHODCALLTYPE * SetNotify)(IMemAllocator *, IMemAllocatorNotifyCallbackTemp *);
    typedef HRESULT(STDMETHODCALLTYPE * GetFreeCount)(IMemAllocator *, LONG *);
    Client client;
    Allocator a;
    Reference<IMemAllocator> memory;
    REQUIRE_EQUAL(a.ks->QueryInterface(IID_IMemAllocator, memory.put_void()), S_OK);
    REQUIRE_EQUAL(a.set(5, 16, 1, 0), S_OK);
    EXPECT_EQUAL(slot<SetNotify>(memory.get(), 9)(memory.get(), &client), S_OK);
    EXPECT_EQUAL(client.count.load(), 2);
    LONG count = -1;
    EXPECT_EQUAL(slot<GetFreeCount>(memory.get(), 10)(memory.get(), &count), S_OK);
    EXPECT_EQUAL(count, 5);
}

#if defined(__i386__) && defined(_WIN32)

namespace {

// Pushes words, the first one last, calls a function, and tells how many bytes of them the function removed. The rest
// is removed here, so that a wrong answer is an answer and not a crash.
int removed_bytes(void *function, const uintptr_t *words, int count) {
    int removed;
    const uintptr_t *last = words + count;
    __asm__ volatile("movl %%esp, %%edi\n\t"
                     "testl %[count], %[count]\n"
                     "1:\n\t"
                     "subl $4, %[last]\n\t"
                     "pushl (%[last])\n\t"
                     "decl %[count]\n\t"
                     "jnz 1b\n\t"
                     "movl %%esp, %%esi\n\t"
                     "call *%[function]\n\t"
                     "movl %%esp, %%eax\n\t"
                     "subl %%esi, %%eax\n\t"
                     "movl %%edi, %%esp\n\t"
                     : "=&a"(removed), [last] "+c"(last), [count] "+d"(count)
                     : [function] "b"(function)
                     : "esi", "edi", "memory", "cc");
    return removed;
}

uintptr_t word(const void *pointer) { return reinterpret_cast<uintptr_t>(pointer); }

int removed_by(void *object, size_t index, std::vector<uintptr_t> arguments) {
    arguments.insert(arguments.begin(), word(object));
    return removed_bytes((*static_cast<void ***>(object))[index], arguments.data(), static_cast<int>(arguments.size()));
}

} // namespace

STATEMENT(10, "every method removes its arguments from the stack, GetBuffer 20 bytes") {
    Allocator a;
    IMemAllocatorCallbackTemp *memory = a.memory.get();
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    IMediaSample *sample = nullptr;
    EXPECT_EQUAL(removed_by(memory, 7, {word(&sample), 0, 0, AM_GBF_NOWAIT}), 20);
    REQUIRE(sample != nullptr);
    Sample held(sample);

    // Null pointers are answered by each of them without harm.
    void *none = nullptr;
    LONG count;
    const struct {
        size_t index;
        std::vector<uintptr_t> arguments;
    } of_memory[] = {{0, {word(&IID_IMediaSample), word(&none)}}, {1, {}}, {2, {}}, {3, {0, 0}}, {4, {0}}, {5, {}},
                     {8, {0}}, {9, {0}}, {10, {word(&count)}}, {6, {}}},
      of_ks[] = {{0, {word(&IID_IMediaSample), word(&none)}}, {1, {}}, {2, {}}, {3, {}}, {4, {}}, {5, {0}}, {6, {0}},
                 {7, {}}, {8, {0}}, {9, {0}}, {10, {0}}},
      of_sample[] = {{0, {word(&IID_IKsPin), word(&none)}}, {1, {}}, {2, {}}, {3, {0}}, {4, {}}, {5, {0, 0}},
                     {6, {0, 0}}, {7, {}}, {8, {0}}, {9, {}}, {10, {0}}, {11, {}}, {12, {0}}, {13, {0}}, {14, {0}},
                     {15, {}}, {16, {0}}, {17, {0, 0}}, {18, {0, 0}}, {19, {0, 0}}, {20, {0, 0}}};
    auto check = [&test](void *object, const auto &methods, const char *face) {
        for (const auto &method : methods) {
            int expected = 4 + 4 * static_cast<int>(method.arguments.size());
            int removed = removed_by(object, method.index, method.arguments);
            if (removed != expected) {
                test.fail(std::string(face) + " slot " + std::to_string(method.index) + " removes " +
                              std::to_string(removed) + " bytes, not " + std::to_string(expected),
                          __FILE__, __LINE__);
            }
        }
    };
    check(a.ks.get(), of_ks, "IKsAllocatorEx");
    check(memory, of_memory, "IMemAllocatorCallbackTemp");
    check(sample, of_sample, "IMediaSample2");
}

#else

STATEMENT(10, "every method removes its arguments from the stack, GetBuffer 20 bytes") {
    NOT_APPLICABLE("only with the 32-bit convention of Windows does the callee do that");
}

#endif

STATEMENT(12, "the constants have their values") {
#define EXPECT_VALUE(name, value) EXPECT_EQUAL(static_cast<int64_t>(name), static_cast<int64_t>(value))
    EXPECT_VALUE(KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER, 1);
    EXPECT_VALUE(KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY, 2);
    EXPECT_VALUE(KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY, 4);
    EXPECT_VALUE(KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE, 8);
    EXPECT_EQUAL(static_cast<ULONG>(KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY), 0x80000000u);
    EXPECT_VALUE(KSALLOCATOR_OPTIONF_COMPATIBLE, 1);
    EXPECT_VALUE(KSALLOCATOR_OPTIONF_SYSTEM_MEMORY, 2);
    EXPECT_VALUE(KSALLOCATOR_OPTIONF_VALID, 3);
    EXPECT_VALUE(KSALLOCATOR_FLAG_PARTIAL_READ_SUPPORT, 0x10);
    EXPECT_VALUE(KSALLOCATOR_FLAG_DEVICE_SPECIFIC, 0x20);
    EXPECT_VALUE(KSALLOCATOR_FLAG_CAN_ALLOCATE, 0x40);
    EXPECT_VALUE(KSALLOCATOR_FLAG_INSIST_ON_FRAMESIZE_RATIO, 0x80);
    EXPECT_VALUE(KSALLOCATOR_FLAG_NO_FRAME_INTEGRITY, 0x100);
    EXPECT_VALUE(KSALLOCATOR_FLAG_MULTIPLE_OUTPUT, 0x200);
    EXPECT_VALUE(KSALLOCATOR_FLAG_CYCLE, 0x400);
    EXPECT_VALUE(KSALLOCATOR_FLAG_ALLOCATOR_EXISTS, 0x800);
    EXPECT_VALUE(KSALLOCATOR_FLAG_INDEPENDENT_RANGES, 0x1000);
    EXPECT_VALUE(KSALLOCATOR_FLAG_ATTENTION_STEPPING, 0x2000);
    EXPECT_VALUE(KsAllocatorMode_User, 0);
    EXPECT_VALUE(KsAllocatorMode_Kernel, 1);
    EXPECT_VALUE(KsPeekOperation_PeekOnly, 0);
    EXPECT_VALUE(KsPeekOperation_AddRef, 1);
    EXPECT_VALUE(KsIoOperation_Write, 0);
    EXPECT_VALUE(KsIoOperation_Read, 1);
    EXPECT_VALUE(AllocatorStrategy_DontCare, 0);
    EXPECT_VALUE(AllocatorStrategy_MinimizeNumberOfFrames, 1);
    EXPECT_VALUE(AllocatorStrategy_MinimizeFrameSize, 2);
    EXPECT_VALUE(AllocatorStrategy_MinimizeNumberOfAllocators, 4);
    EXPECT_VALUE(AllocatorStrategy_MaximizeSpeed, 8);
    EXPECT_VALUE(PipeFactor_None, 0);
    EXPECT_VALUE(PipeFactor_UserModeUpstream, 1);
    EXPECT_VALUE(PipeFactor_UserModeDownstream, 2);
    EXPECT_VALUE(PipeFactor_MemoryTypes, 4);
    EXPECT_VALUE(PipeFactor_Flags, 8);
    EXPECT_VALUE(PipeFactor_PhysicalRanges, 0x10);
    EXPECT_VALUE(PipeFactor_OptimalRanges, 0x20);
    EXPECT_VALUE(PipeFactor_FixedCompression, 0x40);
    EXPECT_VALUE(PipeFactor_UnknownCompression, 0x80);
    EXPECT_VALUE(PipeFactor_Buffers, 0x100);
    EXPECT_VALUE(PipeFactor_Align, 0x200);
    EXPECT_VALUE(PipeFactor_PhysicalEnd, 0x400);
    EXPECT_VALUE(PipeFactor_LogicalEnd, 0x800);
    EXPECT_VALUE(PipeState_DontCare, 0);
    EXPECT_VALUE(PipeState_RangeNotFixed, 1);
    EXPECT_VALUE(PipeState_RangeFixed, 2);
    EXPECT_VALUE(PipeState_CompressionUnknown, 3);
    EXPECT_VALUE(PipeState_Finalized, 4);
    EXPECT_VALUE(Pipe_Allocator_None, 0);
    EXPECT_VALUE(Pipe_Allocator_FirstPin, 1);
    EXPECT_VALUE(Pipe_Allocator_LastPin, 2);
    EXPECT_VALUE(Pipe_Allocator_MiddlePin, 3);
    EXPECT_VALUE(KS_MemoryTypeDontCare, 0);
    EXPECT_VALUE(KS_MemoryTypeKernelPaged, 1);
    EXPECT_VALUE(KS_MemoryTypeKernelNonPaged, 2);
    EXPECT_VALUE(KS_MemoryTypeDeviceHostMapped, 3);
    EXPECT_VALUE(KS_MemoryTypeDeviceSpecific, 4);
    EXPECT_VALUE(KS_MemoryTypeUser, 5);
    EXPECT_VALUE(KS_MemoryTypeAnyHost, 6);
    EXPECT_VALUE(AM_GBF_PREVFRAMESKIPPED, 1);
    EXPECT_VALUE(AM_GBF_NOTASYNCPOINT, 2);
    EXPECT_VALUE(AM_GBF_NOWAIT, 4);
    EXPECT_VALUE(AM_SAMPLE_SPLICEPOINT, 1);
    EXPECT_VALUE(AM_SAMPLE_PREROLL, 2);
    EXPECT_VALUE(AM_SAMPLE_DATADISCONTINUITY, 4);
    EXPECT_VALUE(AM_SAMPLE_TYPECHANGED, 8);
    EXPECT_VALUE(AM_SAMPLE_TIMEVALID, 0x10);
    EXPECT_VALUE(AM_SAMPLE_TIMEDISCONTINUITY, 0x40);
    EXPECT_VALUE(AM_SAMPLE_FLUSH_ON_PAUSE, 0x80);
    EXPECT_VALUE(AM_SAMPLE_STOPVALID, 0x100);
    EXPECT_VALUE(AM_SAMPLE_ENDOFSTREAM, 0x200);
    EXPECT_VALUE(FramingProp_Uninitialized, 0);
    EXPECT_VALUE(FramingProp_None, 1);
    EXPECT_VALUE(FramingProp_Old, 2);
    EXPECT_VALUE(FramingProp_Ex, 3);
    EXPECT_VALUE(Framing_Cache_Update, 0);
    EXPECT_VALUE(Framing_Cache_ReadLast, 1);
    EXPECT_VALUE(Framing_Cache_ReadOrig, 2);
    EXPECT_VALUE(Framing_Cache_Write, 3);
#define EXPECT_RESULT(name, value) EXPECT_EQUAL(static_cast<int32_t>(name), static_cast<int32_t>(value))
    EXPECT_RESULT(S_FALSE, 1);
    EXPECT_RESULT(E_NOTIMPL, 0x80004001);
    EXPECT_RESULT(E_NOINTERFACE, 0x80004002);
    EXPECT_RESULT(E_POINTER, 0x80004003);
    EXPECT_RESULT(E_FAIL, 0x80004005);
    EXPECT_RESULT(E_UNEXPECTED, 0x8000FFFF);
    EXPECT_RESULT(E_HANDLE, 0x80070006);
    EXPECT_RESULT(E_OUTOFMEMORY, 0x8007000E);
    EXPECT_RESULT(E_INVALIDARG, 0x80070057);
    EXPECT_RESULT(VFW_S_NO_STOP_TIME, 0x00040270);
    EXPECT_RESULT(VFW_E_ALREADY_CONNECTED, 0x80040204);
    EXPECT_RESULT(VFW_E_NOT_CONNECTED, 0x80040209);
    EXPECT_RESULT(VFW_E_NO_ALLOCATOR, 0x8004020A);
    EXPECT_RESULT(VFW_E_RUNTIME_ERROR, 0x8004020B);
    EXPECT_RESULT(VFW_E_BUFFER_NOTSET, 0x8004020C);
    EXPECT_RESULT(VFW_E_BUFFER_OVERFLOW, 0x8004020D);
    EXPECT_RESULT(VFW_E_BADALIGN, 0x8004020E);
    EXPECT_RESULT(VFW_E_ALREADY_COMMITTED, 0x8004020F);
    EXPECT_RESULT(VFW_E_BUFFERS_OUTSTANDING, 0x80040210);
    EXPECT_RESULT(VFW_E_NOT_COMMITTED, 0x80040211);
    EXPECT_RESULT(VFW_E_SIZENOTSET, 0x80040212);
    EXPECT_RESULT(VFW_E_TIMEOUT, 0x8004022E);
    EXPECT_RESULT(VFW_E_SAMPLE_TIME_NOT_SET, 0x80040249);
    EXPECT_RESULT(VFW_E_MEDIA_TIME_NOT_SET, 0x80040251);
    const struct {
        const GUID &named;
        GUID value;
    } identifiers[] = {
        {IID_IUnknown, {0x00000000, 0x0000, 0x0000, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}}},
        {IID_IKsAllocator, {0x8DA64899, 0xC0D9, 0x11D0, {0x84, 0x13, 0x00, 0x00, 0xF8, 0x22, 0xFE, 0x8A}}},
        {IID_IKsAllocatorEx, {0x091BB63A, 0x603F, 0x11D1, {0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}}},
        {IID_IMemAllocator, {0x56A8689C, 0x0AD4, 0x11CE, {0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70}}},
        {IID_IMemAllocatorCallbackTemp, {0x379A0CF0, 0xC1DE, 0x11D2, {0xAB, 0xF5, 0x00, 0xA0, 0xC9, 0x05, 0xF3, 0x75}}},
        {IID_IMemAllocatorNotifyCallbackTemp,
         {0x92980B30, 0xC1DE, 0x11D2, {0xAB, 0xF5, 0x00, 0xA0, 0xC9, 0x05, 0xF3, 0x75}}},
        {IID_IMediaSample, {0x56A8689A, 0x0AD4, 0x11CE, {0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70}}},
        {IID_IMediaSample2, {0x36B73884, 0xC2C8, 0x11CF, {0x8B, 0x46, 0x00, 0x80, 0x5F, 0x6C, 0xEF, 0x60}}},
        {IID_IKsObject, {0x423C13A2, 0x2070, 0x11D0, {0x9E, 0xF7, 0x00, 0xAA, 0x00, 0xA2, 0x16, 0xA1}}},
        {IID_IKsPin, {0xB61178D1, 0xA2D9, 0x11CF, {0x9E, 0x53, 0x00, 0xAA, 0x00, 0xA2, 0x16, 0xA1}}},
        {KSMEMORY_TYPE_SYSTEM, {0x091BB638, 0x603F, 0x11D1, {0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}}},
        {KSMEMORY_TYPE_DEVICE_UNKNOWN, {0x091BB639, 0x603F, 0x11D1, {0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}}},
        {KSMEMORY_TYPE_USER, {0x8CB0FC28, 0x7893, 0x11D1, {0xB0, 0x69, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}}},
        {KSMEMORY_TYPE_KERNEL_PAGED, {0xD833F8F8, 0x7894, 0x11D1, {0xB0, 0x69, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}}},
        {KSMEMORY_TYPE_KERNEL_NONPAGED, {0x4A6D5FC4, 0x7895, 0x11D1, {0xB0, 0x69, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}}},
    };
    for (const auto &identifier : identifiers) {
        EXPECT(equal(identifier.named, identifier.value));
    }
#ifdef _WIN32
    EXPECT_VALUE(IOCTL_KS_PROPERTY, 0x002F0003);
    EXPECT_VALUE(IOCTL_KS_ENABLE_EVENT, 0x002F0007);
    EXPECT_VALUE(IOCTL_KS_DISABLE_EVENT, 0x002F000B);
    EXPECT_VALUE(IOCTL_KS_METHOD, 0x002F000F);
    EXPECT_VALUE(IOCTL_KS_WRITE_STREAM, 0x002F8013);
    EXPECT_VALUE(IOCTL_KS_READ_STREAM, 0x002F4017);
    EXPECT_VALUE(IOCTL_KS_RESET_STATE, 0x002F001B);
    EXPECT_VALUE(KSPROPERTY_TYPE_GET, 1);
    EXPECT_VALUE(KSPROPERTY_TYPE_SET, 2);
    EXPECT_VALUE(KSPROPERTY_CONNECTION_ALLOCATORFRAMING, 3);
    EXPECT_VALUE(KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX, 6);
    EXPECT_VALUE(KSPROPERTY_STREAM_ALLOCATOR, 0);
    EXPECT_VALUE(KSPROPERTY_STREAM_PIPE_ID, 10);
#endif
}

#ifdef DECLARE_SIMPLE_FRAMING_EX

STATEMENT(13, "DECLARE_SIMPLE_FRAMING_EX makes one item that asks for nothing more") {
    DECLARE_SIMPLE_FRAMING_EX(framing, KSMEMORY_TYPE_USER, 0x40, 2, 7, 100, 200);
    const KS_FRAMING_ITEM &item = framing.FramingItem[0];
    EXPECT_EQUAL(framing.CountItems, 1);
    EXPECT_EQUAL(framing.PinFlags, 0);
    EXPECT_EQUAL(framing.OutputCompression.RatioNumerator, 1);
    EXPECT_EQUAL(framing.OutputCompression.RatioDenominator, 1);
    EXPECT_EQUAL(framing.OutputCompression.RatioConstantMargin, 0);
    EXPECT_EQUAL(framing.PinWeight, 0);
    EXPECT(equal(item.MemoryType, KSMEMORY_TYPE_USER));
    EXPECT(equal(item.BusType, GUID{}));
    EXPECT_EQUAL(item.MemoryFlags, 0);
    EXPECT_EQUAL(item.BusFlags, 0);
    EXPECT_EQUAL(item.Flags, 0x40);
    EXPECT_EQUAL(item.Frames, 2);
    EXPECT_EQUAL(item.FileAlignment, 7);
    EXPECT_EQUAL(item.MemoryTypeWeight, 0);
    EXPECT_EQUAL(item.PhysicalRange.MinFrameSize, 0);
    EXPECT_EQUAL(item.PhysicalRange.MaxFrameSize, 0xFFFFFFFFu);
    EXPECT_EQUAL(item.PhysicalRange.Stepping, 1);
    EXPECT_EQUAL(item.FramingRange.Range.MinFrameSize, 100);
    EXPECT_EQUAL(item.FramingRange.Range.MaxFrameSize, 200);
    EXPECT_EQUAL(item.FramingRange.Range.Stepping, 1);
    EXPECT_EQUAL(item.FramingRange.InPlaceWeight, 0);
    EXPECT_EQUAL(item.FramingRange.NotInPlaceWeight, 0);
}

#else

STATEMENT(13, "DECLARE_SIMPLE_FRAMING_EX makes one item that asks for nothing more") {
    NOT_APPLICABLE("the header has no such macro");
}

#endif
