//! Callers that do what no caller may: nulls everywhere, samples they gave back, calls out of callbacks, absurd numbers.
//! Each gets an answer; nothing is lost, leaked or given out twice.

mod common;

use common::*;
use ks::{AmMediaType, AmSample2Properties, GetBufferFlags, KsAllocatorMode};
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use windows_core::{IUnknown, IUnknown_Vtbl, Interface};

fn mode(a: &Subject) -> KsAllocatorMode {
    // SAFETY: no pointers.
    unsafe { a.ks.KsGetAllocatorMode() }
}

#[test]
fn null_pointers_in_every_slot_of_the_allocator_are_answered() {
    let a = Subject::committed(1, 16, 1, 0);
    let before = (a.get(), a.free(), mode(&a));
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(a.ks.KsGetAllocatorStatus(null_mut()), E_POINTER);
        a.ks.KsSetProperties(null());
        a.ks.KsSetAllocatorHandle(ksproxy::Handle::NULL);
        assert_eq!(a.ks.KsCreateAllocatorAndGetHandle(None), ksproxy::Handle::NULL);
        assert_eq!(a.memory.SetProperties(null(), null_mut()), E_POINTER);
        assert_eq!(a.memory.SetProperties(&properties(1, 1, 1, 0), null_mut()), E_POINTER);
        assert_eq!(a.memory.GetProperties(null_mut()), E_POINTER);
        for flags in [GetBufferFlags::empty(), GetBufferFlags::NOWAIT, GetBufferFlags::all()] {
            assert_eq!(a.memory.GetBuffer(null_mut(), null(), null(), flags), E_POINTER);
        }
        assert_eq!(a.memory.ReleaseBuffer(None), E_POINTER);
        assert_eq!(a.memory.SetNotify(None), S_OK, "nobody is to be told");
        assert_eq!(a.memory.GetFreeCount(null_mut()), E_POINTER);
    }
    assert_eq!((a.get(), a.free(), mode(&a)), before);
}

#[test]
fn null_pointers_in_every_slot_of_a_sample_are_answered() {
    let a = Subject::committed(1, 16, 1, 0);
    let sample: IMediaSample2 = a.sample().cast().expect("an IMediaSample2");
    let mut number = 7i64;
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(sample.GetPointer(null_mut()), E_POINTER);
        assert_eq!(sample.GetTime(null_mut(), &raw mut number), E_POINTER);
        assert_eq!(sample.GetTime(&raw mut number, null_mut()), E_POINTER);
        assert_eq!(sample.SetTime(null(), &raw const number), S_OK, "no time");
        assert_eq!(sample.GetMediaType(null_mut()), E_POINTER);
        assert_eq!(sample.SetMediaType(null()), S_OK, "no type");
        assert_eq!(sample.GetMediaTime(null_mut(), &raw mut number), E_POINTER);
        assert_eq!(sample.GetMediaTime(&raw mut number, null_mut()), E_POINTER);
        assert_eq!(sample.SetMediaTime(&raw const number, null()), E_POINTER);
        assert_eq!(sample.GetProperties(16, null_mut()), E_POINTER);
        assert_eq!(sample.SetProperties(16, null()), E_POINTER);
    }
    assert_eq!(number, 7);
}

