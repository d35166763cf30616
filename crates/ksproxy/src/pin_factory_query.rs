//! A filter's pin factory, asked through the filter's handle: its lists and its media types.
//!
//! What a device answers is checked like any stranger's bytes.

use crate::hresult::{E_OUTOFMEMORY, ToHresult, from_win32};
use crate::task_bytes::TaskBytes;
use core::ptr::null_mut;
use ks::{
    AmMediaType, DataFormatFlags, DataRange, DataRangeError, DataRanges, IOCTL_KS_PROPERTY,
    KSPROPERTY_PIN_CONSTRAINEDDATARANGES, KSPROPERTY_PIN_DATAINTERSECTION, KSPROPERTY_PIN_DATARANGES, KSPROPSETID_Pin,
    KsDataFormat, KsMultipleItem, KsProperty, KsPropertyType, KspPin,
};
use ksobject::Handle;
use ksobject::{DeviceError, ObjectAccess, Win32Error};
use windows_core::HRESULT;
use zerocopy::{FromBytes, IntoBytes};

/// The most bytes that are taken from a device in one answer: 16 MiB, far above any list of formats.
const LARGEST_ANSWER: usize = 1 << 24;
/// How often an answer that grew since its size was asked for is asked for again.
const ATTEMPTS: usize = 8;

/// The device's answer is not what its property's page says.
const MALFORMED: HRESULT = from_win32(Win32Error::INVALID_DATA);

/// What a pin factory of a filter is asked, and by which way.
pub(crate) struct PinFactoryQuery<'a> {
    pub(crate) access: &'a dyn ObjectAccess,
    pub(crate) filter: Handle,
    pub(crate) id: u32,
}

/// A data format, its format block apart.
#[derive(Debug)]
pub(crate) struct Format {
    head: KsDataFormat,
    /// What follows the head; `None` where nothing does.
    block: Option<TaskBytes>,
}

impl PinFactoryQuery<'_> {
    /// A property of `KSPROPSETID_Pin`, however long it is.
    pub(crate) fn items(&self, property: u32) -> Result<TaskBytes, HRESULT> {
        self.get(self.request(property).as_bytes())
    }

    /// How many data ranges there are at this moment.
    pub(crate) fn media_type_count(&self) -> Result<u32, HRESULT> {
        Ok(parse(self.data_ranges()?.as_slice())?.len())
    }

    /// The format the filter makes of its data range at this position; `None` where there is no such range.
    pub(crate) fn media_type(&self, position: usize) -> Result<Option<Format>, HRESULT> {
        let ranges = self.data_ranges()?;
        match parse(ranges.as_slice())?.iter().nth(position) {
            Some(range) => self.intersection(&range).map(Some),
            None => Ok(None),
        }
    }

    fn request(&self, property: u32) -> KspPin {
        let property = KsProperty::property(KSPROPSETID_Pin, property, KsPropertyType::GET);
        KspPin { property, pin_id: self.id, reserved: 0 }
    }

    /// The ranges the filter has at this moment or, where it does not say, all it can have.
    fn data_ranges(&self) -> Result<TaskBytes, HRESULT> {
        self.items(KSPROPERTY_PIN_CONSTRAINEDDATARANGES).or_else(|_| self.items(KSPROPERTY_PIN_DATARANGES))
    }

    /// Asks the filter for the first format it has in a range.
    fn intersection(&self, range: &DataRange<'_>) -> Result<Format, HRESULT> {
        // The range as the filter gave it, with its attributes, which count as an item.
        let bytes = range.bytes();
        let size = u32::try_from(size_of::<KsMultipleItem>() + bytes.len()).map_err(|_| E_OUTOFMEMORY)?;
        let list = KsMultipleItem { size, count: 1 + u32::from(range.attributes().is_some()) };
        let request = self.request(KSPROPERTY_PIN_DATAINTERSECTION);
        let answer = self.get(&[request.as_bytes(), list.as_bytes(), bytes].concat())?;
        let answer = answer.as_slice();
        let (head, _) = KsDataFormat::read_from_prefix(answer).map_err(|_| MALFORMED)?;
        let end = usize::try_from(head.format_size).map_err(|_| MALFORMED)?;
        let block = answer.get(size_of_val(&head)..end).ok_or(MALFORMED)?;
        let block = match block {
            [] => None,
            block => Some(TaskBytes::copy(block).ok_or(E_OUTOFMEMORY)?),
        };
        Ok(Format { head, block })
    }

    /// Asks for a property: first for its size, then for the answer.
    fn get(&self, request: &[u8]) -> Result<TaskBytes, HRESULT> {
        for _ in 0..ATTEMPTS {
            let size = match self.send(request, &mut []) {
                Err(DeviceError { error: Win32Error::MORE_DATA | Win32Error::INSUFFICIENT_BUFFER, returned })
                    if returned != 0 =>
                {
                    returned
                }
                Err(failure) => return Err(failure.error.to_hresult()),
                // There is nothing, where there should at least be a list's head.
                Ok(_) => return Err(MALFORMED),
            };
            if size > LARGEST_ANSWER {
                return Err(E_OUTOFMEMORY);
            }
            let mut answer = TaskBytes::zeroed(size).ok_or(E_OUTOFMEMORY)?;
            match self.send(request, answer.as_mut_slice()) {
                Ok(0) => return Err(MALFORMED),
                Ok(written) => {
                    answer.truncate(written);
                    return Ok(answer);
                }
                // It grew.
                Err(DeviceError { error: Win32Error::MORE_DATA | Win32Error::INSUFFICIENT_BUFFER, .. }) => {}
                Err(failure) => return Err(failure.error.to_hresult()),
            }
        }
        Err(Win32Error::MORE_DATA.to_hresult())
    }

    fn send(&self, request: &[u8], answer: &mut [u8]) -> Result<usize, DeviceError> {
        self.access.device_io_control(self.filter, IOCTL_KS_PROPERTY, request, answer)
    }
}

impl Format {
    /// The format as a media type, whose format block is the caller's to free.
    ///
    /// Attributes that follow the format are left out: a media type has no place for them.
    pub(crate) fn into_media_type(self) -> AmMediaType {
        let Self { head, block } = self;
        // At most `LARGEST_ANSWER`.
        let cb_format = block.as_ref().map_or(0, |block| block.as_slice().len() as u32);
        AmMediaType {
            majortype: head.major_format,
            subtype: head.sub_format,
            b_fixed_size_samples: i32::from(head.sample_size != 0),
            b_temporal_compression: i32::from(head.format_flags().contains(DataFormatFlags::TEMPORAL_COMPRESSION)),
            l_sample_size: head.sample_size,
            formattype: head.specifier,
            p_unk: null_mut(),
            cb_format,
            pb_format: block.map_or(null_mut(), TaskBytes::into_raw),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<DataRanges<'_>, HRESULT> {
    DataRanges::parse(bytes).map_err(|_: DataRangeError| MALFORMED)
}

#[cfg(test)]
mod tests;
