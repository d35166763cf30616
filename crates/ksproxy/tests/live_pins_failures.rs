//! Live pins that cannot agree, refuse, or lie: an HRESULT that names them, and every pin is as it was.

mod common;
mod recording;

use ks::{FramingCacheOps, FramingProp, KSMEMORY_TYPE_KERNEL_NONPAGED, KsAllocatorFramingEx, RequirementFlags};
use kspipe::graph::{FramingItem, GraphBuilder, RouteKind, Strategy};
use ksproxy::NegotiatePinsError;
use ksproxy::hresult::*;
use recording::*;
use std::sync::Arc;
use windows_core::{HRESULT, IUnknown, Interface};

fn world(build: impl FnOnce(&mut GraphBuilder)) -> World {
    World::of(&graph(build))
}

/// A kernel camera, a kernel filter that copies, a kernel display.
fn three_filters(graph: &mut GraphBuilder) {
    let item = FramingItem { memory: KSMEMORY_TYPE_KERNEL_NONPAGED, frames: 4, ..FramingItem::exactly(4096) };
    graph.filter("camera").kernel().pin("out", OUT).item(item);
    graph.filter("scaler").kernel().pin("in", IN);
    graph.filter("scaler").pin("out", OUT);
    graph.filter("scaler").route("in", "out", RouteKind::Copy);
    graph.filter("display").kernel().pin("in", IN);
    graph.connect("camera.out", "scaler.in").connect("scaler.out", "display.in");
}

/// The pins and names of one error, after which nothing may have been written.
fn refused(world: &World, code: HRESULT, named: &[&str]) -> NegotiatePinsError {
    let before = world.everything();
    let error = world.negotiate().expect_err("no plan");
    assert_eq!(error.hresult(), code, "{error}");
    assert_eq!(world.writes(), Vec::<String>::new(), "{error}");
    assert_eq!(world.everything(), before, "{error}");
    for name in named {
        assert!(error.to_string().contains(name), "{name} is not named: {error}");
    }
    error
}

#[test]
fn a_conflict_names_both_pins_and_leaves_every_pin_as_it_was() {
    let world = world(|graph| {
        graph.filter("camera").pin("capture", OUT).item(FramingItem::exactly(4096));
        graph.filter("viewer").pin("in", IN).item(FramingItem::exactly(8192));
        graph.connect("camera.capture", "viewer.in");
    });
    let error = refused(&world, VFW_E_NO_ALLOCATOR, &["camera.capture", "viewer.in", "4096", "8192"]);
    assert_eq!(error.pins(), ["camera.capture", "viewer.in"]);
    let NegotiatePinsError::Conflict { help, asks, .. } = error else { panic!("{error:?}") };
    assert_eq!(asks.len(), 2);
    assert_eq!(
        help,
        "a filter that copies between them would make it work; so would camera.capture with PhysicalRange.MaxFrameSize of at \
         least 8192, or viewer.in with PhysicalRange.MinFrameSize and FramingRange.MinFrameSize of at most 4096, or \
         camera.capture with KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY, or viewer.in with \
         KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY"
    );
}

#[test]
fn a_conflict_with_a_pin_that_asks_nothing_names_it_too() {
    let world = world(|graph| {
        let requirements = RequirementFlags::MUST_ALLOCATE;
        graph
            .filter("camera")
            .kernel()
            .pin("capture", OUT)
            .item(FramingItem { requirements, ..FramingItem::exactly(4096) });
        graph.filter("viewer").pin("in", IN);
        graph.connect("camera.capture", "viewer.in");
    });
    let error = refused(&world, VFW_E_NO_ALLOCATOR, &["camera.capture", "viewer.in"]);
    assert_eq!(error.pins(), ["camera.capture", "viewer.in"]);
}

#[test]
fn a_number_that_no_com_allocator_can_be_told_is_out_of_memory() {
    let world = world(|graph| {
        let item = FramingItem { frames: 16, ..FramingItem::exactly(1 << 30) };
        graph.filter("camera").pin("capture", OUT).item(item);
        graph.filter("viewer").pin("in", IN);
        graph.connect("camera.capture", "viewer.in");
    });
    let error = refused(&world, E_OUTOFMEMORY, &["camera.capture", "viewer.in", "cBuffers"]);
    assert!(matches!(error, NegotiatePinsError::DoesNotFit { .. }), "{error:?}");
}

