//! What a ready pin does besides the statements of `s152_pins.rs`: connections, internal routes, names, lists, and
//! what it is told.
#![allow(non_snake_case)]

mod common;

use common::*;
use ks::*;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use ksproxy::{Handle, InProcessObjects, KsAllocator, KsPin, KspCreatePin, KspPin, PinEvents, Segment};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use windows_core::{HRESULT, Interface, Ref, implement};

/// A new pin of each class.
fn both() -> [KsPin; 2] {
    [KsPin::input("In").build(), KsPin::output("Out").build()]
}

fn connected_to(pin: &KsPin) -> (HRESULT, Option<IPin>) {
    let mut peer = None;
    // SAFETY: the place is there.
    (unsafe { pin.interface().ConnectedTo(&mut peer) }, peer)
}

/// The pin that `KsGetConnectedPin` lends.
fn lent(pin: &KsPin) -> *mut c_void {
    // SAFETY: no pointers.
    unsafe { pin.pipe_interface().KsGetConnectedPin() }.map_or(null_mut(), |peer| peer.as_raw())
}

fn connect(output: &impl Interface, input: Option<&IPin>, media_type: *const AmMediaType) -> HRESULT {
    // SAFETY: a pin; null or a pin; null or a media type.
    unsafe { output.cast::<IPin>().expect("a pin").Connect(input, media_type) }
}

#[test]
fn two_pins_connect_and_refer_to_each_other_until_both_disconnect() {
    let [input, output] = both();
    assert_eq!((connected_to(&output), lent(&output)), ((VFW_E_NOT_CONNECTED, None), null_mut()));
    output.connect(&input).unwrap();
    for (pin, peer) in [(&input, &output), (&output, &input)] {
        let (answer, found) = connected_to(pin);
        assert_eq!((answer, found), (S_OK, Some(peer.interface())));
        let before = references(&peer.interface());
        assert_eq!((lent(pin), references(&peer.interface())), (peer.interface().as_raw(), before), "only lent");
        assert_eq!(before, 3, "the test's, the other pin's, and the one at hand");
    }
    // SAFETY: no pointers.
    unsafe {
        assert_eq!(output.interface().Disconnect(), S_OK);
        assert_eq!(output.interface().Disconnect(), S_FALSE);
    }
    assert!(!output.is_connected() && input.is_connected(), "each side for itself");
    input.disconnect();
    assert!(!input.is_connected());
    assert_eq!((references(&input.interface()), references(&output.interface())), (2, 2));
}

#[test]
fn a_pin_is_connected_once_and_only_to_the_other_direction() {
    let [input, output] = both();
    let [other_input, other_output] = both();
    assert_eq!(connect(&input.interface(), Some(&output.interface()), null()), VFW_E_INVALID_DIRECTION);
    assert_eq!(connect(&output.interface(), Some(&other_output.interface()), null()), VFW_E_INVALID_DIRECTION);
    assert_eq!(connect(&output.interface(), Some(&output.interface()), null()), VFW_E_INVALID_DIRECTION);
    let media_type = AmMediaType::default();
    // SAFETY: pins and a media type.
    unsafe {
        assert_eq!(input.interface().ReceiveConnection(&other_input.interface(), &media_type), VFW_E_INVALID_DIRECTION);
        assert_eq!(output.interface().ReceiveConnection(&input.interface(), &media_type), VFW_E_INVALID_DIRECTION);
    }
    assert!(!input.is_connected() && !output.is_connected(), "what failed left nothing behind");
    output.connect(&input).unwrap();
    assert_eq!(connect(&output.interface(), Some(&other_input.interface()), null()), VFW_E_ALREADY_CONNECTED);
    assert_eq!(connect(&other_output.interface(), Some(&input.interface()), null()), VFW_E_ALREADY_CONNECTED);
    assert!(!other_input.is_connected() && !other_output.is_connected());
    output.disconnect();
}

