//! Objects that have ended leave no descriptor and no memory behind. Alone in its program: descriptors are counted.
#![cfg(unix)]

mod common;

use common::*;
use ks::{KsEventType, KsProperty, KsPropertyType};
use ksobject::{InProcessObjects, PinFactory};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

fn mapped() -> usize {
    std::fs::read_to_string("/proc/self/maps").expect("proc is mounted").lines().count()
}

/// One of everything, in the midst of everything.
fn live() {
    let filter = InProcessObjects::create_filter(vec![PinFactory::sink()]).expect("a filter");
    let source = Object(InProcessObjects::create_lone_pin(PinFactory::source()).expect("a pin"));
    let a = Allocator::new(2);
    let set = KsProperty::property(ks::KSPROPSETID_Stream, ks::KSPROPERTY_STREAM_ALLOCATOR, KsPropertyType::SET);
    source.property(&set, &mut a.object.handle().0.to_ne_bytes()).expect("a source pin");
    let event = Event::new();
    let mut data = [event.data(), event.data()];
    for data in &mut data {
        a.enable(KsEventType::ENABLE, data).expect("an event");
    }
    let out = a.alloc().expect("a frame");
    a.alloc().expect("a frame");
    let [served, cancelled, waiting] = [(); 3].map(|()| a.begin_alloc());
    a.free(out).expect("it is out");
    cancelled.cancel();
    let twin = a.object.0.try_clone().expect("a duplicate");
    drop(filter);
    drop(a);
    assert!(waiting.is_pending());
    drop(twin);
    assert!(!waiting.is_pending());
    drop((served, cancelled, source, waiting));
}

#[test]
fn s139_s147_nothing_is_left_of_objects_that_have_ended() {
    live();
    let before = (descriptors(), mapped());
    for _ in 0..20 {
        live();
    }
    assert_eq!(descriptors(), before.0);
    // The heap may have grown by a mapping; a pool of each round would be 20.
    assert!(mapped() < before.1 + 10, "{} mappings were {}", mapped(), before.1);
}