#[test]
fn a_cycle_is_an_error_that_names_it() {
    let world = world(|graph| {
        for filter in ["a", "b"] {
            graph.filter(filter).pin("in", IN);
            graph.filter(filter).pin("out", OUT);
            graph.filter(filter).route("in", "out", RouteKind::Copy);
        }
        graph.connect("a.out", "b.in").connect("b.out", "a.in");
    });
    refused(&world, VFW_E_CIRCULAR_GRAPH, &["a.in -> a.out -> b.in -> b.out -> a.in"]);
}

/// Writes as they come when nobody refuses.
fn all_writes() -> Vec<String> {
    let world = world(three_filters);
    world.negotiate().expect("a plan");
    world.writes()
}

#[test]
fn whichever_call_is_refused_everything_before_it_is_taken_back_the_last_first() {
    let writes = all_writes();
    assert_eq!(writes.len(), 2 + 4 + 2 + 4 + 2, "{writes:?}");
    for (place, write) in writes.iter().enumerate() {
        // With a negotiation before it, so that there is something to be set back to.
        for negotiated_before in [false, true] {
            let world = world(three_filters);
            let kept = negotiated_before.then(|| world.negotiate().expect("a plan"));
            let mut expected_undo: Vec<String> = writes[..place].to_vec();
            if negotiated_before {
                // The flags are as they should be already.
                if write.ends_with("KsSetPipeAllocatorFlag") {
                    continue;
                }
                expected_undo.retain(|write| !write.ends_with("KsSetPipeAllocatorFlag"));
            }
            let done = expected_undo.clone();
            // What is created for nobody yet goes without a word.
            expected_undo.retain(|write| !write.ends_with("KsCreateAllocator"));
            expected_undo.reverse();
            let before = world.everything();
            let (pin, method) = write.split_once(' ').expect("pin and method");
            let mut code = E_FAIL;
            let earlier = writes[..place].iter().filter(|write| write.ends_with(method)).count() as u32;
            match method {
                "KsCreateAllocator" => {
                    *world.driver.refuses_to_create.lock().unwrap() = Some(earlier);
                    code = VFW_E_NO_ALLOCATOR;
                }
                "KSPROPERTY_STREAM_ALLOCATOR" => {
                    *world.driver.refuses_to_take.lock().unwrap() = Some(earlier);
                    code = ksproxy::Win32Error::NOT_SUPPORTED.to_hresult();
                }
                _ => {
                    let method = WRITES.into_iter().find(|name| *name == method).expect("a method");
                    world.state(pin).refuse(method, 1);
                }
            }
            let error = world.negotiate().expect_err("a pin refuses");
            assert_eq!(error.hresult(), code, "{write}: {error}");
            assert_eq!(error.pins(), [pin], "{write}");
            assert!(error.to_string().ends_with("everything is as it was"), "{error}");
            assert_eq!(world.everything(), before, "{write}");
            let expected: Vec<String> = done.into_iter().chain([write.clone()]).chain(expected_undo).collect();
            assert_eq!(world.writes(), expected, "{write}");
            if let Some(kept) = &kept {
                // The driver's pins have the allocators of before again.
                let now = world.driver.taken.lock().unwrap();
                for (source, pipe) in [("camera.out", 0), ("scaler.out", 1)] {
                    let last = now.iter().rfind(|(pin, _)| pin == source).expect("an allocator");
                    assert_eq!(last.1, kept.pipes()[pipe].handle(), "{write}");
                }
            } else {
                let taken = world.driver.taken.lock().unwrap();
                assert!(taken.last().is_none_or(|(_, handle)| *handle == ksproxy::Handle::NULL), "{write}: {taken:?}");
            }
        }
    }
}

#[test]
fn what_was_written_is_released_when_it_is_taken_back() {
    let world = world(three_filters);
    let old = ksproxy::KsAllocator::new();
    for state in &world.states {
        *state.pipe.lock().unwrap() = Some(old.interface());
    }
    world.state("display.in").refuse("KsReceiveAllocator", 1);
    let before = common::references(&old.interface());
    world.negotiate().expect_err("a pin refuses");
    assert_eq!(common::references(&old.interface()), before);
}

#[test]
fn a_pin_that_refuses_to_be_set_back_is_named() {
    let world = world(three_filters);
    world.state("display.in").refuse("KsReceiveAllocator", 1);
    // It takes its pipe, and not the one of before.
    world.state("camera.out").refuse_after("KsSetPipe", 1);
    let error = world.negotiate().expect_err("a pin refuses");
    let NegotiatePinsError::Refused { not_undone, pin, .. } = &error else { panic!("{error:?}") };
    assert_eq!(
        (pin.as_str(), not_undone.as_slice()),
        ("display.in", ["camera.out by KsSetPipe".to_owned()].as_slice())
    );
    assert!(error.to_string().contains("camera.out by KsSetPipe"), "{error}");
}

