//! The connections of ready pins: to each other, to foreign pins, inside their filters; and the streams that they have
//! none of.
#![allow(non_snake_case)]

mod common;

use common::pins::both;
use common::*;
use ks::*;
use ksproxy::hresult::*;
use ksproxy::interfaces::*;
use ksproxy::{KsAllocator, KsPin, Segment};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use windows_core::{HRESULT, Interface, Ref, implement};

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
            task_free(read.pb_format);
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
    not_called! {
        Connect(Ref<'_, IPin>, *const AmMediaType);
        ConnectedTo(*mut Option<IPin>);
        ConnectionMediaType(*mut AmMediaType);
        QueryPinInfo(*mut PinInfo);
        QueryId(*mut *mut u16);
        QueryAccept(*const AmMediaType);
        EnumMediaTypes(*mut Option<IEnumMediaTypes>);
        QueryInternalConnections(*mut Option<IPin>, *mut u32);
        EndOfStream();
        BeginFlush();
        EndFlush();
        NewSegment(i64, i64, f64);
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
    let refused = input.set_internal_connections(Some(&[&first, &KsPin::input("Other").build()])).unwrap_err();
    assert_eq!(refused.code(), VFW_E_INVALID_DIRECTION, "it goes the same way");
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
