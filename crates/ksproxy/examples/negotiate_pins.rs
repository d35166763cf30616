//! Live pins, negotiated: `cargo run -p ksproxy --example negotiate_pins`.
//!
//! A driver's camera, an effect that works in place and a display share frames in the kernel. A viewer in a process takes the
//! display's place, and the frames come from the process. At last two pins that cannot agree.

use ks::{
    AlignmentMask, FramingEx, FramingFlags, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_WILDCARD,
    KsAllocatorFramingEx, RequirementFlags,
};
use kspipe::graph::Strategy;
use ksproxy::{InProcessObjects, KsPin, NegotiatedPins, negotiate_pins};
use windows_core::{IUnknown, Interface};
use zerocopy::IntoBytes;

/// What a driver declares with DECLARE_SIMPLE_FRAMING_EX.
fn framing(memory: ks::Guid, requirements: RequirementFlags, frames: u32, size: u32) -> KsAllocatorFramingEx {
    let largest = if size == 0 { u32::MAX } else { size };
    KsAllocatorFramingEx::simple(memory, FramingFlags::from(requirements), frames, AlignmentMask(63), size, largest)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let asked = framing(KSMEMORY_TYPE_KERNEL_NONPAGED, RequirementFlags::SYSTEM_MEMORY, 4, 153_600);
    let modifies = framing(KSMEMORY_TYPE_WILDCARD, RequirementFlags::INPLACE_MODIFIER, 0, 0);

    // Drivers' pins have handles; here these are of objects of this process.
    let camera = KsPin::output("Capture").filter_name("Camera").framing(FramingEx::parse(asked.as_bytes())?);
    let camera = camera.handle(InProcessObjects::create_sink_pin()?).build();
    let effect_in = KsPin::input("In").filter_name("Effect").framing(FramingEx::parse(modifies.as_bytes())?);
    let effect_in = effect_in.handle(InProcessObjects::create_sink_pin()?).build();
    let effect_out = KsPin::output("Out").filter_name("Effect").handle(InProcessObjects::create_sink_pin()?).build();
    let display = KsPin::input("In").filter_name("Display").handle(InProcessObjects::create_sink_pin()?).build();

    // How frames go: from pin to pin, and from the effect's in pin to its out pin.
    camera.connect(&effect_in)?;
    effect_in.set_internal_connections(Some(&[&effect_out]))?;
    effect_out.set_internal_connections(Some(&[&effect_in]))?;
    effect_out.connect(&display)?;

    // One pin is enough: the others hang together with it.
    let pins: [IUnknown; 1] = [camera.interface().cast()?];
    // SAFETY: the pins are alive, and keep the contracts of their interfaces.
    let negotiated = unsafe { negotiate_pins(&pins, Strategy::MaximizeSpeed) }?;
    print(&negotiated);

    // A viewer in a process takes the display's place: the same frames are now in its memory.
    let viewer = KsPin::input("In").filter_name("Viewer").build();
    effect_out.disconnect();
    effect_out.connect(&viewer)?;
    // SAFETY: as above.
    print(&unsafe { negotiate_pins(&pins, Strategy::MaximizeSpeed) }?);

    // One that wants larger frames than the camera may give cannot be served. Every pin stays as it is.
    let mut large = framing(KSMEMORY_TYPE_WILDCARD, RequirementFlags::empty(), 0, 1 << 20);
    large.framing_item[0].physical_range.min_frame_size = 1 << 20;
    let greedy = KsPin::input("In").filter_name("Greedy").framing(FramingEx::parse(large.as_bytes())?).build();
    let mut small = asked;
    small.framing_item[0].physical_range.max_frame_size = 153_600;
    let strict = KsPin::output("Out").filter_name("Strict").framing(FramingEx::parse(small.as_bytes())?).build();
    strict.connect(&greedy)?;
    // SAFETY: as above.
    match unsafe { negotiate_pins(&[strict.interface().cast()?], Strategy::MaximizeSpeed) } {
        Ok(_) => return Err("they cannot agree".into()),
        Err(error) => println!("{}: {error}", ks::Hresult(error.hresult().0)),
    }
    Ok(())
}

fn print(negotiated: &NegotiatedPins) {
    for (pipe, plan) in negotiated.pipes().iter().zip(&negotiated.plan().pipes) {
        let properties = pipe.properties_ex();
        let pins: Vec<String> = plan.pins.iter().map(|pin| negotiated.graph().pin_name(*pin)).collect();
        println!(
            "{} frames of {} bytes, mode {:?}: {}",
            properties.c_buffers,
            properties.cb_buffer,
            pipe.mode(),
            pins.join(", ")
        );
    }
    for warning in negotiated.warnings() {
        println!("  {warning}");
    }
}
