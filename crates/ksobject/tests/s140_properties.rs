//! Properties of allocators, pins and filters (statements 140 to 143, 149), and what any object answers alike.
#![cfg(unix)]

mod common;

use common::*;
use ks::*;
use ksobject::{DeviceError, InProcessObjects, ObjectAccess, OwnedHandle, PinFactory, PinFraming, Win32Error};
use zerocopy::{FromBytes, IntoBytes};

const GET: KsPropertyType = KsPropertyType::GET;
const SET: KsPropertyType = KsPropertyType::SET;

fn object(made: Result<OwnedHandle, Win32Error>) -> Object {
    Object(made.expect("an object"))
}

fn failed(status: NtStatus) -> Result<usize, DeviceError> {
    Err(status.into())
}

#[test]
fn s140_the_status_is_the_framing_of_creation_and_the_frames_that_are_out() {
    let asked = KsAllocatorFraming { reserved: 0xABCD, ..framing(2) };
    let a = Allocator::with(&asked).expect("an allocator");
    for allocated_frames in 0..2 {
        assert_eq!(a.status(), KsStreamAllocatorStatus { framing: asked, allocated_frames, reserved: 0 });
        a.alloc().expect("a frame");
    }
    assert_eq!(a.allocated(), 2);
}

#[test]
fn s141_a_buffer_too_small_for_the_status_is_not_written_to() {
    let a = Allocator::new(2);
    let mut data = [0xEE; 40];
    for length in 1..32 {
        let too_small = DeviceError { error: Win32Error::INSUFFICIENT_BUFFER, returned: 32 };
        assert_eq!(a.object.property(&STATUS, &mut data[..length]), Err(too_small));
    }
    let size_query = DeviceError { error: Win32Error::MORE_DATA, returned: 32 };
    assert_eq!(a.object.property(&STATUS, &mut []), Err(size_query));
    assert_eq!(data, [0xEE; 40]);
    assert_eq!(a.object.property(&STATUS, &mut data), Ok(32));
    assert_eq!(data[32..], [0xEE; 8]);
}

#[test]
fn s142_nothing_of_an_allocator_can_be_set() {
    let a = Allocator::new(2);
    for id in [0, 1] {
        let set = KsProperty::property(KSPROPSETID_StreamAllocator, id, SET);
        assert_eq!(a.object.property(&set, &mut [0; 32]), failed(NtStatus::STATUS_NOT_FOUND), "{id}");
    }
}

#[test]
fn s143_the_function_table_is_not_given_to_user_mode() {
    let a = Allocator::new(2);
    let mut data = [0xEE; 16];
    for types in [GET, KsPropertyType::BASICSUPPORT] {
        let table = KsProperty::property(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_FUNCTIONTABLE, types);
        assert_eq!(a.object.property(&table, &mut data), failed(NtStatus::STATUS_NOT_FOUND));
    }
    assert_eq!(data, [0xEE; 16]);
}

fn stream_allocator(types: KsPropertyType) -> KsProperty {
    KsProperty::property(KSPROPSETID_Stream, KSPROPERTY_STREAM_ALLOCATOR, types)
}

#[test]
fn s149_a_pin_that_can_provide_an_allocator_answers_a_null_handle() {
    for factory in [PinFactory::sink(), PinFactory::source()] {
        let can = object(InProcessObjects::create_lone_pin(factory.clone()));
        let mut handle = [0xEE; 8];
        assert_eq!(can.property(&stream_allocator(GET), &mut handle), Ok(8));
        assert_eq!(handle, [0; 8]);
        let cannot = PinFactory { can_allocate: false, ..factory };
        let cannot = object(InProcessObjects::create_lone_pin(cannot));
        let answer = cannot.property(&stream_allocator(GET), &mut handle);
        assert_eq!(answer, failed(NtStatus::STATUS_PROPSET_NOT_FOUND), "nothing else is in the set");
        let made = InProcessObjects.create_allocator(cannot.handle(), &framing(2));
        assert_eq!(made.err(), Some(Win32Error::FILE_NOT_FOUND));
    }
}