#[test]
fn the_connections_media_type_is_the_one_given_or_any() {
    let [input, output] = both();
    let mut read = AmMediaType { cb_format: 3, ..Default::default() };
    // SAFETY: the structure is there.
    unsafe { assert_eq!(input.interface().ConnectionMediaType(&mut read), VFW_E_NOT_CONNECTED) };
    assert_eq!(read, AmMediaType::default(), "cleared");

    let mut block = *b"format";
    let given = AmMediaType {
        majortype: KSMEMORY_TYPE_USER,
        l_sample_size: 7,
        cb_format: 6,
        pb_format: block.as_mut_ptr().cast(),
        ..Default::default()
    };
    assert_eq!(connect(&output.interface(), Some(&input.interface()), &given), S_OK);
    block.fill(0);
    for pin in [&input, &output] {
        // SAFETY: the structure is there, and its format block the test's to free.
        unsafe {
            assert_eq!(pin.interface().ConnectionMediaType(&mut read), S_OK);
            assert_eq!((read.majortype, read.l_sample_size, read.cb_format), (KSMEMORY_TYPE_USER, 7, 6));
            assert_eq!(std::slice::from_raw_parts(read.pb_format.cast::<u8>(), 6), b"format", "a copy of its own");
            libc::free(read.pb_format);
        }
    }
    output.disconnect();
    output.connect(&input).unwrap();
    // SAFETY: as above.
    unsafe { assert_eq!(input.interface().ConnectionMediaType(&mut read), S_OK) };
    assert_eq!(read, AmMediaType::default());
    output.disconnect();
    let torn = AmMediaType { cb_format: 6, ..Default::default() };
    assert_eq!(connect(&output.interface(), Some(&input.interface()), &torn), E_POINTER);
    assert!(!output.is_connected());
}

/// Another library's pin, which answers as it is told to and may call back.
#[implement(IPin)]
struct Foreign {
    direction: (HRESULT, PinDirection),
    answer: HRESULT,
    on_connection: Box<dyn Fn(&IPin)>,
}

impl IPin_Impl for Foreign_Impl {
    unsafe fn ReceiveConnection(&self, connector: Ref<'_, IPin>, _: *const AmMediaType) -> HRESULT {
        (self.on_connection)(connector.unwrap());
        self.answer
    }
    unsafe fn QueryDirection(&self, direction: *mut PinDirection) -> HRESULT {
        // SAFETY: the pin under test gives a place.
        unsafe { direction.write(self.direction.1) };
        self.direction.0
    }
    unsafe fn Disconnect(&self) -> HRESULT {
        S_OK
    }
    unsafe fn Connect(&self, _: Ref<'_, IPin>, _: *const AmMediaType) -> HRESULT {
        panic!("not called")
    }
    unsafe fn ConnectedTo(&self, _: *mut Option<IPin>) -> HRESULT {
        panic!("not called")
    }
    unsafe fn ConnectionMediaType(&self, _: *mut AmMediaType) -> HRESULT {
        panic!("not called")
    }
    unsafe fn QueryPinInfo(&self, _: *mut PinInfo) -> HRESULT {
        panic!("not called")
    }
    unsafe fn QueryId(&self, _: *mut *mut u16) -> HRESULT {
        panic!("not called")
    }
    unsafe fn QueryAccept(&self, _: *const AmMediaType) -> HRESULT {
        panic!("not called")
    }
    unsafe fn EnumMediaTypes(&self, _: *mut Option<IEnumMediaTypes>) -> HRESULT {
        panic!("not called")
    }
    unsafe fn QueryInternalConnections(&self, _: *mut Option<IPin>, _: *mut u32) -> HRESULT {
        panic!("not called")
    }
    unsafe fn EndOfStream(&self) -> HRESULT {
        panic!("not called")
    }
    unsafe fn BeginFlush(&self) -> HRESULT {
        panic!("not called")
    }
    unsafe fn EndFlush(&self) -> HRESULT {
        panic!("not called")
    }
    unsafe fn NewSegment(&self, _: i64, _: i64, _: f64) -> HRESULT {
        panic!("not called")
    }
}

fn foreign(direction: HRESULT, answer: HRESULT, on_connection: impl Fn(&IPin) + 'static) -> IPin {
    Foreign { direction: (direction, PinDirection::INPUT), answer, on_connection: Box::new(on_connection) }.into()
}

