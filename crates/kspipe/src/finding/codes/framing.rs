//! What is said of a framing by itself.

use super::codes;
use super::references::*;
use crate::finding::{Severity, Topic};

codes! { FRAMING_CODES;
    ALIGNMENT_AS_COUNT = "KS040" {
        name: "alignment-as-count", severity: Severity::Error,
        title: "FileAlignment is a count where a mask is meant",
        explanation: "FileAlignment is a mask, the alignment minus 1, as the FILE_*_ALIGNMENT constants are: FILE_LONG_ALIGNMENT \
            is 3, a page is 4095. A power of two there asks that one bit of the address be clear, which is no alignment. \
            kspipe takes it as the next larger power of two, so a page's 4096 becomes 8192; the kernel's default allocator \
            refuses masks over PAGE_SIZE - 1. cbAlign of ALLOCATOR_PROPERTIES is the count.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED), Flags, 4, PAGE_SIZE, ...);",
        fix: Some("Subtract 1: PAGE_SIZE - 1."),
        references: &[FRAMING, FRAMING_ITEM],
    }
    ALIGNMENT_NOT_A_MASK = "KS041" {
        name: "alignment-not-a-mask", severity: Severity::Error,
        title: "FileAlignment is no mask",
        explanation: "FileAlignment is a power of two minus 1. A number with gaps in its bits, such as 100 or 0x6000, is neither \
            that nor a count. kspipe takes the smallest power of two that meets every bit.",
        example: "Item.FileAlignment = 100;  // counts as 128 bytes; 127 was meant, or 63",
        fix: Some("Write the alignment minus 1."),
        references: &[FRAMING, FRAMING_ITEM],
    }
    ALIGNMENT_OF_TWO = "KS042" {
        name: "alignment-of-two", severity: Severity::Note,
        title: "FileAlignment is 1, which aligns to 2 bytes",
        explanation: "As a count, 1 would mean no alignment; but the member is a mask, and 1 (FILE_WORD_ALIGNMENT) asks for frames \
            on even addresses. No public driver asks for that.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, MemoryType, Flags, 4, 1, Size, Size);",
        fix: Some("Write 0 (FILE_BYTE_ALIGNMENT) for no alignment; leave it where 2 bytes are meant."),
        references: &[FRAMING],
    }
    ALIGNMENT_AS_MASK = "KS043" {
        name: "alignment-as-mask", severity: Severity::Error, topic: Topic::File,
        title: "`alignment` is a mask where a count is meant",
        explanation: "In a graph file, as in ALLOCATOR_PROPERTIES, an alignment is a count of bytes: 4096 for a page. A driver's \
            FileAlignment is a mask, one less. Whoever copies the driver's number asks for an alignment that is no power of two.",
        example: "framing = [{ alignment = 4095 }]",
        fix: Some("Add 1: 4096."),
        references: &[GRAPH_FILE, ALLOCATOR_PROPERTIES],
    }
    RANGE_UPSIDE_DOWN = "KS044" {
        name: "range-upside-down", severity: Severity::Error,
        title: "the minimum of a range is over its maximum",
        explanation: "No frame size is in such a range. Where the item is a requirement no plan can use it, and the graph may \
            have none; as a preference it is never met. Mostly the two arguments stand in the wrong order.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, MemoryType, Flags, 4, 0, MAX_SIZE, MIN_SIZE);",
        fix: Some("Swap them."),
        references: &[FRAMING_RANGE],
    }
    STEP_OVER_RANGE = "KS045" {
        name: "step-over-range", severity: Severity::Error,
        title: "a stepping is larger than its range",
        explanation: "Sizes are MinFrameSize + k * Stepping. Microsoft's page warns that a stepping over the difference of minimum \
            and maximum has unpredictable results. kspipe then has the minimum as the only size. Where minimum and maximum are \
            the same, 0 and 1 are both right, as drivers and DECLARE_SIMPLE_FRAMING_EX write them.",
        example: "PhysicalRange = { 4096, 8192, 65536 }",
        fix: Some("Write a stepping of at most maximum - minimum, or 1 for any size between."),
        references: &[FRAMING_RANGE],
    }
    STEP_MISSES_MAXIMUM = "KS046" {
        name: "step-misses-maximum",
        title: "a stepping does not divide its range",
        explanation: "Counting up from MinFrameSize in steps, MaxFrameSize is never reached, so the largest size is another than \
            the one that is written. Mostly the minimum is at fault: a device that moves whole packets has a multiple of the \
            packet at both ends.",
        example: "PhysicalRange = { 1, 58656, 188 }  // the sizes are 1, 189, ... 58469",
        fix: Some("Start at a multiple of the stepping and end at one."),
        references: &[FRAMING_RANGE],
    }
    PLACEHOLDER_SIZE = "KS050" {
        name: "placeholder-size",
        title: "a size is declared and never edited",
        explanation: "2 * PAGE_SIZE is what Microsoft's samples declare before a format is known; they then copy the framing \
            (KsEdit) when the pin is made or its data format set, and put the size of the format in. A driver that copied the \
            declaration without the edit gives frames of 8192 bytes, whatever its picture takes.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED),\n    KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY,\n    2, 0, 2 * PAGE_SIZE, 2 * PAGE_SIZE);  // and no KsEdit",
        fix: Some("Edit the framing where the data format is set: all four sizes are the size of the format's frame (biSizeImage), both steppings 0."),
        references: &[CODECS, PIN_DESCRIPTOR_EX],
    }
    PAGED_AT_DISPATCH = "KS051" {
        name: "paged-at-dispatch",
        title: "nonpaged memory is only preferred by a pin that writes at DISPATCH_LEVEL",
        explanation: "PREFERENCES_ONLY makes the memory type a wish too. The frames may then come from the paged pool or from a \
            process, and touching a page that is not there at DISPATCH_LEVEL ends in the bug check IRQL_NOT_LESS_OR_EQUAL. Such a \
            pin needs nonpaged memory, so it has to require it.",
        example: "KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY  // and a DPC that fills frames",
        fix: Some("Clear KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY, or write to frames at PASSIVE_LEVEL, or by DMA mappings."),
        references: &[FRAMING, IRQL],
    }
    MUST_ALLOCATE_PREFERRED = "KS053" {
        name: "must-allocate-preferred",
        title: "MUST_ALLOCATE beside PREFERENCES_ONLY is only a wish",
        explanation: "PREFERENCES_ONLY turns every other requirement of the item into a preference, MUST_ALLOCATE too. Setting all \
            flags does not ask for more, it asks for less: the allocator of another pin, or the default one, may be chosen, and \
            the driver's is then never called.",
        example: "KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY",
        fix: Some("Clear PREFERENCES_ONLY if nobody else may allocate; else clear MUST_ALLOCATE and set KSALLOCATOR_FLAG_CAN_ALLOCATE."),
        references: &[FRAMING, SAMPLE_791],
    }
    MEMORY_WASTED = "KS056" {
        name: "memory-wasted",
        title: "much more memory is asked for than is used",
        explanation: "Frames are allocated whole and, in nonpaged memory, stay resident while the pin exists. Many large frames, \
            frames several times the size of what they carry, and small frames that an alignment blows up, take memory that \
            nobody uses, and a pipe has as many and as large frames as its most demanding pin.",
        example: "64 frames of 385024 bytes: 24.6 MB of nonpaged memory for a transport stream of a few MB a second",
        fix: Some("Ask for what is needed: the size of the format's frame, and a few frames more than are held at once."),
        references: &[FRAMING_ITEM, RULES],
    }
    ASKS_NOTHING = "KS058" {
        name: "asks-nothing", severity: Severity::Note,
        title: "Frames or a size is 0, which asks nothing",
        explanation: "0 is documented as no requirement, so others decide: with nobody else asking there is 1 frame, of 1 byte. \
            Clients differ in what they make of it (one keeps a single read outstanding, one a buffer of 0 bytes, which drivers \
            refuse). A driver that knows its numbers should say them.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, MemoryType, Flags, 0, 0, 0, 0);",
        fix: Some("State the number, or leave the framing out where the pin really takes anything."),
        references: &[FRAMING, PORTAUDIO_761, CLIENTS],
    }
    NO_SIZE_ALLOWED = "KS059" {
        name: "no-size-allowed", severity: Severity::Error,
        title: "the largest physical size is 0",
        explanation: "A PhysicalRange that ends at 0 holds no frame: a frame has at least 1 byte. A range that is left open ends \
            at 0xFFFFFFFF, as DECLARE_SIMPLE_FRAMING_EX writes it; a structure set to zero and filled in part does not.",
        example: "KSALLOCATOR_FRAMING_EX Framing = { 0 };\nFraming.FramingItem[0].FramingRange.Range.MaxFrameSize = 8192;  // PhysicalRange is 0..0",
        fix: Some("Write 0xFFFFFFFF for no limit, or the largest size the device takes."),
        references: &[FRAMING_RANGE, FRAMING_ITEM],
    }
    ZERO_RATIO = "KS060" {
        name: "zero-ratio", severity: Severity::Error,
        title: "the ratio of a compression has a 0 in it",
        explanation: "The size of a frame that comes out is the size that goes in times RatioNumerator by RatioDenominator, plus \
            a margin. A denominator of 0 divides by zero, and a numerator of 0 leaves no bytes. 1/1 with a margin of 0 says that \
            the size stays, and is what every public driver writes.",
        example: "KSALLOCATOR_FRAMING_EX Framing = { 1, 0, { 0, 0, 0 }, 0, ... };",
        fix: Some("Write 1, 1 and 0, or call SetDefaultKsCompression."),
        references: &[COMPRESSION, FRAMING_EX],
    }
    RESERVED_NOT_ZERO = "KS061" {
        name: "reserved-not-zero",
        title: "a reserved member is not 0",
        explanation: "PinFlags, PinWeight, BusFlags and Reserved are documented as reserved or unused and to be set to zero. \
            Something else there is mostly memory that was never initialised, or a structure whose members are off by one.",
        example: "KSALLOCATOR_FRAMING Framing;  // on the stack, Reserved never written",
        fix: Some("Write 0; initialise the structure with = { 0 } or RtlZeroMemory."),
        references: &[FRAMING, FRAMING_EX, FRAMING_ITEM],
    }
    IN_PLACE_AT_SOURCE = "KS063" {
        name: "in-place-at-source", severity: Severity::Note,
        title: "INPLACE_MODIFIER at an out pin has no effect",
        explanation: "The flag says that a filter modifies frames it got and passes them on. That is said of the in pin the frames \
            come to; what a filter makes itself is not modified in place. A plan reads it at in pins only.",
        example: "a capture pin: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER",
        fix: Some("Set it at the in pin of a filter that modifies in place, and nowhere else."),
        references: &[FRAMING, RULES],
    }
    BYTES_OVERFLOW = "KS065" {
        name: "bytes-overflow",
        title: "the bytes asked for do not fit 32 bits",
        explanation: "A frame with its alignment, or all frames together, take 4 GiB and more. Drivers and clients compute these \
            sums in ULONGs, where they wrap round to a small number: too little memory is allocated, and written past. kspipe itself \
            counts in more bits, and can have such a pipe in user mode.",
        example: "32 frames of 134217728 bytes: 4 GiB, which is 0 in a ULONG",
        fix: Some("Ask for fewer or smaller frames."),
        references: &[FRAMING, ALLOCATOR_PROPERTIES],
    }
    OVER_LONG = "KS066" {
        name: "over-long",
        title: "the bytes asked for do not fit a COM allocator",
        explanation: "ALLOCATOR_PROPERTIES has LONG members, and an allocator's frames take at most 2^31 - 1 bytes together. A \
            COM allocator cannot be told the numbers, or fails with E_OUTOFMEMORY when it commits.",
        example: "16 frames of 134217728 bytes: 2 GiB",
        fix: Some("Ask for fewer or smaller frames."),
        references: &[ALLOCATOR_PROPERTIES, COM],
    }
    UNKNOWN_FLAGS = "KS067" {
        name: "unknown-flags",
        title: "bits are set that ks.h does not name",
        explanation: "Flags nobody defines have no effect today and may get another meaning. Mostly a constant of another set was \
            used, or the arguments of the declaration are shifted by one.",
        example: "Item.Flags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSPIN_FLAG_DISPATCH_LEVEL_PROCESSING;",
        fix: Some("Use KSALLOCATOR_REQUIREMENTF_* and KSALLOCATOR_FLAG_* only."),
        references: &[HEADER, FRAMING_ITEM],
    }
    PIPE_FLAGS = "KS068" {
        name: "pipe-flags", severity: Severity::Note,
        title: "a flag of pipes is set in a pin's framing",
        explanation: "The KSALLOCATOR_FLAG_* from 0x100 to 0x2000 say what a proxy found out of a pipe: that data is modified in \
            it, that it has several outputs, that its ranges are independent. A driver cannot know that, and nothing reads them \
            from its framing but ALLOCATOR_EXISTS.",
        example: "Item.Flags = KSALLOCATOR_FLAG_MULTIPLE_OUTPUT;",
        fix: Some("Leave it out."),
        references: &[HEADER],
    }
    DUPLICATE_ITEM = "KS069" {
        name: "duplicate-item",
        title: "a framing item stands twice",
        explanation: "The items of an extended framing are alternatives, one of which is used. The same item again is no \
            alternative; mostly one member was to be changed after copying.",
        example: "framing = [{ memory = \"user\", frames = 4 }, { memory = \"user\", frames = 4 }]",
        fix: Some("Leave one out, or change what was meant to differ."),
        references: &[FRAMING_EX],
    }
    DOMINATED_ITEM = "KS070" {
        name: "dominated-item", severity: Severity::Note,
        title: "a framing item asks for more than another and offers nothing",
        explanation: "Whatever serves this item serves the other one too, which asks for fewer frames, a wider range, a smaller \
            alignment or any memory. So there is no graph in which this one is needed, and a plan never gains by it.",
        example: "framing = [{ frames = 2 }, { frames = 4, alignment = 4096 }]",
        fix: Some("Leave it out, or drop the weaker one if its asks are too weak."),
        references: &[FRAMING_EX, RULES],
    }
    FURTHER_ITEMS = "KS071" {
        name: "further-items", severity: Severity::Note,
        title: "public clients read the first framing item only",
        explanation: "A framing may have several items, and kspipe chooses among them. Programs that speak to drivers directly \
            (PortAudio, GStreamer's winks, StepMania) read FramingItem[0] and nothing else.",
        example: "CountItems = 3",
        fix: Some("Put the item that suits most clients first."),
        references: &[FRAMING_EX, CLIENTS],
    }
    MEMORY_CONTRADICTION = "KS072" {
        name: "memory-contradiction",
        title: "SYSTEM_MEMORY and the memory asked for contradict each other",
        explanation: "KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY asks for host memory; when it is clear, memory of the sink's device is \
            assumed, and a pool is not read. Paged or nonpaged memory without the flag, and device memory with it, say both at \
            once. A filter whose frames come from the default allocator has to set it.",
        example: "MemoryType = KSMEMORY_TYPE_KERNEL_NONPAGED, Flags = 0",
        fix: Some("Set the flag for host memory; clear it for a device's."),
        references: &[FRAMING, DEFAULT_ALLOCATORS],
    }
    WEIGHT = "KS073" {
        name: "weight", severity: Severity::Note,
        title: "a weight has no effect",
        explanation: "InPlaceWeight and NotInPlaceWeight are documented as not supported and to be zero; nothing public tells what \
            MemoryTypeWeight would be weighed against. kspipe carries weights and decides nothing by them.",
        example: "Item.MemoryTypeWeight = KS_MEMORY_WEIGHT;",
        fix: Some("Write 0. Say what is needed as a requirement, and what is liked as a preference of another item."),
        references: &[FRAMING_RANGE_WEIGHTED, FRAMING_ITEM],
    }
    MEMORY_FLAGS = "KS074" {
        name: "memory-flags",
        title: "MemoryFlags has more than MUST_ALLOCATE",
        explanation: "MemoryFlags is documented to hold KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE and nothing else. Requirements \
            written there instead of in Flags are not read.",
        example: "Item.MemoryFlags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY;",
        fix: Some("Write other requirements in Flags."),
        references: &[FRAMING_ITEM],
    }
    POOL_TYPE = "KS075" {
        name: "pool-type",
        title: "PoolType is neither NonPagedPool nor PagedPool",
        explanation: "The framing's pool is 0 (NonPagedPool) or 1 (PagedPool). Other values of POOL_TYPE, NonPagedPoolNx among \
            them, are not documented here, and an allocator may refuse them. kspipe takes the lowest bit, which says in every \
            pool type whether it is paged.",
        example: "Framing.PoolType = NonPagedPoolNx;  // 512",
        fix: Some("Write NonPagedPool or PagedPool."),
        references: &[FRAMING],
    }
    PITCH = "KS076" {
        name: "pitch-without-flag",
        title: "a pitch stands without its flag",
        explanation: "FramePitch and FileAlignment are one member. It is a pitch only with KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED; \
            without the flag everybody reads it as an alignment.",
        example: "framing = [{ pitch = 1920 }]",
        fix: Some("Add the flag `2d-buffer-required`, or say `alignment`."),
        references: &[FRAMING_ITEM, GRAPH_FILE],
    }
    CAPACITY_OVER_MAXIMUM = "KS077" {
        name: "capacity-over-maximum", severity: Severity::Error,
        title: "the capacity is over the physical maximum",
        explanation: "The minimum of FramingRange is what the pin needs, the maximum of PhysicalRange what it can take. Where it \
            needs more than it can take no frame serves it. Drivers that edit their sizes when the pin is made set all four to \
            one number; editing two of them gives this.",
        example: "PhysicalRange = { 0, 8192, 1 }, FramingRange.Range = { 153600, 153600, 1 }",
        fix: Some("Set both ranges; leave PhysicalRange open (0, 0xFFFFFFFF, 1) where the device has no limit."),
        references: &[FRAMING_ITEM, RULES],
    }
    HEAD_OF_EXTENDED = "KS100" {
        name: "head-of-extended",
        title: "an old framing has the numbers of an extended one's head",
        explanation: "KSALLOCATOR_FRAMING and the head of KSALLOCATOR_FRAMING_EX are both 24 bytes long, and nothing in them says \
            which they are. A CountItems, PinFlags 0, a ratio of 1/1 with a margin of 0 and PinWeight 0, read as the old \
            structure, ask for one frame of one byte. The answer was cut short, or is one of the other property.",
        example: "01 00 00 00  00 00 00 00  01 00 00 00  01 00 00 00  00 00 00 00  00 00 00 00",
        fix: Some("Answer KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX with all items: 24 bytes and 88 for each."),
        references: &[FRAMING, FRAMING_EX],
    }
}