/// Every slot of a sample that is at home, by a pointer kept too long.
#[test]
fn s073_a_sample_given_back_has_nothing_to_say_and_hears_nothing() {
    let a = Subject::committed(1, 64, 1, 0);
    let sample = a.sample();
    let stale = std::mem::ManuallyDrop::new(sample.cast::<IMediaSample2>().expect("an IMediaSample2"));
    drop(sample);
    // SAFETY: the reference the cast took.
    drop(unsafe { IMediaSample2::from_raw(stale.as_raw()) });
    assert_eq!(a.free(), 1);
    let (mut buffer, mut from, mut to, mut media_type) = (std::ptr::dangling_mut(), 7i64, 8i64, null_mut());
    let mut whole = AmSample2Properties { cb_data: 16, ..Default::default() };
    let bytes = (&raw mut whole).cast::<u8>();
    let mut object = std::ptr::dangling_mut::<c_void>();
    // SAFETY: the allocator keeps its samples, so there is one, at home; every other pointer is good.
    unsafe {
        assert_eq!(stale.query(&IMediaSample::IID, &mut object), E_UNEXPECTED);
        assert_eq!(stale.GetPointer(&mut buffer), E_UNEXPECTED);
        assert_eq!((buffer, object), (null_mut(), null_mut()));
        assert_eq!(stale.GetSize(), 0);
        assert_eq!(stale.GetActualDataLength(), 0);
        assert_eq!(stale.GetTime(&mut from, &mut to), E_UNEXPECTED);
        assert_eq!(stale.GetMediaTime(&mut from, &mut to), E_UNEXPECTED);
        assert_eq!((from, to), (7, 8));
        for answer in [stale.IsSyncPoint(), stale.IsPreroll(), stale.IsDiscontinuity()] {
            assert_eq!(answer, E_UNEXPECTED);
        }
        assert_eq!(stale.GetMediaType(&mut media_type), E_UNEXPECTED);
        assert!(media_type.is_null());
        assert_eq!(stale.GetProperties(size_of::<AmSample2Properties>() as u32, bytes), E_UNEXPECTED);
        for answer in [
            stale.SetTime(&from, &to),
            stale.SetMediaTime(&from, &to),
            stale.SetSyncPoint(1),
            stale.SetPreroll(1),
            stale.SetDiscontinuity(1),
            stale.SetActualDataLength(1),
            stale.SetMediaType(&AmMediaType::default()),
        ] {
            assert_eq!(answer, E_UNEXPECTED);
        }
        assert_eq!(stale.SetProperties(16, bytes), E_UNEXPECTED);
    }
    let sample = a.sample();
    assert_eq!(sample.as_raw(), stale.as_raw());
    // SAFETY: good pointers.
    unsafe {
        assert_eq!(
            sample.GetTime(&mut from, &mut to),
            VFW_E_SAMPLE_TIME_NOT_SET,
            "nothing of it shows in the next life"
        );
        assert_eq!(sample.GetActualDataLength(), 64);
        assert_eq!((sample.IsSyncPoint(), sample.IsPreroll(), sample.IsDiscontinuity()), (S_FALSE, S_FALSE, S_FALSE));
    }
}

#[test]
fn s073_releases_too_many_take_no_other_sample_home() {
    let a = Subject::committed(2, 16, 1, 0);
    let (kept, given_back) = (a.sample(), a.sample());
    let stale = given_back.as_raw();
    drop(given_back);
    // SAFETY: the allocator keeps its samples, so there is one, at home.
    let vtable = unsafe { &**stale.cast::<*const IUnknown_Vtbl>() };
    for _ in 0..100 {
        // SAFETY: as above.
        assert_eq!(unsafe { (vtable.Release)(stale) }, 0);
    }
    assert_eq!((a.free(), references(&kept)), (1, 1));
    a.decommit();
    // SAFETY: as above; the allocator is there, for the subject refers to it.
    assert_eq!(unsafe { ((vtable.AddRef)(stale), (vtable.Release)(stale)) }, (0, 0));
    drop(kept);
    assert_eq!(references(&a.ks), 3, "the decommit is complete, once");
}