#[test]
fn what_a_foreign_pin_answers_decides_the_connection() {
    for (direction, answer) in [(S_OK, VFW_E_TYPE_NOT_ACCEPTED), (E_FAIL, S_OK), (S_OK, S_OK), (S_OK, S_FALSE)] {
        let output = KsPin::output("Out").build();
        let other = foreign(direction, answer, |_| ());
        let expected = [direction, answer].into_iter().find(|answer| answer.is_err()).unwrap_or(S_OK);
        assert_eq!(connect(&output.interface(), Some(&other), null()), expected);
        assert_eq!((output.is_connected(), references(&other)), (expected == S_OK, 1 + u32::from(expected == S_OK)));
        output.disconnect();
        assert_eq!((output.is_connected(), references(&other)), (false, 1));
    }
}

#[test]
fn a_foreign_pin_may_call_back_while_it_is_being_connected() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let output = KsPin::output("Out").build();
    let (log, own) = (seen.clone(), output.clone());
    let other = foreign(S_OK, S_OK, move |connector| {
        // SAFETY: pins, null, and a place that is there.
        let answers = unsafe {
            let mut peer = None;
            [connector.Disconnect(), connector.ConnectedTo(&mut peer), connector.Connect(connector, null())]
        };
        *log.lock().unwrap() = answers.to_vec();
        own.set_filter(None);
        assert_eq!(own.connect(&KsPin::input("In").build()).unwrap_err().code(), VFW_E_ALREADY_CONNECTED);
    });
    assert_eq!(connect(&output.interface(), Some(&other), null()), S_OK);
    assert_eq!(*seen.lock().unwrap(), [S_FALSE, VFW_E_NOT_CONNECTED, VFW_E_ALREADY_CONNECTED]);
    assert!(output.is_connected());
    output.disconnect();
    assert_eq!(references(&other), 1);
}

#[test]
fn threads_that_connect_one_pin_at_once_make_one_connection() {
    let output = KsPin::output("Out").build();
    let inputs: Vec<KsPin> = (0..4).map(|_| KsPin::input("In").build()).collect();
    for _ in 0..100 {
        let made: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = inputs.iter().map(|input| scope.spawn(|| output.connect(input).is_ok())).collect();
            tries.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
        });
        // A try fails while another is being made, which may fail in turn only for an input that is taken: none is.
        assert_eq!(made, 1);
        assert_eq!(inputs.iter().filter(|input| input.is_connected()).count(), 1);
        output.disconnect();
    }
    for input in &inputs {
        assert_eq!(references(&input.interface()), 2);
    }
}

#[test]
fn disconnecting_gives_the_connections_allocator_up_and_keeps_the_pipe() {
    let [input, output] = both();
    let x = KsAllocator::new();
    let base: IMemAllocator = x.memory_interface().cast().unwrap();
    let sink: IMemInputPin = input.interface().cast().unwrap();
    output.connect(&input).unwrap();
    // SAFETY: interfaces, and a place that is there.
    unsafe {
        assert_eq!(sink.NotifyAllocator(&base, 1), S_OK);
        assert_eq!(input.pipe_interface().KsSetPipe(&x.interface()), S_OK);
        let mut own = None;
        assert_eq!((sink.GetAllocator(&mut own), own.map(|own| own.as_raw())), (S_OK, Some(base.as_raw())));
    }
    assert!(input.is_read_only() && input.allocator().is_some());
    output.disconnect();
    assert!(!input.is_read_only() && input.allocator().is_none() && input.pipe().is_some());
    let mut own = Some(base.clone());
    // SAFETY: the place is there; what it had is the test's.
    unsafe {
        let had = own.take();
        assert_eq!((sink.GetAllocator(&mut own), own), (VFW_E_NO_ALLOCATOR, None));
        drop(had);
        assert_eq!(sink.GetAllocator(null_mut()), E_POINTER);
        assert_eq!(sink.NotifyAllocator(None, 0), E_POINTER);
    }
}

