//! What a ready pin is made with and what it is told: names, lists, handle, requests under way, quality and errors; and
//! `KspCreatePin`.
#![allow(non_snake_case)]

mod common;

use common::pins::both;
use common::*;
use ks::*;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use ksproxy::{Handle, InProcessObjects, KsAllocator, KsPin, KspCreatePin, KspPin, PinEvents};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use windows_core::{HRESULT, Interface, implement};

/// A text of the pin's, up to its zero.
fn text(units: *const u16) -> String {
    // SAFETY: the pin's texts end in a zero.
    let units = unsafe {
        let length = (0..).find(|index| units.add(*index).read() == 0).expect("a zero");
        std::slice::from_raw_parts(units, length)
    };
    String::from_utf16(units).expect("text")
}

#[test]
fn names_are_the_pins_own_and_never_null() {
    let pin = KsPin::input("Eingang \u{1F4FA}").filter_name("Bild\0schirm").build();
    let pipe = pin.pipe_interface();
    // SAFETY: no pointers.
    unsafe {
        assert_eq!(
            (text(pipe.KsGetPinName()), text(pipe.KsGetFilterName())),
            ("Eingang \u{1F4FA}".into(), "Bild".into())
        );
        assert_eq!(pipe.KsGetPinName(), pipe.KsGetPinName(), "the same text every time");
    }
    let nameless = KsPin::output("").build();
    // SAFETY: no pointers.
    unsafe { assert_eq!(text(nameless.pipe_interface().KsGetFilterName()), "") };

    let mut id = null_mut();
    let mut info = PinInfo::default();
    // SAFETY: the places are there, and the identifier is the caller's to free; null is what is tested.
    unsafe {
        assert_eq!((pin.interface().QueryId(&mut id), text(id)), (S_OK, "Eingang \u{1F4FA}".into()));
        task_free(id.cast());
        assert_eq!(pin.interface().QueryId(null_mut()), E_POINTER);
        assert_eq!(pin.interface().QueryPinInfo(null_mut()), E_POINTER);
        assert_eq!(pin.interface().QueryPinInfo(&mut info), S_OK);
    }
    assert_eq!(
        (info.p_filter, info.dir, text(info.ach_name.as_ptr())),
        (null_mut(), PinDirection::INPUT, "Eingang \u{1F4FA}".into())
    );
    for (pin, direction) in [(&pin, PinDirection::INPUT), (&nameless, PinDirection::OUTPUT)] {
        let mut told = PinDirection(9);
        // SAFETY: as above.
        unsafe {
            assert_eq!((pin.interface().QueryDirection(&mut told), told), (S_OK, direction));
            assert_eq!(pin.interface().QueryDirection(null_mut()), E_POINTER);
        }
        assert_eq!(pin.direction(), direction);
    }
}

/// A host's filter, of which pins only count references.
#[implement(IBaseFilter)]
struct Filter;

#[rustfmt::skip]
impl IPersist_Impl for Filter_Impl {
    unsafe fn GetClassID(&self, _: *mut Guid) -> HRESULT { panic!("not called") }
}

#[rustfmt::skip]
impl IMediaFilter_Impl for Filter_Impl {
    unsafe fn Stop(&self) -> HRESULT { panic!("not called") }
    unsafe fn Pause(&self) -> HRESULT { panic!("not called") }
    unsafe fn Run(&self, _: i64) -> HRESULT { panic!("not called") }
    unsafe fn GetState(&self, _: u32, _: *mut FilterState) -> HRESULT { panic!("not called") }
    unsafe fn SetSyncSource(&self, _: *mut c_void) -> HRESULT { panic!("not called") }
    unsafe fn GetSyncSource(&self, _: *mut *mut c_void) -> HRESULT { panic!("not called") }
}

#[rustfmt::skip]
impl IBaseFilter_Impl for Filter_Impl {
    unsafe fn EnumPins(&self, _: *mut Option<IEnumPins>) -> HRESULT { panic!("not called") }
    unsafe fn FindPin(&self, _: *const u16, _: *mut Option<IPin>) -> HRESULT { panic!("not called") }
    unsafe fn QueryFilterInfo(&self, _: *mut FilterInfo) -> HRESULT { panic!("not called") }
    unsafe fn JoinFilterGraph(&self, _: *mut c_void, _: *const u16) -> HRESULT { panic!("not called") }
    unsafe fn QueryVendorInfo(&self, _: *mut *mut u16) -> HRESULT { panic!("not called") }
}

