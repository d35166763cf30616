// A capture filter as the AVStream samples have it, cut down to what its pins ask of an allocator, with three mistakes.
// `kspipe check examples/driver/capture.cpp` finds them; docs/driver-sources.md goes through them.

#include <ntddk.h>
#include <windef.h>
#include <ks.h>

#define D_WIDTH 1920
#define D_HEIGHT 1080
#define NV12_BYTES(width, height) ((width) * (height) * 3 / 2)

enum { CaptureFrames = 4 };

// Mistake 1: FileAlignment is a mask, and PAGE_SIZE is a count.
DECLARE_SIMPLE_FRAMING_EX(
    CaptureFraming,
    STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED),
    KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY,
    CaptureFrames,
    PAGE_SIZE,
    NV12_BYTES(D_WIDTH, D_HEIGHT),
    NV12_BYTES(D_WIDTH, D_HEIGHT)
);

// Mistake 2: the maximum stands before the minimum.
static const KSALLOCATOR_FRAMING_EX StillFraming = {
    1,            // CountItems
    0,            // PinFlags
    { 1, 1, 0 },  // OutputCompression
    0,            // PinWeight
    {
        {
            { STATIC_KSMEMORY_TYPE_KERNEL_NONPAGED },
            { STATIC_KS_TYPE_DONT_CARE },
            0,
            0,
            KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
            2,
            FILE_QUAD_ALIGNMENT,
            0,
            { 0, MAXULONG, 1 },
            { { NV12_BYTES(D_WIDTH, D_HEIGHT), NV12_BYTES(640, 480), 1 }, 0, 0 }
        }
    }
};

// Mistake 3: 64 pictures of 8192 * 8192 * 4 bytes do not fit the 32 bits that C computes in.
DECLARE_SIMPLE_FRAMING_EX(
    MosaicFraming,
    STATICGUIDOF(KSMEMORY_TYPE_KERNEL_PAGED),
    KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY,
    2,
    0,
    8192 * 8192 * 4 * 64,
    8192 * 8192 * 4 * 64
);

const KSPIN_DESCRIPTOR_EX PinDescriptors[] = {
    { &PinDispatch, NULL, { 0, NULL, 0, NULL, 1, Ranges, KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_BOTH, NULL, NULL, 0 },
      0, 1, 1, &CaptureFraming, Intersect },
    { &PinDispatch, NULL, { 0, NULL, 0, NULL, 1, Ranges, KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_BOTH, NULL, NULL, 0 },
      0, 1, 0, &StillFraming, Intersect },
    { &PinDispatch, NULL, { 0, NULL, 0, NULL, 1, Ranges, KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_BOTH, NULL, NULL, 0 },
      0, 1, 0, &MosaicFraming, Intersect }
};
