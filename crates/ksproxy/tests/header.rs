//! `include/kspipe.h` says what the Rust source says: sizes, offsets, constants, identifiers, slots.
//!
//! For each of them a line of C or C++ is written here from the Rust source; a name that the header lacks, or a number
//! that differs, does not compile, or fails when the program runs.
#![cfg(target_os = "linux")]

#[path = "common/tools.rs"]
#[allow(unreachable_pub)]
mod tools;

use ks::*;
use kspipe::allocator::FrameFlags;
use ksproxy::KspPinDescription;
use ksproxy::session::{KSP_INFINITE, KspFormat, KspFrameHeader, NUMBERS};
use std::fmt::Write;
use std::mem::offset_of;
use std::process::Command;
use tools::*;

/// The header's structures: each with its size, alignment and members, header's spelling and offset.
macro_rules! structures {
    ($($name:literal: $type:ty { $($member:literal = $field:ident),* })*) => {
        &[$(($name, size_of::<$type>(), align_of::<$type>(), &[$(($member, offset_of!($type, $field))),*])),*]
    };
}

type Structure = (&'static str, usize, usize, &'static [(&'static str, usize)]);

const STRUCTURES: &[Structure] = structures! {
    "GUID": Guid { "Data1" = data1, "Data2" = data2, "Data3" = data3, "Data4" = data4 }
    "ALLOCATOR_PROPERTIES": AllocatorProperties {
        "cBuffers" = c_buffers, "cbBuffer" = cb_buffer, "cbAlign" = cb_align, "cbPrefix" = cb_prefix
    }
    "KS_COMPRESSION": KsCompression {
        "RatioNumerator" = ratio_numerator, "RatioDenominator" = ratio_denominator,
        "RatioConstantMargin" = ratio_constant_margin
    }
    "KS_FRAMING_RANGE": KsFramingRange {
        "MinFrameSize" = min_frame_size, "MaxFrameSize" = max_frame_size, "Stepping" = stepping
    }
    "KS_FRAMING_RANGE_WEIGHTED": KsFramingRangeWeighted {
        "Range" = range, "InPlaceWeight" = in_place_weight, "NotInPlaceWeight" = not_in_place_weight
    }
    "KS_FRAMING_ITEM": KsFramingItem {
        "MemoryType" = memory_type, "BusType" = bus_type, "MemoryFlags" = memory_flags, "BusFlags" = bus_flags,
        "Flags" = flags, "Frames" = frames, "FileAlignment" = file_alignment, "FramePitch" = file_alignment,
        "MemoryTypeWeight" = memory_type_weight, "PhysicalRange" = physical_range, "FramingRange" = framing_range
    }
    "KSALLOCATOR_FRAMING": KsAllocatorFraming {
        "OptionsFlags" = flags, "RequirementsFlags" = flags, "PoolType" = pool_type, "Frames" = frames,
        "FrameSize" = frame_size, "FileAlignment" = file_alignment, "FramePitch" = file_alignment,
        "Reserved" = reserved
    }
    "KSALLOCATOR_FRAMING_EX": KsAllocatorFramingEx {
        "CountItems" = count_items, "PinFlags" = pin_flags, "OutputCompression" = output_compression,
        "PinWeight" = pin_weight, "FramingItem" = framing_item
    }
    "KSSTREAMALLOCATOR_STATUS": KsStreamAllocatorStatus {
        "Framing" = framing, "AllocatedFrames" = allocated_frames, "Reserved" = reserved
    }
    "PIPE_DIMENSIONS": PipeDimensions {
        "AllocatorPin" = allocator_pin, "MaxExpansionPin" = max_expansion_pin, "EndPin" = end_pin
    }
    "PIPE_TERMINATION": PipeTermination {
        "Flags" = flags, "OutsideFactors" = outside_factors, "Weigth" = weigth, "PhysicalRange" = physical_range,
        "OptimalRange" = optimal_range, "Compression" = compression
    }
    "ALLOCATOR_PROPERTIES_EX": AllocatorPropertiesEx {
        "cBuffers" = c_buffers, "cbBuffer" = cb_buffer, "cbAlign" = cb_align, "cbPrefix" = cb_prefix,
        "MemoryType" = memory_type, "BusType" = bus_type, "State" = state, "Input" = input, "Output" = output,
        "Strategy" = strategy, "Flags" = flags, "Weight" = weight, "LogicalMemoryType" = logical_memory_type,
        "AllocatorPlace" = allocator_place, "Dimensions" = dimensions, "PhysicalRange" = physical_range,
        "PrevSegment" = prev_segment, "CountNextSegments" = count_next_segments, "NextSegments" = next_segments,
        "InsideFactors" = inside_factors, "NumberPins" = number_pins
    }
    "KSMULTIPLE_ITEM": KsMultipleItem { "Size" = size, "Count" = count }
    "PIN_INFO": PinInfo { "pFilter" = p_filter, "dir" = dir, "achName" = ach_name }
    "FILTER_INFO": FilterInfo { "achName" = ach_name, "pGraph" = p_graph }
    "KSP_PIN_DESCRIPTION": KspPinDescription {
        "Size" = size, "Direction" = direction, "PinName" = pin_name, "FilterName" = filter_name,
        "Framing" = framing, "FramingSize" = framing_size, "Communication" = communication, "Handle" = handle
    }
    "KSP_FRAME_HEADER": KspFrameHeader {
        "Size" = size, "OptionsFlags" = options_flags, "PresentationTime" = presentation_time, "Duration" = duration,
        "Sequence" = sequence, "DataUsed" = data_used
    }
    "KSP_FORMAT": KspFormat {
        "Size" = size, "Width" = width, "Height" = height, "RateNumerator" = rate_numerator,
        "RateDenominator" = rate_denominator, "Reserved" = reserved, "FrameBytes" = frame_bytes, "Pixels" = pixels
    }
    "KSIDENTIFIER": KsIdentifier { "Set" = set, "Id" = id, "Flags" = flags }
    "KSP_PIN": KspPin { "Property" = property, "PinId" = pin_id, "Reserved" = reserved }
    "KSDATAFORMAT": KsDataFormat {
        "FormatSize" = format_size, "Flags" = flags, "SampleSize" = sample_size, "Reserved" = reserved,
        "MajorFormat" = major_format, "SubFormat" = sub_format, "Specifier" = specifier
    }
    "KSDATARANGE": KsDataRange { "FormatSize" = format_size, "Flags" = flags }
    "KSATTRIBUTE": KsAttribute { "Size" = size, "Flags" = flags, "Attribute" = attribute }
    "KSSTREAM_SEGMENT": KsStreamSegment {
        "KsInterfaceHandler" = ks_interface_handler, "KsDataTypeHandler" = ks_data_type_handler,
        "IoOperation" = io_operation, "CompletionEvent" = completion_event
    }
    "AM_MEDIA_TYPE": AmMediaType {
        "majortype" = majortype, "subtype" = subtype, "bFixedSizeSamples" = b_fixed_size_samples,
        "bTemporalCompression" = b_temporal_compression, "lSampleSize" = l_sample_size, "formattype" = formattype,
        "pUnk" = p_unk, "cbFormat" = cb_format, "pbFormat" = pb_format
    }
    "AM_SAMPLE2_PROPERTIES": AmSample2Properties {
        "cbData" = cb_data, "dwTypeSpecificFlags" = dw_type_specific_flags, "dwSampleFlags" = dw_sample_flags,
        "lActual" = l_actual, "tStart" = t_start, "tStop" = t_stop, "dwStreamId" = dw_stream_id,
        "pMediaType" = p_media_type, "pbBuffer" = pb_buffer, "cbBuffer" = cb_buffer
    }
};

/// Every named number of the enumerations and flags that the header's structures and methods use.
fn numbers() -> Vec<(String, u32)> {
    let mut all = vec![
        ("KSP_INFINITE", KSP_INFINITE),
        ("AllocatorStrategy_DontCare", 0),
        ("PipeFactor_None", 0),
        ("KSINTERFACE_STANDARD_STREAMING", KSINTERFACE_STANDARD_STREAMING),
        ("KSMEDIUM_TYPE_ANYINSTANCE", KSMEDIUM_TYPE_ANYINSTANCE),
        ("MAX_PIN_NAME", MAX_NAME_UNITS as u32),
        ("MAX_FILTER_NAME", MAX_NAME_UNITS as u32),
    ];
    macro_rules! add {
        ($($flags:ident)* ; $($enumeration:ident)*) => {
            $(all.extend($flags::NAMES.iter().map(|(name, value)| (*name, value.bits())));)*
            $(all.extend($enumeration::NAMES.iter().map(|(name, value)| (*name, value.0)));)*
        };
    }
    add!(
        RequirementFlags OptionFlags AllocatorFlags GetBufferFlags SampleFlags AllocatorStrategy PipeFactors
        KsPropertyType DataFormatFlags DataRangeFlags AttributeFlags;
        PoolType KsAllocatorMode KsPeekOperation KsIoOperation KsPinCommunication PipeState PipeAllocatorPlace
        KsLogicalMemoryType FramingProp FramingCacheOps PinDirection FilterState
    );
    all.extend(Hresult::NAMES.iter().map(|(name, value)| (*name, value.0.cast_unsigned())));
    all.extend(IOCTLS);
    let declared = ["KSPROPERTY_PIN_", "KSPROPERTY_STREAMALLOCATOR_"];
    all.extend(KS_IDS.iter().filter(|(name, _)| declared.iter().any(|set| name.starts_with(set))));
    all.extend(NUMBERS.iter().map(|(name, value)| (*name, value.0.cast_unsigned())));
    let all = all.into_iter().map(|(name, value)| (name.to_owned(), value));
    let options = FrameFlags::all().iter_names();
    all.chain(options.map(|(name, flag)| (format!("KSSTREAM_HEADER_OPTIONSF_{name}"), flag.bits()))).collect()
}

/// The interfaces the header declares.
const DECLARED: &[&Interface] = &[
    &IUNKNOWN,
    &ICLASSFACTORY,
    &IKSALLOCATOR,
    &IKSALLOCATOREX,
    &IMEMALLOCATOR,
    &IMEMALLOCATORCALLBACKTEMP,
    &IMEMALLOCATORNOTIFYCALLBACKTEMP,
    &IMEDIASAMPLE,
    &IMEDIASAMPLE2,
    &IKSOBJECT,
    &IKSPIN,
    &IKSPINEX,
    &IKSPINPIPE,
    &IPIN,
    &IENUMPINS,
    &IENUMMEDIATYPES,
    &IPERSIST,
    &IMEDIAFILTER,
    &IBASEFILTER,
    &IMEMINPUTPIN,
    &IAMBUFFERNEGOTIATION,
];

/// What C and C++ check alike.
fn common() -> String {
    let mut source = String::from("#include \"kspipe.h\"\n#include <stdio.h>\n#include <string.h>\n");
    for (name, size, align, members) in STRUCTURES {
        writeln!(source, "ASSERT(sizeof({name}) == {size} && ALIGN({name}) == {align}, \"{name}\");").unwrap();
        for (member, offset) in *members {
            writeln!(source, "ASSERT(offsetof({name}, {member}) == {offset}, \"{name}.{member}\");").unwrap();
        }
    }
    for (name, value) in numbers() {
        writeln!(source, "ASSERT((uint32_t)({name}) == {value}u, \"{name}\");").unwrap();
    }
    source.push_str("static int wrong;\n");
    source.push_str("static void same(const char *name, const GUID *guid, const char *bytes) {\n");
    source.push_str("    if (memcmp(guid, bytes, 16) != 0) { printf(\"%s\\n\", name); wrong = 1; }\n}\n");
    source
}

/// Checks of every identifier, to run.
fn identifiers() -> String {
    let mut source = String::new();
    let interfaces = DECLARED.iter().map(|interface| (format!("IID_{}", interface.name), interface.iid));
    let memory_types = KSMEMORY_TYPES.iter().map(|(name, guid)| (name.to_string(), *guid));
    let sets = [
        ("KSPROPSETID_Pin", KSPROPSETID_Pin),
        ("KSPROPSETID_StreamAllocator", KSPROPSETID_StreamAllocator),
        ("CLSID_KspAllocator", ksproxy::CLSID_KspAllocator),
        ("KSINTERFACESETID_Standard", KSINTERFACESETID_Standard),
        ("KSMEDIUMSETID_Standard", KSMEDIUMSETID_Standard),
    ];
    let sets = sets.map(|(name, guid)| (name.to_string(), guid));
    for (name, guid) in interfaces.chain(memory_types).chain(sets) {
        let bytes: String = zerocopy::IntoBytes::as_bytes(&guid).iter().map(|byte| format!("\\x{byte:02x}")).collect();
        writeln!(source, "    same(\"{name}\", &{name}, \"{bytes}\");").unwrap();
    }
    source
}

/// Builds a program and runs it; it prints what is wrong.
fn check(compiler: &str, standard: &str, extension: &str, source: &str) {
    let build = tempfile::tempdir().expect("a folder");
    let (file, program) = (build.path().join(format!("probe.{extension}")), build.path().join("probe"));
    std::fs::write(&file, source).expect("the source is written");
    compile(compiler, standard, &file, &program);
    succeed(run(&mut Command::new(&program), compiler), "what the header has otherwise");
}

#[test]
fn s001_to_s013_the_header_in_cpp_is_the_rust_source() {
    let mut source = String::from("#define ASSERT static_assert\n#define ALIGN alignof\n") + &common();
    // In the Itanium ABI a pointer to a virtual function is its slot's offset in the vtable, plus 1.
    source.push_str("template <typename Method> static void slot(const char *name, Method method, size_t number) {\n");
    source.push_str("    size_t offset;\n    memcpy(&offset, &method, sizeof offset);\n");
    source.push_str("    if (offset != number * sizeof(void *) + 1) { printf(\"%s\\n\", name); wrong = 1; }\n}\n");
    source.push_str("int main() {\n");
    source.push_str(&identifiers());
    for interface in DECLARED {
        for number in 0..interface.slots() {
            let method = interface.method(number).expect("a method in every slot").name;
            let name = interface.name;
            // A method that an interface hides by one of its own name is the base's.
            let owner =
                if *interface == &IMEDIASAMPLE2 && number < IMEDIASAMPLE.slots() { "IMediaSample" } else { name };
            let pointer = format!("&{owner}::{method}");
            // The convenience beside it has the same name.
            let pointer = if method == "KsGetPinBusCache" {
                format!("(GUID *(IKsPinPipe::*)(GUID *)){pointer}")
            } else {
                pointer
            };
            writeln!(source, "    slot(\"{name}::{method}\", {pointer}, {number});").unwrap();
        }
    }
    source.push_str("    return wrong;\n}\n");
    check("g++", "-std=c++17", "cpp", &source);
}

#[test]
fn s001_to_s013_the_header_in_c_is_the_rust_source() {
    let mut source = String::from("#define ASSERT _Static_assert\n#define ALIGN _Alignof\n") + &common();
    for interface in DECLARED {
        let name = interface.name;
        let slots = interface.slots();
        writeln!(source, "ASSERT(sizeof({name}Vtbl) == {slots} * sizeof(void *), \"{name}\");").unwrap();
        for number in 0..slots {
            let method = interface.method(number).expect("a method in every slot").name;
            let member = format!("offsetof({name}Vtbl, {method}) == {number} * sizeof(void *)");
            writeln!(source, "ASSERT({member}, \"{name}.{method}\");").unwrap();
        }
    }
    write!(source, "int main(void) {{\n{}    return wrong;\n}}\n", identifiers()).unwrap();
    check("gcc", "-std=c11", "c", &source);
}

/// The slots of an interface as `#[interface]` lays them out.
macro_rules! slots {
    ($vtable:ident, $($method:ident)*) => {
        [$((stringify!($method), offset_of!(ksproxy::interfaces::$vtable, $method) / size_of::<usize>())),*]
    };
}

#[test]
fn s008_s009_the_rust_interfaces_have_the_headers_slots() {
    use windows_core::Interface as _;
    fn compare(interface: &Interface, iid: windows_core::GUID, slots: &[(&str, usize)]) {
        assert_eq!(iid.to_u128(), interface.iid.to_u128(), "{}", interface.name);
        let expected: Vec<(&str, usize)> = interface.methods.iter().map(|method| (method.name, method.slot)).collect();
        assert_eq!(slots, expected, "{}", interface.name);
    }
    macro_rules! compare {
        ($($table:ident = $interface:ident, $vtable:ident: $($method:ident)*;)*) => {
            $(compare(&$table, ksproxy::interfaces::$interface::IID, &slots!($vtable, $($method)*));)*
        };
    }
    compare! {
        ICLASSFACTORY = IClassFactory, IClassFactory_Vtbl: CreateInstance LockServer;
        IKSALLOCATOR = IKsAllocator, IKsAllocator_Vtbl:
            KsGetAllocatorHandle KsGetAllocatorMode KsGetAllocatorStatus KsSetAllocatorMode;
        IKSALLOCATOREX = IKsAllocatorEx, IKsAllocatorEx_Vtbl:
            KsGetProperties KsSetProperties KsSetAllocatorHandle KsCreateAllocatorAndGetHandle;
        IMEMALLOCATOR = IMemAllocator, IMemAllocator_Vtbl:
            SetProperties GetProperties Commit Decommit GetBuffer ReleaseBuffer;
        IMEMALLOCATORCALLBACKTEMP = IMemAllocatorCallbackTemp, IMemAllocatorCallbackTemp_Vtbl:
            SetNotify GetFreeCount;
        IMEMALLOCATORNOTIFYCALLBACKTEMP = IMemAllocatorNotifyCallbackTemp, IMemAllocatorNotifyCallbackTemp_Vtbl:
            NotifyRelease;
        IMEDIASAMPLE = IMediaSample, IMediaSample_Vtbl:
            GetPointer GetSize GetTime SetTime IsSyncPoint SetSyncPoint IsPreroll SetPreroll GetActualDataLength
            SetActualDataLength GetMediaType SetMediaType IsDiscontinuity SetDiscontinuity GetMediaTime SetMediaTime;
        IMEDIASAMPLE2 = IMediaSample2, IMediaSample2_Vtbl: GetProperties SetProperties;
        IKSOBJECT = IKsObject, IKsObject_Vtbl: KsGetObjectHandle;
        IKSPIN = IKsPin, IKsPin_Vtbl:
            KsQueryMediums KsQueryInterfaces KsCreateSinkPinHandle KsGetCurrentCommunication KsPropagateAcquire
            KsDeliver KsMediaSamplesCompleted KsPeekAllocator KsReceiveAllocator KsRenegotiateAllocator
            KsIncrementPendingIoCount KsDecrementPendingIoCount KsQualityNotify;
        IKSPINEX = IKsPinEx, IKsPinEx_Vtbl: KsNotifyError;
        IKSPINPIPE = IKsPinPipe, IKsPinPipe_Vtbl:
            KsGetPinFramingCache KsSetPinFramingCache KsGetConnectedPin KsGetPipe KsSetPipe KsGetPipeAllocatorFlag
            KsSetPipeAllocatorFlag KsGetPinBusCache KsSetPinBusCache KsGetPinName KsGetFilterName;
        IPIN = IPin, IPin_Vtbl:
            Connect ReceiveConnection Disconnect ConnectedTo ConnectionMediaType QueryPinInfo QueryDirection QueryId
            QueryAccept EnumMediaTypes QueryInternalConnections EndOfStream BeginFlush EndFlush NewSegment;
        IENUMPINS = IEnumPins, IEnumPins_Vtbl: Next Skip Reset Clone;
        IENUMMEDIATYPES = IEnumMediaTypes, IEnumMediaTypes_Vtbl: Next Skip Reset Clone;
        IPERSIST = IPersist, IPersist_Vtbl: GetClassID;
        IMEDIAFILTER = IMediaFilter, IMediaFilter_Vtbl: Stop Pause Run GetState SetSyncSource GetSyncSource;
        IBASEFILTER = IBaseFilter, IBaseFilter_Vtbl: EnumPins FindPin QueryFilterInfo JoinFilterGraph QueryVendorInfo;
        IMEMINPUTPIN = IMemInputPin, IMemInputPin_Vtbl:
            GetAllocator NotifyAllocator GetAllocatorRequirements Receive ReceiveMultiple ReceiveCanBlock;
        IAMBUFFERNEGOTIATION = IAMBufferNegotiation, IAMBufferNegotiation_Vtbl:
            SuggestAllocatorProperties GetAllocatorProperties;
    }
}