#[test]
fn an_output_pins_buffers_are_suggested_before_and_told_after_it_is_connected() {
    let [input, output] = both();
    let negotiation: IAMBufferNegotiation = output.interface().cast().unwrap();
    let suggested = properties(3, -1, 16, 0);
    let mut told = properties(-7, -7, -7, -7);
    // SAFETY: the structures are there; null is what is tested.
    unsafe {
        assert_eq!(negotiation.SuggestAllocatorProperties(null()), E_POINTER);
        assert_eq!(negotiation.GetAllocatorProperties(null_mut()), E_POINTER);
        assert_eq!(negotiation.GetAllocatorProperties(&mut told), VFW_E_NOT_CONNECTED);
        assert_eq!(negotiation.SuggestAllocatorProperties(&suggested), S_OK);
        assert_eq!(output.suggested_properties(), Some(suggested));
        output.connect(&input).unwrap();
        assert_eq!(negotiation.SuggestAllocatorProperties(&suggested), VFW_E_ALREADY_CONNECTED);
        assert_eq!(negotiation.GetAllocatorProperties(&mut told), E_FAIL, "there is no allocator yet");
        let a = Subject::new();
        a.set(properties(2, 64, 1, 0)).unwrap();
        let base: IMemAllocator = a.memory.cast().unwrap();
        assert_eq!(output.ks_interface().KsReceiveAllocator(&base), S_OK);
        assert_eq!((negotiation.GetAllocatorProperties(&mut told), told), (S_OK, properties(2, 64, 1, 0)));
        output.disconnect();
    }
}

/// What `QueryInternalConnections` answers to an array of so many places, and the pins in it.
fn internal(pin: &KsPin, room: usize) -> (HRESULT, u32, Vec<Option<IPin>>) {
    let mut pins = vec![None; room];
    let mut count = room as u32;
    // SAFETY: the array is as long as the count says.
    (unsafe { pin.interface().QueryInternalConnections(pins.as_mut_ptr(), &mut count) }, count, pins)
}

#[test]
fn internal_connections_are_answered_as_the_array_has_room() {
    let [input, first] = both();
    let second = KsPin::output("Second").build();
    assert_eq!(internal(&input, 2), (E_NOTIMPL, 2, vec![None, None]), "every output pin");
    input.set_internal_connections(Some(&[&first, &second])).unwrap();
    let all = vec![Some(first.interface()), Some(second.interface())];
    assert_eq!(internal(&input, 2), (S_OK, 2, all.clone()));
    assert_eq!(internal(&input, 3), (S_OK, 2, [all, vec![None]].concat()));
    assert_eq!(internal(&input, 1), (S_FALSE, 2, vec![None]), "all or none");
    assert_eq!(internal(&input, 0), (S_FALSE, 2, vec![]));
    let mut count = 77;
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(input.interface().QueryInternalConnections(null_mut(), &mut count), S_FALSE);
        assert_eq!(count, 2, "how many there are is asked with null, whatever the count says");
        assert_eq!(input.interface().QueryInternalConnections(null_mut(), null_mut()), E_POINTER);
    }
    assert_eq!(references(&first.interface()), 2, "the pin does not keep them");
    drop(second);
    assert_eq!(internal(&input, 2), (S_OK, 1, vec![Some(first.interface()), None]), "one is gone");
    input.set_internal_connections(Some(&[])).unwrap();
    assert_eq!(internal(&input, 0), (S_OK, 0, vec![]), "a renderer");
    input.set_internal_connections(None).unwrap();
    assert_eq!(internal(&input, 0).0, E_NOTIMPL);
}

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
        libc::free(id.cast());
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
        libc::free(list.cast());
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

