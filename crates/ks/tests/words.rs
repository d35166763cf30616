//! How the typed words read, write and print.

use ks::*;

#[test]
fn unknown_flags_are_kept_and_printed() {
    let flags = RequirementFlags::from_bits_retain(0x4000_0009);
    assert_eq!(flags.bits(), 0x4000_0009);
    assert_eq!(
        format!("{flags:?}"),
        "KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER | KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE | 0x40000000"
    );
    assert_eq!(format!("{:?}", RequirementFlags::empty()), "0x0");
    assert_eq!(format!("{:?}", AllocatorFlags::TWO_D_BUFFER_REQUIRED), "KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED");
}

#[test]
fn unknown_values_of_an_enumeration_are_kept_and_printed() {
    assert_eq!(format!("{:?}", PipeState(9)), "PipeState(9)");
    assert_eq!(format!("{:?}", PipeState::FINALIZED), "PipeState_Finalized");
    assert_eq!(PipeState(9).name(), None);
}

#[test]
fn statuses_print_their_names() {
    assert_eq!(Hresult::VFW_E_TIMEOUT.to_string(), "VFW_E_TIMEOUT");
    assert_eq!(Hresult(i32::MIN).to_string(), "0x80000000");
    assert_eq!(format!("{:?}", NtStatus(-1)), "NtStatus(0xFFFFFFFF)");
    assert!(Hresult::VFW_S_NO_STOP_TIME.is_success() && NtStatus::STATUS_PENDING.is_success());
    assert!(!Hresult::E_FAIL.is_success() && !NtStatus::STATUS_BUFFER_OVERFLOW.is_success());
}

#[test]
fn a_framing_word_splits_into_requirements_and_allocator_flags_and_joins_again() {
    for word in [0, u32::MAX, 0x8000_000F, 0x7FFF_FFF0, 0x8000_F0F2, 0x10] {
        let flags = FramingFlags(word);
        assert_eq!(flags.requirements().bits(), word & 0x8000_000F);
        assert_eq!(flags.allocator().bits(), word & 0x7FFF_FFF0);
        assert_eq!(FramingFlags::new(flags.requirements(), flags.allocator()), flags);
    }
    assert_eq!(
        format!("{:?}", FramingFlags(0x8000_0040)),
        "KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY | KSALLOCATOR_FLAG_CAN_ALLOCATE"
    );
    assert_eq!(format!("{:?}", FramingFlags(0)), "0x0");
}

#[test]
fn masks_and_counts_convert_only_where_both_are_alignments() {
    for (mask, count) in [(0, 1), (1, 2), (3, 4), (4095, 4096), ((1 << 30) - 1, 1 << 30)] {
        assert_eq!(AlignmentMask(mask).bytes(), Ok(u64::from(mask) + 1));
        assert_eq!(AlignmentCount::try_from(AlignmentMask(mask)), Ok(AlignmentCount(count)));
        assert_eq!(AlignmentMask::try_from(AlignmentCount(count)), Ok(AlignmentMask(mask)));
        assert!(AlignmentMask(mask).is_valid() && AlignmentCount(count).is_valid());
    }
    for mask in [2, 4, 64, 4096, u32::MAX - 1].map(AlignmentMask) {
        assert_eq!(mask.bytes(), Err(AlignmentError::NotAMask(mask)));
        assert_eq!(AlignmentCount::try_from(mask), Err(AlignmentError::NotAMask(mask)));
    }
    for mask in [0x7FFF_FFFF, u32::MAX].map(AlignmentMask) {
        assert_eq!(mask.bytes(), Ok(u64::from(mask.0) + 1));
        assert_eq!(AlignmentCount::try_from(mask), Err(AlignmentError::TooLarge(mask)));
    }
    for count in [0, -1, 3, i32::MIN, i32::MAX].map(AlignmentCount) {
        assert!(!count.is_valid());
        assert_eq!(AlignmentMask::try_from(count), Err(AlignmentError::NotAPowerOfTwo(count)));
    }
}