#[test]
fn a_pin_refers_to_the_allocator_it_is_given_and_not_to_its_handle() {
    let a = Allocator::new(3);
    let source = object(InProcessObjects::create_lone_pin(PinFactory::source()));
    let given = || InProcessObjects::pin_allocator_status(source.handle()).expect("a pin");
    let mut handle = a.object.handle().0.to_ne_bytes();
    assert_eq!(given(), None);
    assert_eq!(source.property(&stream_allocator(SET), &mut handle), Ok(8));
    a.alloc().expect("a frame");
    assert_eq!(given(), Some(a.status()));
    let mut answered = [0xEE; 8];
    assert_eq!(source.property(&stream_allocator(GET), &mut answered), Ok(8));
    assert_eq!(answered, [0; 8], "null also where there is one");
    drop(a.object);
    assert_eq!(given().map(|status| status.allocated_frames), Some(1), "the object is still there");
    assert_eq!(source.property(&stream_allocator(SET), &mut [0; 8]), Ok(8));
    assert_eq!(given(), None);
    for wrong in [a.pin.handle().0, -1, 1 << 20] {
        let answer = source.property(&stream_allocator(SET), &mut wrong.to_ne_bytes());
        assert_eq!(answer, failed(NtStatus::STATUS_INVALID_HANDLE), "{wrong:#x}");
    }
    assert_eq!(source.property(&stream_allocator(SET), &mut [0; 7]), failed(NtStatus::STATUS_BUFFER_TOO_SMALL));
    assert_eq!(InProcessObjects::pin_allocator_status(ksobject::Handle::NULL), Err(Win32Error::INVALID_HANDLE));
}

#[test]
fn a_pin_answers_its_framing_in_the_structure_it_has() {
    let old_property = KsProperty::property(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING, GET);
    let extended_property =
        KsProperty::property(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX, GET);
    let mut two = KsAllocatorFramingEx::simple(KSMEMORY_TYPE_USER, FramingFlags(0), 4, AlignmentMask(63), 1, 4096);
    two.count_items = 2;
    let blob = [two.as_bytes(), two.framing_item[0].as_bytes()].concat();
    let extended = PinFraming::extended(&[&blob[..], &[1, 2, 3]].concat()).expect("a framing");
    for (pin_framing, old, whole) in [
        (PinFraming::none(), None, None),
        (PinFraming::old(framing(7)), Some(framing(7).as_bytes().to_vec()), None),
        (extended, None, Some(blob.clone())),
    ] {
        let pin = object(InProcessObjects::create_lone_pin(PinFactory { framing: pin_framing, ..PinFactory::sink() }));
        let not_found = DeviceError::from(NtStatus::STATUS_NOT_FOUND);
        assert_eq!(pin.sized_property(old_property.as_bytes()), old.ok_or(not_found));
        assert_eq!(pin.sized_property(extended_property.as_bytes()), whole.clone().ok_or(not_found));
        if whole.is_some() {
            let too_small = DeviceError { error: Win32Error::INSUFFICIENT_BUFFER, returned: 200 };
            assert_eq!(pin.property(&extended_property, &mut [0; 112]), Err(too_small));
        }
    }
    assert_eq!(PinFraming::extended(&blob[..199]).err(), Some(NtStatus::STATUS_INVALID_DEVICE_REQUEST));
}

#[test]
fn a_pin_has_a_state() {
    let pin = object(InProcessObjects::create_sink_pin());
    let state = |types| KsProperty::property(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, types);
    let current = || {
        let mut value = KsState::default();
        assert_eq!(pin.property(&state(GET), value.as_mut_bytes()), Ok(4));
        value
    };
    for value in [KsState::STOP, KsState::ACQUIRE, KsState::RUN, KsState::PAUSE] {
        assert_eq!(pin.property(&state(SET), &mut value.0.to_ne_bytes()), Ok(4));
        assert_eq!(current(), value);
    }
    assert_eq!(pin.property(&state(SET), &mut 4u32.to_ne_bytes()), failed(NtStatus::STATUS_INVALID_PARAMETER));
    assert_eq!(pin.property(&state(SET), &mut [0; 3]), failed(NtStatus::STATUS_BUFFER_TOO_SMALL));
    assert_eq!(current(), KsState::PAUSE);
}

