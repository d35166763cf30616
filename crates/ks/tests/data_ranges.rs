//! Lists of data ranges and attributes, from bytes that may be anything.

use ks::*;
use proptest::prelude::*;
use zerocopy::IntoBytes;

/// A range of so many bytes after its head, all of one value.
fn range(flags: DataRangeFlags, extra: usize, value: u8) -> Vec<u8> {
    let format_size = u32::try_from(size_of::<KsDataRange>() + extra).expect("a size");
    let head = KsDataRange { format_size, flags: flags.bits(), major_format: Guid::from_u128(1), ..Default::default() };
    let mut bytes = head.as_bytes().to_vec();
    bytes.resize(bytes.len() + extra, value);
    bytes
}

/// An attribute of so many bytes after its head.
fn attribute(id: u128, extra: usize) -> Vec<u8> {
    let size = u32::try_from(size_of::<KsAttribute>() + extra).expect("a size");
    let head = KsAttribute { size, flags: AttributeFlags::REQUIRED, attribute: Guid::from_u128(id) };
    let mut bytes = head.as_bytes().to_vec();
    bytes.resize(bytes.len() + extra, 0xA0 + u8::try_from(extra).expect("few"));
    bytes
}

/// A list with this count of what is given, each at a multiple of 8.
fn list(count: u32, items: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    for item in items {
        bytes.resize(bytes.len().next_multiple_of(8), 0xEE);
        bytes.extend(item);
    }
    let head = KsMultipleItem { size: u32::try_from(bytes.len()).expect("a size"), count };
    bytes[..8].copy_from_slice(head.as_bytes());
    bytes
}

const PLAIN: DataRangeFlags = DataRangeFlags::empty();
const WITH_LIST: DataRangeFlags = DataRangeFlags::ATTRIBUTES;

#[test]
fn ranges_are_told_by_their_place_whether_lists_are_counted_or_not() {
    let attributes = list(2, &[attribute(7, 3), attribute(8, 0)]);
    let items = [range(PLAIN, 3, 1), range(WITH_LIST, 5, 2), attributes.clone(), range(PLAIN, 0, 0)];
    for count in [3, 4] {
        let bytes = list(count, &items);
        let ranges = DataRanges::parse(&bytes).expect("a list");
        assert_eq!((ranges.len(), ranges.is_empty()), (3, false));
        let sizes: Vec<_> = ranges.iter().map(|range| (range.head().format_size, range.bytes().len())).collect();
        assert_eq!(sizes, [(67, 67), (69, 72 + attributes.len()), (64, 64)]);
        let attached: Vec<_> = ranges.iter().filter_map(|range| range.attributes()).collect();
        let found: Vec<_> = attached[0].iter().map(|(head, rest)| (head.attribute.to_u128(), rest)).collect();
        assert_eq!(found, [(7, [0xA3; 3].as_slice()), (8, &[])]);
    }
    // The list of attributes at the end.
    for count in [1, 2] {
        let bytes = list(count, &[range(WITH_LIST, 0, 0), attributes.clone()]);
        assert_eq!(DataRanges::parse(&bytes).expect("a list").len(), 1);
    }
}

#[test]
fn a_list_may_lie_anywhere_and_be_empty() {
    let mut bytes = vec![0];
    bytes.extend(list(1, &[range(PLAIN, 1, 1)]));
    assert_eq!(DataRanges::parse(&bytes[1..]).map(|ranges| ranges.len()), Ok(1));
    assert!(DataRanges::parse(&list(0, &[])).expect("a list").is_empty());
}

#[test]
fn what_does_not_fit_is_named() {
    let short = |structure, needed, length| DataRangeError::TooShort { structure, needed, length };
    let failure = |bytes: &[u8]| DataRanges::parse(bytes).expect_err("no list");
    assert_eq!(failure(&[0; 7]), short("KSMULTIPLE_ITEM", 8, 7));
    assert_eq!(failure(&[0; 8]), DataRangeError::SizeTooSmall { field: "KSMULTIPLE_ITEM.Size", size: 0 });
    let whole = list(1, &[range(PLAIN, 2, 1)]);
    assert_eq!(failure(&whole[..whole.len() - 1]), short("KSMULTIPLE_ITEM", 74, 73));
    // One more than there are.
    assert_eq!(failure(&list(2, &[range(PLAIN, 0, 1)])), short("KSDATARANGE", 64, 0));
    let with_list = [range(WITH_LIST, 0, 1), list(0, &[])];
    let wrong = DataRangeError::WrongCount { count: 3, ranges: 1, lists: 1 };
    assert_eq!(failure(&list(3, &with_list)), wrong);
    assert_eq!(failure(&list(1, &with_list[..1])), short("KSMULTIPLE_ITEM", 8, 0));
    let mut small = whole.clone();
    small[8..12].copy_from_slice(&63u32.to_le_bytes());
    assert_eq!(failure(&small), DataRangeError::SizeTooSmall { field: "KSDATARANGE.FormatSize", size: 63 });
    let mut large = whole;
    large[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(failure(&large), short("KSDATARANGE", u32::MAX as usize, 66));
    let few = list(3, &[attribute(1, 0), attribute(2, 1)]);
    assert_eq!(AttributeList::parse(&few).map(|_| ()), Err(short("KSATTRIBUTE", 24, 0)));
    assert_eq!(wrong.to_string(), "KSMULTIPLE_ITEM.Count is 3, and there are 1 data ranges and 1 lists of attributes");
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    /// Lists that are nearly right reach further than noise.
    #[test]
    fn no_damaged_list_breaks_the_reader(
        place in 0usize..300,
        word in prop_oneof![Just(0), Just(8), Just(64), Just(u32::MAX), 0u32..400, any::<u32>()],
    ) {
        let attributes = list(2, &[attribute(7, 3), attribute(8, 8)]);
        let mut bytes = list(4, &[range(WITH_LIST, 5, 2), attributes, range(PLAIN, 3, 1), range(PLAIN, 0, 0)]);
        if let Some(at) = bytes.get_mut(place..place + 4) {
            at.copy_from_slice(&word.to_le_bytes());
        }
        read_all(&bytes);
    }
}

/// What `parse` accepts can be read to its end.
fn read_all(bytes: &[u8]) {
    if let Ok(ranges) = DataRanges::parse(bytes) {
        assert_eq!(ranges.iter().count(), ranges.len() as usize);
        for range in ranges.iter() {
            assert!(range.bytes().len() >= range.head().format_size as usize);
            if let Some(attributes) = range.attributes() {
                attributes.iter().for_each(|(head, rest)| assert_eq!(rest.len() + 24, head.size as usize));
            }
        }
    }
    if let Ok(list) = AttributeList::parse(bytes) {
        assert!(list.iter().count() * 24 < bytes.len());
    }
}
