/*
 * kspipe.h - IKsAllocatorEx and the interfaces it lives among, for C and C++ on Linux.
 *
 * On Windows the SDK's (or mingw-w64's) own ks.h, ksproxy.h and strmif.h say all this. Names are theirs, and a test
 * compares every size, offset, constant, identifier and slot here with the library's Rust source. The layout is that of
 * the 64-bit ABI, or of the 32-bit Windows ABI where the platform is 32-bit.
 *
 * C++: the interfaces are abstract classes. C: they are structures with an lpVtbl, as with Microsoft's CINTERFACE.
 * How it is used, and what each method does: docs/com.md.
 */
#ifndef KSPIPE_H
#define KSPIPE_H

#ifdef _WIN32
#error "on Windows include the SDK's ks.h, ksproxy.h and strmif.h instead"
#endif

#include <stddef.h>
#include <stdint.h>

/* ---- Words ------------------------------------------------------------------------------------------------------ */

typedef int32_t HRESULT;
typedef int32_t BOOL;
typedef int32_t LONG;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef DWORD ACCESS_MASK;
typedef uint8_t BYTE;
typedef int64_t LONGLONG;
typedef LONGLONG REFERENCE_TIME; /* units of 100 ns */

/* A unit of UTF-16, as u"text" has them. */
#ifdef __cplusplus
typedef char16_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif

/* A KS object's handle is the number of a descriptor, at least 3: NULL and INVALID_HANDLE_VALUE name none. */
typedef void *HANDLE;
#define INVALID_HANDLE_VALUE ((HANDLE)(intptr_t)-1)

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID, IID, CLSID;

#ifdef __cplusplus
typedef const IID &REFIID;
typedef const GUID &REFGUID;
typedef const GUID &REFCLSID;
#else
typedef const IID *REFIID;
typedef const GUID *REFGUID;
typedef const GUID *REFCLSID;
#endif

/* Windows' convention where there is one; the platform's own here. */
#define STDMETHODCALLTYPE
/* 64-bit members are aligned to 8 on every platform. */
#define KSP_ALIGN8 __attribute__((aligned(8)))

/* ---- Identifiers ------------------------------------------------------------------------------------------------ */

#define KSP_GUID(name, a, b, c, d0, d1, d2, d3, d4, d5, d6, d7) \
    static const GUID name = {a, b, c, {d0, d1, d2, d3, d4, d5, d6, d7}}

KSP_GUID(IID_IUnknown, 0x00000000, 0x0000, 0x0000, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46);
KSP_GUID(IID_IClassFactory, 0x00000001, 0x0000, 0x0000, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46);
KSP_GUID(IID_IKsAllocator, 0x8DA64899, 0xC0D9, 0x11D0, 0x84, 0x13, 0x00, 0x00, 0xF8, 0x22, 0xFE, 0x8A);
KSP_GUID(IID_IKsAllocatorEx, 0x091BB63A, 0x603F, 0x11D1, 0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);
KSP_GUID(IID_IMemAllocator, 0x56A8689C, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IMemAllocatorCallbackTemp, 0x379A0CF0, 0xC1DE, 0x11D2, 0xAB, 0xF5, 0x00, 0xA0, 0xC9, 0x05, 0xF3, 0x75);
KSP_GUID(IID_IMemAllocatorNotifyCallbackTemp, 0x92980B30, 0xC1DE, 0x11D2, 0xAB, 0xF5, 0x00, 0xA0, 0xC9, 0x05, 0xF3,
        0x75);
KSP_GUID(IID_IMediaSample, 0x56A8689A, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IMediaSample2, 0x36B73884, 0xC2C8, 0x11CF, 0x8B, 0x46, 0x00, 0x80, 0x5F, 0x6C, 0xEF, 0x60);
KSP_GUID(IID_IKsObject, 0x423C13A2, 0x2070, 0x11D0, 0x9E, 0xF7, 0x00, 0xAA, 0x00, 0xA2, 0x16, 0xA1);
KSP_GUID(IID_IKsPin, 0xB61178D1, 0xA2D9, 0x11CF, 0x9E, 0x53, 0x00, 0xAA, 0x00, 0xA2, 0x16, 0xA1);
KSP_GUID(IID_IKsPinEx, 0x7BB38260, 0xD19C, 0x11D2, 0xB3, 0x8A, 0x00, 0xA0, 0xC9, 0x5E, 0xC2, 0x2E);
KSP_GUID(IID_IKsPinPipe, 0xE539CD90, 0xA8B4, 0x11D1, 0x81, 0x89, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);
KSP_GUID(IID_IPin, 0x56A86891, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IEnumPins, 0x56A86892, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IEnumMediaTypes, 0x89C31040, 0x846B, 0x11CE, 0x97, 0xD3, 0x00, 0xAA, 0x00, 0x55, 0x59, 0x5A);
KSP_GUID(IID_IPersist, 0x0000010C, 0x0000, 0x0000, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46);
KSP_GUID(IID_IMediaFilter, 0x56A86899, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IBaseFilter, 0x56A86895, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IMemInputPin, 0x56A8689D, 0x0AD4, 0x11CE, 0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70);
KSP_GUID(IID_IAMBufferNegotiation, 0x56ED71A0, 0xAF5F, 0x11D0, 0xB3, 0xF0, 0x00, 0xAA, 0x00, 0x37, 0x61, 0xC5);

/* The interface and the medium of pins that every system has. */
KSP_GUID(KSINTERFACESETID_Standard, 0x1A8766A0, 0x62CE, 0x11CF, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00);
KSP_GUID(KSMEDIUMSETID_Standard, 0x4747B320, 0x62CE, 0x11CF, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00);
#define KSINTERFACE_STANDARD_STREAMING 0u
#define KSMEDIUM_TYPE_ANYINSTANCE 0u

/* The class of the allocator, for DllGetClassObject and, on Windows, CoCreateInstance. */
KSP_GUID(CLSID_KspAllocator, 0x5FA6F11F, 0x72A3, 0x4A16, 0xA1, 0x3C, 0x00, 0xB3, 0xCB, 0xED, 0x2B, 0xAE);

/* The properties of a filter's pin factories: KSPROPERTY_PIN_*. */
KSP_GUID(KSPROPSETID_Pin, 0x8C134960, 0x51AD, 0x11CF, 0x87, 0x8A, 0x94, 0xF8, 0x01, 0xC1, 0x00, 0x00);
/* The properties of an allocator: KSPROPERTY_STREAMALLOCATOR_*. */
KSP_GUID(KSPROPSETID_StreamAllocator, 0xCF6E4342, 0xEC87, 0x11CF, 0xA1, 0x30, 0x00, 0x20, 0xAF, 0xD1, 0x56, 0xE4);

/* Where frames live: KSMEMORY_TYPE_* (ks.h). */
KSP_GUID(KSMEMORY_TYPE_WILDCARD, 0x00000000, 0x0000, 0x0000, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00);
KSP_GUID(KSMEMORY_TYPE_DONT_CARE, 0x00000000, 0x0000, 0x0000, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00);
KSP_GUID(KS_TYPE_DONT_CARE, 0x00000000, 0x0000, 0x0000, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00);
KSP_GUID(KSMEMORY_TYPE_SYSTEM, 0x091BB638, 0x603F, 0x11D1, 0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);
KSP_GUID(KSMEMORY_TYPE_DEVICE_UNKNOWN, 0x091BB639, 0x603F, 0x11D1, 0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);
KSP_GUID(KSMEMORY_TYPE_USER, 0x8CB0FC28, 0x7893, 0x11D1, 0xB0, 0x69, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);
KSP_GUID(KSMEMORY_TYPE_KERNEL_PAGED, 0xD833F8F8, 0x7894, 0x11D1, 0xB0, 0x69, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);
KSP_GUID(KSMEMORY_TYPE_KERNEL_NONPAGED, 0x4A6D5FC4, 0x7895, 0x11D1, 0xB0, 0x69, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02);

/* ---- Results ---------------------------------------------------------------------------------------------------- */

#define SUCCEEDED(hr) ((HRESULT)(hr) >= 0)
#define FAILED(hr) ((HRESULT)(hr) < 0)

#define S_OK ((HRESULT)0)
#define S_FALSE ((HRESULT)1)
#define E_NOTIMPL ((HRESULT)0x80004001)
#define E_NOINTERFACE ((HRESULT)0x80004002)
#define E_POINTER ((HRESULT)0x80004003)
#define E_FAIL ((HRESULT)0x80004005)
#define E_UNEXPECTED ((HRESULT)0x8000FFFF)
#define E_HANDLE ((HRESULT)0x80070006)
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#define E_INVALIDARG ((HRESULT)0x80070057)
#define CLASS_E_NOAGGREGATION ((HRESULT)0x80040110)
#define CLASS_E_CLASSNOTAVAILABLE ((HRESULT)0x80040111)
#define SELFREG_E_CLASS ((HRESULT)0x80040201)
#define VFW_S_NO_MORE_ITEMS ((HRESULT)0x00040103)
#define VFW_S_NO_STOP_TIME ((HRESULT)0x00040270)
#define VFW_E_ALREADY_CONNECTED ((HRESULT)0x80040204)
#define VFW_E_NO_ACCEPTABLE_TYPES ((HRESULT)0x80040207)
#define VFW_E_INVALID_DIRECTION ((HRESULT)0x80040208)
#define VFW_E_NOT_CONNECTED ((HRESULT)0x80040209)
#define VFW_E_NO_ALLOCATOR ((HRESULT)0x8004020A)
#define VFW_E_RUNTIME_ERROR ((HRESULT)0x8004020B)
#define VFW_E_BUFFER_NOTSET ((HRESULT)0x8004020C)
#define VFW_E_BUFFER_OVERFLOW ((HRESULT)0x8004020D)
#define VFW_E_BADALIGN ((HRESULT)0x8004020E)
#define VFW_E_ALREADY_COMMITTED ((HRESULT)0x8004020F)
#define VFW_E_BUFFERS_OUTSTANDING ((HRESULT)0x80040210)
#define VFW_E_NOT_COMMITTED ((HRESULT)0x80040211)
#define VFW_E_SIZENOTSET ((HRESULT)0x80040212)
#define VFW_E_NOT_STOPPED ((HRESULT)0x80040224)
#define VFW_E_WRONG_STATE ((HRESULT)0x80040227)
#define VFW_E_TYPE_NOT_ACCEPTED ((HRESULT)0x8004022A)
#define VFW_E_TIMEOUT ((HRESULT)0x8004022E)
#define VFW_E_CIRCULAR_GRAPH ((HRESULT)0x80040231)
#define VFW_E_SAMPLE_TIME_NOT_SET ((HRESULT)0x80040249)
#define VFW_E_MEDIA_TIME_NOT_SET ((HRESULT)0x80040251)

/* ---- Flags and enumerations ------------------------------------------------------------------------------------- */