#[test]
fn the_semaphore_of_an_event_lies_where_each_architecture_has_it() {
    fn round_trip<P: PointerWidth>(semaphore: P::Pointer) -> KsEventDataFor<P> {
        let arm = KsEventSemaphoreHandleFor { semaphore, reserved: 0x0102_0304, adjustment: -2 };
        let data = KsEventDataFor::<P>::from_semaphore_handle(arm);
        assert_eq!(data.notification_type, EventNotification::SEMAPHORE_HANDLE);
        assert_eq!(data.semaphore_handle(), arm);
        let event = KsEventHandleFor { event: semaphore, reserved: data.words };
        assert_eq!(KsEventDataFor::<P>::from_event_handle(event).event_handle(), event);
        data
    }
    assert_eq!(round_trip::<Pointer32>(7).words, [0x0102_0304, 0xFFFF_FFFE]);
    assert_eq!(round_trip::<Pointer64>(Address64(7)).words, [Address64(0xFFFF_FFFE_0102_0304), Address64(0)]);
    round_trip::<Native>(std::ptr::null_mut());
}

#[test]
fn a_request_carries_its_flags() {
    let request =
        KsIdentifier::method(KSMETHODSETID_StreamAllocator, KSMETHOD_STREAMALLOCATOR_ALLOC, KsMethodType::MODIFY);
    assert_eq!((request.id, request.flags), (0, 3));
    assert_eq!(request.method_type(), KsMethodType::READ | KsMethodType::WRITE);
    let event = KsIdentifier::event(KSEVENTSETID_StreamAllocator, 1, KsEventType::ENABLE | KsEventType::ONESHOT);
    assert_eq!(event.event_type().bits(), 3);
    assert_eq!(KsIdentifier::property(Guid::NULL, 1, KsPropertyType::SET).property_type(), KsPropertyType::SET);
}

#[test]
fn the_properties_of_an_allocator_are_the_head_of_the_extended_ones() {
    let properties = AllocatorProperties { c_buffers: 4, cb_buffer: 4096, cb_align: AlignmentCount(64), cb_prefix: 8 };
    let mut extended = AllocatorPropertiesEx { number_pins: 2, ..AllocatorPropertiesEx::default() };
    extended.set_allocator_properties(properties);
    assert_eq!(extended.allocator_properties(), properties);
    assert_eq!(extended.number_pins, 2);
}

#[test]
fn an_interface_knows_its_slots_and_those_it_inherits() {
    assert_eq!(IKSALLOCATOREX.slots(), 11);
    assert_eq!(IKSALLOCATOREX.method(10).map(|method| method.name), Some("KsCreateAllocatorAndGetHandle"));
    assert_eq!(IKSALLOCATOREX.method(3).map(|method| method.name), Some("KsGetAllocatorHandle"));
    assert_eq!(IKSALLOCATOREX.method(0).map(|method| method.name), Some("QueryInterface"));
    assert_eq!(IKSALLOCATOREX.method(11), None);
    assert_eq!(IMEDIASAMPLE2.slots(), 21);
}

#[test]
fn guids_are_read_and_printed() {
    let guid = KSMEMORY_TYPE_KERNEL_PAGED;
    assert_eq!(guid.to_string().parse(), Ok(guid));
    assert_eq!("D833F8F8-7894-11D1-B069-00A0C9062802".parse(), Ok(guid));
    assert_eq!(Guid::from_u128(guid.to_u128()), guid);
    for text in [
        "",
        "{",
        "{}",
        "{D833F8F8-7894-11D1-B069-00A0C9062802",
        "D833F8F8-7894-11D1-B069-00A0C906280é",
        "D833F8F8_7894-11D1-B069-00A0C9062802",
    ] {
        assert_eq!(text.parse::<Guid>(), Err(ParseGuidError), "{text}");
    }
}
