//! Statements 88 to 108: media samples.
#![allow(non_snake_case)]

mod common;

use common::*;
use ks::{AmMediaType, AmSample2Properties, Guid, SampleFlags};
use ksproxy::hresult::*;
use ksproxy::interfaces::{IMediaSample, IMediaSample2};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use windows_core::{HRESULT, IUnknown, Interface};

const SIZE: u32 = size_of::<AmSample2Properties>() as u32;

/// A sample of `size` bytes, and the allocator it comes from.
fn sample(size: i32) -> (Subject, IMediaSample2) {
    let a = Subject::committed(1, size, 1, 0);
    let sample = a.sample().cast().expect("an IMediaSample2");
    (a, sample)
}

fn get(sample: &IMediaSample2) -> AmSample2Properties {
    let mut all = AmSample2Properties::default();
    // SAFETY: the structure is there.
    assert_eq!(unsafe { sample.GetProperties(SIZE, (&raw mut all).cast()) }, S_OK);
    all
}

fn set(sample: &IMediaSample2, size: u32, properties: &AmSample2Properties) -> HRESULT {
    let source: *const AmSample2Properties = properties;
    // SAFETY: the structure is there; a size above it is what some tests ask, and is refused before reading so far.
    unsafe { sample.SetProperties(size, source.cast()) }
}

fn time(sample: &IMediaSample) -> (HRESULT, i64, i64) {
    let (mut start, mut end) = (-11, -22);
    // SAFETY: both are there.
    (unsafe { sample.GetTime(&mut start, &mut end) }, start, end)
}

fn media_time(sample: &IMediaSample) -> (HRESULT, i64, i64) {
    let (mut start, mut end) = (-11, -22);
    // SAFETY: both are there.
    (unsafe { sample.GetMediaTime(&mut start, &mut end) }, start, end)
}

fn length(sample: &IMediaSample) -> i32 {
    // SAFETY: no pointers.
    unsafe { sample.GetActualDataLength() }
}

#[test]
fn s088_all_three_interfaces_are_one_pointer_and_no_other_is_there() {
    let (_a, sample) = sample(16);
    let base: IMediaSample = sample.cast().unwrap();
    let unknown: IUnknown = sample.cast().unwrap();
    assert_eq!((base.as_raw(), unknown.as_raw()), (sample.as_raw(), sample.as_raw()));
    assert_eq!(references(&sample), 3);
    let mut object = std::ptr::dangling_mut::<c_void>();
    // IMarshal, IInspectable, IWeakReferenceSource, and this allocator's own.
    for iid in [
        windows_core::GUID::from_u128(0x00000003_0000_0000_C000_000000000046),
        windows_core::GUID::from_u128(0xAF86E2E0_B12D_4C6A_9C5A_D7AA65101E90),
        windows_core::GUID::from_u128(0x00000038_0000_0000_C000_000000000046),
        ksproxy::interfaces::IMemAllocator::IID,
    ] {
        // SAFETY: both pointers are good.
        assert_eq!(unsafe { sample.query(&iid, &mut object) }, E_NOINTERFACE);
        assert!(object.is_null());
    }
}

#[test]
fn s089_s090_s091_the_length_is_the_size_then_what_was_set_and_survives_reuse() {
    let (a, sample) = sample(200);
    assert_eq!(length(&sample), 200);
    for too_much in [201, -1, i32::MAX, i32::MIN] {
        // SAFETY: no pointers.
        assert_eq!(unsafe { sample.SetActualDataLength(too_much) }, VFW_E_BUFFER_OVERFLOW);
        assert_eq!(length(&sample), 200);
    }
    for fits in [0, 200, 123] {
        // SAFETY: no pointers.
        assert_eq!(unsafe { sample.SetActualDataLength(fits) }, S_OK);
        assert_eq!(length(&sample), fits);
    }
    drop(sample);
    assert_eq!(length(&a.sample()), 123);
    a.decommit();
    a.commit().unwrap();
    assert_eq!(length(&a.sample()), 200, "fresh again after a Commit");
}