#define KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER 0x00000001u
#define KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY 0x00000002u
#define KSALLOCATOR_REQUIREMENTF_FRAME_INTEGRITY 0x00000004u
#define KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE 0x00000008u
#define KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY_CUSTOM_ALLOCATION 0x00000010u
#define KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY 0x80000000u

#define KSALLOCATOR_OPTIONF_COMPATIBLE 0x00000001u
#define KSALLOCATOR_OPTIONF_SYSTEM_MEMORY 0x00000002u
#define KSALLOCATOR_OPTIONF_VALID 0x00000003u

#define KSALLOCATOR_FLAG_PARTIAL_READ_SUPPORT 0x00000010u
#define KSALLOCATOR_FLAG_DEVICE_SPECIFIC 0x00000020u
#define KSALLOCATOR_FLAG_CAN_ALLOCATE 0x00000040u
#define KSALLOCATOR_FLAG_INSIST_ON_FRAMESIZE_RATIO 0x00000080u
#define KSALLOCATOR_FLAG_NO_FRAME_INTEGRITY 0x00000100u
#define KSALLOCATOR_FLAG_MULTIPLE_OUTPUT 0x00000200u
#define KSALLOCATOR_FLAG_CYCLE 0x00000400u
#define KSALLOCATOR_FLAG_ALLOCATOR_EXISTS 0x00000800u
#define KSALLOCATOR_FLAG_INDEPENDENT_RANGES 0x00001000u
#define KSALLOCATOR_FLAG_ATTENTION_STEPPING 0x00002000u
#define KSALLOCATOR_FLAG_ENABLE_CACHED_MDL 0x00004000u
#define KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED 0x00008000u

#define KSPROPERTY_TYPE_GET 0x00000001u
#define KSPROPERTY_TYPE_SET 0x00000002u
#define KSPROPERTY_TYPE_SETSUPPORT 0x00000100u
#define KSPROPERTY_TYPE_BASICSUPPORT 0x00000200u

#define KSDATAFORMAT_TEMPORAL_COMPRESSION 0x00000001u
#define KSDATAFORMAT_ATTRIBUTES 0x00000002u
#define KSDATARANGE_ATTRIBUTES 0x00000002u
#define KSDATARANGE_REQUIRED_ATTRIBUTES 0x00000004u
#define KSATTRIBUTE_REQUIRED 0x00000001u

#define IOCTL_KS_PROPERTY 0x002F0003u
#define IOCTL_KS_ENABLE_EVENT 0x002F0007u
#define IOCTL_KS_DISABLE_EVENT 0x002F000Bu
#define IOCTL_KS_METHOD 0x002F000Fu
#define IOCTL_KS_WRITE_STREAM 0x002F8013u
#define IOCTL_KS_READ_STREAM 0x002F4017u
#define IOCTL_KS_RESET_STATE 0x002F001Bu

enum { KSPROPERTY_STREAMALLOCATOR_FUNCTIONTABLE = 0, KSPROPERTY_STREAMALLOCATOR_STATUS = 1 };

typedef enum {
    KSPROPERTY_PIN_CINSTANCES = 0,
    KSPROPERTY_PIN_CTYPES = 1,
    KSPROPERTY_PIN_DATAFLOW = 2,
    KSPROPERTY_PIN_DATARANGES = 3,
    KSPROPERTY_PIN_DATAINTERSECTION = 4,
    KSPROPERTY_PIN_INTERFACES = 5,
    KSPROPERTY_PIN_MEDIUMS = 6,
    KSPROPERTY_PIN_COMMUNICATION = 7,
    KSPROPERTY_PIN_GLOBALCINSTANCES = 8,
    KSPROPERTY_PIN_NECESSARYINSTANCES = 9,
    KSPROPERTY_PIN_PHYSICALCONNECTION = 10,
    KSPROPERTY_PIN_CATEGORY = 11,
    KSPROPERTY_PIN_NAME = 12,
    KSPROPERTY_PIN_CONSTRAINEDDATARANGES = 13,
    KSPROPERTY_PIN_PROPOSEDATAFORMAT = 14
} KSPROPERTY_PIN;

#define AM_GBF_PREVFRAMESKIPPED 1u
#define AM_GBF_NOTASYNCPOINT 2u
#define AM_GBF_NOWAIT 4u
#define AM_GBF_NODDSURFACELOCK 8u

#define AM_SAMPLE_SPLICEPOINT 0x001u
#define AM_SAMPLE_PREROLL 0x002u
#define AM_SAMPLE_DATADISCONTINUITY 0x004u
#define AM_SAMPLE_TYPECHANGED 0x008u
#define AM_SAMPLE_TIMEVALID 0x010u
#define AM_SAMPLE_TIMEDISCONTINUITY 0x040u
#define AM_SAMPLE_FLUSH_ON_PAUSE 0x080u
#define AM_SAMPLE_STOPVALID 0x100u
#define AM_SAMPLE_ENDOFSTREAM 0x200u

typedef enum { NonPagedPool = 0, PagedPool = 1 } POOL_TYPE;

typedef enum { KsAllocatorMode_User = 0, KsAllocatorMode_Kernel = 1 } KSALLOCATORMODE;

typedef enum { KsPeekOperation_PeekOnly = 0, KsPeekOperation_AddRef = 1 } KSPEEKOPERATION;

typedef enum { KsIoOperation_Write = 0, KsIoOperation_Read = 1 } KSIOOPERATION;

typedef enum {
    KSPIN_COMMUNICATION_NONE = 0,
    KSPIN_COMMUNICATION_SINK = 1,
    KSPIN_COMMUNICATION_SOURCE = 2,
    KSPIN_COMMUNICATION_BOTH = 3,
    KSPIN_COMMUNICATION_BRIDGE = 4
} KSPIN_COMMUNICATION;

typedef enum {
    FramingProp_Uninitialized = 0,
    FramingProp_None = 1,
    FramingProp_Old = 2,
    FramingProp_Ex = 3
} FRAMING_PROP;

typedef enum {
    Framing_Cache_Update = 0,
    Framing_Cache_ReadLast = 1,
    Framing_Cache_ReadOrig = 2,
    Framing_Cache_Write = 3
} FRAMING_CACHE_OPS;

typedef enum { PINDIR_INPUT = 0, PINDIR_OUTPUT = 1 } PIN_DIRECTION;

typedef enum { State_Stopped = 0, State_Paused = 1, State_Running = 2 } FILTER_STATE;

enum {
    AllocatorStrategy_DontCare = 0,
    AllocatorStrategy_MinimizeNumberOfFrames = 1,
    AllocatorStrategy_MinimizeFrameSize = 2,
    AllocatorStrategy_MinimizeNumberOfAllocators = 4,
    AllocatorStrategy_MaximizeSpeed = 8
};

enum {
    PipeFactor_None = 0,
    PipeFactor_UserModeUpstream = 0x1,
    PipeFactor_UserModeDownstream = 0x2,
    PipeFactor_MemoryTypes = 0x4,
    PipeFactor_Flags = 0x8,
    PipeFactor_PhysicalRanges = 0x10,
    PipeFactor_OptimalRanges = 0x20,
    PipeFactor_FixedCompression = 0x40,
    PipeFactor_UnknownCompression = 0x80,
    PipeFactor_Buffers = 0x100,
    PipeFactor_Align = 0x200,
    PipeFactor_PhysicalEnd = 0x400,
    PipeFactor_LogicalEnd = 0x800
};

typedef enum {
    PipeState_DontCare = 0,
    PipeState_RangeNotFixed = 1,
    PipeState_RangeFixed = 2,
    PipeState_CompressionUnknown = 3,
    PipeState_Finalized = 4
} PIPE_STATE;

typedef enum {
    Pipe_Allocator_None = 0,
    Pipe_Allocator_FirstPin = 1,
    Pipe_Allocator_LastPin = 2,
    Pipe_Allocator_MiddlePin = 3
} PIPE_ALLOCATOR_PLACE;

typedef enum {
    KS_MemoryTypeDontCare = 0,
    KS_MemoryTypeKernelPaged = 1,
    KS_MemoryTypeKernelNonPaged = 2,
    KS_MemoryTypeDeviceHostMapped = 3,
    KS_MemoryTypeDeviceSpecific = 4,
    KS_MemoryTypeUser = 5,
    KS_MemoryTypeAnyHost = 6
} KS_LogicalMemoryType;

/* ---- Structures ------------------------------------------------------------------------------------------------- */

typedef struct IUnknown IUnknown;
typedef struct IClassFactory IClassFactory;
typedef struct IKsAllocator IKsAllocator;
typedef struct IKsAllocatorEx IKsAllocatorEx;
typedef struct IMemAllocator IMemAllocator;
typedef struct IMemAllocatorCallbackTemp IMemAllocatorCallbackTemp;
typedef struct IMemAllocatorNotifyCallbackTemp IMemAllocatorNotifyCallbackTemp;
typedef struct IMediaSample IMediaSample;
typedef struct IMediaSample2 IMediaSample2;
typedef struct IKsObject IKsObject;
typedef struct IKsPin IKsPin;
typedef struct IKsPinEx IKsPinEx;
typedef struct IKsPinPipe IKsPinPipe;
typedef struct IPin IPin;
typedef struct IEnumPins IEnumPins;
typedef struct IEnumMediaTypes IEnumMediaTypes;
typedef struct IPersist IPersist;
typedef struct IMediaFilter IMediaFilter;
typedef struct IBaseFilter IBaseFilter;
typedef struct IMemInputPin IMemInputPin;
typedef struct IAMBufferNegotiation IAMBufferNegotiation;
/* Not declared here: pointers to them are all that is passed. */
typedef struct IFilterGraph IFilterGraph;
typedef struct IReferenceClock IReferenceClock;

/* The first four members of ALLOCATOR_PROPERTIES_EX. cbAlign is a number of bytes, and what the prefix begins on. */
typedef struct {
    LONG cBuffers;
    LONG cbBuffer;
    LONG cbAlign;
    LONG cbPrefix;
} ALLOCATOR_PROPERTIES;

typedef struct {
    ULONG RatioNumerator;
    ULONG RatioDenominator;
    ULONG RatioConstantMargin;
} KS_COMPRESSION;

typedef struct {
    ULONG MinFrameSize;
    ULONG MaxFrameSize;
    ULONG Stepping;
} KS_FRAMING_RANGE;

typedef struct {
    KS_FRAMING_RANGE Range;
    ULONG InPlaceWeight;
    ULONG NotInPlaceWeight;
} KS_FRAMING_RANGE_WEIGHTED;

/* FileAlignment is a mask: the alignment minus 1. */
typedef struct {
    GUID MemoryType;
    GUID BusType;
    ULONG MemoryFlags;
    ULONG BusFlags;
    ULONG Flags;
    ULONG Frames;
    union {
        ULONG FileAlignment;
        LONG FramePitch;
    };
    ULONG MemoryTypeWeight;
    KS_FRAMING_RANGE PhysicalRange;
    KS_FRAMING_RANGE_WEIGHTED FramingRange;
} KS_FRAMING_ITEM;

