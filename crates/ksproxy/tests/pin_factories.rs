//! The functions of ksproxy.ax against filters of this process: what they answer is what the filter's factories say.
#![cfg(target_os = "linux")]

use core::ffi::c_void;
use core::ptr::null_mut;
use ks::*;
use ksproxy::hresult::*;
use ksproxy::*;
use windows_core::HRESULT;
use zerocopy::IntoBytes;

/// A range or format with these GUIDs, and what follows it.
fn format(guids: [u128; 3], flags: u32, sample_size: u32, block: &[u8]) -> Vec<u8> {
    let [major_format, sub_format, specifier] = guids.map(Guid::from_u128);
    let format_size = u32::try_from(size_of::<KsDataFormat>() + block.len()).expect("a size");
    let head = KsDataFormat { format_size, flags, sample_size, reserved: 0, major_format, sub_format, specifier };
    [head.as_bytes(), block].concat()
}

/// A filter whose pin factory 1 has three data ranges, and formats in two of them.
fn filter() -> OwnedHandle {
    let factory = PinFactory {
        data_ranges: vec![
            format([1, 10, 100], 0, 0, &[9; 5]),
            format([2, 0, 0], 0, 0, &[]),
            format([3, 30, 300], 0, 0, &[9; 24]),
        ],
        formats: vec![
            format([2, 20, 200], DataFormatFlags::TEMPORAL_COMPRESSION.bits(), 0, &[]),
            format([1, 10, 100], 0, 40, &[1, 2, 3]),
            format([1, 10, 100], 0, 80, &[4]),
        ],
        name: Some("Video".to_owned()),
        ..PinFactory::source()
    };
    InProcessObjects::create_filter(vec![PinFactory::sink(), factory]).expect("a filter")
}

fn hresult(error: Win32Error) -> HRESULT {
    error.to_hresult()
}

/// The media type at a position, its format block in bytes.
fn media_type(filter: &OwnedHandle, factory: u32, position: i32) -> Result<(AmMediaType, Vec<u8>), HRESULT> {
    let mut found = AmMediaType { cb_format: 7, ..AmMediaType::default() };
    // SAFETY: the structure is there, and the handle is open.
    let answer = unsafe { KsGetMediaType(position, &mut found, filter.handle(), factory) };
    if answer != S_OK {
        assert_eq!(found, AmMediaType::default(), "no media type is all zero");
        return Err(answer);
    }
    let length = usize::try_from(found.cb_format).expect("a length");
    let block = match found.pb_format.is_null() {
        true => Vec::new(),
        // SAFETY: as long as said, from malloc, and given to this test, which uses it no more afterwards.
        false => unsafe {
            let block = core::slice::from_raw_parts(found.pb_format.cast::<u8>(), length).to_vec();
            libc::free(found.pb_format);
            block
        },
    };
    assert_eq!(block.len(), length);
    Ok((found, block))
}

#[test]
fn media_types_are_the_formats_of_the_factorys_ranges() {
    let filter = filter();
    let mut count = 7;
    // SAFETY: the number is there, and the handle is open.
    assert_eq!(unsafe { KsGetMediaTypeCount(filter.handle(), 1, &mut count) }, S_OK);
    assert_eq!(count, 3);

    let guids = |found: &AmMediaType| [found.majortype, found.subtype, found.formattype].map(Guid::to_u128);
    let (first, block) = media_type(&filter, 1, 0).expect("a media type");
    assert_eq!((guids(&first), block), ([1, 10, 100], vec![1, 2, 3]));
    assert_eq!((first.b_fixed_size_samples, first.b_temporal_compression, first.l_sample_size), (1, 0, 40));
    let (second, block) = media_type(&filter, 1, 1).expect("a media type");
    assert_eq!((guids(&second), block), ([2, 20, 200], vec![]));
    assert_eq!((second.b_fixed_size_samples, second.b_temporal_compression, second.l_sample_size), (0, 1, 0));

    assert_eq!(media_type(&filter, 1, 2).err(), Some(hresult(Win32Error::NO_MATCH)), "a range without a format");
    assert_eq!(media_type(&filter, 1, 3).err(), Some(VFW_S_NO_MORE_ITEMS));
    assert_eq!(media_type(&filter, 1, i32::MAX).err(), Some(VFW_S_NO_MORE_ITEMS));
    assert_eq!(media_type(&filter, 1, i32::MIN).err(), Some(E_INVALIDARG));
    assert_eq!(media_type(&filter, 2, 0).err(), Some(E_INVALIDARG), "no such factory");
}

