//! The layout of every structure, as Rust has it, for both architectures.

use crate::compiler::{Architecture, Headers};
use ks::*;
use std::mem::{align_of, offset_of, size_of};

/// A structure of the headers and its layout on one architecture.
pub(crate) struct Layout {
    pub(crate) architecture: Architecture,
    pub(crate) headers: Headers,
    /// The header's name of it.
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) members: Vec<Member>,
}

pub(crate) struct Member {
    /// The header's name of it.
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    /// `None`: one part of a union, whose size is not the stored word's.
    pub(crate) size: Option<usize>,
}

fn size_of_member<T, M>(_: impl Fn(&T) -> &M) -> usize {
    size_of::<M>()
}

/// The layout of one type. Every field must be named, and every name of the header's that shares it may be.
macro_rules! layout {
    ($architecture:expr, $headers:expr, $name:literal, $type:ident: $full:ty, {
        $($field:ident: $member:literal $(| $alias:literal)*),* $(,)?
    }) => {{
        // A pattern without `..`: a field that is not listed does not compile.
        #[allow(unused_variables)]
        let all = |value: $full| { let $type { $($field),* } = value; };
        #[allow(unused_mut)]
        let mut members = Vec::new();
        $(
            let offset = offset_of!($full, $field);
            let size = size_of_member(|value: &$full| &value.$field);
            members.push(Member { name: $member, offset, size: Some(size) });
            $( members.push(Member { name: $alias, offset, size: None }); )*
        )*
        Layout {
            architecture: $architecture,
            headers: $headers,
            name: $name,
            size: size_of::<$full>(),
            align: align_of::<$full>(),
            members,
        }
    }};
}

macro_rules! layouts {
    ($(
        $headers:ident $name:literal: $type:ident $(($generic:ident))? {
            $($field:ident: $member:literal $(| $alias:literal)*),* $(,)?
        }
    )*) => {{
        let mut layouts = Vec::new();
        $( layouts!(@each layouts, $headers, $name, $type, ($($generic)?), {
            $($field: $member $(| $alias)*),*
        }); )*
        layouts
    }};
    (@each $layouts:ident, $headers:ident, $name:literal, $type:ident, (), $fields:tt) => {
        for architecture in Architecture::ALL {
            $layouts.push(layout!(architecture, Headers::$headers, $name, $type: $type, $fields));
        }
    };
    (@each $layouts:ident, $headers:ident, $name:literal, $type:ident, (P), $fields:tt) => {
        $layouts.push(layout!(Architecture::X86_64, Headers::$headers, $name, $type: $type<Pointer64>, $fields));
        $layouts.push(layout!(Architecture::I686, Headers::$headers, $name, $type: $type<Pointer32>, $fields));
        // And as this program has it, where it is one of the two.
        if size_of::<usize>() == 8 {
            $layouts.push(layout!(Architecture::X86_64, Headers::$headers, $name, $type: $type<Native>, $fields));
        } else {
            $layouts.push(layout!(Architecture::I686, Headers::$headers, $name, $type: $type<Native>, $fields));
        }
    };
}

