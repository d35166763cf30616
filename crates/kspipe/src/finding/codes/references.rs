//! Pages that codes rest on.

use crate::finding::Reference;

macro_rules! references {
    ($($name:ident = $title:literal, $address:expr;)*) => {
        $(pub(super) const $name: Reference = Reference { title: $title, address: $address };)*
    };
}

references! {
    FRAMING = "KSALLOCATOR_FRAMING (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ksallocator_framing");
    FRAMING_EX = "KSALLOCATOR_FRAMING_EX (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ksallocator_framing_ex");
    FRAMING_ITEM = "KS_FRAMING_ITEM (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ks_framing_item");
    FRAMING_RANGE = "KS_FRAMING_RANGE (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ks_framing_range");
    FRAMING_RANGE_WEIGHTED = "KS_FRAMING_RANGE_WEIGHTED (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ks_framing_range_weighted");
    COMPRESSION = "KS_COMPRESSION (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-ks_compression");
    PIN_DESCRIPTOR_EX = "KSPIN_DESCRIPTOR_EX (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/ns-ks-_kspin_descriptor_ex");
    INITIALIZE_ALLOCATOR = "PFNKSPININITIALIZEALLOCATOR (ks.h)",
        Some("https://learn.microsoft.com/windows-hardware/drivers/ddi/ks/nc-ks-pfnkspininitializeallocator");
    ALLOCATOR_PROPERTIES = "ALLOCATOR_PROPERTIES (strmif.h)",
        Some("https://learn.microsoft.com/windows/win32/api/strmif/ns-strmif-allocator_properties");
    CODECS = "Specifying Allocator Framing in AVStream Codecs",
        Some("https://learn.microsoft.com/windows-hardware/drivers/stream/specifying-allocator-framing-in-avstream-codecs");
    ALLOCATORS = "AVStream Allocators",
        Some("https://learn.microsoft.com/windows-hardware/drivers/stream/avstream-allocators");
    SCHEMES = "Allocation Schemes",
        Some("https://learn.microsoft.com/windows-hardware/drivers/stream/allocation-schemes");
    SPLITTERS = "AVStream Splitters",
        Some("https://learn.microsoft.com/windows-hardware/drivers/stream/avstream-splitters");
    CIRCUITS = "AVStream Pipes and Circuits",
        Some("https://learn.microsoft.com/windows-hardware/drivers/stream/avstream-pipes-and-circuits");
    DEFAULT_ALLOCATORS = "Default Allocators",
        Some("https://learn.microsoft.com/windows-hardware/drivers/stream/default-allocators");
    IRQL = "Managing Hardware Priorities: pageable memory at DISPATCH_LEVEL",
        Some("https://learn.microsoft.com/windows-hardware/drivers/kernel/managing-hardware-priorities");
    SAMPLE_791 = "A vendor allocator that is never called (Windows-driver-samples, issue 791)",
        Some("https://github.com/microsoft/Windows-driver-samples/issues/791");
    TSDUCK_681 = "A pool that a queue holds whole (tsduck, pull request 681)",
        Some("https://github.com/tsduck/tsduck/pull/681");
    BARESIP_2467 = "A frame larger than its buffer (baresip, pull request 2467)",
        Some("https://github.com/baresip/baresip/pull/2467");
    PORTAUDIO_761 = "A driver that refuses a buffer of 0 bytes (PortAudio, issue 761)",
        Some("https://github.com/PortAudio/portaudio/issues/761");
    AVSSAMP = "avssamp, whose audio frames are computed in bits (Windows-driver-samples)",
        Some("https://github.com/microsoft/Windows-driver-samples/tree/main/avstream/avssamp");
    RULES = "The rules of negotiation", Some("negotiation.md");
    GRAPH_FILE = "The graph file", Some("graph-file.md");
    SHARED_POOL = "The shared pool", Some("shared-pool.md");
    SOURCES = "Drivers' sources", Some("driver-sources.md");
    PLAN = "The plan", Some("plan.md");
    COM = "The COM face", Some("com.md");
    HEADER = "ks.h, as mingw-w64 and the Windows SDK have it", None;
    CLIENTS = "What public clients of the framing properties read (PortAudio, GStreamer's winks, StepMania)", None;
}
