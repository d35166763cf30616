//! Statements 152 to 160: what a ready pin keeps for the negotiation of pipes; and 11, the slot with a GUID by
//! value.
#![allow(non_snake_case)]

mod common;

use common::pins::*;
use common::*;
use ks::*;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use ksproxy::{Handle, KsAllocator, KsPin, KsPinBuilder};
use std::mem::ManuallyDrop;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use windows_core::{HRESULT, Interface, Ref, implement};

#[test]
fn s152_the_allocator_is_peeked_with_and_without_a_reference() {
    for pin in both() {
        let (ks, x) = (pin.ks_interface(), KsAllocator::new().memory_interface());
        let base: IMemAllocator = x.cast().unwrap();
        // SAFETY: interfaces.
        unsafe {
            assert_eq!(ks.KsReceiveAllocator(&base), S_OK);
            let before = references(&x);
            let peeked = ks.KsPeekAllocator(KsPeekOperation::PEEK_ONLY).expect("an allocator");
            assert_eq!((peeked.as_raw(), references(&x)), (base.as_raw(), before));
            let counted = ManuallyDrop::into_inner(ks.KsPeekAllocator(KsPeekOperation::ADD_REF).expect("an allocator"));
            assert_eq!((counted.as_raw(), references(&x)), (base.as_raw(), before + 1));
            drop(counted);
            assert_eq!(references(&x), before);
            // Neither of the two operations: nothing is counted, so nothing leaks.
            let neither = ks.KsPeekAllocator(KsPeekOperation(9)).expect("an allocator");
            assert_eq!((neither.as_raw(), references(&x)), (base.as_raw(), before));
            assert_eq!(ks.KsReceiveAllocator(None), S_OK);
            assert_eq!(references(&x), before - 1, "null takes it away");
        }
    }
}

#[test]
fn s152_the_pin_gives_its_allocator_up_at_its_end() {
    for pin in both() {
        let x = KsAllocator::new().memory_interface();
        let base: IMemAllocator = x.cast().unwrap();
        // SAFETY: an interface.
        assert_eq!(unsafe { pin.ks_interface().KsReceiveAllocator(&base) }, S_OK);
        assert_eq!(pin.allocator().expect("the allocator").as_raw(), base.as_raw());
        drop(pin);
        assert_eq!(references(&x), 2, "the test's two");
    }
}

#[test]
fn s153_without_an_allocator_there_is_null() {
    for pin in both() {
        for operation in [KsPeekOperation::PEEK_ONLY, KsPeekOperation::ADD_REF, KsPeekOperation(u32::MAX)] {
            // SAFETY: no pointers.
            assert!(unsafe { pin.ks_interface().KsPeekAllocator(operation) }.is_none());
        }
        assert!(pin.allocator().is_none());
    }
}

#[test]
fn s154_the_pipe_is_peeked_with_and_without_a_reference() {
    for pin in both() {
        let (pipe, p) = (pin.pipe_interface(), KsAllocator::new().interface());
        // SAFETY: interfaces.
        unsafe {
            assert_eq!(pipe.KsSetPipe(&p), S_OK);
            assert_eq!(references(&p), 2);
            let peeked = pipe.KsGetPipe(KsPeekOperation::PEEK_ONLY).expect("a pipe");
            assert_eq!((peeked.as_raw(), references(&p)), (p.as_raw(), 2));
            let counted = ManuallyDrop::into_inner(pipe.KsGetPipe(KsPeekOperation::ADD_REF).expect("a pipe"));
            assert_eq!((counted.as_raw(), references(&p)), (p.as_raw(), 3));
        }
        assert_eq!((references(&p), pin.pipe().expect("the pipe").as_raw()), (2, p.as_raw()));
        drop((pin, pipe));
        assert_eq!(references(&p), 1, "the pin gives it up at its end");
    }
}