#[test]
fn a_pin_names_the_filter_its_host_gave_it() {
    for pin in both() {
        let filter = IBaseFilter::from(Filter);
        pin.set_filter(Some(&filter));
        assert_eq!(references(&filter), 2);
        let mut info = PinInfo::default();
        // SAFETY: the place is there, and the filter in it an interface with a reference of the test's.
        unsafe {
            assert_eq!(pin.interface().QueryPinInfo(&mut info), S_OK);
            assert_eq!((info.p_filter, references(&filter)), (filter.as_raw(), 3));
            drop(IBaseFilter::from_raw(info.p_filter));
        }
        pin.set_filter(None);
        assert_eq!(references(&filter), 1);
    }
}

/// A list of a pin's, and its memory freed.
fn list(query: impl Fn(*mut *mut KsMultipleItem) -> HRESULT) -> Vec<KsIdentifier> {
    let mut list = null_mut::<KsMultipleItem>();
    assert_eq!(query(&mut list), S_OK);
    assert_eq!(query(null_mut()), E_POINTER);
    // SAFETY: a head and, after it, as many items as it says; in task memory that is the caller's.
    unsafe {
        let head = *list;
        assert_eq!(head.size, 8 + 24 * head.count);
        let items = std::slice::from_raw_parts(list.add(1).cast::<KsIdentifier>(), head.count as usize).to_vec();
        task_free(list.cast());
        items
    }
}

#[test]
fn mediums_and_interfaces_are_lists_that_the_caller_frees() {
    let items = [3, 1, 2].map(|id| KsIdentifier { set: KSMEMORY_TYPE_SYSTEM, id, flags: 0 });
    for (mediums, interfaces) in [(&items[..], &items[1..]), (&[], &items[2..]), (&items[..1], &[])] {
        let pin = KsPin::output("Out").mediums(mediums).interfaces(interfaces).build();
        let ks = pin.ks_interface();
        // SAFETY: null or a place that is there.
        assert_eq!(list(|list| unsafe { ks.KsQueryMediums(list) }), mediums);
        // SAFETY: as above.
        assert_eq!(list(|list| unsafe { ks.KsQueryInterfaces(list) }), interfaces);
        let (mut communication, mut interface, mut medium) = Default::default();
        // SAFETY: null or places that are there.
        unsafe {
            assert_eq!(ks.KsGetCurrentCommunication(&mut communication, &mut interface, &mut medium), S_OK);
            assert_eq!(ks.KsGetCurrentCommunication(null_mut(), null_mut(), null_mut()), S_OK, "each is optional");
        }
        let first = |list: &[KsIdentifier]| list.first().copied().unwrap_or_default();
        assert_eq!((communication, interface, medium), (KsPinCommunication::SOURCE, first(interfaces), first(mediums)));
    }
}

#[test]
fn a_sink_gets_a_handle_by_an_interface_and_a_medium_it_has() {
    let items = [1, 2].map(|id| KsIdentifier { set: KSMEMORY_TYPE_SYSTEM, id, flags: 0 });
    let pin = KsPin::input("In").mediums(&items).interfaces(&items).build();
    let ks = pin.ks_interface();
    let (mut has, mut has_not) = (items[1], KsIdentifier { id: 3, ..items[0] });
    // SAFETY: null or structures that are there.
    unsafe {
        assert_eq!(ks.KsCreateSinkPinHandle(null_mut(), &mut has), E_POINTER);
        assert_eq!(ks.KsCreateSinkPinHandle(&mut has, null_mut()), E_POINTER);
        assert_eq!(ks.KsCreateSinkPinHandle(&mut has_not, &mut has), E_INVALIDARG);
        assert_eq!(ks.KsCreateSinkPinHandle(&mut has, &mut has_not), E_INVALIDARG);
        assert_eq!(pin.handle(), Handle::NULL);
        assert_eq!(ks.KsCreateSinkPinHandle(&mut has, &mut has), S_OK);
        let handle = pin.handle();
        let object: IKsObject = ks.cast().unwrap();
        assert!(handle.is_object() && object.KsGetObjectHandle() == handle);
        assert_eq!((ks.KsCreateSinkPinHandle(&mut has, &mut has), pin.handle()), (S_OK, handle), "and keeps it");
        let (mut interface, mut medium) = Default::default();
        assert_eq!(ks.KsGetCurrentCommunication(null_mut(), &mut interface, &mut medium), S_OK);
        assert_eq!((interface, medium), (has, has), "what the handle was created with is the current one");
        let source = KsPin::output("Out").mediums(&items).interfaces(&items).build();
        assert_eq!(source.ks_interface().KsCreateSinkPinHandle(&mut has, &mut has), E_FAIL);
    }
}

