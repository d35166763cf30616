//! Any bytes as requests to KS objects: creations on a filter, two pins and an allocator, and properties, methods and
//! events sent to them. None ends the process, waits for ever, answers more than there is room for or writes where it
//! fails; no frame is lost.
//!
//! The bytes are a row of commands: which object, what to do, the lengths of what goes in and out, and those bytes.

use ks::{
    IOCTL_KS_DISABLE_EVENT, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_METHOD, IOCTL_KS_PROPERTY,
    KSPROPERTY_STREAMALLOCATOR_STATUS, KSPROPSETID_StreamAllocator, KsAllocatorFraming, KsDataFormat, KsProperty,
    KsPropertyType, KsStreamAllocatorStatus, OptionFlags, PoolType,
};
use ksobject::{InProcessObjects, ObjectAccess, OwnedHandle, PinFactory, Win32Error};
use zerocopy::IntoBytes;

/// The frames of the allocator.
const FRAMES: u32 = 2;

/// Panics where that does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let framing = KsAllocatorFraming {
        flags: OptionFlags::SYSTEM_MEMORY.into(),
        pool_type: PoolType::PAGED_POOL,
        frames: FRAMES,
        frame_size: 256,
        ..Default::default()
    };
    let sink = InProcessObjects::create_sink_pin().expect("a pin");
    // A format of its own, so that the ranges of a DATAINTERSECTION are compared with something.
    let format = KsDataFormat { format_size: size_of::<KsDataFormat>() as u32, ..Default::default() };
    let proposing = PinFactory { formats: vec![format.as_bytes().to_vec()], ..PinFactory::source() };
    let objects = [
        InProcessObjects::create_filter(vec![PinFactory::sink(), proposing]).expect("a filter"),
        InProcessObjects::create_lone_pin(PinFactory::source()).expect("a pin"),
        InProcessObjects.create_allocator(sink.handle(), &framing).expect("an allocator"),
        sink,
    ];
    let mut rest = bytes;
    let mut pending = Vec::new();
    while let Some((command, input, output)) = take(&mut rest) {
        let object = &objects[usize::from(command & 3)];
        match CODES.get(usize::from(command >> 2)) {
            Some(code) => pending.extend(send(object, *code, input, output)),
            None => drop(InProcessObjects::create(object.handle(), input)),
        }
        if pending.len() > 8 {
            pending.clear();
        }
    }
    // Frames that requests were given, and that nobody heard of, are back; those that were heard of are out.
    drop(pending);
    let mut status = KsStreamAllocatorStatus::default();
    let (set, id) = (KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS);
    let request = KsProperty::property(set, id, KsPropertyType::GET);
    let answer = InProcessObjects::access().property(objects[2].handle(), &request, status.as_mut_bytes());
    assert_eq!(answer, Ok(size_of_val(&status)));
    assert!(status.framing == framing && status.allocated_frames <= FRAMES);
}

/// What a command can be, beside creating an object.
const CODES: [u32; 5] = [IOCTL_KS_PROPERTY, IOCTL_KS_METHOD, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_DISABLE_EVENT, 0x2F_001B];

/// The next command: its number, and the bytes that go in and out.
fn take<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8], &'a [u8])> {
    let (&[command, input, output], bytes) = rest.split_first_chunk()?;
    let (input, bytes) = bytes.split_at(usize::from(input).min(bytes.len()));
    let (output, bytes) = bytes.split_at(usize::from(output).min(bytes.len()));
    *rest = bytes;
    Some((command, input, output))
}

/// Sends a request, and gives it back where it waits.
fn send(object: &OwnedHandle, code: u32, input: &[u8], output: &[u8]) -> Option<ksobject::Request> {
    let request = InProcessObjects::begin(object.handle(), code, input, output.to_vec());
    if request.is_pending() {
        return Some(request);
    }
    let (answered, result) = request.wait();
    assert_eq!(answered.len(), output.len());
    match result {
        Ok(length) => assert!(length <= output.len()),
        Err(error) => {
            assert_eq!(answered, output, "nothing is written where a request fails");
            let size = [Win32Error::MORE_DATA, Win32Error::INSUFFICIENT_BUFFER].contains(&error.error);
            assert!(error.returned == 0 || size && error.returned > output.len());
        }
    }
    None
}
