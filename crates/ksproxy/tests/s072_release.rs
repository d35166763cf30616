//! Statements 72 to 87: ReleaseBuffer, notification and GetFreeCount.

mod common;

use common::*;
use ks::GetBufferFlags;
use ksproxy::hresult::*;
use ksproxy::interfaces::IMediaSample;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use windows_core::{HRESULT, Interface};

fn release_buffer(a: &Subject, sample: Option<&IMediaSample>) -> HRESULT {
    // SAFETY: null or a sample.
    unsafe { a.memory.ReleaseBuffer(sample) }
}

#[test]
fn s072_s073_s076_s077_only_the_last_release_frees_and_notifies() {
    let a = Subject::committed(2, 16, 1, 0);
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    let sample = a.sample();
    let second = sample.clone();
    assert_eq!(a.free(), 1);
    drop(second);
    assert_eq!((a.free(), counts.notified()), (1, 0));
    assert_eq!(add_ref_and_release(&sample), (2, 1));
    assert_eq!(counts.notified(), 0);
    drop(sample);
    assert_eq!((a.free(), counts.notified()), (2, 1));
    a.notify(None);
}

#[test]
fn s073_a_release_at_zero_answers_zero_and_changes_nothing() {
    let a = Subject::committed(2, 16, 1, 0);
    let sample = a.sample();
    let stale = sample.as_raw();
    drop(sample);
    // SAFETY: the allocator keeps its samples, so this is one, at home.
    let vtable = unsafe { &**stale.cast::<*const windows_core::IUnknown_Vtbl>() };
    for _ in 0..3 {
        // SAFETY: as above.
        unsafe {
            assert_eq!((vtable.Release)(stale), 0);
            assert_eq!((vtable.AddRef)(stale), 0, "at home there is nothing to refer to");
        }
    }
    assert_eq!(a.free(), 2);
    let both = [a.sample(), a.sample()];
    assert_ne!(both[0].as_raw(), both[1].as_raw());
}

#[test]
fn s074_s075_null_foreign_and_free_samples_are_refused() {
    let (a, other) = (Subject::committed(2, 16, 1, 0), Subject::committed(1, 16, 1, 0));
    assert_eq!(release_buffer(&a, None), E_POINTER);
    let foreign = other.sample();
    assert_eq!(release_buffer(&a, Some(&foreign)), E_INVALIDARG);
    assert_eq!(a.free(), 2);
    assert_eq!(references(&foreign), 1, "it was not touched");
    // What is no sample at all is told by its address and never followed.
    let no_sample = 0x1234_5678usize as *mut std::ffi::c_void;
    // SAFETY: the pointer is not followed, which is what is tested, and not dropped.
    let no_sample = std::mem::ManuallyDrop::new(unsafe { IMediaSample::from_raw(no_sample) });
    assert_eq!(release_buffer(&a, Some(&no_sample)), E_INVALIDARG);
    let sample = a.sample();
    // SAFETY: one byte into a sample; not followed and not dropped.
    let inside = unsafe { IMediaSample::from_raw(sample.as_raw().byte_add(8)) };
    assert_eq!(release_buffer(&a, Some(&std::mem::ManuallyDrop::new(inside))), E_INVALIDARG);
    let stale = std::mem::ManuallyDrop::new(sample.clone());
    drop(sample);
    // SAFETY: the clone's reference.
    drop(unsafe { IMediaSample::from_raw(stale.as_raw()) });
    assert_eq!(release_buffer(&a, Some(&stale)), E_INVALIDARG, "free already");
    assert_eq!(a.free(), 2);
}

#[test]
fn s074_release_buffer_gives_the_only_reference_up_and_no_other() {
    let a = Subject::committed(1, 16, 1, 0);
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    let sample = a.sample();
    let second = sample.clone();
    assert_eq!(release_buffer(&a, Some(&sample)), E_INVALIDARG, "somebody else refers to it");
    assert_eq!((references(&sample), a.free()), (2, 0));
    drop(second);
    let sample = std::mem::ManuallyDrop::new(sample);
    assert_eq!(release_buffer(&a, Some(&sample)), S_OK);
    assert_eq!((a.free(), counts.notified()), (1, 1));
    a.notify(None);
}