typedef struct {
    union {
        ULONG OptionsFlags;
        ULONG RequirementsFlags;
    };
    ULONG PoolType;
    ULONG Frames;
    ULONG FrameSize;
    union {
        ULONG FileAlignment;
        LONG FramePitch;
    };
    ULONG Reserved;
} KSALLOCATOR_FRAMING;

/* CountItems items follow one another from FramingItem on. */
typedef struct {
    ULONG CountItems;
    ULONG PinFlags;
    KS_COMPRESSION OutputCompression;
    ULONG PinWeight;
    KS_FRAMING_ITEM FramingItem[1];
} KSALLOCATOR_FRAMING_EX;

/* A framing of one item that asks for nothing but what is given; Alignment is a mask. In C, inside of a function. */
#define DECLARE_SIMPLE_FRAMING_EX(Name, Memory, ItemFlags, FrameCount, Alignment, MinSize, MaxSize) \
    const KSALLOCATOR_FRAMING_EX Name = {1, 0, {1, 1, 0}, 0, \
            {{Memory, KS_TYPE_DONT_CARE, 0, 0, ItemFlags, FrameCount, {Alignment}, 0, {0, 0xFFFFFFFFu, 1}, \
              {{MinSize, MaxSize, 1}, 0, 0}}}}

typedef struct {
    KSALLOCATOR_FRAMING Framing;
    ULONG AllocatedFrames;
    ULONG Reserved;
} KSSTREAMALLOCATOR_STATUS;

typedef struct {
    KS_COMPRESSION AllocatorPin;
    KS_COMPRESSION MaxExpansionPin;
    KS_COMPRESSION EndPin;
} PIPE_DIMENSIONS;

/* Weigth is the header's spelling. */
typedef struct {
    ULONG Flags;
    ULONG OutsideFactors;
    ULONG Weigth;
    KS_FRAMING_RANGE PhysicalRange;
    KS_FRAMING_RANGE_WEIGHTED OptimalRange;
    KS_COMPRESSION Compression;
} PIPE_TERMINATION;

/* PrevSegment and NextSegments are not references. */
typedef struct {
    LONG cBuffers;
    LONG cbBuffer;
    LONG cbAlign;
    LONG cbPrefix;
    GUID MemoryType;
    GUID BusType;
    PIPE_STATE State;
    PIPE_TERMINATION Input;
    PIPE_TERMINATION Output;
    ULONG Strategy;
    ULONG Flags;
    ULONG Weight;
    KS_LogicalMemoryType LogicalMemoryType;
    PIPE_ALLOCATOR_PLACE AllocatorPlace;
    PIPE_DIMENSIONS Dimensions;
    KS_FRAMING_RANGE PhysicalRange;
    IKsAllocatorEx *PrevSegment;
    ULONG CountNextSegments;
    IKsAllocatorEx **NextSegments;
    ULONG InsideFactors;
    ULONG NumberPins;
} ALLOCATOR_PROPERTIES_EX;

typedef struct {
    ULONG Size;
    ULONG Count;
} KSMULTIPLE_ITEM;

typedef union {
    struct {
        GUID Set;
        ULONG Id;
        ULONG Flags;
    };
    KSP_ALIGN8 LONGLONG Alignment;
} KSIDENTIFIER;

typedef KSIDENTIFIER KSPROPERTY;
typedef KSIDENTIFIER KSPIN_INTERFACE;
typedef KSIDENTIFIER KSPIN_MEDIUM;

/* The request of a property of KSPROPSETID_Pin. */
typedef struct {
    KSPROPERTY Property;
    ULONG PinId;
    ULONG Reserved;
} KSP_PIN;

/* FormatSize counts what follows by the specifier; a list of attributes comes after that, at a multiple of 8 bytes. */
typedef union {
    struct {
        ULONG FormatSize;
        ULONG Flags;
        ULONG SampleSize;
        ULONG Reserved;
        GUID MajorFormat;
        GUID SubFormat;
        GUID Specifier;
    };
    KSP_ALIGN8 LONGLONG Alignment;
} KSDATAFORMAT;

typedef KSDATAFORMAT KSDATARANGE;

typedef struct {
    ULONG Size;
    ULONG Flags;
    GUID Attribute;
} KSATTRIBUTE;

typedef struct {
    void *KsInterfaceHandler;
    void *KsDataTypeHandler;
    KSIOOPERATION IoOperation;
    HANDLE CompletionEvent;
} KSSTREAM_SEGMENT;

/* What GetMediaType gives is freed with KspDeleteMediaType. */
typedef struct {
    GUID majortype;
    GUID subtype;
    BOOL bFixedSizeSamples;
    BOOL bTemporalCompression;
    ULONG lSampleSize;
    GUID formattype;
    IUnknown *pUnk;
    ULONG cbFormat;
    BYTE *pbFormat;
} AM_MEDIA_TYPE;

typedef struct {
    DWORD cbData;
    DWORD dwTypeSpecificFlags;
    DWORD dwSampleFlags;
    LONG lActual;
    KSP_ALIGN8 REFERENCE_TIME tStart;
    KSP_ALIGN8 REFERENCE_TIME tStop;
    DWORD dwStreamId;
    AM_MEDIA_TYPE *pMediaType;
    BYTE *pbBuffer;
    LONG cbBuffer;
} AM_SAMPLE2_PROPERTIES;

#define MAX_PIN_NAME 128
#define MAX_FILTER_NAME 128

/* The filter has a reference that the caller releases, or is NULL. The name ends in a zero. */
typedef struct {
    IBaseFilter *pFilter;
    PIN_DIRECTION dir;
    WCHAR achName[MAX_PIN_NAME];
} PIN_INFO;

typedef struct {
    WCHAR achName[MAX_FILTER_NAME];
    IFilterGraph *pGraph;
} FILTER_INFO;

/* ---- Interfaces ------------------------------------------------------------------------------------------------- */

#ifdef __cplusplus

/* A virtual destructor would take slots that are not there, so there is none; Release is how an object goes. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

struct IUnknown {
    virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void **object) = 0;
    virtual ULONG STDMETHODCALLTYPE AddRef() = 0;
    virtual ULONG STDMETHODCALLTYPE Release() = 0;

protected:
    ~IUnknown() = default;
};

struct IClassFactory : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown *outer, REFIID riid, void **object) = 0;
    virtual HRESULT STDMETHODCALLTYPE LockServer(BOOL lock) = 0;
};

struct IKsAllocator : public IUnknown {
    virtual HANDLE STDMETHODCALLTYPE KsGetAllocatorHandle() = 0;
    virtual KSALLOCATORMODE STDMETHODCALLTYPE KsGetAllocatorMode() = 0;
    virtual HRESULT STDMETHODCALLTYPE KsGetAllocatorStatus(KSSTREAMALLOCATOR_STATUS *AllocatorStatus) = 0;
    virtual void STDMETHODCALLTYPE KsSetAllocatorMode(KSALLOCATORMODE Mode) = 0;
};

struct IKsAllocatorEx : public IKsAllocator {
    virtual ALLOCATOR_PROPERTIES_EX *STDMETHODCALLTYPE KsGetProperties() = 0;
    virtual void STDMETHODCALLTYPE KsSetProperties(ALLOCATOR_PROPERTIES_EX *Properties) = 0;
    virtual void STDMETHODCALLTYPE KsSetAllocatorHandle(HANDLE AllocatorHandle) = 0;
    virtual HANDLE STDMETHODCALLTYPE KsCreateAllocatorAndGetHandle(IKsPin *KsPin) = 0;
};

struct IMemAllocator : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE SetProperties(ALLOCATOR_PROPERTIES *pRequest, ALLOCATOR_PROPERTIES *pActual) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetProperties(ALLOCATOR_PROPERTIES *pProps) = 0;
    virtual HRESULT STDMETHODCALLTYPE Commit() = 0;
    virtual HRESULT STDMETHODCALLTYPE Decommit() = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBuffer(IMediaSample **ppBuffer, REFERENCE_TIME *pStartTime,
            REFERENCE_TIME *pEndTime, DWORD dwFlags) = 0;
    virtual HRESULT STDMETHODCALLTYPE ReleaseBuffer(IMediaSample *pBuffer) = 0;
};

struct IMemAllocatorCallbackTemp : public IMemAllocator {
    virtual HRESULT STDMETHODCALLTYPE SetNotify(IMemAllocatorNotifyCallbackTemp *pNotify) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFreeCount(LONG *plBuffersFree) = 0;
};

struct IMemAllocatorNotifyCallbackTemp : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE NotifyRelease() = 0;
};

struct IMediaSample : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetPointer(BYTE **ppBuffer) = 0;
    virtual LONG STDMETHODCALLTYPE GetSize() = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTime(REFERENCE_TIME *pTimeStart, REFERENCE_TIME *pTimeEnd) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetTime(REFERENCE_TIME *pTimeStart, REFERENCE_TIME *pTimeEnd) = 0;
    virtual HRESULT STDMETHODCALLTYPE IsSyncPoint() = 0;
    virtual HRESULT STDMETHODCALLTYPE SetSyncPoint(BOOL bIsSyncPoint) = 0;
    virtual HRESULT STDMETHODCALLTYPE IsPreroll() = 0;
    virtual HRESULT STDMETHODCALLTYPE SetPreroll(BOOL bIsPreroll) = 0;
    virtual LONG STDMETHODCALLTYPE GetActualDataLength() = 0;
    virtual HRESULT STDMETHODCALLTYPE SetActualDataLength(LONG length) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetMediaType(AM_MEDIA_TYPE **ppMediaType) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetMediaType(AM_MEDIA_TYPE *pMediaType) = 0;
    virtual HRESULT STDMETHODCALLTYPE IsDiscontinuity() = 0;
    virtual HRESULT STDMETHODCALLTYPE SetDiscontinuity(BOOL bDiscontinuity) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetMediaTime(LONGLONG *pTimeStart, LONGLONG *pTimeEnd) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetMediaTime(LONGLONG *pTimeStart, LONGLONG *pTimeEnd) = 0;
};

struct IMediaSample2 : public IMediaSample {
    virtual HRESULT STDMETHODCALLTYPE GetProperties(DWORD cbProperties, BYTE *pbProperties) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetProperties(DWORD cbProperties, const BYTE *pbProperties) = 0;
};

struct IKsObject : public IUnknown {
    virtual HANDLE STDMETHODCALLTYPE KsGetObjectHandle() = 0;
};

struct IKsPin : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE KsQueryMediums(KSMULTIPLE_ITEM **MediumList) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsQueryInterfaces(KSMULTIPLE_ITEM **InterfaceList) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsCreateSinkPinHandle(KSPIN_INTERFACE *Interface, KSPIN_MEDIUM *Medium) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsGetCurrentCommunication(KSPIN_COMMUNICATION *Communication,
            KSPIN_INTERFACE *Interface, KSPIN_MEDIUM *Medium) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsPropagateAcquire() = 0;
    virtual HRESULT STDMETHODCALLTYPE KsDeliver(IMediaSample *Sample, ULONG Flags) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsMediaSamplesCompleted(KSSTREAM_SEGMENT *StreamSegment) = 0;
    virtual IMemAllocator *STDMETHODCALLTYPE KsPeekAllocator(KSPEEKOPERATION Operation) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsReceiveAllocator(IMemAllocator *MemAllocator) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsRenegotiateAllocator() = 0;
    virtual LONG STDMETHODCALLTYPE KsIncrementPendingIoCount() = 0;
    virtual LONG STDMETHODCALLTYPE KsDecrementPendingIoCount() = 0;
    virtual HRESULT STDMETHODCALLTYPE KsQualityNotify(ULONG Proportion, REFERENCE_TIME TimeDelta) = 0;
};

struct IKsPinEx : public IKsPin {
    virtual void STDMETHODCALLTYPE KsNotifyError(IMediaSample *Sample, HRESULT hr) = 0;
};

/*
 * Slot 10 returns a GUID by value in Microsoft's header. Microsoft's ABI makes a pointer after the object of that, which
 * is returned; GCC puts it before the object. So it is declared here as the ABI has it, and KsGetPinBusCache() without
 * arguments is the convenience.
 */