#[test]
fn items_of_any_length_are_got_and_belong_to_the_caller() {
    let filter = filter();
    let get = |property| {
        let mut items: *mut c_void = core::ptr::dangling_mut();
        // SAFETY: the pointer is there, and the handle is open.
        let answer = unsafe { KsGetMultiplePinFactoryItems(filter.handle(), 1, property, &mut items) };
        (answer, items)
    };
    let (answer, items) = get(KSPROPERTY_PIN_DATARANGES);
    assert_eq!(answer, S_OK);
    // SAFETY: a list begins with its head, which says its size; from malloc, and used no more afterwards.
    let (head, bytes) = unsafe {
        let head = items.cast::<KsMultipleItem>().read_unaligned();
        let bytes = core::slice::from_raw_parts(items.cast::<u8>(), head.size as usize).to_vec();
        libc::free(items);
        (head, bytes)
    };
    assert_eq!(head.count, 3);
    let sizes: Vec<u32> = DataRanges::parse(&bytes).expect("a list").iter().map(|one| one.head().format_size).collect();
    assert_eq!(sizes, [69, 64, 88]);

    let (answer, name) = get(KSPROPERTY_PIN_NAME);
    assert_eq!(answer, S_OK);
    // SAFETY: the name and its zero; from malloc, and used no more afterwards.
    let units = unsafe {
        let units = core::slice::from_raw_parts(name.cast::<u16>(), 6).to_vec();
        libc::free(name);
        units
    };
    assert_eq!(String::from_utf16_lossy(&units), "Video\0");
    assert_eq!(get(KSPROPERTY_PIN_PHYSICALCONNECTION), (hresult(Win32Error::NOT_FOUND), null_mut()));
    assert_eq!(get(u32::MAX), (hresult(Win32Error::NOT_FOUND), null_mut()));
}

#[test]
fn a_filter_refuses_ranges_that_are_none() {
    let filter = filter();
    let property = KsProperty::property(KSPROPSETID_Pin, KSPROPERTY_PIN_DATAINTERSECTION, KsPropertyType::GET);
    let request = KspPin { property, pin_id: 1, reserved: 0 };
    let ask = |list: &[u8]| {
        let input = [request.as_bytes(), list].concat();
        let (mut output, mut returned) = ([0u8; 256], 7);
        // SAFETY: the buffers are as long as said, and the handle is open.
        let answer = unsafe {
            KsSynchronousDeviceControl(
                filter.handle(),
                IOCTL_KS_PROPERTY,
                input.as_ptr().cast(),
                u32::try_from(input.len()).expect("a length"),
                output.as_mut_ptr().cast(),
                256,
                &mut returned,
            )
        };
        (answer, returned)
    };
    let list = |count, ranges: &[u8]| {
        let head = KsMultipleItem { size: u32::try_from(8 + ranges.len()).expect("a size"), count };
        [head.as_bytes(), ranges].concat()
    };
    let wanted = format([1, 10, 100], 0, 0, &[]);
    assert_eq!(ask(&list(1, &wanted)), (S_OK, 67));
    assert_eq!(ask(&list(2, &[&format([9, 9, 9], 0, 0, &[])[..], &wanted].concat())), (S_OK, 67), "the second range");
    assert_eq!(ask(&list(1, &format([9, 9, 9], 0, 0, &[]))), (hresult(Win32Error::NO_MATCH), 0));
    assert_eq!(ask(&list(0, &[])), (hresult(Win32Error::NO_MATCH), 0));
    for malformed in [vec![], list(1, &[]), list(2, &wanted), list(1, &wanted[..63])] {
        assert_eq!(ask(&malformed), (E_INVALIDARG, 0));
    }
    // A required attribute that the format does not have.
    let required = KsAttribute { size: 24, flags: AttributeFlags::REQUIRED, attribute: Guid::from_u128(5) };
    let with_attributes = [&format([1, 10, 100], 2, 0, &[])[..], &list(1, required.as_bytes())].concat();
    assert_eq!(ask(&list(2, &with_attributes)), (hresult(Win32Error::NO_MATCH), 0));
}