/// Everything a client can call, from inside its own notification; the last thing it does is to let the allocator go.
#[test]
fn s079_s080_a_client_may_call_everything_while_it_is_told() {
    let (a, witness) = watched(2, 16);
    let (memory, ks) = (RefCell::new(Some(a.memory.clone())), RefCell::new(Some(a.ks.clone())));
    let depth = Rc::new(Cell::new(0));
    let inner = depth.clone();
    let (client, counts) = Client::make(S_OK, move || {
        inner.set(inner.get() + 1);
        // It is told again by what it does here itself.
        if inner.get() > 1 {
            return;
        }
        let (Some(memory), Some(ks)) = (memory.take(), ks.take()) else { return };
        let mut now = properties(0, 0, 0, 0);
        let (mut free, mut status) = (0, ks::KsStreamAllocatorStatus::default());
        // SAFETY: every pointer is good.
        unsafe {
            assert_eq!(memory.GetProperties(&mut now), S_OK);
            assert_eq!(memory.SetProperties(&properties(4, 32, 1, 0), &mut now), VFW_E_ALREADY_COMMITTED);
            assert_eq!(memory.Commit(), S_OK);
            drop(get_buffer(&memory, GetBufferFlags::empty()).expect("the sample that just came home"));
            assert_eq!(memory.GetFreeCount(&mut free), S_OK);
            assert_eq!(ks.KsGetAllocatorStatus(&mut status), S_OK);
            ks.KsSetAllocatorMode(KsAllocatorMode::KERNEL);
            assert_eq!(get_buffer(&memory, GetBufferFlags::empty()).err(), Some(VFW_E_NOT_COMMITTED));
            ks.KsSetAllocatorMode(KsAllocatorMode::USER);
            assert_eq!(memory.Decommit(), S_OK);
            assert_eq!(memory.SetProperties(&properties(4, 32, 1, 0), &mut now), S_OK);
            assert_eq!(memory.Commit(), S_OK);
            ks.KsSetProperties(ks.KsGetProperties());
            ks.KsSetAllocatorHandle(ksproxy::Handle::INVALID);
            assert_eq!(ks.KsCreateAllocatorAndGetHandle(None), ksproxy::Handle::NULL);
            assert_eq!(memory.Decommit(), S_OK);
            // This client's own end, as far as the allocator goes, and the allocator's.
            assert_eq!(memory.SetNotify(None), S_OK);
        }
        drop((memory, ks));
    });
    a.notify(Some(&client));
    drop(client);
    let sample = a.sample();
    a.abandon();
    assert!(witness.is_there(), "it is committed");
    drop(sample);
    assert_eq!((counts.notified(), depth.get(), counts.destroyed()), (2, 2, 1));
    assert!(!witness.is_there());
}

#[test]
fn s082_a_client_taken_away_while_it_is_told_is_released_after() {
    let a = Subject::committed(1, 16, 1, 0);
    let memory = RefCell::new(Some(a.memory.clone()));
    let counts_inside = Rc::new(RefCell::new(None::<Arc<Counts>>));
    let sees = counts_inside.clone();
    let (client, counts) = Client::make(S_OK, move || {
        let Some(memory) = memory.take() else { return };
        // SAFETY: null.
        assert_eq!(unsafe { memory.SetNotify(None) }, S_OK);
        let counts = sees.borrow().clone().expect("set before");
        assert_eq!(counts.destroyed(), 0, "not while it runs");
    });
    *counts_inside.borrow_mut() = Some(counts.clone());
    a.notify(Some(&client));
    drop(client);
    drop(a.sample());
    assert_eq!((counts.notified(), counts.destroyed()), (1, 1));
    drop(a.sample());
    assert_eq!(counts.notified(), 1);
}

/// A media type's object that uses the sample it travels with when it is let go.
#[windows_core::implement(IKsObject)]
struct Meddling {
    sample: *mut c_void,
    released: Arc<AtomicU32>,
}

impl IKsObject_Impl for Meddling_Impl {
    unsafe fn KsGetObjectHandle(&self) -> ksproxy::Handle {
        ksproxy::Handle::NULL
    }
}

impl Drop for Meddling {
    fn drop(&mut self) {
        self.released.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the sample's last reference is being given up, and not gone yet.
        let sample = unsafe { IMediaSample::from_raw_borrowed(&self.sample) }.expect("a sample");
        let (start, end) = (1, 2);
        // SAFETY: good pointers.
        unsafe {
            assert_eq!(sample.SetTime(&start, &end), S_OK);
            assert_eq!(sample.SetMediaType(null()), S_OK);
        }
    }
}

#[test]
fn s098_what_a_media_types_object_does_while_it_is_let_go_is_cleared_too() {
    let a = Subject::committed(1, 16, 1, 0);
    let sample = a.sample();
    let released = Arc::new(AtomicU32::new(0));
    let object: IUnknown = Meddling { sample: sample.as_raw(), released: released.clone() }.into();
    let media_type = AmMediaType { p_unk: object.as_raw(), ..Default::default() };
    // SAFETY: a well-formed media type.
    assert_eq!(unsafe { sample.SetMediaType(&media_type) }, S_OK);
    drop(object);
    assert_eq!(released.load(Ordering::SeqCst), 0);
    drop(sample);
    assert_eq!(released.load(Ordering::SeqCst), 1);
    let (sample, mut from, mut to) = (a.sample(), 0, 0);
    // SAFETY: good pointers.
    assert_eq!(unsafe { sample.GetTime(&mut from, &mut to) }, VFW_E_SAMPLE_TIME_NOT_SET);
}