struct IKsPinPipe : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE KsGetPinFramingCache(KSALLOCATOR_FRAMING_EX **FramingEx,
            FRAMING_PROP *FramingProp, FRAMING_CACHE_OPS Option) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsSetPinFramingCache(KSALLOCATOR_FRAMING_EX *FramingEx,
            FRAMING_PROP *FramingProp, FRAMING_CACHE_OPS Option) = 0;
    virtual IPin *STDMETHODCALLTYPE KsGetConnectedPin() = 0;
    virtual IKsAllocatorEx *STDMETHODCALLTYPE KsGetPipe(KSPEEKOPERATION Operation) = 0;
    virtual HRESULT STDMETHODCALLTYPE KsSetPipe(IKsAllocatorEx *KsAllocator) = 0;
    virtual ULONG STDMETHODCALLTYPE KsGetPipeAllocatorFlag() = 0;
    virtual HRESULT STDMETHODCALLTYPE KsSetPipeAllocatorFlag(ULONG Flag) = 0;
    virtual GUID *STDMETHODCALLTYPE KsGetPinBusCache(GUID *Bus) = 0;
    GUID KsGetPinBusCache() {
        GUID bus = {};
        KsGetPinBusCache(&bus);
        return bus;
    }
    virtual HRESULT STDMETHODCALLTYPE KsSetPinBusCache(GUID Bus) = 0;
    virtual WCHAR *STDMETHODCALLTYPE KsGetPinName() = 0;
    virtual WCHAR *STDMETHODCALLTYPE KsGetFilterName() = 0;
};

struct IPin : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Connect(IPin *pReceivePin, const AM_MEDIA_TYPE *pmt) = 0;
    virtual HRESULT STDMETHODCALLTYPE ReceiveConnection(IPin *pConnector, const AM_MEDIA_TYPE *pmt) = 0;
    virtual HRESULT STDMETHODCALLTYPE Disconnect() = 0;
    virtual HRESULT STDMETHODCALLTYPE ConnectedTo(IPin **pPin) = 0;
    virtual HRESULT STDMETHODCALLTYPE ConnectionMediaType(AM_MEDIA_TYPE *pmt) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryPinInfo(PIN_INFO *pInfo) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryDirection(PIN_DIRECTION *pPinDir) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryId(WCHAR **Id) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryAccept(const AM_MEDIA_TYPE *pmt) = 0;
    virtual HRESULT STDMETHODCALLTYPE EnumMediaTypes(IEnumMediaTypes **ppEnum) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryInternalConnections(IPin **apPin, ULONG *nPin) = 0;
    virtual HRESULT STDMETHODCALLTYPE EndOfStream() = 0;
    virtual HRESULT STDMETHODCALLTYPE BeginFlush() = 0;
    virtual HRESULT STDMETHODCALLTYPE EndFlush() = 0;
    virtual HRESULT STDMETHODCALLTYPE NewSegment(REFERENCE_TIME tStart, REFERENCE_TIME tStop, double dRate) = 0;
};

struct IEnumPins : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG cPins, IPin **ppPins, ULONG *pcFetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG cPins) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumPins **ppEnum) = 0;
};

struct IEnumMediaTypes : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG cMediaTypes, AM_MEDIA_TYPE **ppMediaTypes, ULONG *pcFetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG cMediaTypes) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumMediaTypes **ppEnum) = 0;
};

struct IPersist : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetClassID(CLSID *pClassID) = 0;
};

struct IMediaFilter : public IPersist {
    virtual HRESULT STDMETHODCALLTYPE Stop() = 0;
    virtual HRESULT STDMETHODCALLTYPE Pause() = 0;
    virtual HRESULT STDMETHODCALLTYPE Run(REFERENCE_TIME tStart) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetState(DWORD dwMilliSecsTimeout, FILTER_STATE *State) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetSyncSource(IReferenceClock *pClock) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSyncSource(IReferenceClock **pClock) = 0;
};

struct IBaseFilter : public IMediaFilter {
    virtual HRESULT STDMETHODCALLTYPE EnumPins(IEnumPins **ppEnum) = 0;
    virtual HRESULT STDMETHODCALLTYPE FindPin(const WCHAR *Id, IPin **ppPin) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryFilterInfo(FILTER_INFO *pInfo) = 0;
    virtual HRESULT STDMETHODCALLTYPE JoinFilterGraph(IFilterGraph *pGraph, const WCHAR *pName) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryVendorInfo(WCHAR **pVendorInfo) = 0;
};

struct IMemInputPin : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetAllocator(IMemAllocator **ppAllocator) = 0;
    virtual HRESULT STDMETHODCALLTYPE NotifyAllocator(IMemAllocator *pAllocator, BOOL bReadOnly) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAllocatorRequirements(ALLOCATOR_PROPERTIES *pProps) = 0;
    virtual HRESULT STDMETHODCALLTYPE Receive(IMediaSample *pSample) = 0;
    virtual HRESULT STDMETHODCALLTYPE ReceiveMultiple(IMediaSample **pSamples, LONG nSamples,
            LONG *nSamplesProcessed) = 0;
    virtual HRESULT STDMETHODCALLTYPE ReceiveCanBlock() = 0;
};

struct IAMBufferNegotiation : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE SuggestAllocatorProperties(const ALLOCATOR_PROPERTIES *prop) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAllocatorProperties(ALLOCATOR_PROPERTIES *prop) = 0;
};

#pragma GCC diagnostic pop

#else

typedef struct IUnknownVtbl {
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IUnknown *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IUnknown *This);
    ULONG (STDMETHODCALLTYPE *Release)(IUnknown *This);
} IUnknownVtbl;

struct IUnknown {
    const IUnknownVtbl *lpVtbl;
};

typedef struct IClassFactoryVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IClassFactory *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IClassFactory *This);
    ULONG (STDMETHODCALLTYPE *Release)(IClassFactory *This);
    /* IClassFactory */
    HRESULT (STDMETHODCALLTYPE *CreateInstance)(IClassFactory *This, IUnknown *outer, REFIID riid, void **object);
    HRESULT (STDMETHODCALLTYPE *LockServer)(IClassFactory *This, BOOL lock);
} IClassFactoryVtbl;

struct IClassFactory {
    const IClassFactoryVtbl *lpVtbl;
};

typedef struct IKsAllocatorVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IKsAllocator *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IKsAllocator *This);
    ULONG (STDMETHODCALLTYPE *Release)(IKsAllocator *This);
    /* IKsAllocator */
    HANDLE (STDMETHODCALLTYPE *KsGetAllocatorHandle)(IKsAllocator *This);
    KSALLOCATORMODE (STDMETHODCALLTYPE *KsGetAllocatorMode)(IKsAllocator *This);
    HRESULT (STDMETHODCALLTYPE *KsGetAllocatorStatus)(IKsAllocator *This, KSSTREAMALLOCATOR_STATUS *AllocatorStatus);
    void (STDMETHODCALLTYPE *KsSetAllocatorMode)(IKsAllocator *This, KSALLOCATORMODE Mode);
} IKsAllocatorVtbl;

struct IKsAllocator {
    const IKsAllocatorVtbl *lpVtbl;
};

typedef struct IKsAllocatorExVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IKsAllocatorEx *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IKsAllocatorEx *This);
    ULONG (STDMETHODCALLTYPE *Release)(IKsAllocatorEx *This);
    /* IKsAllocator */
    HANDLE (STDMETHODCALLTYPE *KsGetAllocatorHandle)(IKsAllocatorEx *This);
    KSALLOCATORMODE (STDMETHODCALLTYPE *KsGetAllocatorMode)(IKsAllocatorEx *This);
    HRESULT (STDMETHODCALLTYPE *KsGetAllocatorStatus)(IKsAllocatorEx *This, KSSTREAMALLOCATOR_STATUS *AllocatorStatus);
    void (STDMETHODCALLTYPE *KsSetAllocatorMode)(IKsAllocatorEx *This, KSALLOCATORMODE Mode);
    /* IKsAllocatorEx */
    ALLOCATOR_PROPERTIES_EX *(STDMETHODCALLTYPE *KsGetProperties)(IKsAllocatorEx *This);
    void (STDMETHODCALLTYPE *KsSetProperties)(IKsAllocatorEx *This, ALLOCATOR_PROPERTIES_EX *Properties);
    void (STDMETHODCALLTYPE *KsSetAllocatorHandle)(IKsAllocatorEx *This, HANDLE AllocatorHandle);
    HANDLE (STDMETHODCALLTYPE *KsCreateAllocatorAndGetHandle)(IKsAllocatorEx *This, IKsPin *KsPin);
} IKsAllocatorExVtbl;

struct IKsAllocatorEx {
    const IKsAllocatorExVtbl *lpVtbl;
};

typedef struct IMemAllocatorVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMemAllocator *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMemAllocator *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMemAllocator *This);
    /* IMemAllocator */
    HRESULT (STDMETHODCALLTYPE *SetProperties)(IMemAllocator *This, ALLOCATOR_PROPERTIES *pRequest,
            ALLOCATOR_PROPERTIES *pActual);
    HRESULT (STDMETHODCALLTYPE *GetProperties)(IMemAllocator *This, ALLOCATOR_PROPERTIES *pProps);
    HRESULT (STDMETHODCALLTYPE *Commit)(IMemAllocator *This);
    HRESULT (STDMETHODCALLTYPE *Decommit)(IMemAllocator *This);
    HRESULT (STDMETHODCALLTYPE *GetBuffer)(IMemAllocator *This, IMediaSample **ppBuffer, REFERENCE_TIME *pStartTime,
            REFERENCE_TIME *pEndTime, DWORD dwFlags);
    HRESULT (STDMETHODCALLTYPE *ReleaseBuffer)(IMemAllocator *This, IMediaSample *pBuffer);
} IMemAllocatorVtbl;

