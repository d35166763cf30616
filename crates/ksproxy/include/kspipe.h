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

/* A KS object's handle is the number of a descriptor, at least 3: NULL and INVALID_HANDLE_VALUE name none. */
typedef void *HANDLE;
#define INVALID_HANDLE_VALUE ((HANDLE)(intptr_t)-1)

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID, IID;

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
#define VFW_E_TIMEOUT ((HRESULT)0x8004022E)
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
 * The functions of ksproxy.ax (docs/com.md, "The functions of ksproxy.ax"). The handles are those of KS objects of this
 * process. Items and the media type's pbFormat are freed with free().
 */
HRESULT KsResolveRequiredAttributes(const KSDATARANGE *DataRange, const KSMULTIPLE_ITEM *Attributes);
HRESULT KsOpenDefaultDevice(REFGUID Category, ACCESS_MASK Access, HANDLE *DeviceHandle);
HRESULT KsSynchronousDeviceControl(HANDLE Handle, ULONG IoControl, void *InBuffer, ULONG InLength, void *OutBuffer,
        ULONG OutLength, ULONG *BytesReturned);
HRESULT KsGetMultiplePinFactoryItems(HANDLE FilterHandle, ULONG PinFactoryId, ULONG PropertyId, void **Items);
HRESULT KsGetMediaTypeCount(HANDLE FilterHandle, ULONG PinFactoryId, ULONG *MediaTypeCount);
HRESULT KsGetMediaType(int Position, AM_MEDIA_TYPE *AmMediaType, HANDLE FilterHandle, ULONG PinFactoryId);

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
typedef void (*KspDeleteMediaTypeFunction)(AM_MEDIA_TYPE *media_type);

#ifdef __cplusplus
}
#endif

#endif