#[test]
fn s076_a_frame_of_the_rust_side_notifies_too() {
    let a = Subject::committed(1, 16, 1, 0);
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    drop(a.object.allocator().try_acquire().expect("a frame"));
    assert_eq!(counts.notified(), 1);
    a.notify(None);
}

#[test]
fn s078_the_last_sample_of_a_decommit_notifies_too() {
    let a = Subject::committed(1, 16, 1, 0);
    let (client, counts) = Client::quiet();
    a.notify(Some(&client));
    let sample = a.sample();
    a.decommit();
    drop(sample);
    assert_eq!(counts.notified(), 1);
    a.notify(None);
}

#[test]
fn s079_the_client_may_call_back_and_finds_the_sample_free() {
    let a = Subject::committed(1, 16, 1, 0);
    let (memory, seen, taken) = (a.memory.clone(), Rc::new(Cell::new(-1)), Rc::new(RefCell::new(None)));
    let (sees, takes) = (seen.clone(), taken.clone());
    let (client, counts) = Client::make(S_OK, move || {
        let mut free = -1;
        // SAFETY: the number is there.
        assert_eq!(unsafe { memory.GetFreeCount(&mut free) }, S_OK);
        sees.set(free);
        *takes.borrow_mut() = get_buffer(&memory, GetBufferFlags::NOWAIT).ok();
    });
    a.notify(Some(&client));
    drop(a.sample());
    assert_eq!((seen.get(), counts.notified(), a.free()), (1, 1, 0));
    assert!(taken.borrow().is_some());
    a.notify(None);
    taken.take();
    assert_eq!(a.free(), 1);
}

#[test]
fn s080_no_lock_is_held_while_the_client_is_told() {
    let a = Subject::committed(2, 16, 1, 0);
    let memory = Arc::new(Shared(a.memory.clone()));
    let first = AtomicBool::new(true);
    let (client, counts) = Client::make(S_OK, move || {
        // The thread below releases a sample too, which comes here again.
        if !first.swap(false, Ordering::SeqCst) {
            return;
        }
        let memory = memory.clone();
        std::thread::spawn(move || {
            let mut now = ks::AllocatorProperties::default();
            // SAFETY: the structure is there.
            assert_eq!(unsafe { memory.0.GetProperties(&mut now) }, S_OK);
            get_buffer(&memory.0, GetBufferFlags::NOWAIT).expect("a free sample");
        })
        .join()
        .expect("another thread gets through while the client waits for it");
    });
    a.notify(Some(&client));
    drop(a.sample());
    assert_eq!(counts.notified(), 2);
    a.notify(None);
}

#[test]
fn s081_s082_s083_one_client_at_a_time_and_each_released_once() {
    let a = Subject::committed(1, 16, 1, 0);
    let ((first, first_counts), (second, second_counts)) = (Client::quiet(), Client::quiet());
    a.notify(Some(&first));
    drop(first);
    assert_eq!(first_counts.destroyed(), 0, "the allocator refers to it");
    a.notify(Some(&second));
    assert_eq!(first_counts.destroyed(), 1);
    drop(a.sample());
    assert_eq!((first_counts.notified(), second_counts.notified()), (0, 1));
    a.notify(Some(&second));
    assert_eq!(references(&second), 2, "set twice, referred to once");
    let pointer = second.as_raw();
    drop(second);
    // SAFETY: alive by the allocator's reference, which setting it again must not give up in between.
    let again = unsafe { ksproxy::interfaces::IMemAllocatorNotifyCallbackTemp::from_raw_borrowed(&pointer) };
    a.notify(again);
    assert_eq!(second_counts.destroyed(), 0);
    a.notify(None);
    assert_eq!(second_counts.destroyed(), 1);
    drop(a.sample());
    assert_eq!(second_counts.notified(), 1);
}

#[test]
fn s084_what_the_client_answers_does_not_matter() {
    let a = Subject::committed(1, 16, 1, 0);
    let (client, counts) = Client::make(E_UNEXPECTED, || ());
    a.notify(Some(&client));
    drop(a.sample());
    assert_eq!((a.free(), counts.notified()), (1, 1));
    a.notify(None);
}

