//! `KSSTREAMALLOCATOR_STATUS` of a pipe's allocator, as KSPROPERTY_STREAMALLOCATOR_STATUS would answer it.

use kspipe::negotiate::Pipe;
use kspipe::stream::PipeReport;
use serde_json::{Value, json};

/// `KSALLOCATOR_OPTIONF_SYSTEM_MEMORY`: system memory of the pool `PoolType` names.
const OPTION_SYSTEM_MEMORY: u32 = 2;

/// The structure at the end of a run. Numbers that do not fit its 32-bit members are the largest that do.
pub(super) fn json(pipe: &Pipe, report: &PipeReport) -> Value {
    let clamp = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let paged = pipe.memory_type == ks::KSMEMORY_TYPE_KERNEL_PAGED;
    json!({
        "Framing": {
            "OptionsFlags": OPTION_SYSTEM_MEMORY,
            "PoolType": u32::from(paged),
            "Frames": clamp(pipe.frames),
            "FrameSize": clamp(pipe.frame_size),
            "FileAlignment": clamp(pipe.alignment.saturating_sub(1)),
            "Reserved": 0,
        },
        "AllocatedFrames": clamp(report.frames_out_at_end),
        "Reserved": 0,
    })
}