/// A range or format of this type, with so many bytes after its head.
fn format(major: u128, sub: u128, specifier: u128, extra: usize) -> Vec<u8> {
    let guid = Guid::from_u128;
    let head = KsDataFormat {
        format_size: (size_of::<KsDataFormat>() + extra) as u32,
        major_format: guid(major),
        sub_format: guid(sub),
        specifier: guid(specifier),
        ..Default::default()
    };
    let mut bytes = head.as_bytes().to_vec();
    bytes.resize(bytes.len() + extra, 0x77);
    bytes
}

fn interface(id: u32) -> KsIdentifier {
    KsIdentifier { set: KSINTERFACESETID_Standard, id, flags: 0 }
}

const MEDIUM: KsIdentifier = KsIdentifier { set: KSMEDIUMSETID_Standard, id: KSMEDIUM_TYPE_ANYINSTANCE, flags: 0 };

/// A filter of two factories: 0 is plain, 1 has something of everything.
fn filter() -> Object {
    let rich = PinFactory {
        interfaces: vec![interface(0), interface(1)],
        data_ranges: vec![format(1, 2, 3, 5), format(4, 0, 6, 0)],
        possible_instances: 2,
        necessary_instances: 1,
        category: Guid::from_u128(99),
        name: Some("Vidéo".to_owned()),
        ..PinFactory::source()
    };
    object(InProcessObjects::create_filter(vec![PinFactory::sink(), rich]))
}

/// The request of a pin factory's property.
fn pin_request(pin_id: u32, id: u32, types: KsPropertyType) -> Vec<u8> {
    let property = KsProperty::property(KSPROPSETID_Pin, id, types);
    KspPin { property, pin_id, reserved: 0 }.as_bytes().to_vec()
}

#[test]
fn a_filter_tells_of_its_pin_factories() {
    let filter = filter();
    let get = |pin, id| filter.sized_property(&pin_request(pin, id, GET));
    let word = |pin, id| get(pin, id).map(|bytes| u32::read_from_bytes(&bytes).expect("a word"));
    let count = KsProperty::property(KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET);
    assert_eq!(filter.sized_property(count.as_bytes()), Ok(2u32.to_ne_bytes().to_vec()));
    assert_eq!((word(0, KSPROPERTY_PIN_DATAFLOW), word(1, KSPROPERTY_PIN_DATAFLOW)), (Ok(1), Ok(2)));
    assert_eq!((word(0, KSPROPERTY_PIN_COMMUNICATION), word(1, KSPROPERTY_PIN_COMMUNICATION)), (Ok(1), Ok(2)));
    assert_eq!(word(1, KSPROPERTY_PIN_NECESSARYINSTANCES), Ok(1));
    assert_eq!(get(1, KSPROPERTY_PIN_CATEGORY), Ok(Guid::from_u128(99).as_bytes().to_vec()));
    let name: Vec<u8> = "Vidéo\0".encode_utf16().flat_map(u16::to_ne_bytes).collect();
    assert_eq!(get(1, KSPROPERTY_PIN_NAME), Ok(name));
    let not_found = Err(DeviceError::from(NtStatus::STATUS_NOT_FOUND));
    assert_eq!((get(0, KSPROPERTY_PIN_CATEGORY), get(0, KSPROPERTY_PIN_NAME)), (not_found.clone(), not_found.clone()));
    assert_eq!(get(0, KSPROPERTY_PIN_CONSTRAINEDDATARANGES), not_found);
    assert_eq!(get(2, KSPROPERTY_PIN_DATAFLOW), Err(NtStatus::STATUS_INVALID_PARAMETER.into()));
    let short = &pin_request(0, KSPROPERTY_PIN_DATAFLOW, GET)[..31];
    assert_eq!(filter.sized_property(short), Err(NtStatus::STATUS_INVALID_BUFFER_SIZE.into()));
}