/// A world of one connection, one of whose pins is made a liar.
fn with_liar(lie: impl FnOnce(&mut PinState)) -> World {
    let mut world = world(|graph| {
        graph.filter("camera").pin("capture", OUT).item(FramingItem::exactly(4096));
        graph.filter("viewer").pin("in", IN);
        graph.connect("camera.capture", "viewer.in");
    });
    // The pin is made again from its state, which only the world has then.
    world.pins.clear();
    let mut states: Vec<PinState> =
        world.states.drain(..).map(|state| Arc::try_unwrap(state).unwrap_or_else(|_| panic!("shared"))).collect();
    lie(&mut states[0]);
    for state in states {
        let state = Arc::new(state);
        world.pins.push(RecordingPin { state: state.clone() }.into());
        world.states.push(state);
    }
    world.connect(0, 1);
    world
}

#[test]
fn a_connection_that_is_not_mutual_is_none() {
    let world = with_liar(|_| ());
    *world.states[1].peer.lock().unwrap() = 0;
    refused(&world, VFW_E_NOT_CONNECTED, &["camera.capture", "viewer.in"]);

    let stale = with_liar(|_| ());
    *stale.states[0].other_peer.lock().unwrap() = Some(0);
    refused(&stale, VFW_E_NOT_CONNECTED, &["camera.capture", "ConnectedTo"]);

    let two_faced = with_liar(|_| ());
    *two_faced.states[0].other_peer.lock().unwrap() = Some(two_faced.pins[0].as_raw().addr());
    refused(&two_faced, E_INVALIDARG, &["camera.capture", "different pins"]);

    let of_itself = with_liar(|_| ());
    of_itself.connect(0, 0);
    refused(&of_itself, VFW_E_INVALID_DIRECTION, &["camera.capture"]);
}

#[test]
fn pins_of_the_same_direction_are_not_connected() {
    let world = with_liar(|pin| pin.direction = ks::PinDirection::INPUT);
    refused(&world, VFW_E_INVALID_DIRECTION, &["camera.capture", "viewer.in"]);
    let world = with_liar(|pin| pin.direction = ks::PinDirection(7));
    refused(&world, E_INVALIDARG, &["QueryDirection answered 7"]);
}

#[test]
fn a_framing_that_cannot_be_is_refused() {
    let garbage = |bytes: Option<Vec<u8>>, property: FramingProp| {
        move |pin: &mut PinState| {
            pin.framing = bytes;
            pin.property = property;
        }
    };
    let counts = |count: u32| Some(count.to_ne_bytes().into_iter().chain([0; 20]).collect::<Vec<u8>>());
    for (bytes, property, said) in [
        (None, FramingProp::EX, "has none"),
        (None, FramingProp::OLD, "has none"),
        (counts(0), FramingProp::EX, "CountItems of 0"),
        (counts(u32::MAX), FramingProp::EX, "CountItems of 4294967295"),
        (counts(1 << 24), FramingProp::EX, "CountItems of 16777216"),
        (counts(1), FramingProp(9), "FRAMING_PROP of 9"),
    ] {
        let world = with_liar(garbage(bytes, property));
        refused(&world, E_INVALIDARG, &["camera.capture", said]);
    }
    let empty_range = with_liar(|pin| {
        let mut framing =
            KsAllocatorFramingEx::simple(ks::KSMEMORY_TYPE_USER, ks::FramingFlags(0), 1, ks::AlignmentMask(0), 1, 1);
        framing.framing_item[0].physical_range.min_frame_size = 2;
        framing.framing_item[0].physical_range.max_frame_size = 1;
        pin.framing = Some(zerocopy::IntoBytes::as_bytes(&framing).to_vec());
        pin.property = FramingProp::EX;
    });
    refused(&empty_range, E_INVALIDARG, &["camera.capture", "minimum 2 over its maximum 1"]);
}

#[test]
fn a_call_that_fails_is_passed_on() {
    for method in ["QueryDirection", "KsGetPinFramingCache", "QueryInternalConnections"] {
        let world = with_liar(|_| ());
        world.states[1].refuse(method, 1);
        let error = refused(&world, E_FAIL, &[method]);
        assert!(matches!(error, NegotiatePinsError::Unreadable { .. }), "{error:?}");
    }
}