#[test]
fn s092_to_s095_stream_times() {
    let (_a, sample) = sample(16);
    let (start, end) = (0x123, 0x321);
    assert_eq!(time(&sample), (VFW_E_SAMPLE_TIME_NOT_SET, -11, -22));
    // SAFETY: null or a number that is there.
    assert_eq!(unsafe { sample.SetTime(&start, null()) }, S_OK);
    assert_eq!(time(&sample), (VFW_S_NO_STOP_TIME, 0x123, 0x124));
    // SAFETY: as above.
    assert_eq!(unsafe { sample.SetTime(&start, &end) }, S_OK);
    assert_eq!(time(&sample), (S_OK, 0x123, 0x321));
    assert_eq!(get(&sample).dw_sample_flags, SampleFlags::TIMEVALID | SampleFlags::STOPVALID);
    // SAFETY: as above.
    assert_eq!(unsafe { sample.SetTime(null(), &end) }, S_OK);
    assert_eq!(time(&sample), (VFW_E_SAMPLE_TIME_NOT_SET, -11, -22));
    assert_eq!(get(&sample).dw_sample_flags, SampleFlags::empty());
    let last = i64::MAX;
    // SAFETY: as above.
    assert_eq!(unsafe { sample.SetTime(&last, null()) }, S_OK);
    assert_eq!(time(&sample), (VFW_S_NO_STOP_TIME, i64::MAX, i64::MAX), "does not wrap");
}

#[test]
fn s096_s097_media_times_are_apart_from_stream_times() {
    let (_a, sample) = sample(16);
    let (start, end) = (5, 5 + (1 << 40));
    assert_eq!(media_time(&sample), (VFW_E_MEDIA_TIME_NOT_SET, -11, -22));
    // SAFETY: null or a number that is there.
    assert_eq!(unsafe { sample.SetMediaTime(&start, null()) }, E_POINTER);
    assert_eq!(media_time(&sample).0, VFW_E_MEDIA_TIME_NOT_SET);
    // SAFETY: as above.
    assert_eq!(unsafe { sample.SetMediaTime(&start, &end) }, S_OK);
    assert_eq!(media_time(&sample), (S_OK, start, end), "64 bits of duration");
    assert_eq!(time(&sample).0, VFW_E_SAMPLE_TIME_NOT_SET);
    assert_eq!(get(&sample).dw_sample_flags, SampleFlags::empty(), "media times have no flag to see");
    // SAFETY: as above.
    assert_eq!(unsafe { sample.SetMediaTime(null(), null()) }, S_OK);
    assert_eq!(media_time(&sample).0, VFW_E_MEDIA_TIME_NOT_SET);
}

/// A media type with a format block, and an object it refers to.
struct Type {
    format: Vec<u8>,
    object: IUnknown,
}

impl Type {
    fn new() -> Self {
        Self { format: (0..40).collect(), object: Client::quiet().0.into() }
    }

    fn get(&mut self) -> AmMediaType {
        AmMediaType {
            majortype: Guid::from_u128(1),
            subtype: Guid::from_u128(2),
            b_fixed_size_samples: 1,
            b_temporal_compression: 0,
            l_sample_size: 3,
            formattype: Guid::from_u128(4),
            p_unk: self.object.as_raw(),
            cb_format: 40,
            pb_format: self.format.as_mut_ptr().cast(),
        }
    }
}

/// What `GetMediaType` gives, taken over, freed as `DeleteMediaType` frees it.
fn media_type(sample: &IMediaSample) -> Result<(AmMediaType, Vec<u8>), HRESULT> {
    let mut copy: *mut AmMediaType = std::ptr::dangling_mut();
    // SAFETY: the pointer is there.
    let answer = unsafe { sample.GetMediaType(&mut copy) };
    if answer != S_OK {
        assert!(copy.is_null());
        return Err(answer);
    }
    // SAFETY: a deep copy is the caller's: structure, format block and reference.
    unsafe {
        let structure = copy.read();
        let format = std::slice::from_raw_parts(structure.pb_format.cast::<u8>(), structure.cb_format as usize);
        let format = format.to_vec();
        libc::free(structure.pb_format);
        libc::free(copy.cast());
        if !structure.p_unk.is_null() {
            drop(IUnknown::from_raw(structure.p_unk));
        }
        Ok((structure, format))
    }
}

