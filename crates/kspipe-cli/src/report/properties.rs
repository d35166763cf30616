//! `ALLOCATOR_PROPERTIES_EX` (ksproxy.h) of a pipe, member by member with the header's names.

use kspipe::graph::{Compression, FrameRange, Strategy};
use kspipe::negotiate::AllocatorPlace;
use kspipe::negotiate::describe::{PipeProperties, SizeRange, Termination};
use serde_json::{Value, json};
use std::fmt::Debug;

/// The structure as JSON: numbers as numbers (past 2^53 as strings), GUIDs as text, enumerators by their names in the
/// header, neighbouring segments by the numbers of their pipes.
pub(super) fn json(properties: &PipeProperties) -> Value {
    json!({
        "cBuffers": number(properties.frames),
        "cbBuffer": number(properties.frame_size),
        "cbAlign": number(properties.alignment),
        "cbPrefix": number(properties.prefix),
        "MemoryType": properties.memory_type.to_string(),
        "BusType": properties.bus_type.to_string(),
        "State": enumerator(properties.state),
        "Input": termination(&properties.input),
        "Output": termination(&properties.output),
        "Strategy": match properties.strategy {
            Strategy::MinimizeFrames => "AllocatorStrategy_MinimizeNumberOfFrames",
            Strategy::MinimizeFrameSize => "AllocatorStrategy_MinimizeFrameSize",
            Strategy::MinimizeAllocators => "AllocatorStrategy_MinimizeNumberOfAllocators",
            Strategy::MaximizeSpeed => "AllocatorStrategy_MaximizeSpeed",
        },
        "Flags": properties.flags.bits(),
        "Weight": properties.weight,
        "LogicalMemoryType": enumerator(properties.logical_memory_type),
        "AllocatorPlace": match properties.allocator_place {
            AllocatorPlace::None => "Pipe_Allocator_None",
            AllocatorPlace::FirstPin => "Pipe_Allocator_FirstPin",
            AllocatorPlace::LastPin => "Pipe_Allocator_LastPin",
            AllocatorPlace::MiddlePin => "Pipe_Allocator_MiddlePin",
        },
        "Dimensions": {
            "AllocatorPin": compression(properties.dimensions.allocator_pin),
            "MaxExpansionPin": compression(properties.dimensions.max_expansion_pin),
            "EndPin": compression(properties.dimensions.end_pin),
        },
        "PhysicalRange": size_range(properties.physical_range),
        "PrevSegment": properties.previous.map(|pipe| pipe.0),
        "CountNextSegments": properties.next.len(),
        "NextSegments": properties.next.iter().map(|pipe| pipe.0).collect::<Vec<_>>(),
        "InsideFactors": properties.inside_factors.bits(),
        "NumberPins": properties.number_pins,
    })
}

/// An enumerator of the headers, which prints as they spell it.
fn enumerator(value: impl Debug) -> String {
    format!("{value:?}")
}

fn termination(end: &Termination) -> Value {
    json!({
        "Flags": end.flags.bits() | end.requirements.bits(),
        "OutsideFactors": end.outside_factors.bits(),
        "Weigth": end.weight,
        "PhysicalRange": frame_range(end.physical_range),
        "OptimalRange": { "Range": frame_range(end.optimal_range), "InPlaceWeight": 0, "NotInPlaceWeight": 0 },
        "Compression": compression(end.compression),
    })
}

fn frame_range(range: FrameRange) -> Value {
    json!({ "MinFrameSize": range.min, "MaxFrameSize": range.max, "Stepping": range.step })
}

fn size_range(range: SizeRange) -> Value {
    json!({
        "MinFrameSize": number(range.min),
        "MaxFrameSize": number(range.max),
        "Stepping": number(range.step),
    })
}

fn compression(compression: Compression) -> Value {
    json!({
        "RatioNumerator": compression.numerator,
        "RatioDenominator": compression.denominator,
        "RatioConstantMargin": compression.margin,
    })
}

/// JSON's readers keep 53 bits of a number; what is larger is a string.
fn number(value: u64) -> Value {
    if value <= 1 << 53 { value.into() } else { value.to_string().into() }
}
