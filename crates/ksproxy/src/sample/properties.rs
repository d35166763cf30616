//! `IMediaSample2`: the attributes as one `AM_SAMPLE2_PROPERTIES` (statements 102 to 108).

use super::{Attributes, MediaType, Sample};
use crate::hresult::*;
use core::mem::{MaybeUninit, offset_of};
use core::ptr::{copy_nonoverlapping, from_mut};
use ks::{AmMediaType, AmSample2Properties, SampleFlags};
use std::sync::Arc;
use windows_core::HRESULT;

/// The structure's size, which a 32-bit length holds.
const SIZE: usize = size_of::<AmSample2Properties>();

/// The flags that have a name; any other makes `SetProperties` fail (statement 106).
const KNOWN_FLAGS: SampleFlags = {
    let mut known = SampleFlags::empty();
    let mut rest = SampleFlags::NAMES;
    while let [(_, flag), tail @ ..] = rest {
        known = known.union(*flag);
        rest = tail;
    }
    known
};

/// `GetProperties`: the first `size` bytes of the structure, which says in `cbData` how many these are.
///
/// # Safety
///
/// `target` is null or good for writing `size` bytes.
pub(super) unsafe fn get(sample: &Sample, size: u32, target: *mut u8) -> HRESULT {
    if size == 0 {
        return S_OK;
    }
    if target.is_null() {
        return E_POINTER;
    }
    let size = usize::try_from(size).map_or(SIZE, |size| size.min(SIZE));
    let (address, buffer_size) = match sample.buffer() {
        Ok(buffer) => buffer,
        Err(error) => return error,
    };
    // Its padding too: what is copied below is all of it.
    let mut whole = MaybeUninit::<AmSample2Properties>::zeroed();
    // SAFETY: zero is a value of each member.
    let properties = unsafe { whole.assume_init_mut() };
    let read = sample.read(|attributes| {
        properties.cb_data = size as u32;
        properties.dw_type_specific_flags = attributes.type_specific_flags;
        properties.dw_sample_flags = attributes.flags;
        properties.l_actual = attributes.actual_length;
        properties.t_start = attributes.start;
        properties.t_stop = attributes.end;
        properties.dw_stream_id = attributes.stream_id;
        properties.p_media_type =
            attributes.media_type.as_ref().map_or(core::ptr::null_mut(), |own| own.as_ptr().cast());
        properties.pb_buffer = core::ptr::with_exposed_provenance_mut(address);
        properties.cb_buffer = buffer_size;
    });
    if let Err(error) = read {
        return error;
    }
    // SAFETY: `size` is at most the structure's, and what the caller promises for the target.
    unsafe { copy_nonoverlapping(whole.as_ptr().cast::<u8>(), target, size) };
    S_OK
}

/// What a caller gave of the structure: its first `length` bytes, zeros behind them.
struct Given {
    properties: AmSample2Properties,
    length: usize,
}

impl Given {
    /// Reads what is given, or says what is wrong with the lengths. `None`: nothing is given.
    ///
    /// # Safety
    ///
    /// `source` is null or good for reading `size` bytes.
    unsafe fn read(size: u32, source: *const u8) -> Result<Option<Self>, HRESULT> {
        let size = usize::try_from(size).map_err(|_| E_INVALIDARG)?;
        if size < size_of::<u32>() {
            return Ok(None);
        }
        if source.is_null() {
            return Err(E_POINTER);
        }
        // SAFETY: at least four bytes are there.
        let data_size = unsafe { source.cast::<u32>().read_unaligned() };
        let data_size = usize::try_from(data_size).map_err(|_| E_INVALIDARG)?;
        if size > SIZE || data_size > SIZE {
            return Err(E_INVALIDARG);
        }
        let length = size.min(data_size);
        let mut properties = AmSample2Properties::default();
        // SAFETY: `length` bytes are there and fit; every bit pattern is a value of the structure's members.
        unsafe { copy_nonoverlapping(source, from_mut(&mut properties).cast::<u8>(), length) };
        Ok(Some(Self { properties, length }))
    }

    /// The member that ends at `end`, if all of it is given.
    fn member<T>(&self, end: usize, value: T) -> Option<T> {
        (self.length >= end).then_some(value)
    }
}

/// The end of a member of the structure.
macro_rules! end_of {
    ($member:ident: $type:ty) => {
        offset_of!(AmSample2Properties, $member) + size_of::<$type>()
    };
}

/// What is to change: `None` for what was not given.
struct Change {
    type_specific_flags: Option<u32>,
    flags: Option<SampleFlags>,
    actual_length: Option<i32>,
    start: Option<i64>,
    end: Option<i64>,
    stream_id: Option<u32>,
}