#[test]
fn s155_null_takes_the_pipe_away_and_releases_it_once() {
    for pin in both() {
        let (pipe, p) = (pin.pipe_interface(), KsAllocator::new().interface());
        // SAFETY: interfaces or null.
        unsafe {
            assert!(pipe.KsGetPipe(KsPeekOperation::ADD_REF).is_none(), "at first there is none");
            assert_eq!(pipe.KsSetPipe(&p), S_OK);
            assert_eq!((pipe.KsSetPipe(&p), references(&p)), (S_OK, 2), "the same again is still one");
            assert_eq!(pipe.KsSetPipe(None), S_OK);
            assert!(pipe.KsGetPipe(KsPeekOperation::PEEK_ONLY).is_none());
            assert_eq!((pipe.KsSetPipe(None), references(&p)), (S_OK, 1));
        }
    }
}

#[test]
fn s156_the_pipe_allocator_flag_is_any_number_and_0_at_first() {
    for pin in both() {
        let pipe = pin.pipe_interface();
        // SAFETY: no pointers.
        unsafe {
            assert_eq!(pipe.KsGetPipeAllocatorFlag(), 0);
            for flag in [5, u32::MAX, 0] {
                assert_eq!((pipe.KsSetPipeAllocatorFlag(flag), pipe.KsGetPipeAllocatorFlag()), (S_OK, flag));
                assert_eq!(pin.pipe_allocator_flag(), flag);
            }
        }
    }
}

/// The bus, asked through the interface.
fn bus(pin: &KsPin) -> Guid {
    let mut bus = Guid::from_u128(u128::MAX);
    // SAFETY: the place is there.
    unsafe { pin.pipe_interface().KsGetPinBusCache(&mut bus) };
    assert_eq!(bus, pin.bus());
    bus
}

#[test]
fn s157_the_bus_is_the_mediums_set_until_another_is_set() {
    let own = Guid::from_u128(0x01234567_89AB_CDEF_0123_456789ABCDEF);
    let medium = KsPinMedium { set: own, id: 1, flags: 0 };
    for make in [KsPin::input as fn(&str) -> KsPinBuilder, KsPin::output] {
        assert_eq!(bus(&make("pin").build()), KSMEDIUMSETID_Standard);
        assert_eq!(bus(&make("pin").mediums(&[]).build()), Guid::NULL);
        let pin = make("pin").mediums(&[medium, KsPinMedium::default()]).build();
        assert_eq!(bus(&pin), own);
        for set in [Guid::NULL, KSMEMORY_TYPE_USER] {
            // SAFETY: no pointers; the GUID goes by value.
            assert_eq!(unsafe { pin.pipe_interface().KsSetPinBusCache(set) }, S_OK);
            assert_eq!(bus(&pin), set, "GUID_NULL is a bus like another");
        }
        let pin = make("pin").mediums(&[medium]).build();
        // SAFETY: as above.
        assert_eq!(unsafe { pin.pipe_interface().KsSetPinBusCache(KSMEMORY_TYPE_SYSTEM) }, S_OK);
        assert_eq!(bus(&pin), KSMEMORY_TYPE_SYSTEM, "also where it is set before it is asked");
    }
}

#[test]
fn s011_the_bus_is_written_where_the_second_argument_says_and_that_is_returned() {
    for pin in both() {
        let pipe = pin.pipe_interface();
        // The slot itself, as a C program calls it.
        type Slot = unsafe extern "system" fn(this: *mut std::ffi::c_void, result: *mut Guid) -> *mut Guid;
        let mut result = Guid::NULL;
        let place = &raw mut result;
        // SAFETY: slot 10 of the object's own vtable has this signature.
        unsafe {
            let vtable = pipe.as_raw().cast::<*const Slot>().read();
            let slot = vtable.add(10).read();
            assert_eq!(slot(pipe.as_raw(), place), place);
            assert_eq!(slot(pipe.as_raw(), null_mut()), null_mut(), "nowhere to write is no crash");
        }
        assert_eq!(result, KSMEDIUMSETID_Standard);
    }
}