#[test]
fn absurd_numbers_are_answered_and_the_allocator_goes_on() {
    let a = Subject::new();
    let absurd = [i32::MIN, -65536, -1, 0, 1, 3, 65535, 65536, 131_072, 1 << 30, i32::MAX - 1, i32::MAX];
    for count in absurd {
        for size in absurd {
            for align in absurd {
                for prefix in absurd {
                    let request = properties(count, size, align, prefix);
                    match a.set(request) {
                        Err(error) => assert_eq!(error, VFW_E_BADALIGN, "{request:?}"),
                        Ok(actual) => {
                            assert_eq!((actual.c_buffers, actual.cb_align.0, actual.cb_prefix), (count, align, prefix));
                            assert!(actual.cb_buffer >= size, "{request:?}");
                            assert!((0..=count.max(0)).contains(&a.free()), "{request:?}");
                        }
                    }
                    let bytes = i128::from(count) * (i128::from(size) + i128::from(prefix));
                    // What would take all memory there is, or more than there is of anything, is not committed here.
                    if bytes.unsigned_abs() > 1 << 22 || count > 1 << 10 {
                        let big = count > 1 << 20 || bytes > i128::from(i32::MAX);
                        if big && a.get() == Ok(request) {
                            assert!(a.commit().is_err(), "{request:?}");
                        }
                        continue;
                    }
                    if a.commit().is_ok() {
                        let now = a.get().expect("properties");
                        assert!(now.c_buffers > 0 && now.cb_buffer > 0 && now.cb_prefix >= 0, "{now:?}");
                        drop(a.sample());
                        a.decommit();
                    }
                }
            }
        }
    }
    a.set(properties(1, 16, 1, 0)).expect("properties");
    a.commit().expect("a commit");
    drop(a.sample());
}

#[test]
fn absurd_structure_sizes_are_answered() {
    let a = Subject::committed(1, 16, 1, 0);
    let sample: IMediaSample2 = a.sample().cast().expect("an IMediaSample2");
    const WHOLE: usize = size_of::<AmSample2Properties>();
    for size in (0..=WHOLE as u32 + 8).chain([0x7FFF_FFFF, 0x8000_0000, u32::MAX]) {
        // A whole structure, and guards behind it.
        let mut memory = [0xA5u8; WHOLE + 16];
        // SAFETY: no more than the structure is written, whatever the size says.
        let answer = unsafe { sample.GetProperties(size, memory.as_mut_ptr()) };
        assert_eq!(answer, S_OK, "{size}");
        let written = (size as usize).min(WHOLE);
        assert!(memory[written..].iter().all(|byte| *byte == 0xA5), "{size}");
        for data_size in [0u32, 4, size, WHOLE as u32, WHOLE as u32 + 1, u32::MAX] {
            let mut memory = [0u8; WHOLE + 16];
            memory[..4].copy_from_slice(&data_size.to_ne_bytes());
            // SAFETY: no more than the structure is read, whatever the sizes say.
            let answer = unsafe { sample.SetProperties(size, memory.as_ptr()) };
            let too_large = size as usize > WHOLE || data_size as usize > WHOLE;
            let expected = if size < 4 {
                S_OK
            } else if too_large {
                E_INVALIDARG
            } else {
                S_OK
            };
            assert_eq!(answer, expected, "{size}, {data_size}");
        }
    }
}

#[test]
fn s120_s121_a_handle_that_was_never_opened_is_no_handle() {
    let a = Subject::new();
    for never in [i32::MAX as isize, -2, -1, 0, isize::MIN, isize::MAX] {
        // SAFETY: no object of this process is behind the number, so nothing is given away.
        unsafe {
            a.ks.KsSetAllocatorHandle(ksproxy::Handle(never));
            assert_eq!(a.ks.KsGetAllocatorHandle(), ksproxy::Handle::NULL, "{never}");
        }
        // The status is that of the allocator in user mode, as without a handle.
        let mut status = ks::KsStreamAllocatorStatus::default();
        // SAFETY: the structure is there.
        assert_eq!(unsafe { a.ks.KsGetAllocatorStatus(&mut status) }, S_OK);
    }
}
