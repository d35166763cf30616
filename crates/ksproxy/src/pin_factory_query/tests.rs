//! A pin factory against a filter that answers as it is told to, truly or not.

use super::*;
use crate::hresult::*;
use crate::lock::{Lock, lock};
use ks::{AttributeFlags, DataRangeFlags, Guid, KsAllocatorFraming, KsAttribute, KsDataRange};
use ksobject::OwnedHandle;
use std::collections::HashMap;

/// A filter: the answer of every property of its one pin factory, and how often it was asked.
#[derive(Default)]
struct Filter {
    answers: HashMap<u32, Answer>,
    asked: Lock<Vec<(u32, Vec<u8>)>>,
}

enum Answer {
    /// These bytes, in the way of Kernel Streaming: their number first.
    Bytes(Vec<u8>),
    /// Always this.
    Fails(DeviceError),
    /// Success, and so many bytes, whatever the buffer.
    Succeeds(usize),
    /// One number to who asks for the size, and another to who brings a buffer.
    Grows,
}

const FILTER: Handle = Handle(77);

impl ObjectAccess for Filter {
    fn create_allocator(&self, _: Handle, _: &KsAllocatorFraming) -> Result<OwnedHandle, Win32Error> {
        panic!("not asked for")
    }

    fn device_io_control(
        &self,
        object: Handle,
        code: u32,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, DeviceError> {
        assert_eq!((object, code), (FILTER, IOCTL_KS_PROPERTY));
        let (request, rest) = KspPin::read_from_prefix(input).expect("a KSP_PIN");
        assert_eq!((request.property.set, request.property.flags), (KSPROPSETID_Pin, 1));
        assert_eq!((request.pin_id, request.reserved), (3, 0));
        lock(&self.asked).push((request.property.id, rest.to_vec()));
        match self.answers.get(&request.property.id) {
            None => Err(Win32Error::NOT_FOUND.into()),
            Some(Answer::Fails(failure)) => Err(*failure),
            Some(Answer::Succeeds(bytes)) => Ok(*bytes),
            Some(Answer::Grows) => Err(DeviceError::too_small(output.len() + 8, output.len())),
            Some(Answer::Bytes(bytes)) => {
                let given = output.len();
                let place = output.get_mut(..bytes.len()).ok_or(DeviceError::too_small(bytes.len(), given))?;
                place.copy_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }
}

impl Filter {
    fn with(mut self, property: u32, answer: Answer) -> Self {
        self.answers.insert(property, answer);
        self
    }

    fn factory(&self) -> PinFactoryQuery<'_> {
        PinFactoryQuery { access: self, filter: FILTER, id: 3 }
    }

    fn asked(&self, property: u32) -> usize {
        lock(&self.asked).iter().filter(|(id, _)| *id == property).count()
    }
}

fn range(flags: DataRangeFlags, major: u128, extra: usize) -> Vec<u8> {
    let head = KsDataRange {
        format_size: 64 + extra as u32,
        flags: flags.bits(),
        major_format: Guid::from_u128(major),
        ..KsDataRange::default()
    };
    let mut bytes = head.as_bytes().to_vec();
    bytes.resize(64 + extra, 0x5A);
    bytes
}

fn list(count: u32, items: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    for item in items {
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(item);
    }
    let head = KsMultipleItem { size: bytes.len() as u32, count };
    bytes[..8].copy_from_slice(head.as_bytes());
    bytes
}

fn attributes() -> Vec<u8> {
    let one = KsAttribute { size: 24, flags: AttributeFlags::REQUIRED, attribute: Guid::from_u128(9) };
    list(1, &[one.as_bytes().to_vec()])
}

/// Two ranges, the first with attributes, which the list counts.
fn two_ranges() -> Vec<u8> {
    list(3, &[range(DataRangeFlags::ATTRIBUTES, 1, 3), attributes(), range(DataRangeFlags::empty(), 2, 0)])
}

fn format(size: u32, flags: DataFormatFlags, sample_size: u32, block: &[u8]) -> Vec<u8> {
    let head = KsDataFormat {
        format_size: size,
        flags: flags.bits(),
        sample_size,
        reserved: 0,
        major_format: Guid::from_u128(0xA),
        sub_format: Guid::from_u128(0xB),
        specifier: Guid::from_u128(0xC),
    };
    [head.as_bytes(), block].concat()
}

fn hresult(error: Win32Error) -> HRESULT {
    error.to_hresult()
}

#[test]
fn a_list_is_got_whatever_its_length() {
    let filter = Filter::default().with(5, Answer::Bytes(vec![7; 1000]));
    let items = filter.factory().items(5).expect("the list");
    assert_eq!(items.as_slice(), [7; 1000]);
    assert_eq!(filter.asked(5), 2, "once for its size, once for itself");
}

#[test]
fn a_device_that_fails_or_contradicts_itself_is_an_error() {
    let more = |returned| DeviceError { error: Win32Error::MORE_DATA, returned };
    for (answer, error) in [
        (Answer::Fails(Win32Error::SET_NOT_FOUND.into()), hresult(Win32Error::SET_NOT_FOUND)),
        (Answer::Fails(Win32Error::INVALID_HANDLE.into()), E_HANDLE),
        (Answer::Fails(more(0)), hresult(Win32Error::MORE_DATA)),
        (Answer::Fails(more(usize::MAX)), E_OUTOFMEMORY),
        (Answer::Fails(more(LARGEST_ANSWER + 1)), E_OUTOFMEMORY),
        (Answer::Fails(more(8)), hresult(Win32Error::MORE_DATA)),
        (Answer::Succeeds(0), MALFORMED),
        (Answer::Succeeds(40), MALFORMED),
        (Answer::Grows, hresult(Win32Error::MORE_DATA)),
    ] {
        let filter = Filter::default().with(5, answer);
        assert_eq!(filter.factory().items(5).err(), Some(error));
        assert!(filter.asked(5) <= 2 * ATTEMPTS, "it ends");
    }
}

#[test]
fn media_types_are_counted_as_data_ranges_and_those_of_the_moment_come_first() {
    let all = || Answer::Bytes(two_ranges());
    let filter = Filter::default().with(KSPROPERTY_PIN_DATARANGES, all());
    assert_eq!(filter.factory().media_type_count(), Ok(2), "attributes are not counted");
    let now = Answer::Bytes(list(1, &[range(DataRangeFlags::empty(), 1, 0)]));
    let filter = filter.with(KSPROPERTY_PIN_CONSTRAINEDDATARANGES, now);
    assert_eq!(filter.factory().media_type_count(), Ok(1));
    let none = Filter::default();
    assert_eq!(none.factory().media_type_count(), Err(hresult(Win32Error::NOT_FOUND)));
    let malformed = Filter::default().with(KSPROPERTY_PIN_DATARANGES, Answer::Bytes(two_ranges()[..100].to_vec()));
    assert_eq!(malformed.factory().media_type_count(), Err(MALFORMED));
}

#[test]
fn a_media_type_is_the_format_the_filter_makes_of_its_range() {
    let block = [1, 2, 3, 4, 5];
    let filter = Filter::default().with(KSPROPERTY_PIN_DATARANGES, Answer::Bytes(two_ranges())).with(
        KSPROPERTY_PIN_DATAINTERSECTION,
        // What follows the format is no part of it.
        Answer::Bytes(format(69, DataFormatFlags::TEMPORAL_COMPRESSION, 40, &[1, 2, 3, 4, 5, 0xEE])),
    );
    let made = filter.factory().media_type(0).expect("an answer").expect("a format").into_media_type();
    let guids = [made.majortype, made.subtype, made.formattype].map(Guid::to_u128);
    assert_eq!(guids, [0xA, 0xB, 0xC]);
    assert_eq!((made.b_fixed_size_samples, made.b_temporal_compression, made.l_sample_size), (1, 1, 40));
    assert!(made.p_unk.is_null());
    let given = core::ptr::NonNull::new(made.pb_format).expect("a format block");
    // SAFETY: as long as said, and given to this test.
    assert_eq!(unsafe { core::slice::from_raw_parts(given.as_ptr().cast::<u8>(), made.cb_format as usize) }, block);
    // SAFETY: as above; it is used no more.
    unsafe { crate::task_memory::free(given) };

    // The filter was asked for its own range, with the attributes that belong to it.
    let sent = lock(&filter.asked).last().expect("a request").1.clone();
    let alone = list(2, &[range(DataRangeFlags::ATTRIBUTES, 1, 3), attributes()]);
    assert_eq!(sent, alone);
    filter.factory().media_type(1).expect("an answer").expect("a format");
    let sent = lock(&filter.asked).last().expect("a request").1.clone();
    assert_eq!(sent, list(1, &[range(DataRangeFlags::empty(), 2, 0)]));
}

#[test]
fn a_format_without_a_block_has_none() {
    let filter = Filter::default()
        .with(KSPROPERTY_PIN_DATARANGES, Answer::Bytes(two_ranges()))
        .with(KSPROPERTY_PIN_DATAINTERSECTION, Answer::Bytes(format(64, DataFormatFlags::empty(), 0, &[])));
    let made = filter.factory().media_type(1).expect("an answer").expect("a format").into_media_type();
    assert_eq!((made.b_fixed_size_samples, made.b_temporal_compression, made.l_sample_size), (0, 0, 0));
    assert_eq!((made.cb_format, made.pb_format), (0, null_mut()));
}

#[test]
fn a_position_without_a_range_is_none_and_asks_for_no_format() {
    let filter = Filter::default().with(KSPROPERTY_PIN_DATARANGES, Answer::Bytes(two_ranges()));
    for position in [2, 3, usize::MAX] {
        assert!(filter.factory().media_type(position).expect("an answer").is_none());
    }
    assert_eq!(filter.asked(KSPROPERTY_PIN_DATAINTERSECTION), 0);
}

#[test]
fn a_format_that_is_none_is_an_error() {
    let plain = DataFormatFlags::empty();
    for (answer, error) in [
        (Answer::Bytes(format(64, plain, 0, &[])[..63].to_vec()), MALFORMED),
        (Answer::Bytes(format(63, plain, 0, &[])), MALFORMED),
        (Answer::Bytes(format(66, plain, 0, &[1])), MALFORMED),
        (Answer::Bytes(format(u32::MAX, plain, 0, &[1])), MALFORMED),
        (Answer::Fails(Win32Error::NO_MATCH.into()), hresult(Win32Error::NO_MATCH)),
    ] {
        let filter = Filter::default()
            .with(KSPROPERTY_PIN_DATARANGES, Answer::Bytes(two_ranges()))
            .with(KSPROPERTY_PIN_DATAINTERSECTION, answer);
        assert_eq!(filter.factory().media_type(0).err(), Some(error));
    }
}