#[test]
fn s158_a_framing_is_in_its_slot_and_in_no_other() {
    for pin in both() {
        for option in [FramingCacheOps::READ_LAST, FramingCacheOps::READ_ORIG, FramingCacheOps::WRITE] {
            assert_eq!(get(&pin, option), (S_OK, null_mut(), FramingProp::UNINITIALIZED));
        }
        let f = task_framing(a_framing(2, 64, 0));
        assert_eq!(set(&pin, f, FramingProp::EX, FramingCacheOps::READ_LAST), S_OK);
        assert_eq!(get(&pin, FramingCacheOps::READ_LAST), (S_OK, f, FramingProp::EX));
        for option in [FramingCacheOps::READ_ORIG, FramingCacheOps::WRITE] {
            assert_eq!(get(&pin, option), (S_OK, null_mut(), FramingProp::UNINITIALIZED));
        }
        assert_eq!(set(&pin, null_mut(), FramingProp::NONE, FramingCacheOps::READ_ORIG), S_OK);
        assert_eq!(get(&pin, FramingCacheOps::READ_ORIG), (S_OK, null_mut(), FramingProp::NONE), "a pin without");
        assert_eq!(get(&pin, FramingCacheOps::READ_LAST), (S_OK, f, FramingProp::EX));
    }
}

#[test]
fn s158_the_drivers_framing_is_read_first_and_last() {
    let framing = a_framing(3, 100, 15);
    for builder in [KsPin::input("pin"), KsPin::output("pin")] {
        let pin = framed(builder, &framing);
        let (first, last) = (get(&pin, FramingCacheOps::READ_ORIG), get(&pin, FramingCacheOps::READ_LAST));
        assert_eq!(first, last, "one copy for both");
        assert_eq!((first.0, first.2), (S_OK, FramingProp::EX));
        // SAFETY: the pin's own, and nobody replaces it.
        assert_eq!(unsafe { *first.1 }, framing);
    }
}

#[test]
fn s158_a_framing_of_several_items_is_copied_whole() {
    let one = a_framing(3, 100, 15).framing_item[0];
    let other = KsFramingItem { memory_type: KSMEMORY_TYPE_KERNEL_PAGED, frames: 9, ..one };
    let head = KsAllocatorFramingExHead { pin_weight: 4, ..Default::default() };
    let mut bytes = [0; 24 + 2 * 88];
    write_framing_ex(head, [one, other].into_iter(), &mut bytes).unwrap();
    let pin = KsPin::output("pin").framing(FramingEx::parse(&bytes).unwrap()).build();
    let (_, pointer, _) = get(&pin, FramingCacheOps::READ_LAST);
    // SAFETY: the pin's own, as long as its CountItems says.
    assert_eq!(unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), bytes.len()) }, bytes);
}

#[test]
fn s159_an_option_that_names_no_slot_is_refused() {
    for pin in both() {
        for option in [FramingCacheOps::UPDATE, FramingCacheOps(4), FramingCacheOps(u32::MAX)] {
            assert_eq!(get(&pin, option), (E_INVALIDARG, null_mut(), FramingProp::UNINITIALIZED), "{option:?}");
            let framing = task_framing(a_framing(1, 1, 0));
            assert_eq!(set(&pin, framing, FramingProp::EX, option), E_INVALIDARG, "{option:?}");
            // SAFETY: what is refused stays the caller's.
            unsafe { task_free(framing.cast()) };
        }
    }
}

#[test]
fn s159_null_is_an_error_and_not_a_crash() {
    for pin in both() {
        let pipe = pin.pipe_interface();
        let option = FramingCacheOps::READ_LAST;
        let (mut framing, mut property) = (null_mut(), FramingProp::EX);
        // SAFETY: null is what is tested.
        unsafe {
            assert_eq!(pipe.KsGetPinFramingCache(null_mut(), &mut property, option), E_POINTER);
            assert_eq!(pipe.KsGetPinFramingCache(&mut framing, null_mut(), option), E_POINTER);
            assert_eq!(pipe.KsSetPinFramingCache(null_mut(), null_mut(), option), E_POINTER);
        }
    }
}