#[test]
fn s085_s086_s087_the_free_count_is_all_less_those_held() {
    let a = Subject::new();
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { a.memory.GetFreeCount(std::ptr::null_mut()) }, E_POINTER);
    assert_eq!(a.free(), 0);
    a.set(properties(4, 16, 1, 0)).unwrap();
    assert_eq!(a.free(), 4);
    a.commit().unwrap();
    assert_eq!(a.free(), 4);
    let mut out = vec![a.sample()];
    assert_eq!(a.free(), 3);
    out.extend([a.sample(), a.sample(), a.sample()]);
    assert_eq!(a.free(), 0);
    a.decommit();
    assert_eq!(a.free(), 0);
    out.pop();
    assert_eq!(a.free(), 1);
    out.clear();
    assert_eq!(a.free(), 4);
}

#[test]
fn s056_s079_a_client_may_set_properties_and_commit_again_while_the_last_sample_comes_home() {
    let a = Subject::committed(1, 64, 1, 0);
    let again = Rc::new(a.memory.clone());
    let (client, counts) = Client::make(S_OK, {
        let again = Rc::downgrade(&again);
        move || {
            let Some(memory) = again.upgrade() else { return };
            let (request, mut actual) = (properties(4, 64, 1, 0), ks::AllocatorProperties::default());
            // SAFETY: good pointers.
            unsafe {
                assert_eq!(memory.SetProperties(&request, &mut actual), S_OK);
                assert_eq!(memory.Commit(), S_OK);
            }
        }
    });
    a.notify(Some(&client));
    let sample = a.sample();
    // SAFETY: no pointers.
    unsafe { sample.SetActualDataLength(7) }.ok().unwrap();
    a.decommit();
    drop(sample);
    assert_eq!(counts.notified(), 1);
    drop(again);
    let samples: Vec<IMediaSample> = (0..4).map(|_| get_buffer(&a.memory, GetBufferFlags::NOWAIT).unwrap()).collect();
    for sample in &samples {
        // SAFETY: no pointers.
        assert_eq!(unsafe { sample.GetActualDataLength() }, size(sample), "the first use after a Commit");
    }
    a.notify(None);
}

#[test]
fn s039_s056_properties_set_while_the_last_sample_comes_home_on_another_thread_hold() {
    for _ in 0..200 {
        let a = Subject::committed(1, 64, 1, 0);
        let sample = Shared(a.sample());
        a.decommit();
        let releasing = std::thread::spawn(move || {
            let sample = sample;
            drop(sample);
        });
        let request = properties(4, 64, 1, 0);
        loop {
            let mut actual = ks::AllocatorProperties::default();
            // SAFETY: good pointers.
            match unsafe { a.memory.SetProperties(&request, &mut actual) } {
                S_OK => break,
                other => assert_eq!(other, VFW_E_BUFFERS_OUTSTANDING),
            }
            std::hint::spin_loop();
        }
        // SAFETY: no pointers.
        assert_eq!(unsafe { a.memory.Commit() }, S_OK);
        let samples: Vec<_> = (0..4).map(|_| get_buffer(&a.memory, GetBufferFlags::NOWAIT)).collect();
        assert!(samples.iter().all(Result::is_ok), "{samples:?}");
        releasing.join().unwrap();
    }
}

#[test]
fn s022_a_frame_that_only_the_engine_lent_does_not_keep_the_object() {
    let engine = kspipe::allocator::Allocator::new(kind());
    let object = ksproxy::KsAllocator::from_allocator(engine.clone());
    let memory = object.memory_interface();
    let (client, counts) = Client::quiet();
    let (request, mut actual) = (properties(2, 64, 1, 0), ks::AllocatorProperties::default());
    // SAFETY: good pointers.
    unsafe {
        assert_eq!(memory.SetNotify(Some(&client)), S_OK);
        assert_eq!(memory.SetProperties(&request, &mut actual), S_OK);
        assert_eq!(memory.Commit(), S_OK);
    }
    let frame = engine.try_acquire().unwrap();
    // SAFETY: no pointers.
    assert_eq!(unsafe { memory.Decommit() }, S_OK);
    drop((client, memory, object));
    assert_eq!(counts.destroyed(), 1, "the object is gone, and its client released");
    drop(frame);
}