#[test]
fn s099_s100_s101_media_types_are_deep_copies() {
    let (_a, sample) = sample(16);
    assert_eq!(media_type(&sample), Err(S_FALSE));
    let mut source = Type::new();
    // SAFETY: the media type is well-formed.
    assert_eq!(unsafe { sample.SetMediaType(&source.get()) }, S_OK);
    assert_eq!(references(&source.object), 2, "the sample refers to it");
    assert!(get(&sample).dw_sample_flags.contains(SampleFlags::TYPECHANGED));
    source.format.fill(0xEE);
    let (copy, format) = media_type(&sample).expect("a copy");
    assert_eq!(format, (0..40).collect::<Vec<u8>>(), "independent of the source");
    assert_ne!(copy.pb_format, source.get().pb_format);
    assert_eq!((copy.majortype, copy.l_sample_size, copy.p_unk), (Guid::from_u128(1), 3, source.object.as_raw()));
    assert_eq!(references(&source.object), 2, "the copy's reference was released");
    // SAFETY: null takes the type away.
    assert_eq!(unsafe { sample.SetMediaType(null()) }, S_OK);
    assert_eq!(references(&source.object), 1);
    assert_eq!(get(&sample).dw_sample_flags, SampleFlags::empty());
    assert_eq!(media_type(&sample), Err(S_FALSE));
}

#[test]
fn s100_a_format_block_that_is_announced_and_missing_is_refused() {
    let (_a, sample) = sample(16);
    let mut source = Type::new();
    let broken = AmMediaType { pb_format: null_mut(), ..source.get() };
    // SAFETY: the announced block is null, which is refused.
    unsafe {
        assert_eq!(sample.SetMediaType(&source.get()), S_OK);
        assert_eq!(sample.SetMediaType(&broken), E_POINTER);
    }
    assert_eq!(get(&sample).dw_sample_flags, SampleFlags::empty(), "TYPECHANGED is cleared on failure");
    let without = AmMediaType { cb_format: 0, ..source.get() };
    // SAFETY: the media type is well-formed.
    assert_eq!(unsafe { sample.SetMediaType(&without) }, S_OK);
    let own = get(&sample).p_media_type.cast::<AmMediaType>();
    // SAFETY: the sample's own, which nobody replaces meanwhile.
    assert!(unsafe { (*own).pb_format.is_null() });
}

#[test]
fn s098_nothing_but_the_length_survives_reuse() {
    let (a, sample) = sample(16);
    let (start, end, mut source) = (1, 2, Type::new());
    // SAFETY: every pointer is good.
    unsafe {
        assert_eq!(sample.SetTime(&start, &end), S_OK);
        assert_eq!(sample.SetMediaTime(&start, &end), S_OK);
        assert_eq!(sample.SetPreroll(1), S_OK);
        assert_eq!(sample.SetDiscontinuity(-1), S_OK);
        assert_eq!(sample.SetSyncPoint(2), S_OK);
        assert_eq!(sample.SetMediaType(&source.get()), S_OK);
        assert_eq!([sample.IsPreroll(), sample.IsDiscontinuity(), sample.IsSyncPoint()], [S_OK; 3]);
    }
    let mut all = get(&sample);
    assert_eq!(all.dw_sample_flags.bits(), 0x11F);
    (all.dw_stream_id, all.dw_type_specific_flags) = (7, 8);
    assert_eq!(set(&sample, SIZE, &all), S_OK);
    assert_eq!((get(&sample).dw_stream_id, get(&sample).dw_type_specific_flags), (7, 8));
    drop(sample);
    assert_eq!(references(&source.object), 1);
    let again: IMediaSample2 = a.sample().cast().unwrap();
    let all = get(&again);
    assert_eq!((all.dw_sample_flags.bits(), all.dw_stream_id, all.dw_type_specific_flags), (0, 0, 0));
    assert!(all.p_media_type.is_null());
    assert_eq!((time(&again).0, media_time(&again).0), (VFW_E_SAMPLE_TIME_NOT_SET, VFW_E_MEDIA_TIME_NOT_SET));
    // SAFETY: no pointers.
    assert_eq!(unsafe { [again.IsPreroll(), again.IsDiscontinuity(), again.IsSyncPoint()] }, [S_FALSE; 3]);
}