#[test]
fn s160_a_shared_framing_is_good_while_a_slot_has_it() {
    let (last, orig, write) = (FramingCacheOps::READ_LAST, FramingCacheOps::READ_ORIG, FramingCacheOps::WRITE);
    for pin in both() {
        let set = |framing, option| assert_eq!(set(&pin, framing, FramingProp::EX, option), S_OK);
        let expected = a_framing(7, 70, 15);
        let f = task_framing(expected);
        set(f, last);
        set(f, orig);
        set(null_mut(), last);
        set(f, orig);
        set(f, write);
        set(task_framing(a_framing(8, 80, 15)), orig);
        assert_eq!(get(&pin, write).1, f);
        // SAFETY: a slot has it still.
        assert_eq!(unsafe { *f }, expected);
        // That it is freed with its last slot is a test of the cache itself; here a memory checker would see it.
        set(null_mut(), write);
    }
}

#[test]
fn s158_s160_threads_replace_framings_pipe_and_allocator_at_once() {
    const ROUNDS: u32 = if cfg!(miri) { 20 } else { 2000 };
    let pin = KsPin::input("In").build();
    let options = [FramingCacheOps::READ_LAST, FramingCacheOps::READ_ORIG, FramingCacheOps::WRITE];
    let pipes = [KsAllocator::new(), KsAllocator::new()];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (pin, pipes) = (&pin, &pipes);
            scope.spawn(move || {
                let (ks, pipe) = (pin.ks_interface(), pin.pipe_interface());
                for round in 0..ROUNDS {
                    let option = options[(round + thread) as usize % 3];
                    let framing = task_framing(a_framing(round, 100, 15));
                    assert_eq!(set(pin, framing, FramingProp::EX, option), S_OK);
                    let asked = requirements(pin).expect("some framing");
                    assert!(asked.c_buffers < ROUNDS as i32 && asked.cb_buffer == 100);
                    let given = &pipes[(round % 2) as usize];
                    // SAFETY: interfaces.
                    unsafe {
                        assert_eq!(pipe.KsSetPipe(&given.interface()), S_OK);
                        let counted = pipe.KsGetPipe(KsPeekOperation::ADD_REF).map(ManuallyDrop::into_inner);
                        let base: IMemAllocator = given.memory_interface().cast().unwrap();
                        assert_eq!(ks.KsReceiveAllocator(&base), S_OK);
                        let allocator = ks.KsPeekAllocator(KsPeekOperation::ADD_REF).map(ManuallyDrop::into_inner);
                        assert!(counted.is_some() && allocator.is_some());
                        ks.KsIncrementPendingIoCount();
                        assert!(ks.KsDecrementPendingIoCount() >= 0);
                    }
                }
            });
        }
    });
    assert_eq!(pin.pending_io(), 0);
    drop(pin);
    for pipe in pipes {
        assert_eq!(references(&pipe.interface()), 2, "every reference was given up");
    }
}

/// An allocator of another library, which calls back when it is released for the last time.
#[implement(IMemAllocator)]
struct CallsBack(Option<Box<dyn FnOnce()>>);

impl Drop for CallsBack {
    fn drop(&mut self) {
        self.0.take().expect("once")();
    }
}

impl IMemAllocator_Impl for CallsBack_Impl {
    not_called! {
        SetProperties(*const AllocatorProperties, *mut AllocatorProperties);
        GetProperties(*mut AllocatorProperties);
        Commit();
        Decommit();
    }
    unsafe fn GetBuffer(
        &self,
        _: *mut Option<IMediaSample>,
        _: *const i64,
        _: *const i64,
        _: GetBufferFlags,
    ) -> HRESULT {
        panic!("not called")
    }
    unsafe fn ReleaseBuffer(&self, _: Ref<'_, IMediaSample>) -> HRESULT {
        panic!("not called")
    }
}