struct IMemAllocator {
    const IMemAllocatorVtbl *lpVtbl;
};

typedef struct IMemAllocatorCallbackTempVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMemAllocatorCallbackTemp *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMemAllocatorCallbackTemp *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMemAllocatorCallbackTemp *This);
    /* IMemAllocator */
    HRESULT (STDMETHODCALLTYPE *SetProperties)(IMemAllocatorCallbackTemp *This, ALLOCATOR_PROPERTIES *pRequest,
            ALLOCATOR_PROPERTIES *pActual);
    HRESULT (STDMETHODCALLTYPE *GetProperties)(IMemAllocatorCallbackTemp *This, ALLOCATOR_PROPERTIES *pProps);
    HRESULT (STDMETHODCALLTYPE *Commit)(IMemAllocatorCallbackTemp *This);
    HRESULT (STDMETHODCALLTYPE *Decommit)(IMemAllocatorCallbackTemp *This);
    HRESULT (STDMETHODCALLTYPE *GetBuffer)(IMemAllocatorCallbackTemp *This, IMediaSample **ppBuffer,
            REFERENCE_TIME *pStartTime, REFERENCE_TIME *pEndTime, DWORD dwFlags);
    HRESULT (STDMETHODCALLTYPE *ReleaseBuffer)(IMemAllocatorCallbackTemp *This, IMediaSample *pBuffer);
    /* IMemAllocatorCallbackTemp */
    HRESULT (STDMETHODCALLTYPE *SetNotify)(IMemAllocatorCallbackTemp *This, IMemAllocatorNotifyCallbackTemp *pNotify);
    HRESULT (STDMETHODCALLTYPE *GetFreeCount)(IMemAllocatorCallbackTemp *This, LONG *plBuffersFree);
} IMemAllocatorCallbackTempVtbl;

struct IMemAllocatorCallbackTemp {
    const IMemAllocatorCallbackTempVtbl *lpVtbl;
};

typedef struct IMemAllocatorNotifyCallbackTempVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMemAllocatorNotifyCallbackTemp *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMemAllocatorNotifyCallbackTemp *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMemAllocatorNotifyCallbackTemp *This);
    /* IMemAllocatorNotifyCallbackTemp */
    HRESULT (STDMETHODCALLTYPE *NotifyRelease)(IMemAllocatorNotifyCallbackTemp *This);
} IMemAllocatorNotifyCallbackTempVtbl;

struct IMemAllocatorNotifyCallbackTemp {
    const IMemAllocatorNotifyCallbackTempVtbl *lpVtbl;
};

typedef struct IMediaSampleVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMediaSample *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMediaSample *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMediaSample *This);
    /* IMediaSample */
    HRESULT (STDMETHODCALLTYPE *GetPointer)(IMediaSample *This, BYTE **ppBuffer);
    LONG (STDMETHODCALLTYPE *GetSize)(IMediaSample *This);
    HRESULT (STDMETHODCALLTYPE *GetTime)(IMediaSample *This, REFERENCE_TIME *pTimeStart, REFERENCE_TIME *pTimeEnd);
    HRESULT (STDMETHODCALLTYPE *SetTime)(IMediaSample *This, REFERENCE_TIME *pTimeStart, REFERENCE_TIME *pTimeEnd);
    HRESULT (STDMETHODCALLTYPE *IsSyncPoint)(IMediaSample *This);
    HRESULT (STDMETHODCALLTYPE *SetSyncPoint)(IMediaSample *This, BOOL bIsSyncPoint);
    HRESULT (STDMETHODCALLTYPE *IsPreroll)(IMediaSample *This);
    HRESULT (STDMETHODCALLTYPE *SetPreroll)(IMediaSample *This, BOOL bIsPreroll);
    LONG (STDMETHODCALLTYPE *GetActualDataLength)(IMediaSample *This);
    HRESULT (STDMETHODCALLTYPE *SetActualDataLength)(IMediaSample *This, LONG length);
    HRESULT (STDMETHODCALLTYPE *GetMediaType)(IMediaSample *This, AM_MEDIA_TYPE **ppMediaType);
    HRESULT (STDMETHODCALLTYPE *SetMediaType)(IMediaSample *This, AM_MEDIA_TYPE *pMediaType);
    HRESULT (STDMETHODCALLTYPE *IsDiscontinuity)(IMediaSample *This);
    HRESULT (STDMETHODCALLTYPE *SetDiscontinuity)(IMediaSample *This, BOOL bDiscontinuity);
    HRESULT (STDMETHODCALLTYPE *GetMediaTime)(IMediaSample *This, LONGLONG *pTimeStart, LONGLONG *pTimeEnd);
    HRESULT (STDMETHODCALLTYPE *SetMediaTime)(IMediaSample *This, LONGLONG *pTimeStart, LONGLONG *pTimeEnd);
} IMediaSampleVtbl;

struct IMediaSample {
    const IMediaSampleVtbl *lpVtbl;
};

typedef struct IMediaSample2Vtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMediaSample2 *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMediaSample2 *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMediaSample2 *This);
    /* IMediaSample */
    HRESULT (STDMETHODCALLTYPE *GetPointer)(IMediaSample2 *This, BYTE **ppBuffer);
    LONG (STDMETHODCALLTYPE *GetSize)(IMediaSample2 *This);
    HRESULT (STDMETHODCALLTYPE *GetTime)(IMediaSample2 *This, REFERENCE_TIME *pTimeStart, REFERENCE_TIME *pTimeEnd);
    HRESULT (STDMETHODCALLTYPE *SetTime)(IMediaSample2 *This, REFERENCE_TIME *pTimeStart, REFERENCE_TIME *pTimeEnd);
    HRESULT (STDMETHODCALLTYPE *IsSyncPoint)(IMediaSample2 *This);
    HRESULT (STDMETHODCALLTYPE *SetSyncPoint)(IMediaSample2 *This, BOOL bIsSyncPoint);
    HRESULT (STDMETHODCALLTYPE *IsPreroll)(IMediaSample2 *This);
    HRESULT (STDMETHODCALLTYPE *SetPreroll)(IMediaSample2 *This, BOOL bIsPreroll);
    LONG (STDMETHODCALLTYPE *GetActualDataLength)(IMediaSample2 *This);
    HRESULT (STDMETHODCALLTYPE *SetActualDataLength)(IMediaSample2 *This, LONG length);
    HRESULT (STDMETHODCALLTYPE *GetMediaType)(IMediaSample2 *This, AM_MEDIA_TYPE **ppMediaType);
    HRESULT (STDMETHODCALLTYPE *SetMediaType)(IMediaSample2 *This, AM_MEDIA_TYPE *pMediaType);
    HRESULT (STDMETHODCALLTYPE *IsDiscontinuity)(IMediaSample2 *This);
    HRESULT (STDMETHODCALLTYPE *SetDiscontinuity)(IMediaSample2 *This, BOOL bDiscontinuity);
    HRESULT (STDMETHODCALLTYPE *GetMediaTime)(IMediaSample2 *This, LONGLONG *pTimeStart, LONGLONG *pTimeEnd);
    HRESULT (STDMETHODCALLTYPE *SetMediaTime)(IMediaSample2 *This, LONGLONG *pTimeStart, LONGLONG *pTimeEnd);
    /* IMediaSample2 */
    HRESULT (STDMETHODCALLTYPE *GetProperties)(IMediaSample2 *This, DWORD cbProperties, BYTE *pbProperties);
    HRESULT (STDMETHODCALLTYPE *SetProperties)(IMediaSample2 *This, DWORD cbProperties, const BYTE *pbProperties);
} IMediaSample2Vtbl;

struct IMediaSample2 {
    const IMediaSample2Vtbl *lpVtbl;
};

typedef struct IKsObjectVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IKsObject *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IKsObject *This);
    ULONG (STDMETHODCALLTYPE *Release)(IKsObject *This);
    /* IKsObject */
    HANDLE (STDMETHODCALLTYPE *KsGetObjectHandle)(IKsObject *This);
} IKsObjectVtbl;

struct IKsObject {
    const IKsObjectVtbl *lpVtbl;
};

typedef struct IKsPinVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IKsPin *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IKsPin *This);
    ULONG (STDMETHODCALLTYPE *Release)(IKsPin *This);
    /* IKsPin */
    HRESULT (STDMETHODCALLTYPE *KsQueryMediums)(IKsPin *This, KSMULTIPLE_ITEM **MediumList);
    HRESULT (STDMETHODCALLTYPE *KsQueryInterfaces)(IKsPin *This, KSMULTIPLE_ITEM **InterfaceList);
    HRESULT (STDMETHODCALLTYPE *KsCreateSinkPinHandle)(IKsPin *This, KSPIN_INTERFACE *Interface, KSPIN_MEDIUM *Medium);
    HRESULT (STDMETHODCALLTYPE *KsGetCurrentCommunication)(IKsPin *This, KSPIN_COMMUNICATION *Communication,
            KSPIN_INTERFACE *Interface, KSPIN_MEDIUM *Medium);
    HRESULT (STDMETHODCALLTYPE *KsPropagateAcquire)(IKsPin *This);
    HRESULT (STDMETHODCALLTYPE *KsDeliver)(IKsPin *This, IMediaSample *Sample, ULONG Flags);
    HRESULT (STDMETHODCALLTYPE *KsMediaSamplesCompleted)(IKsPin *This, KSSTREAM_SEGMENT *StreamSegment);
    IMemAllocator *(STDMETHODCALLTYPE *KsPeekAllocator)(IKsPin *This, KSPEEKOPERATION Operation);
    HRESULT (STDMETHODCALLTYPE *KsReceiveAllocator)(IKsPin *This, IMemAllocator *MemAllocator);
    HRESULT (STDMETHODCALLTYPE *KsRenegotiateAllocator)(IKsPin *This);
    LONG (STDMETHODCALLTYPE *KsIncrementPendingIoCount)(IKsPin *This);
    LONG (STDMETHODCALLTYPE *KsDecrementPendingIoCount)(IKsPin *This);
    HRESULT (STDMETHODCALLTYPE *KsQualityNotify)(IKsPin *This, ULONG Proportion, REFERENCE_TIME TimeDelta);
} IKsPinVtbl;

struct IKsPin {
    const IKsPinVtbl *lpVtbl;
};