#[test]
fn s102_the_whole_structure() {
    let (_a, sample) = sample(300);
    let all = get(&sample);
    assert_eq!((all.cb_data, all.cb_buffer, all.l_actual), (SIZE, 300, 300));
    assert_eq!(all.pb_buffer.addr(), address(&sample));
    // SAFETY: null and nothing are what is tested.
    unsafe {
        assert_eq!(sample.GetProperties(0, null_mut()), S_OK);
        assert_eq!(sample.GetProperties(SIZE, null_mut()), E_POINTER);
        assert_eq!(sample.SetProperties(0, null()), S_OK);
        assert_eq!(sample.SetProperties(3, null()), S_OK);
        assert_eq!(sample.SetProperties(SIZE, null()), E_POINTER);
    }
}

#[test]
fn s102_the_padding_of_the_structure_is_zero() {
    let subject = Subject::committed(1, 64, 1, 0);
    let sample: IMediaSample2 = subject.sample().cast().expect("an IMediaSample2");
    let mut bytes = [0xFF; SIZE as usize];
    // SAFETY: as many bytes are there.
    assert_eq!(unsafe { sample.GetProperties(SIZE, bytes.as_mut_ptr()) }, S_OK);
    let after_stream_id = core::mem::offset_of!(AmSample2Properties, dw_stream_id) + 4;
    let media_type = core::mem::offset_of!(AmSample2Properties, p_media_type);
    assert!(bytes[after_stream_id..media_type].iter().all(|byte| *byte == 0), "{bytes:?}");
    let after_size = core::mem::offset_of!(AmSample2Properties, cb_buffer) + 4;
    assert!(bytes[after_size..].iter().all(|byte| *byte == 0), "{bytes:?}");
}

#[test]
fn s103_part_of_the_structure() {
    let (_a, sample) = sample(300);
    let mut part = [0xEEu8; 64];
    // SAFETY: 16 of 64 bytes.
    assert_eq!(unsafe { sample.GetProperties(16, part.as_mut_ptr()) }, S_OK);
    assert_eq!(part[..4], 16u32.to_ne_bytes());
    assert_eq!(part[12..16], 300i32.to_ne_bytes());
    assert!(part[16..].iter().all(|byte| *byte == 0xEE), "not a byte more");
}