/// `SetProperties`: checks everything, then changes everything.
///
/// # Safety
///
/// `source` is null or good for reading `size` bytes, and a media type it points to is well-formed.
pub(super) unsafe fn set(sample: &Sample, size: u32, source: *const u8) -> HRESULT {
    // SAFETY: as the caller promises.
    let given = match unsafe { Given::read(size, source) } {
        Ok(Some(given)) => given,
        Ok(None) => return S_OK,
        Err(error) => return error,
    };
    // SAFETY: as the caller promises.
    unsafe { change(sample, &given) }.err().unwrap_or(S_OK)
}

/// Checks everything that is given, then changes everything.
///
/// # Safety
///
/// A media type that `given` points to is well-formed.
unsafe fn change(sample: &Sample, given: &Given) -> Result<(), HRESULT> {
    let buffer = sample.buffer()?;
    let change = sample.read(|attributes| check(given, attributes, buffer))??;
    // SAFETY: as the caller promises.
    let media_type = unsafe { new_media_type(sample, given) }?;
    let old = sample.change(|attributes, _| {
        apply(&change, attributes);
        // TYPECHANGED says whether there is a type, whatever the flags given say.
        let media_type = media_type.or_else(|| attributes.media_type.clone());
        attributes.set_media_type(media_type)
    })?;
    drop(old);
    Ok(())
}

/// Checks all that is given but the media type.
fn check(given: &Given, attributes: &Attributes, (address, size): (usize, i32)) -> Result<Change, HRESULT> {
    let properties = &given.properties;
    let flags = given.member(end_of!(dw_sample_flags: u32), properties.dw_sample_flags);
    let end = given.member(end_of!(t_stop: i64), properties.t_stop);
    let valid = SampleFlags::TIMEVALID;
    let newly_timed = flags.is_some_and(|flags| flags.contains(valid)) && !attributes.flags.contains(valid);
    let buffer = given.member(end_of!(pb_buffer: *mut u8), properties.pb_buffer.addr()).unwrap_or(0);
    let buffer_size = given.member(end_of!(cb_buffer: i32), properties.cb_buffer);
    let actual_length = given.member(end_of!(l_actual: i32), properties.l_actual);
    let sound = flags.is_none_or(|flags| KNOWN_FLAGS.contains(flags))
        && !(newly_timed && end.is_none())
        && (buffer == 0 || buffer == address)
        && buffer_size.is_none_or(|given| given == 0 || given == size)
        && actual_length.is_none_or(|length| (0..=buffer_size.unwrap_or(size)).contains(&length));
    if !sound {
        return Err(E_INVALIDARG);
    }
    Ok(Change {
        type_specific_flags: given.member(end_of!(dw_type_specific_flags: u32), properties.dw_type_specific_flags),
        flags,
        actual_length,
        start: given.member(end_of!(t_start: i64), properties.t_start),
        end,
        stream_id: given.member(end_of!(dw_stream_id: u32), properties.dw_stream_id),
    })
}

/// The media type that is given, as a copy of our own; `None` if none is or it is the sample's own already.
///
/// # Safety
///
/// The pointer in `given` is null or that of a well-formed media type.
unsafe fn new_media_type(sample: &Sample, given: &Given) -> Result<Option<Arc<MediaType>>, HRESULT> {
    let flags = given.properties.dw_sample_flags;
    let source = given.properties.p_media_type.cast::<AmMediaType>();
    let covered = given.length >= end_of!(p_media_type: *mut u8);
    if !covered || !flags.contains(SampleFlags::TYPECHANGED) {
        return Ok(None);
    }
    if source.is_null() {
        return Err(E_POINTER);
    }
    let own = sample.read(|attributes| attributes.media_type.as_ref().map(|own| own.as_ptr()))?;
    if own == Some(source) {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    let copy = unsafe { MediaType::copy(&source.read_unaligned()) }?;
    Ok(Some(Arc::new(copy)))
}

/// Takes what was given over.
fn apply(change: &Change, attributes: &mut Attributes) {
    attributes.type_specific_flags = change.type_specific_flags.unwrap_or(attributes.type_specific_flags);
    attributes.flags = change.flags.unwrap_or(attributes.flags);
    attributes.actual_length = change.actual_length.unwrap_or(attributes.actual_length);
    attributes.start = change.start.unwrap_or(attributes.start);
    attributes.end = change.end.unwrap_or(attributes.end);
    attributes.stream_id = change.stream_id.unwrap_or(attributes.stream_id);
}