typedef struct IKsPinExVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IKsPinEx *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IKsPinEx *This);
    ULONG (STDMETHODCALLTYPE *Release)(IKsPinEx *This);
    /* IKsPin */
    HRESULT (STDMETHODCALLTYPE *KsQueryMediums)(IKsPinEx *This, KSMULTIPLE_ITEM **MediumList);
    HRESULT (STDMETHODCALLTYPE *KsQueryInterfaces)(IKsPinEx *This, KSMULTIPLE_ITEM **InterfaceList);
    HRESULT (STDMETHODCALLTYPE *KsCreateSinkPinHandle)(IKsPinEx *This, KSPIN_INTERFACE *Interface,
            KSPIN_MEDIUM *Medium);
    HRESULT (STDMETHODCALLTYPE *KsGetCurrentCommunication)(IKsPinEx *This, KSPIN_COMMUNICATION *Communication,
            KSPIN_INTERFACE *Interface, KSPIN_MEDIUM *Medium);
    HRESULT (STDMETHODCALLTYPE *KsPropagateAcquire)(IKsPinEx *This);
    HRESULT (STDMETHODCALLTYPE *KsDeliver)(IKsPinEx *This, IMediaSample *Sample, ULONG Flags);
    HRESULT (STDMETHODCALLTYPE *KsMediaSamplesCompleted)(IKsPinEx *This, KSSTREAM_SEGMENT *StreamSegment);
    IMemAllocator *(STDMETHODCALLTYPE *KsPeekAllocator)(IKsPinEx *This, KSPEEKOPERATION Operation);
    HRESULT (STDMETHODCALLTYPE *KsReceiveAllocator)(IKsPinEx *This, IMemAllocator *MemAllocator);
    HRESULT (STDMETHODCALLTYPE *KsRenegotiateAllocator)(IKsPinEx *This);
    LONG (STDMETHODCALLTYPE *KsIncrementPendingIoCount)(IKsPinEx *This);
    LONG (STDMETHODCALLTYPE *KsDecrementPendingIoCount)(IKsPinEx *This);
    HRESULT (STDMETHODCALLTYPE *KsQualityNotify)(IKsPinEx *This, ULONG Proportion, REFERENCE_TIME TimeDelta);
    /* IKsPinEx */
    void (STDMETHODCALLTYPE *KsNotifyError)(IKsPinEx *This, IMediaSample *Sample, HRESULT hr);
} IKsPinExVtbl;

struct IKsPinEx {
    const IKsPinExVtbl *lpVtbl;
};

typedef struct IKsPinPipeVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IKsPinPipe *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IKsPinPipe *This);
    ULONG (STDMETHODCALLTYPE *Release)(IKsPinPipe *This);
    /* IKsPinPipe */
    HRESULT (STDMETHODCALLTYPE *KsGetPinFramingCache)(IKsPinPipe *This, KSALLOCATOR_FRAMING_EX **FramingEx,
            FRAMING_PROP *FramingProp, FRAMING_CACHE_OPS Option);
    HRESULT (STDMETHODCALLTYPE *KsSetPinFramingCache)(IKsPinPipe *This, KSALLOCATOR_FRAMING_EX *FramingEx,
            FRAMING_PROP *FramingProp, FRAMING_CACHE_OPS Option);
    IPin *(STDMETHODCALLTYPE *KsGetConnectedPin)(IKsPinPipe *This);
    IKsAllocatorEx *(STDMETHODCALLTYPE *KsGetPipe)(IKsPinPipe *This, KSPEEKOPERATION Operation);
    HRESULT (STDMETHODCALLTYPE *KsSetPipe)(IKsPinPipe *This, IKsAllocatorEx *KsAllocator);
    ULONG (STDMETHODCALLTYPE *KsGetPipeAllocatorFlag)(IKsPinPipe *This);
    HRESULT (STDMETHODCALLTYPE *KsSetPipeAllocatorFlag)(IKsPinPipe *This, ULONG Flag);
    GUID *(STDMETHODCALLTYPE *KsGetPinBusCache)(IKsPinPipe *This, GUID *Bus);
    HRESULT (STDMETHODCALLTYPE *KsSetPinBusCache)(IKsPinPipe *This, GUID Bus);
    WCHAR *(STDMETHODCALLTYPE *KsGetPinName)(IKsPinPipe *This);
    WCHAR *(STDMETHODCALLTYPE *KsGetFilterName)(IKsPinPipe *This);
} IKsPinPipeVtbl;

struct IKsPinPipe {
    const IKsPinPipeVtbl *lpVtbl;
};

typedef struct IPinVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IPin *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IPin *This);
    ULONG (STDMETHODCALLTYPE *Release)(IPin *This);
    /* IPin */
    HRESULT (STDMETHODCALLTYPE *Connect)(IPin *This, IPin *pReceivePin, const AM_MEDIA_TYPE *pmt);
    HRESULT (STDMETHODCALLTYPE *ReceiveConnection)(IPin *This, IPin *pConnector, const AM_MEDIA_TYPE *pmt);
    HRESULT (STDMETHODCALLTYPE *Disconnect)(IPin *This);
    HRESULT (STDMETHODCALLTYPE *ConnectedTo)(IPin *This, IPin **pPin);
    HRESULT (STDMETHODCALLTYPE *ConnectionMediaType)(IPin *This, AM_MEDIA_TYPE *pmt);
    HRESULT (STDMETHODCALLTYPE *QueryPinInfo)(IPin *This, PIN_INFO *pInfo);
    HRESULT (STDMETHODCALLTYPE *QueryDirection)(IPin *This, PIN_DIRECTION *pPinDir);
    HRESULT (STDMETHODCALLTYPE *QueryId)(IPin *This, WCHAR **Id);
    HRESULT (STDMETHODCALLTYPE *QueryAccept)(IPin *This, const AM_MEDIA_TYPE *pmt);
    HRESULT (STDMETHODCALLTYPE *EnumMediaTypes)(IPin *This, IEnumMediaTypes **ppEnum);
    HRESULT (STDMETHODCALLTYPE *QueryInternalConnections)(IPin *This, IPin **apPin, ULONG *nPin);
    HRESULT (STDMETHODCALLTYPE *EndOfStream)(IPin *This);
    HRESULT (STDMETHODCALLTYPE *BeginFlush)(IPin *This);
    HRESULT (STDMETHODCALLTYPE *EndFlush)(IPin *This);
    HRESULT (STDMETHODCALLTYPE *NewSegment)(IPin *This, REFERENCE_TIME tStart, REFERENCE_TIME tStop, double dRate);
} IPinVtbl;

struct IPin {
    const IPinVtbl *lpVtbl;
};

typedef struct IEnumPinsVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IEnumPins *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IEnumPins *This);
    ULONG (STDMETHODCALLTYPE *Release)(IEnumPins *This);
    /* IEnumPins */
    HRESULT (STDMETHODCALLTYPE *Next)(IEnumPins *This, ULONG cPins, IPin **ppPins, ULONG *pcFetched);
    HRESULT (STDMETHODCALLTYPE *Skip)(IEnumPins *This, ULONG cPins);
    HRESULT (STDMETHODCALLTYPE *Reset)(IEnumPins *This);
    HRESULT (STDMETHODCALLTYPE *Clone)(IEnumPins *This, IEnumPins **ppEnum);
} IEnumPinsVtbl;

struct IEnumPins {
    const IEnumPinsVtbl *lpVtbl;
};

typedef struct IEnumMediaTypesVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IEnumMediaTypes *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IEnumMediaTypes *This);
    ULONG (STDMETHODCALLTYPE *Release)(IEnumMediaTypes *This);
    /* IEnumMediaTypes */
    HRESULT (STDMETHODCALLTYPE *Next)(IEnumMediaTypes *This, ULONG cMediaTypes, AM_MEDIA_TYPE **ppMediaTypes,
            ULONG *pcFetched);
    HRESULT (STDMETHODCALLTYPE *Skip)(IEnumMediaTypes *This, ULONG cMediaTypes);
    HRESULT (STDMETHODCALLTYPE *Reset)(IEnumMediaTypes *This);
    HRESULT (STDMETHODCALLTYPE *Clone)(IEnumMediaTypes *This, IEnumMediaTypes **ppEnum);
} IEnumMediaTypesVtbl;

struct IEnumMediaTypes {
    const IEnumMediaTypesVtbl *lpVtbl;
};

typedef struct IPersistVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IPersist *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IPersist *This);
    ULONG (STDMETHODCALLTYPE *Release)(IPersist *This);
    /* IPersist */
    HRESULT (STDMETHODCALLTYPE *GetClassID)(IPersist *This, CLSID *pClassID);
} IPersistVtbl;

struct IPersist {
    const IPersistVtbl *lpVtbl;
};

typedef struct IMediaFilterVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMediaFilter *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMediaFilter *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMediaFilter *This);
    /* IPersist */
    HRESULT (STDMETHODCALLTYPE *GetClassID)(IMediaFilter *This, CLSID *pClassID);
    /* IMediaFilter */
    HRESULT (STDMETHODCALLTYPE *Stop)(IMediaFilter *This);
    HRESULT (STDMETHODCALLTYPE *Pause)(IMediaFilter *This);
    HRESULT (STDMETHODCALLTYPE *Run)(IMediaFilter *This, REFERENCE_TIME tStart);
    HRESULT (STDMETHODCALLTYPE *GetState)(IMediaFilter *This, DWORD dwMilliSecsTimeout, FILTER_STATE *State);
    HRESULT (STDMETHODCALLTYPE *SetSyncSource)(IMediaFilter *This, IReferenceClock *pClock);
    HRESULT (STDMETHODCALLTYPE *GetSyncSource)(IMediaFilter *This, IReferenceClock **pClock);
} IMediaFilterVtbl;

struct IMediaFilter {
    const IMediaFilterVtbl *lpVtbl;
};

typedef struct IBaseFilterVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IBaseFilter *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IBaseFilter *This);
    ULONG (STDMETHODCALLTYPE *Release)(IBaseFilter *This);
    /* IPersist */
    HRESULT (STDMETHODCALLTYPE *GetClassID)(IBaseFilter *This, CLSID *pClassID);
    /* IMediaFilter */
    HRESULT (STDMETHODCALLTYPE *Stop)(IBaseFilter *This);
    HRESULT (STDMETHODCALLTYPE *Pause)(IBaseFilter *This);
    HRESULT (STDMETHODCALLTYPE *Run)(IBaseFilter *This, REFERENCE_TIME tStart);
    HRESULT (STDMETHODCALLTYPE *GetState)(IBaseFilter *This, DWORD dwMilliSecsTimeout, FILTER_STATE *State);
    HRESULT (STDMETHODCALLTYPE *SetSyncSource)(IBaseFilter *This, IReferenceClock *pClock);
    HRESULT (STDMETHODCALLTYPE *GetSyncSource)(IBaseFilter *This, IReferenceClock **pClock);
    /* IBaseFilter */
    HRESULT (STDMETHODCALLTYPE *EnumPins)(IBaseFilter *This, IEnumPins **ppEnum);
    HRESULT (STDMETHODCALLTYPE *FindPin)(IBaseFilter *This, const WCHAR *Id, IPin **ppPin);
    HRESULT (STDMETHODCALLTYPE *QueryFilterInfo)(IBaseFilter *This, FILTER_INFO *pInfo);
    HRESULT (STDMETHODCALLTYPE *JoinFilterGraph)(IBaseFilter *This, IFilterGraph *pGraph, const WCHAR *pName);
    HRESULT (STDMETHODCALLTYPE *QueryVendorInfo)(IBaseFilter *This, WCHAR **pVendorInfo);
} IBaseFilterVtbl;