#[test]
fn s104_s105_s106_s107_all_or_nothing_is_set() {
    let (_a, sample) = sample(300);
    let all = get(&sample);
    let changed = AmSample2Properties { l_actual: 123, ..all };
    assert_eq!(set(&sample, SIZE, &changed), S_OK);
    assert_eq!(length(&sample), 123);
    let flags = SampleFlags::from_bits_retain;
    let elsewhere = all.pb_buffer.wrapping_byte_add(1);
    for (what, wrong, answer) in [
        ("another buffer", AmSample2Properties { pb_buffer: elsewhere, ..all }, E_INVALIDARG),
        ("another size", AmSample2Properties { cb_buffer: 299, ..all }, E_INVALIDARG),
        ("a size below the length", AmSample2Properties { cb_buffer: 0, ..all }, E_INVALIDARG),
        ("a length below 0", AmSample2Properties { l_actual: -1, ..all }, E_INVALIDARG),
        ("a length above the size", AmSample2Properties { l_actual: 301, ..all }, E_INVALIDARG),
        ("bit 5", AmSample2Properties { dw_sample_flags: flags(0x20), ..all }, E_INVALIDARG),
        ("bit 31", AmSample2Properties { dw_sample_flags: flags(0x8000_0000), ..all }, E_INVALIDARG),
        ("too much", AmSample2Properties { cb_data: SIZE + 1, ..all }, E_INVALIDARG),
        (
            "TYPECHANGED and no type",
            AmSample2Properties { dw_sample_flags: SampleFlags::TYPECHANGED, ..all },
            E_POINTER,
        ),
    ] {
        let wrong = AmSample2Properties { dw_stream_id: 9, t_start: 9, ..wrong };
        assert_eq!(set(&sample, SIZE, &wrong), answer, "{what}");
        assert_eq!((length(&sample), get(&sample).dw_stream_id), (123, 0), "{what}: nothing changed");
    }
    assert_eq!(set(&sample, SIZE + 1, &all), E_INVALIDARG);
    // No stop time is covered, and the start is newly valid.
    let timed = AmSample2Properties { cb_data: 24, dw_sample_flags: SampleFlags::TIMEVALID, ..all };
    assert_eq!(set(&sample, SIZE, &timed), E_INVALIDARG);
}

#[test]
fn s108_a_start_without_a_stop() {
    let (_a, sample) = sample(300);
    let timed = AmSample2Properties { dw_sample_flags: SampleFlags::TIMEVALID, t_start: 77, t_stop: 5, ..get(&sample) };
    assert_eq!(set(&sample, SIZE, &timed), S_OK);
    assert_eq!(time(&sample), (VFW_S_NO_STOP_TIME, 77, 78));
}

#[test]
fn s100_a_type_travels_by_the_structure_too_and_its_own_pointer_is_harmless() {
    let (_a, sample) = sample(16);
    let mut source = Type::new();
    let mut structure = source.get();
    let typed = AmSample2Properties {
        dw_sample_flags: SampleFlags::TYPECHANGED,
        p_media_type: (&raw mut structure).cast(),
        ..get(&sample)
    };
    assert_eq!(set(&sample, SIZE, &typed), S_OK);
    assert_eq!(references(&source.object), 2);
    let all = get(&sample);
    assert_ne!(all.p_media_type, typed.p_media_type, "a copy");
    assert_eq!(set(&sample, SIZE, &all), S_OK);
    assert_eq!(get(&sample).p_media_type, all.p_media_type, "its own stays");
    // SAFETY: the sample's own media type, copied before the old one goes.
    assert_eq!(unsafe { sample.SetMediaType(all.p_media_type.cast()) }, S_OK);
    assert_eq!((references(&source.object), media_type(&sample).expect("a type").1.len()), (2, 40));
    // Without TYPECHANGED the type stays, and the flag says that there is one.
    assert_eq!(
        set(&sample, SIZE, &AmSample2Properties { dw_sample_flags: SampleFlags::PREROLL, ..get(&sample) }),
        S_OK
    );
    assert_eq!(get(&sample).dw_sample_flags, SampleFlags::PREROLL | SampleFlags::TYPECHANGED);
}

#[test]
fn null_is_refused_by_every_getter() {
    let (_a, sample) = sample(16);
    let mut number = 0;
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(sample.GetPointer(null_mut()), E_POINTER);
        assert_eq!(sample.GetTime(null_mut(), &mut number), E_POINTER);
        assert_eq!(sample.GetTime(&mut number, null_mut()), E_POINTER);
        assert_eq!(sample.GetMediaTime(null_mut(), &mut number), E_POINTER);
        assert_eq!(sample.GetMediaTime(&mut number, null_mut()), E_POINTER);
        assert_eq!(sample.GetMediaType(null_mut()), E_POINTER);
        assert_eq!(sample.query(&IUnknown::IID, null_mut()), E_POINTER);
    }
}