#[test]
fn s127_an_allocator_is_created_on_a_ready_pins_handle() {
    let pin = KsPin::input("In").handle(InProcessObjects::create_sink_pin().expect("a pin")).build();
    let a = KsAllocator::new();
    a.set_properties_ex(&AllocatorPropertiesEx { c_buffers: 4, cb_buffer: 4096, ..Default::default() });
    let before = references(&pin.interface());
    assert!(a.create_allocator(&IKsPin::from(pin.clone())).is_object());
    assert_eq!((a.status().unwrap().framing.frames, references(&pin.interface())), (4, before));
    assert_eq!(KsAllocator::new().create_allocator(&KsPin::input("In").build().into()), Handle::NULL, "it has none");
}

#[test]
fn a_pin_owns_its_handle_and_has_one_at_most() {
    let (handle, watcher) = watched_handle();
    let pin = KsPin::output("Out").handle(handle).build();
    let (other, other_watcher) = watched_handle();
    let other = pin.set_handle(other).expect_err("it has one");
    assert!(!is_closed(&other_watcher) && !is_closed(&watcher));
    drop((pin, other));
    assert!(is_closed(&watcher) && is_closed(&other_watcher));
}

#[test]
fn requests_under_way_are_counted_from_0() {
    for pin in both() {
        let ks = pin.ks_interface();
        // SAFETY: no pointers.
        unsafe {
            assert_eq!([ks.KsIncrementPendingIoCount(), ks.KsIncrementPendingIoCount()], [1, 2]);
            assert_eq!([ks.KsDecrementPendingIoCount(), ks.KsDecrementPendingIoCount()], [1, 0]);
            assert_eq!((ks.KsDecrementPendingIoCount(), ks.KsIncrementPendingIoCount()), (0, 1), "and no further");
        }
        assert_eq!(pin.pending_io(), 1);
    }
}

/// A host that records what it is told, and calls the pin back.
#[derive(Default)]
struct Host {
    told: Mutex<Vec<String>>,
    pin: Mutex<Option<KsPin>>,
}

impl PinEvents for Host {
    fn quality(&self, proportion: u32, delta: i64) -> HRESULT {
        self.told.lock().unwrap().push(format!("quality {proportion} {delta}"));
        let pin = self.pin.lock().unwrap();
        // No lock of the pin is held, so this comes back.
        assert_eq!(pin.as_ref().expect("the pin").last_quality(), Some((proportion, delta)));
        S_FALSE
    }
    fn error(&self, sample: Option<&IMediaSample>, error: HRESULT) {
        self.told.lock().unwrap().push(format!("error {} {:#x}", sample.map_or(0, size), error.0));
    }
}

#[test]
fn a_host_is_told_of_quality_and_errors() {
    let host = Arc::new(Host::default());
    let pin = KsPin::input("In").events(host.clone()).build();
    *host.pin.lock().unwrap() = Some(pin.clone());
    let a = Subject::committed(1, 64, 1, 0);
    let sample = a.sample();
    // SAFETY: null or an interface.
    unsafe {
        assert_eq!(pin.ks_interface().KsQualityNotify(750, -5), S_FALSE, "the host's answer");
        pin.ks_interface().KsNotifyError(&sample, VFW_E_TIMEOUT);
        pin.ks_interface().KsNotifyError(None, E_FAIL);
    }
    assert_eq!(*host.told.lock().unwrap(), ["quality 750 -5", "error 64 0x8004022e", "error 0 0x80004005"]);
    assert_eq!(pin.last_error(), Some(E_FAIL));
    *host.pin.lock().unwrap() = None;

    let alone = KsPin::output("Out").build();
    assert_eq!((alone.last_quality(), alone.last_error()), (None, None));
    // SAFETY: no pointers.
    assert_eq!(unsafe { alone.ks_interface().KsQualityNotify(1000, i64::MIN) }, S_OK);
    assert_eq!(alone.last_quality(), Some((1000, i64::MIN)));
}

#[test]
fn a_host_that_panics_at_its_end_does_not_take_the_process_with_it() {
    struct Spiteful;
    impl PinEvents for Spiteful {
        fn quality(&self, _: u32, _: i64) -> HRESULT {
            panic!("in the host")
        }
        fn error(&self, _: Option<&IMediaSample>, _: HRESULT) {
            panic!("in the host")
        }
    }
    impl Drop for Spiteful {
        fn drop(&mut self) {
            panic!("at its end")
        }
    }
    let pin = KsPin::input("In").events(Arc::new(Spiteful)).build();
    // SAFETY: no pointers.
    unsafe {
        assert_eq!(pin.ks_interface().KsQualityNotify(1, 1), E_UNEXPECTED);
        pin.ks_interface().KsNotifyError(None, E_FAIL);
    }
    drop(pin);
}