/// Every structure of the crate that has a name in the headers.
pub(crate) fn all() -> Vec<Layout> {
    layouts! {
        User "GUID": Guid { data1: "Data1", data2: "Data2", data3: "Data3", data4: "Data4" }
        User "KS_COMPRESSION": KsCompression {
            ratio_numerator: "RatioNumerator", ratio_denominator: "RatioDenominator",
            ratio_constant_margin: "RatioConstantMargin",
        }
        User "KS_FRAMING_RANGE": KsFramingRange {
            min_frame_size: "MinFrameSize", max_frame_size: "MaxFrameSize", stepping: "Stepping",
        }
        User "KS_FRAMING_RANGE_WEIGHTED": KsFramingRangeWeighted {
            range: "Range", in_place_weight: "InPlaceWeight", not_in_place_weight: "NotInPlaceWeight",
        }
        User "KS_FRAMING_ITEM": KsFramingItem {
            memory_type: "MemoryType", bus_type: "BusType", memory_flags: "MemoryFlags", bus_flags: "BusFlags",
            flags: "Flags", frames: "Frames", file_alignment: "FileAlignment",
            memory_type_weight: "MemoryTypeWeight", physical_range: "PhysicalRange", framing_range: "FramingRange",
        }
        User "KSALLOCATOR_FRAMING": KsAllocatorFraming {
            flags: "OptionsFlags" | "RequirementsFlags", pool_type: "PoolType", frames: "Frames",
            frame_size: "FrameSize", file_alignment: "FileAlignment", reserved: "Reserved",
        }
        Kernel "KSALLOCATOR_FRAMING": KsAllocatorFraming {
            flags: "OptionsFlags" | "RequirementsFlags", pool_type: "PoolType", frames: "Frames",
            frame_size: "FrameSize", file_alignment: "FileAlignment", reserved: "Reserved",
        }
        User "KSALLOCATOR_FRAMING_EX": KsAllocatorFramingEx {
            count_items: "CountItems", pin_flags: "PinFlags", output_compression: "OutputCompression",
            pin_weight: "PinWeight", framing_item: "FramingItem",
        }
        User "KSSTREAMALLOCATOR_STATUS": KsStreamAllocatorStatus {
            framing: "Framing", allocated_frames: "AllocatedFrames", reserved: "Reserved",
        }
        User "KSSTREAMALLOCATOR_STATUS_EX": KsStreamAllocatorStatusEx {
            framing: "Framing", allocated_frames: "AllocatedFrames", reserved: "Reserved",
        }
        Kernel "KSSTREAMALLOCATOR_FUNCTIONTABLE": KsStreamAllocatorFunctionTableFor(P) {
            allocate_frame: "AllocateFrame", free_frame: "FreeFrame",
        }
        User "PIPE_DIMENSIONS": PipeDimensions {
            allocator_pin: "AllocatorPin", max_expansion_pin: "MaxExpansionPin", end_pin: "EndPin",
        }
        User "PIPE_TERMINATION": PipeTermination {
            flags: "Flags", outside_factors: "OutsideFactors", weigth: "Weigth", physical_range: "PhysicalRange",
            optimal_range: "OptimalRange", compression: "Compression",
        }
        User "OPTIMAL_WEIGHT_TOTALS": OptimalWeightTotals {
            min_total_nominator: "MinTotalNominator", max_total_nominator: "MaxTotalNominator",
            total_denominator: "TotalDenominator",
        }
        User "ALLOCATOR_PROPERTIES": AllocatorProperties {
            c_buffers: "cBuffers", cb_buffer: "cbBuffer", cb_align: "cbAlign", cb_prefix: "cbPrefix",
        }
        User "ALLOCATOR_PROPERTIES_EX": AllocatorPropertiesExFor(P) {
            c_buffers: "cBuffers", cb_buffer: "cbBuffer", cb_align: "cbAlign", cb_prefix: "cbPrefix",
            memory_type: "MemoryType", bus_type: "BusType", state: "State", input: "Input", output: "Output",
            strategy: "Strategy", flags: "Flags", weight: "Weight", logical_memory_type: "LogicalMemoryType",
            allocator_place: "AllocatorPlace", dimensions: "Dimensions", physical_range: "PhysicalRange",
            prev_segment: "PrevSegment", count_next_segments: "CountNextSegments", next_segments: "NextSegments",
            inside_factors: "InsideFactors", number_pins: "NumberPins",
        }
        User "KSIDENTIFIER": KsIdentifier { set: "Set" | "Alignment", id: "Id", flags: "Flags" }
        User "KSPROPERTY": KsProperty { set: "Set", id: "Id", flags: "Flags" }
        User "KSMETHOD": KsMethod { set: "Set", id: "Id", flags: "Flags" }
        User "KSEVENT": KsEvent { set: "Set", id: "Id", flags: "Flags" }
        User "KSPIN_INTERFACE": KsPinInterface { set: "Set", id: "Id", flags: "Flags" }
        User "KSPIN_MEDIUM": KsPinMedium { set: "Set", id: "Id", flags: "Flags" }
        User "KSMULTIPLE_ITEM": KsMultipleItem { size: "Size", count: "Count" }
        User "KSPIN_CINSTANCES": KsPinCInstances { possible_count: "PossibleCount", current_count: "CurrentCount" }
        User "KSPRIORITY": KsPriority {
            priority_class: "PriorityClass", priority_sub_class: "PrioritySubClass",
        }
        User "KSPIN_CONNECT": KsPinConnectFor(P) {
            interface: "Interface", medium: "Medium", pin_id: "PinId", pin_to_handle: "PinToHandle",
            priority: "Priority",
        }
        User "KSPROPERTY_DESCRIPTION": KsPropertyDescription {
            access_flags: "AccessFlags", description_size: "DescriptionSize", prop_type_set: "PropTypeSet",
            members_list_count: "MembersListCount", reserved: "Reserved",
        }
        User "KSDATAFORMAT": KsDataFormat {
            format_size: "FormatSize" | "Alignment", flags: "Flags", sample_size: "SampleSize", reserved: "Reserved",
            major_format: "MajorFormat", sub_format: "SubFormat", specifier: "Specifier",
        }
        User "KSDATARANGE": KsDataRange {
            format_size: "FormatSize", flags: "Flags", sample_size: "SampleSize", reserved: "Reserved",
            major_format: "MajorFormat", sub_format: "SubFormat", specifier: "Specifier",
        }
        User "KSATTRIBUTE": KsAttribute { size: "Size", flags: "Flags", attribute: "Attribute" }
        Kernel "KSATTRIBUTE_LIST": KsAttributeListFor(P) { count: "Count", attributes: "Attributes" }
        User "KSP_PIN": KspPin { property: "Property", pin_id: "PinId", reserved: "Reserved" }
        User "KSTIME": KsTime { time: "Time", numerator: "Numerator", denominator: "Denominator" }
        User "KSSTREAM_HEADER": KsStreamHeaderFor(P) {
            size: "Size", type_specific_flags: "TypeSpecificFlags", presentation_time: "PresentationTime",
            duration: "Duration", frame_extent: "FrameExtent", data_used: "DataUsed", data: "Data",
            options_flags: "OptionsFlags", reserved: "Reserved",
        }
        User "KSSTREAM_SEGMENT": KsStreamSegmentFor(P) {
            ks_interface_handler: "KsInterfaceHandler", ks_data_type_handler: "KsDataTypeHandler",
            io_operation: "IoOperation", completion_event: "CompletionEvent",
        }
        User "KSEVENTDATA": KsEventDataFor(P) {
            notification_type: "NotificationType",
            handle: "EventHandle.Event" | "SemaphoreHandle.Semaphore" | "Alignment.Unused",
            words: "EventHandle.Reserved" | "SemaphoreHandle.Reserved" | "Alignment.Alignment",
        }
        Kernel "KSEVENTDATA": KsEventDataFor(P) {
            notification_type: "NotificationType",
            handle: "EventHandle.Event" | "EventObject.Event" | "Dpc.Dpc" | "WorkItem.WorkQueueItem",
            words: "EventHandle.Reserved" | "EventObject.Increment" | "Dpc.ReferenceCount" | "WorkItem.WorkQueueType",
        }
        User "EVENT_HANDLE_ARM": KsEventHandleFor(P) { event: "Event", reserved: "Reserved" }
        User "SEMAPHORE_HANDLE_ARM": KsEventSemaphoreHandleFor(P) {
            semaphore: "Semaphore", reserved: "Reserved", adjustment: "Adjustment",
        }
        User "AM_SAMPLE2_PROPERTIES": AmSample2PropertiesFor(P) {
            cb_data: "cbData", dw_type_specific_flags: "dwTypeSpecificFlags", dw_sample_flags: "dwSampleFlags",
            l_actual: "lActual", t_start: "tStart", t_stop: "tStop", dw_stream_id: "dwStreamId",
            p_media_type: "pMediaType", pb_buffer: "pbBuffer", cb_buffer: "cbBuffer",
        }
        User "AM_MEDIA_TYPE": AmMediaTypeFor(P) {
            majortype: "majortype", subtype: "subtype", b_fixed_size_samples: "bFixedSizeSamples",
            b_temporal_compression: "bTemporalCompression", l_sample_size: "lSampleSize", formattype: "formattype",
            p_unk: "pUnk", cb_format: "cbFormat", pb_format: "pbFormat",
        }
    }
}