struct IBaseFilter {
    const IBaseFilterVtbl *lpVtbl;
};

typedef struct IMemInputPinVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IMemInputPin *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IMemInputPin *This);
    ULONG (STDMETHODCALLTYPE *Release)(IMemInputPin *This);
    /* IMemInputPin */
    HRESULT (STDMETHODCALLTYPE *GetAllocator)(IMemInputPin *This, IMemAllocator **ppAllocator);
    HRESULT (STDMETHODCALLTYPE *NotifyAllocator)(IMemInputPin *This, IMemAllocator *pAllocator, BOOL bReadOnly);
    HRESULT (STDMETHODCALLTYPE *GetAllocatorRequirements)(IMemInputPin *This, ALLOCATOR_PROPERTIES *pProps);
    HRESULT (STDMETHODCALLTYPE *Receive)(IMemInputPin *This, IMediaSample *pSample);
    HRESULT (STDMETHODCALLTYPE *ReceiveMultiple)(IMemInputPin *This, IMediaSample **pSamples, LONG nSamples,
            LONG *nSamplesProcessed);
    HRESULT (STDMETHODCALLTYPE *ReceiveCanBlock)(IMemInputPin *This);
} IMemInputPinVtbl;

struct IMemInputPin {
    const IMemInputPinVtbl *lpVtbl;
};

typedef struct IAMBufferNegotiationVtbl {
    /* IUnknown */
    HRESULT (STDMETHODCALLTYPE *QueryInterface)(IAMBufferNegotiation *This, REFIID riid, void **object);
    ULONG (STDMETHODCALLTYPE *AddRef)(IAMBufferNegotiation *This);
    ULONG (STDMETHODCALLTYPE *Release)(IAMBufferNegotiation *This);
    /* IAMBufferNegotiation */
    HRESULT (STDMETHODCALLTYPE *SuggestAllocatorProperties)(IAMBufferNegotiation *This,
            const ALLOCATOR_PROPERTIES *prop);
    HRESULT (STDMETHODCALLTYPE *GetAllocatorProperties)(IAMBufferNegotiation *This, ALLOCATOR_PROPERTIES *prop);
} IAMBufferNegotiationVtbl;

struct IAMBufferNegotiation {
    const IAMBufferNegotiationVtbl *lpVtbl;
};

#endif

/* ---- Functions of libksproxy.so --------------------------------------------------------------------------------- */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Creates an allocator: in user mode, without handle, all properties zero. *object is the interface asked for, with one
 * reference, or NULL.
 *
 * S_OK, E_POINTER, E_NOINTERFACE, E_UNEXPECTED.
 */
HRESULT KspCreateAllocator(REFIID iid, void **object);

/*
 * Creates a sink pin of this process: a KS object on whose handle KsCreateAllocatorAndGetHandle creates allocators. It
 * stands in for a driver's pin. The handle is the caller's; close() on its number ends it.
 *
 * S_OK, E_POINTER, an HRESULT of a Win32 error, E_UNEXPECTED.
 */
HRESULT KspCreateSinkPin(HANDLE *handle);

/* What KspCreatePin makes a pin with. Zero is "none" or "as usual" in every member but the first. */
typedef struct {
    ULONG Size; /* sizeof(KSP_PIN_DESCRIPTION) */
    PIN_DIRECTION Direction;
    const WCHAR *PinName;    /* copied; at most 32767 units and a zero */
    const WCHAR *FilterName; /* likewise */
    const KSALLOCATOR_FRAMING_EX *Framing; /* copied */
    ULONG FramingSize;       /* its bytes, as many as its CountItems says */
    KSPIN_COMMUNICATION Communication; /* NONE: a sink where the direction is input, else a source */
    HANDLE Handle;           /* the pin's, once it is created */
} KSP_PIN_DESCRIPTION;

/*
 * Creates a ready pin: IKsObject, IKsPin, IKsPinEx, IKsPinPipe, IPin, and IMemInputPin (input) or IAMBufferNegotiation
 * (output). *object is the interface asked for, with one reference, or NULL; then the handle stays the caller's.
 *
 * S_OK, E_POINTER, E_INVALIDARG, E_HANDLE, E_NOINTERFACE, E_UNEXPECTED.
 */
HRESULT KspCreatePin(const KSP_PIN_DESCRIPTION *pin, REFIID iid, void **object);

/* One sentence, in UTF-8, good until the function returns. */
typedef void (STDMETHODCALLTYPE *KSP_EXPLAIN)(void *context, const char *text);

/*
 * Negotiates the pins that hang together with the given ones, by connections and through their filters, and tells them the
 * result: KsSetPipe, KsSetPipeAllocatorFlag, KsReceiveAllocator, and for kernel-mode pipes KSPROPERTY_STREAM_ALLOCATOR.
 * pins are count pins, by any of their interfaces; strategy is one of AllocatorStrategy_*. explain, which may be NULL, is
 * told what went wrong and what would help, or the warnings. After a failure every pin is as it was. What is read and
 * written, and in which order: docs/pins.md, "Negotiating live pins".
 *
 * S_OK, E_POINTER, E_INVALIDARG, E_NOINTERFACE, E_OUTOFMEMORY, E_FAIL, VFW_E_NO_ALLOCATOR, VFW_E_NOT_CONNECTED,
 * VFW_E_INVALID_DIRECTION, VFW_E_CIRCULAR_GRAPH, what a pin that failed or refused answered, E_UNEXPECTED.
 */
HRESULT KspNegotiatePins(IUnknown *const *pins, ULONG count, ULONG strategy, KSP_EXPLAIN explain, void *context);

/* Frees a media type that IMediaSample::GetMediaType gave: reference, format block and structure. NULL is nothing. */
void KspDeleteMediaType(AM_MEDIA_TYPE *media_type);

/*
 * The COM server's entry points (docs/com.md, "The module"). CLSID_KspAllocator is the one class. There is no registry
 * here: DllRegisterServer answers SELFREG_E_CLASS, DllUnregisterServer S_OK.
 */
HRESULT DllGetClassObject(REFCLSID rclsid, REFIID riid, void **object);
HRESULT DllCanUnloadNow(void);
HRESULT DllRegisterServer(void);
HRESULT DllUnregisterServer(void);

/*
 * The functions of ksproxy.ax (docs/objects.md, "The functions of ksproxy.ax"). The handles are those of KS objects of
 * this process. Items and the media type's pbFormat are freed with free().
 */
HRESULT KsResolveRequiredAttributes(const KSDATARANGE *DataRange, const KSMULTIPLE_ITEM *Attributes);
HRESULT KsOpenDefaultDevice(REFGUID Category, ACCESS_MASK Access, HANDLE *DeviceHandle);
HRESULT KsSynchronousDeviceControl(HANDLE Handle, ULONG IoControl, void *InBuffer, ULONG InLength, void *OutBuffer,
        ULONG OutLength, ULONG *BytesReturned);
HRESULT KsGetMultiplePinFactoryItems(HANDLE FilterHandle, ULONG PinFactoryId, ULONG PropertyId, void **Items);
HRESULT KsGetMediaTypeCount(HANDLE FilterHandle, ULONG PinFactoryId, ULONG *MediaTypeCount);
HRESULT KsGetMediaType(int Position, AM_MEDIA_TYPE *AmMediaType, HANDLE FilterHandle, ULONG PinFactoryId);

/* ---- Taking part in a graph that another process serves: docs/c-client.md ----------------------------------------- */

/*
 * These functions answer a number below 0 where they fail, and then every result is NULL (or 0, or -1).
 * KspGetLastErrorText() has a sentence on it.
 *
 * Objects are known by handles in the guise of pointers, which are looked up and never followed: one that is NULL, was closed
 * or never was one is E_HANDLE. Closing NULL is nothing. Objects may be closed in any order. Every function may be called
 * from any thread; but where a thread is in a call with a reader or a writer, a call of another one with it is KSP_E_BUSY,
 * KspGetDescriptor and those that close excepted. A child of fork() has no part in the graph, and must use no handle of its
 * parent's.
 *
 * Beside what stands with each function, every one that gives a result answers E_POINTER for NULL, every one that takes a
 * name E_INVALIDARG for one that is no UTF-8, and all E_OUTOFMEMORY, and E_UNEXPECTED, which is a defect.
 */
typedef struct KSP_CLIENT KSP_CLIENT; /* a connection to a server */
typedef struct KSP_FILTER KSP_FILTER; /* a filter that this process has */
typedef struct KSP_FRAMES KSP_FRAMES; /* the frames that come in by a pin */
typedef struct KSP_WRITER KSP_WRITER; /* what sends frames by a pin */
typedef struct KSP_FRAME KSP_FRAME;   /* a frame that this process has, come in or to be filled */

#define E_ACCESSDENIED ((HRESULT)0x80070005)       /* the server does not let this user in, or take part */
#define KSP_E_NO_SERVER ((HRESULT)0x80044B01)      /* nobody serves a graph at the path */
#define KSP_E_SERVER_GONE ((HRESULT)0x80044B02)    /* the server has ended, or has closed the graph */
#define KSP_E_PROTOCOL ((HRESULT)0x80044B03)       /* what is there serves no graph, or speaks another version */
#define KSP_E_NO_SUCH_PIN ((HRESULT)0x80044B04)    /* no filter or pin outside has the name */
#define KSP_E_TAKEN ((HRESULT)0x80044B05)          /* another process has the filter, or this one */
#define KSP_E_IN_USE ((HRESULT)0x80044B06)         /* the pin is in use in this process */
#define KSP_E_SENDER_STOPPED ((HRESULT)0x80044B07) /* who sends to the filter is stopped in the middle of a frame: try again */
#define KSP_E_END_OF_STREAM ((HRESULT)0x80044B08)  /* the stream has ended, and all of it was taken */
#define KSP_E_SHUT ((HRESULT)0x80044B09)           /* the server has taken the pin away */
#define KSP_E_NO_FRAME ((HRESULT)0x80044B0A)       /* what was sent is no frame; the next may be one */
#define KSP_E_STOPPING ((HRESULT)0x80044B0B)       /* the server asks sources to end */
#define KSP_E_HANDS_ON ((HRESULT)0x80044B0C)       /* what goes out by the pin came in by another: there are no new frames */
#define KSP_E_FOREIGN ((HRESULT)0x80044B0D)        /* the frame cannot go out by the pin */
#define KSP_E_READ_ONLY ((HRESULT)0x80044B0E)      /* the frame may only be read */
#define KSP_E_BUSY ((HRESULT)0x80044B0F)           /* another thread is in a call with it */
#define KSP_E_NO_FORMAT ((HRESULT)0x80044B10)      /* the graph does not say what the pin's frames hold */
#define KSP_E_HOLDS_MOST ((HRESULT)0x80044B11)     /* not trusted, and has as many frames as it may: the next comes after a release */
#define KSP_E_NOT_WHOLE ((HRESULT)0x80044B12)      /* not trusted, and what it sends is no whole picture */