/// What `KspCreatePin` is given in these tests.
fn described(direction: PinDirection) -> KspPin {
    KspPin {
        size: size_of::<KspPin>() as u32,
        direction,
        pin_name: null(),
        filter_name: null(),
        framing: null(),
        framing_size: 0,
        communication: KsPinCommunication::NONE,
        handle: Handle::NULL,
    }
}

fn create<I: Interface>(pin: *const KspPin) -> Result<I, HRESULT> {
    let mut object = std::ptr::dangling_mut();
    // SAFETY: null or a description whose pointers are good, and a place that is there.
    let answer = unsafe { KspCreatePin(pin, &I::IID, &mut object) };
    assert_eq!(answer == S_OK, !object.is_null());
    // SAFETY: with S_OK an interface with a reference of the caller's.
    result(answer).map(|()| unsafe { I::from_raw(object) })
}

#[test]
fn ksp_create_pin_makes_what_is_described() {
    let name: Vec<u16> = "Out\0".encode_utf16().collect();
    let framing = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 2, AlignmentMask(7), 100, 100);
    let (handle, watcher) = watched_handle();
    let pin = KspPin {
        pin_name: name.as_ptr(),
        framing: &framing,
        framing_size: 112,
        communication: KsPinCommunication::BOTH,
        handle: handle.into_raw(),
        ..described(PinDirection::OUTPUT)
    };
    let pipe: IKsPinPipe = create(&pin).unwrap();
    let (mut cached, mut property, mut communication) = (null_mut(), FramingProp::NONE, KsPinCommunication::NONE);
    // SAFETY: places that are there.
    unsafe {
        assert_eq!((text(pipe.KsGetPinName()), text(pipe.KsGetFilterName())), ("Out".into(), "".into()));
        assert_eq!(pipe.KsGetPinFramingCache(&mut cached, &mut property, FramingCacheOps::READ_ORIG), S_OK);
        assert_eq!((*cached, property), (framing, FramingProp::EX));
        assert!(!std::ptr::eq(cached, &framing), "a copy");
        let ks: IKsPin = pipe.cast().unwrap();
        assert_eq!(ks.KsGetCurrentCommunication(&mut communication, null_mut(), null_mut()), S_OK);
        assert_eq!(communication, KsPinCommunication::BOTH);
        assert_eq!(pipe.cast::<IKsObject>().unwrap().KsGetObjectHandle(), pin.handle);
    }
    drop(pipe);
    assert!(is_closed(&watcher), "the handle was the pin's");
    assert!(create::<IMemInputPin>(&described(PinDirection::INPUT)).is_ok(), "nothing but a direction is needed");
}

#[test]
fn ksp_create_pin_refuses_what_is_wrong_and_leaves_the_handle() {
    let framing = KsAllocatorFramingEx { count_items: 2, ..Default::default() };
    let endless = vec![u16::from(b'x'); 32768];
    let (handle, watcher) = watched_handle();
    let sound = KspPin { handle: handle.handle(), ..described(PinDirection::OUTPUT) };
    for (wrong, expected) in [
        (KspPin { size: 0, ..sound }, E_INVALIDARG),
        (KspPin { size: sound.size + 1, ..sound }, E_INVALIDARG),
        (KspPin { direction: PinDirection(2), ..sound }, E_INVALIDARG),
        (KspPin { framing: &framing, framing_size: 112, ..sound }, E_INVALIDARG),
        (KspPin { framing: &framing, framing_size: 0, ..sound }, E_INVALIDARG),
        (KspPin { framing_size: 112, ..sound }, E_POINTER),
        (KspPin { pin_name: endless.as_ptr(), ..sound }, E_INVALIDARG),
        (KspPin { handle: Handle(i32::MAX as isize), ..sound }, E_HANDLE),
        (KspPin { handle: Handle(1), ..sound }, E_HANDLE),
    ] {
        assert_eq!(create::<IPin>(&wrong).err(), Some(expected), "{wrong:?}");
    }
    assert_eq!(create::<IMemInputPin>(&sound).err(), Some(E_NOINTERFACE), "an output pin");
    assert_eq!(create::<IPin>(null()).err(), Some(E_POINTER));
    let mut object = null_mut();
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(KspCreatePin(&sound, null(), &mut object), E_POINTER);
        assert_eq!(KspCreatePin(&sound, &IPin::IID, null_mut()), E_POINTER);
    }
    assert!(!is_closed(&watcher), "what failed took nothing over");
    drop(handle);
}