#[test]
fn streams_are_no_business_of_a_ready_pin() {
    let [input, output] = both();
    let sink: IMemInputPin = input.interface().cast().unwrap();
    let a = Subject::committed(1, 64, 1, 0);
    let sample = a.sample();
    let samples = [Some(sample.clone())];
    let mut taken = 9;
    let mut segment = KsStreamSegment::default();
    // SAFETY: interfaces, places that are there, or null, which is tested.
    unsafe {
        let (into, out) = (input.interface(), output.interface());
        for expected in [VFW_E_NOT_CONNECTED, VFW_E_WRONG_STATE] {
            assert_eq!((sink.Receive(&sample), into.EndOfStream()), (expected, expected));
            assert_eq!((sink.ReceiveMultiple(samples.as_ptr(), 1, &mut taken), taken), (expected, 0));
            let _ = output.connect(&input);
        }
        assert_eq!((sink.Receive(None), sink.ReceiveCanBlock()), (E_POINTER, S_FALSE));
        assert_eq!(sink.ReceiveMultiple(null(), 1, &mut taken), E_POINTER);
        assert_eq!(sink.ReceiveMultiple(samples.as_ptr(), i32::MIN, null_mut()), E_POINTER);
        assert_eq!((into.BeginFlush(), into.EndFlush()), (S_OK, S_OK));
        assert_eq!((out.EndOfStream(), out.BeginFlush(), out.EndFlush()), (E_UNEXPECTED, E_UNEXPECTED, E_UNEXPECTED));
        assert_eq!(into.NewSegment(1, 2, 0.5), S_OK);
        assert_eq!(input.segment(), Some(Segment { start: 1, stop: 2, rate: 0.5 }));
        assert_eq!(input.ks_interface().KsDeliver(&sample, 0), E_FAIL, "as its page says of input pins");
        let ks = output.ks_interface();
        assert_eq!((ks.KsDeliver(&sample, 0), ks.KsDeliver(None, 0)), (E_NOTIMPL, E_POINTER));
        assert_eq!((ks.KsPropagateAcquire(), ks.KsRenegotiateAllocator()), (E_NOTIMPL, E_NOTIMPL));
        assert_eq!(ks.KsMediaSamplesCompleted(null_mut()), E_POINTER);
        assert_eq!(ks.KsMediaSamplesCompleted(&mut segment), E_NOTIMPL);
    }
    assert_eq!(references(&sample), 2, "the test's and the array's");
    output.disconnect();
}

#[test]
fn any_media_type_is_accepted_and_none_preferred() {
    let [input, _] = both();
    let media_type = AmMediaType::default();
    let mut enumerator = None;
    let (mut found, mut fetched) = (null_mut(), 7);
    // SAFETY: places that are there, or null, which is tested.
    unsafe {
        assert_eq!(input.interface().QueryAccept(&media_type), S_OK);
        assert_eq!(input.interface().QueryAccept(null()), E_POINTER);
        assert_eq!(input.interface().EnumMediaTypes(null_mut()), E_POINTER);
        assert_eq!(input.interface().EnumMediaTypes(&mut enumerator), S_OK);
        let all = enumerator.take().expect("an enumerator");
        assert_eq!(all.Clone(&mut enumerator), S_OK);
        for types in [all, enumerator.take().expect("another")] {
            assert_eq!((types.Next(1, &mut found, &mut fetched), fetched, found), (S_FALSE, 0, null_mut()));
            assert_eq!(
                (types.Next(1, &mut found, null_mut()), types.Next(0, &mut found, &mut fetched)),
                (S_FALSE, S_OK)
            );
            assert_eq!(
                (types.Next(2, &mut found, null_mut()), types.Next(1, null_mut(), &mut fetched)),
                (E_INVALIDARG, E_POINTER)
            );
            assert_eq!(
                (types.Skip(1), types.Skip(0), types.Reset(), types.Clone(null_mut())),
                (S_FALSE, S_OK, S_OK, E_POINTER)
            );
        }
    }
}

#[test]
fn null_pointers_are_answered() {
    let [input, output] = both();
    let media_type = AmMediaType::default();
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(output.interface().Connect(None, &media_type), E_POINTER);
        assert_eq!(input.interface().ReceiveConnection(None, &media_type), E_POINTER);
        assert_eq!(input.interface().ReceiveConnection(&output.interface(), null()), E_POINTER);
        assert_eq!(input.interface().ConnectedTo(null_mut()), E_POINTER);
        assert_eq!(input.interface().ConnectionMediaType(null_mut()), E_POINTER);
    }
    assert!(!input.is_connected());
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