#[test]
fn lists_are_multiple_items_and_their_size_can_be_asked_in_three_ways() {
    let filter = filter();
    let ranges = pin_request(1, KSPROPERTY_PIN_DATARANGES, GET);
    let list = filter.sized_property(&ranges).expect("a list");
    // The first range has 69 bytes, and the second starts at the next multiple of 8.
    assert_eq!(KsMultipleItem::read_from_prefix(&list).expect("a head").0, KsMultipleItem { size: 144, count: 2 });
    assert_eq!(list.len(), 144);
    assert_eq!(
        (&list[8..77], &list[77..80], &list[80..]),
        (&format(1, 2, 3, 5)[..], &[0; 3][..], &format(4, 0, 6, 0)[..])
    );
    assert_eq!(DataRanges::parse(&list).map(|ranges| ranges.len()), Ok(2));
    let mut size = [0; 4];
    assert_eq!((filter.send(IOCTL_KS_PROPERTY, &ranges, &mut size), u32::from_ne_bytes(size)), (Ok(4), 144));
    let mut head = KsMultipleItem::default();
    assert_eq!(filter.send(IOCTL_KS_PROPERTY, &ranges, head.as_mut_bytes()), Ok(8));
    assert_eq!(head, KsMultipleItem { size: 144, count: 2 });
    let mut small = [0xEE; 143];
    let too_small = DeviceError { error: Win32Error::INSUFFICIENT_BUFFER, returned: 144 };
    assert_eq!(filter.send(IOCTL_KS_PROPERTY, &ranges, &mut small), Err(too_small));
    assert_eq!(small, [0xEE; 143]);
    let interfaces = filter.sized_property(&pin_request(1, KSPROPERTY_PIN_INTERFACES, GET)).expect("a list");
    assert_eq!(interfaces[8..], [interface(0).as_bytes(), interface(1).as_bytes()].concat());
    let mediums = filter.sized_property(&pin_request(1, KSPROPERTY_PIN_MEDIUMS, GET)).expect("a list");
    assert_eq!(mediums[8..], *MEDIUM.as_bytes());
}

#[test]
fn a_pin_is_created_with_an_interface_a_medium_and_a_format_of_its_factory() {
    let filter = filter();
    let connect = KsPinConnect { interface: interface(1), medium: MEDIUM, pin_id: 1, ..Default::default() };
    let create = |connect: &KsPinConnect, format: &[u8]| {
        InProcessObjects::create_pin(filter.handle(), connect, format).map(Object)
    };
    let refused = |connect: &KsPinConnect, format: &[u8]| create(connect, format).err();
    let good = format(4, 55, 6, 12);
    let pin = create(&connect, &good).expect("a pin");
    let data_format = KsProperty::property(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, GET);
    assert_eq!(pin.sized_property(data_format.as_bytes()), Ok(good.clone()));

    let no_match = Some(Win32Error::NO_MATCH);
    let wrong_interface = KsPinConnect { interface: interface(2), ..connect };
    let wrong_medium = KsPinConnect { medium: interface(0), ..connect };
    assert_eq!((refused(&wrong_interface, &good), refused(&wrong_medium, &good)), (no_match, no_match));
    assert_eq!((refused(&connect, &format(5, 2, 3, 0)), refused(&connect, &format(4, 2, 7, 0))), (no_match, no_match));
    let invalid = Some(Win32Error::INVALID_PARAMETER);
    assert_eq!(refused(&KsPinConnect { pin_id: 2, ..connect }, &good), invalid);
    assert_eq!((refused(&connect, &good[..75]), refused(&connect, &[])), (invalid, invalid));

    let sink = object(InProcessObjects::create_sink_pin());
    let to = |object: &Object| KsPinConnect { pin_to_handle: object.handle().0 as *mut _, ..connect };
    let second = create(&to(&sink), &good).expect("a pin");
    assert_eq!(refused(&to(&pin), &good), invalid, "a source receives nothing");
    let nobody = KsPinConnect { pin_to_handle: (1 << 20) as *mut _, ..connect };
    assert_eq!(refused(&nobody, &good), Some(Win32Error::INVALID_HANDLE));

    let instances = || {
        let bytes = filter.sized_property(&pin_request(1, KSPROPERTY_PIN_CINSTANCES, GET)).expect("a property");
        let instances = KsPinCInstances::read_from_bytes(&bytes).expect("two words");
        (instances.possible_count, instances.current_count)
    };
    assert_eq!(instances(), (2, 2));
    assert_eq!(refused(&connect, &good), Some(Win32Error::BUSY));
    drop((pin, second));
    assert_eq!(instances(), (2, 0));
    create(&connect, &good).expect("there is room again");
    assert_eq!(InProcessObjects::create_pin(sink.handle(), &connect, &good).err(), Some(Win32Error::FILE_NOT_FOUND));
}