#[test]
fn internal_connections_that_cannot_be_are_refused() {
    let of_itself = with_liar(|_| ());
    of_itself.states[0].internal.lock().unwrap().push(of_itself.pins[0].as_raw().addr());
    refused(&of_itself, E_INVALIDARG, &["camera.capture", "same direction"]);

    let null = with_liar(|_| ());
    null.states[0].internal.lock().unwrap().push(0);
    refused(&null, E_INVALIDARG, &["camera.capture", "null pin"]);

    for (count, answer) in [(17, S_OK), (u32::MAX, S_OK), (u32::MAX, S_FALSE), (0, S_FALSE)] {
        let liar = with_liar(|_| ());
        *liar.states[0].internal_count.lock().unwrap() = Some(count);
        *liar.states[0].internal_answer.lock().unwrap() = answer;
        refused(&liar, E_INVALIDARG, &["camera.capture", "QueryInternalConnections counts"]);
    }
}

#[test]
fn more_internal_connections_than_are_asked_for_at_first_are_read() {
    let world = world(|graph| {
        graph.filter("source").pin("out", OUT).item(FramingItem::exactly(64));
        graph.filter("tee").pin("in", IN);
        graph.connect("source.out", "tee.in");
        for branch in 0..50 {
            let name = format!("branch{branch}");
            graph.filter("tee").pin(&name, OUT);
            graph.filter("tee").route("in", &name, RouteKind::Copy);
            graph.filter(&name).pin("in", IN);
            graph.connect(&format!("tee.{name}"), &format!("{name}.in"));
        }
    });
    let negotiated = world.negotiate_by(&[world.unknown("source.out")], Strategy::MaximizeSpeed).expect("a plan");
    assert_eq!(negotiated.pipes().len(), 51);
    assert_eq!(negotiated.pipes()[0].properties_ex().count_next_segments, 50);
}

#[test]
fn the_framing_read_first_counts_where_none_was_read_last() {
    let world = with_liar(|pin| pin.slot = FramingCacheOps::READ_ORIG);
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(negotiated.pipes()[0].properties_ex().cb_buffer, 4096);
    let never_read = with_liar(|pin| pin.slot = FramingCacheOps::WRITE);
    assert_eq!(never_read.negotiate().expect("a plan").pipes()[0].properties_ex().cb_buffer, 1);
}

#[test]
fn nothing_given_or_nothing_connected_is_not_connected() {
    let world = world(|graph| {
        graph.filter("camera").pin("capture", OUT).item(FramingItem::exactly(4096));
    });
    let error = refused(&world, VFW_E_NOT_CONNECTED, &[]);
    assert_eq!(error, NegotiatePinsError::NotConnected);
    let nothing = world.negotiate_by(&[], Strategy::MaximizeSpeed).expect_err("nothing");
    assert_eq!(nothing, NegotiatePinsError::NotConnected);
}

#[test]
fn what_is_no_pin_is_refused() {
    let world = with_liar(|_| ());
    let stranger: IUnknown = ksproxy::KsAllocator::new().interface().cast().expect("an object");
    let given = [world.unknown("viewer.in"), stranger];
    let error = world.negotiate_by(&given, Strategy::MaximizeSpeed).expect_err("an allocator is no pin");
    assert_eq!((error.hresult(), error.pins()), (E_NOINTERFACE, ["pin 1 of those given".to_owned()].as_slice()));
}

#[test]
fn a_pin_that_is_not_connected_is_left_out_and_left_alone() {
    let world = world(|graph| {
        graph.filter("camera").pin("capture", OUT).item(FramingItem::exactly(4096));
        graph.filter("effect").pin("in", IN);
        // It could not share frames with the other.
        graph.filter("effect").pin("preview", OUT).item(FramingItem::exactly(1));
        graph.filter("effect").route("in", "preview", RouteKind::InPlace);
        graph.connect("camera.capture", "effect.in");
    });
    // Its framing does not say that it modifies, but even so.
    let negotiated = world.negotiate().expect("a plan");
    assert_eq!(negotiated.graph().pin_names().collect::<Vec<_>>(), ["camera.capture", "effect.in"]);
    assert_eq!(world.state("effect.preview").has(), (0, 0, 0));
    assert!(negotiated.pin(&world.pins[world.index("effect.preview")]).is_none());
    assert!(!world.writes().iter().any(|write| write.starts_with("effect.preview")));
}