#[test]
fn s152_the_allocator_before_is_released_outside_every_lock() {
    let [input, output] = both();
    let released = Arc::new(AtomicU32::new(0));
    let calls_back = |pin: &KsPin| {
        let (pin, released) = (pin.clone(), released.clone());
        let call = move || {
            // Each of these takes the pin's lock, and would wait for ever if it were held.
            assert!(pin.allocator().is_none() && pin.pipe().is_none() && !pin.is_read_only());
            // SAFETY: null.
            assert_eq!(unsafe { pin.ks_interface().KsReceiveAllocator(None) }, S_OK);
            released.fetch_add(1, Ordering::SeqCst);
        };
        IMemAllocator::from(CallsBack(Some(Box::new(call))))
    };
    for pin in [&input, &output] {
        // SAFETY: an interface, and null.
        unsafe {
            assert_eq!(pin.ks_interface().KsReceiveAllocator(&calls_back(pin)), S_OK);
            assert_eq!(pin.ks_interface().KsReceiveAllocator(None), S_OK);
        }
    }
    assert_eq!(released.load(Ordering::SeqCst), 2);
    output.connect(&input).unwrap();
    let sink: IMemInputPin = input.interface().cast().unwrap();
    // SAFETY: an interface.
    assert_eq!(unsafe { sink.NotifyAllocator(&calls_back(&input), 1) }, S_OK);
    output.disconnect();
    assert_eq!(released.load(Ordering::SeqCst), 3, "disconnecting does so too");
}

#[test]
fn s015_every_interface_of_a_pin_has_one_identity() {
    for pin in both() {
        let identity = |unknown: windows_core::IUnknown| unknown.as_raw();
        let ks = identity(pin.ks_interface().cast().unwrap());
        assert_eq!(ks, identity(pin.pipe_interface().cast().unwrap()));
        assert_eq!(ks, identity(pin.interface().cast().unwrap()));
        assert_eq!(ks, identity(pin.interface().cast::<IKsObject>().unwrap().cast().unwrap()));
        let base: IKsPin = pin.ks_interface().cast().unwrap();
        assert_eq!(base.as_raw(), pin.ks_interface().as_raw(), "an interface and the one it derives from");
    }
}

#[test]
fn s014_a_pin_answers_the_interfaces_of_its_class_and_no_others() {
    let answers = |pin: &KsPin, iid: Guid| {
        let iid = windows_core::GUID::from_u128(iid.to_u128());
        let mut object = std::ptr::dangling_mut();
        // SAFETY: both pointers are good.
        let answer = unsafe { pin.interface().query(&iid, &mut object) };
        assert_eq!(answer == S_OK, !object.is_null());
        // SAFETY: the reference that was counted is given up.
        drop((answer == S_OK).then(|| unsafe { windows_core::IUnknown::from_raw(object) }));
        answer
    };
    let [input, output] = both();
    for pin in [&input, &output] {
        for iid in [IID_IUnknown, IID_IKsObject, IID_IKsPin, IID_IKsPinEx, IID_IKsPinPipe, IID_IPin] {
            assert_eq!(answers(pin, iid), S_OK, "{iid}");
        }
        assert_eq!(answers(pin, IID_IKsAllocatorEx), E_NOINTERFACE);
        assert_eq!(references(&pin.interface()), 2);
    }
    for (pin, own, others) in
        [(&input, IID_IMemInputPin, IID_IAMBufferNegotiation), (&output, IID_IAMBufferNegotiation, IID_IMemInputPin)]
    {
        assert_eq!((answers(pin, own), answers(pin, others)), (S_OK, E_NOINTERFACE));
    }
    assert_eq!(input.handle(), Handle::NULL);
}