#[test]
fn every_object_says_what_it_supports() {
    let a = Allocator::new(1);
    let filter = filter();
    let ask = |set, id, types| KsProperty::property(set, id, types);
    let (sets, basic) = (KsPropertyType::SETSUPPORT, KsPropertyType::BASICSUPPORT);

    let guids = a.pin.sized_property(ask(Guid::NULL, 0, sets).as_bytes()).expect("a list of sets");
    assert_eq!(guids, [KSPROPSETID_Stream.as_bytes(), KSPROPSETID_Connection.as_bytes()].concat());
    for (object, set) in [(&a.object, KSPROPSETID_StreamAllocator), (&filter, KSPROPSETID_Pin)] {
        assert_eq!(object.property(&ask(set, 77, sets), &mut []), Ok(0), "whatever the number");
        assert_eq!(object.property(&ask(set, 77, basic), &mut [0; 4]), failed(NtStatus::STATUS_NOT_FOUND));
    }
    assert_eq!(a.object.property(&ask(KSPROPSETID_Pin, 0, sets), &mut []), failed(NtStatus::STATUS_PROPSET_NOT_FOUND));

    let mut flags = [0; 4];
    assert_eq!((a.pin.property(&stream_allocator(basic), &mut flags), flags), (Ok(4), 3u32.to_ne_bytes()));
    let status = ask(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS, basic);
    assert_eq!((a.object.property(&status, &mut flags), flags), (Ok(4), 1u32.to_ne_bytes()));
    let mut description = KsPropertyDescription { reserved: 1, ..Default::default() };
    assert_eq!(a.object.property(&status, description.as_mut_bytes()), Ok(40));
    assert_eq!(description, KsPropertyDescription { access_flags: 1, description_size: 40, ..Default::default() });

    for (id, expected) in [(ALLOC, KsMethodType::WRITE), (FREE, KsMethodType::READ)] {
        let request = method(id, KsMethodType::BASICSUPPORT);
        let answer = a.object.send(IOCTL_KS_METHOD, request.as_bytes(), &mut flags);
        assert_eq!((answer, u32::from_ne_bytes(flags)), (Ok(4), expected.bits()));
    }
    assert_eq!(a.object.send(IOCTL_KS_METHOD, method(9, KsMethodType::SETSUPPORT).as_bytes(), &mut []), Ok(0));
}

#[test]
fn requests_that_are_none_are_refused() {
    let a = Allocator::new(1);
    let mut data = [0xEE; 64];
    for code in [IOCTL_KS_PROPERTY, IOCTL_KS_METHOD, IOCTL_KS_ENABLE_EVENT] {
        for length in 0..24 {
            let answer = a.object.send(code, &STATUS.as_bytes()[..length], &mut data);
            assert_eq!(answer, failed(NtStatus::STATUS_INVALID_BUFFER_SIZE));
        }
        let unknown = KsIdentifier { set: Guid::from_u128(1), id: 1, flags: 1 };
        for object in [&a.object, &a.pin, &filter()] {
            let answer = object.send(code, unknown.as_bytes(), &mut data);
            assert_eq!(answer, failed(NtStatus::STATUS_PROPSET_NOT_FOUND));
        }
    }
    for flags in [0, 3, 4, 0x300, 0x1000_0001, u32::MAX] {
        let answer = a.object.property(&KsProperty { flags, ..STATUS }, &mut data);
        assert_eq!(answer, failed(NtStatus::STATUS_INVALID_PARAMETER), "{flags:#x}");
    }
    for code in [0, IOCTL_KS_READ_STREAM, IOCTL_KS_WRITE_STREAM, IOCTL_KS_RESET_STATE, u32::MAX] {
        let answer = a.object.send(code, STATUS.as_bytes(), &mut data);
        assert_eq!(answer, failed(NtStatus::STATUS_INVALID_DEVICE_REQUEST), "{code:#x}");
    }
    assert_eq!(data, [0xEE; 64]);
    let nobody = InProcessObjects.device_io_control(ksobject::Handle::NULL, IOCTL_KS_PROPERTY, &[], &mut data);
    assert_eq!(nobody, Err(Win32Error::INVALID_HANDLE.into()));
}