/* Waits without an end. */
#define KSP_INFINITE 0xFFFFFFFFu

#define KSSTREAM_HEADER_OPTIONSF_SPLICEPOINT 0x00000001u
#define KSSTREAM_HEADER_OPTIONSF_PREROLL 0x00000002u
#define KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY 0x00000004u
#define KSSTREAM_HEADER_OPTIONSF_TYPECHANGED 0x00000008u
#define KSSTREAM_HEADER_OPTIONSF_TIMEVALID 0x00000010u
#define KSSTREAM_HEADER_OPTIONSF_TIMEDISCONTINUITY 0x00000040u
#define KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE 0x00000080u
#define KSSTREAM_HEADER_OPTIONSF_DURATIONVALID 0x00000100u
#define KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM 0x00000200u

/* What travels with a frame. */
typedef struct {
    ULONG Size;                           /* sizeof(KSP_FRAME_HEADER); another is E_INVALIDARG */
    ULONG OptionsFlags;                   /* KSSTREAM_HEADER_OPTIONSF_* */
    KSP_ALIGN8 LONGLONG PresentationTime; /* units of 100 ns since the stream's start, with TIMEVALID */
    KSP_ALIGN8 LONGLONG Duration;         /* units of 100 ns, with DURATIONVALID */
    KSP_ALIGN8 uint64_t Sequence;         /* the frame's number in its stream, from 0 */
    KSP_ALIGN8 uint64_t DataUsed;         /* how many bytes carry data */
} KSP_FRAME_HEADER;

/* What the frames at a pin hold. */
typedef struct {
    ULONG Size;                     /* sizeof(KSP_FORMAT); another is E_INVALIDARG */
    ULONG Width;                    /* pixels a row */
    ULONG Height;                   /* rows */
    ULONG RateNumerator;            /* frames per second, a fraction */
    ULONG RateDenominator;
    ULONG Reserved;
    KSP_ALIGN8 uint64_t FrameBytes; /* bytes of a picture */
    char Pixels[16];                /* "nv12", "i420" or "rgb24" */
} KSP_FORMAT;

/* Connects to the server at a path. KSP_E_NO_SERVER, E_ACCESSDENIED, KSP_E_SERVER_GONE, KSP_E_PROTOCOL. */
HRESULT KspConnect(const char *path, KSP_CLIENT **client);

/* What the server serves, as JSON (docs/sessions.md, DESCRIBE), to be freed with free(). E_HANDLE. */
HRESULT KspGetDescription(KSP_CLIENT *client, char **text);

/* Who has which frame since when, as JSON (docs/sessions.md, Status), to be freed with free(). E_HANDLE, KSP_E_SERVER_GONE. */
HRESULT KspGetStatus(KSP_CLIENT *client, char **text);

/* What the frames at a pin, "filter.pin", hold. Size is set before. E_HANDLE, E_INVALIDARG, KSP_E_NO_FORMAT. */
HRESULT KspGetFormat(KSP_CLIENT *client, const char *pin, KSP_FORMAT *format);

/*
 * Joins with a filter, all its pins, by its name or that of one of its pins, "filter.pin". Waits up to 5 seconds for a
 * process that sends to it and is in the middle of a frame.
 *
 * E_HANDLE, KSP_E_NO_SUCH_PIN, KSP_E_TAKEN, KSP_E_SENDER_STOPPED, KSP_E_SERVER_GONE, E_ACCESSDENIED, KSP_E_PROTOCOL, E_FAIL.
 */
HRESULT KspJoin(KSP_CLIENT *client, const char *name, KSP_FILTER **filter);

/* S_OK: the server asks sources to end; S_FALSE: it does not. E_HANDLE. */
HRESULT KspIsStopping(KSP_FILTER *filter);

/*
 * The frames that come in by a pin, named with or without its filter. E_HANDLE, KSP_E_NO_SUCH_PIN, VFW_E_INVALID_DIRECTION,
 * KSP_E_IN_USE.
 */
HRESULT KspOpenFrames(KSP_FILTER *filter, const char *pin, KSP_FRAMES **frames);

/*
 * The next frame. Waits at most so many milliseconds: 0 not at all, KSP_INFINITE without an end.
 *
 * E_HANDLE, VFW_E_TIMEOUT, KSP_E_END_OF_STREAM, KSP_E_SERVER_GONE, KSP_E_SHUT, KSP_E_NO_FRAME, KSP_E_HOLDS_MOST, KSP_E_BUSY.
 */
HRESULT KspNextFrame(KSP_FRAMES *frames, ULONG milliseconds, KSP_FRAME **frame);

/*
 * A descriptor for poll(), lent until the reader is closed, to be neither read nor closed. It becomes readable when something
 * comes after KspArm, once. A loop asks KspNextFrame with 0; on VFW_E_TIMEOUT it calls KspArm; on S_OK it waits, and on
 * S_FALSE, or when it has waited, it begins again. E_HANDLE; KspArm KSP_E_BUSY too.
 */
HRESULT KspGetDescriptor(KSP_FRAMES *frames, int *descriptor);
HRESULT KspArm(KSP_FRAMES *frames);

/*
 * What sends frames by a pin, named with or without its filter. E_HANDLE, KSP_E_NO_SUCH_PIN, VFW_E_INVALID_DIRECTION,
 * KSP_E_IN_USE.
 */
HRESULT KspOpenWriter(KSP_FILTER *filter, const char *pin, KSP_WRITER **writer);

/*
 * A free frame to fill. Waits until the graph has begun, and for a frame, at most so many milliseconds, as KspNextFrame does.
 * Its header has the next number, and as many bytes of data as the format has; its bytes are anything.
 *
 * E_HANDLE, VFW_E_TIMEOUT, KSP_E_STOPPING, KSP_E_SERVER_GONE, KSP_E_SHUT, KSP_E_HANDS_ON, KSP_E_HOLDS_MOST, KSP_E_BUSY.
 */
HRESULT KspAcquireFrame(KSP_WRITER *writer, ULONG milliseconds, KSP_FRAME **frame);

/*
 * Sends a frame that was acquired from this writer, or that came in by the pin whose frames go out here. Whatever the answer,
 * the frame is not the caller's any more; where it is not sent, it goes back. Never waits.
 *
 * E_HANDLE, KSP_E_FOREIGN, KSP_E_NOT_WHOLE, KSP_E_BUSY; of a process that is not trusted KSP_E_SERVER_GONE and KSP_E_SHUT too.
 */
HRESULT KspSendFrame(KSP_WRITER *writer, KSP_FRAME *frame);

/* Ends the stream after its last frame, and closes the writer. E_HANDLE, KSP_E_BUSY: then nothing has ended. */
HRESULT KspEndStream(KSP_WRITER *writer);

/* What travels with a frame. Size is set before. What is set travels with a frame that is sent. E_HANDLE, E_INVALIDARG. */
HRESULT KspGetFrameHeader(KSP_FRAME *frame, KSP_FRAME_HEADER *header);
HRESULT KspSetFrameHeader(KSP_FRAME *frame, const KSP_FRAME_HEADER *header);

/*
 * The bytes that carry data, to read; and all bytes, to write, KSP_E_READ_ONLY where others have the frame too or the filter
 * only reads. They stay where they are until the frame is released or sent, also after the server's end. E_HANDLE.
 */
HRESULT KspGetFrameData(KSP_FRAME *frame, const void **data, size_t *size);
HRESULT KspGetFrameBytes(KSP_FRAME *frame, void **bytes, size_t *size);

/* Gives a frame back; one to fill goes back unsent. NULL is nothing. E_HANDLE. */
HRESULT KspReleaseFrame(KSP_FRAME *frame);

/*
 * Close. The process has left a filter once the filter, its readers, its writers and its frames are closed: then another may
 * have it. A writer that is closed has not ended its stream: the next writer goes on with it. A thread that waits with what is
 * closed goes on waiting, and it is closed after that. NULL is nothing. E_HANDLE.
 */
HRESULT KspCloseFrames(KSP_FRAMES *frames);
HRESULT KspCloseWriter(KSP_WRITER *writer);
HRESULT KspCloseFilter(KSP_FILTER *filter);
HRESULT KspCloseClient(KSP_CLIENT *client);

/*
 * What the last of these functions that failed in this thread failed with: a sentence in UTF-8. Never NULL, "" where none has
 * failed, and good until the next one that fails in this thread, and the thread's end.
 */
const char *KspGetLastErrorText(void);

/* The functions' types, for dlsym(). */
typedef HRESULT (*DllGetClassObjectFunction)(REFCLSID rclsid, REFIID riid, void **object);
typedef HRESULT (*DllCanUnloadNowFunction)(void);
typedef HRESULT (*DllRegisterServerFunction)(void);
typedef HRESULT (*DllUnregisterServerFunction)(void);
typedef HRESULT (*KsResolveRequiredAttributesFunction)(const KSDATARANGE *DataRange, const KSMULTIPLE_ITEM *Attributes);
typedef HRESULT (*KsOpenDefaultDeviceFunction)(REFGUID Category, ACCESS_MASK Access, HANDLE *DeviceHandle);
typedef HRESULT (*KsSynchronousDeviceControlFunction)(HANDLE Handle, ULONG IoControl, void *InBuffer, ULONG InLength,
        void *OutBuffer, ULONG OutLength, ULONG *BytesReturned);
typedef HRESULT (*KsGetMultiplePinFactoryItemsFunction)(HANDLE FilterHandle, ULONG PinFactoryId, ULONG PropertyId,
        void **Items);
typedef HRESULT (*KsGetMediaTypeCountFunction)(HANDLE FilterHandle, ULONG PinFactoryId, ULONG *MediaTypeCount);
typedef HRESULT (*KsGetMediaTypeFunction)(int Position, AM_MEDIA_TYPE *AmMediaType, HANDLE FilterHandle,
        ULONG PinFactoryId);
typedef HRESULT (*KspCreateAllocatorFunction)(REFIID iid, void **object);
typedef HRESULT (*KspCreateSinkPinFunction)(HANDLE *handle);
typedef HRESULT (*KspCreatePinFunction)(const KSP_PIN_DESCRIPTION *pin, REFIID iid, void **object);
typedef HRESULT (*KspNegotiatePinsFunction)(IUnknown *const *pins, ULONG count, ULONG strategy, KSP_EXPLAIN explain,
        void *context);
typedef void (*KspDeleteMediaTypeFunction)(AM_MEDIA_TYPE *media_type);

#ifdef __cplusplus
}
#endif

#endif
