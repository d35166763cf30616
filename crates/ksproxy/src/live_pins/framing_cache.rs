//! What a pin's framing cache holds, as the graph understands it.

use super::error::Fault;
use crate::hresult::*;
use crate::interfaces::IKsPinPipe;
use core::ptr::null_mut;
use ks::{
    FramingBlob, FramingCacheOps, FramingProp, KsAllocatorFraming, KsAllocatorFramingExHead, KsCompression,
    KsFramingItem,
};
use kspipe::graph::{BlobFraming, read_blob};
use zerocopy::{FromBytes, IntoBytes};

/// The most items that are read. Drivers have one; a number far above is garbage, and nothing says how much memory there
/// is behind the pointer.
const MOST_ITEMS: u32 = 256;

/// A framing that says nothing about itself but where it begins.
struct Cached {
    property: FramingProp,
    framing: *const u8,
}

/// The framing a pin asks for now: the one read last or, where none is, the one read first. `None`: neither was read.
///
/// # Safety
///
/// A framing the pin gives is null or good for reading as many items as it says, until the pin is called again.
pub(super) unsafe fn read(pipe: &IKsPinPipe) -> Result<Option<BlobFraming>, Fault> {
    for option in [FramingCacheOps::READ_LAST, FramingCacheOps::READ_ORIG] {
        let Some(cached) = cached(pipe, option)? else { continue };
        if cached.property == FramingProp::NONE {
            return Ok(Some(BlobFraming::default()));
        }
        if cached.framing.is_null() {
            return Err(Fault::new(E_INVALIDARG, "its framing cache says that there is a framing, and has none"));
        }
        let framing = match cached.property {
            // SAFETY: not null, and as the caller promises; so below.
            FramingProp::OLD => unsafe { old(cached.framing) },
            // SAFETY: as above.
            FramingProp::EX => unsafe { extended(cached.framing) },
            other => Err(Fault::new(E_INVALIDARG, format!("its framing cache holds a FRAMING_PROP of {}", other.0))),
        };
        return framing.map(Some);
    }
    Ok(None)
}

/// What is in a slot of the cache; `None`: nothing was put there, or the pin has no cache.
fn cached(pipe: &IKsPinPipe, option: FramingCacheOps) -> Result<Option<Cached>, Fault> {
    let (mut framing, mut property) = (null_mut(), FramingProp::UNINITIALIZED);
    // SAFETY: an interface the pin answered with; both pointers are there.
    let code = unsafe { pipe.KsGetPinFramingCache(&mut framing, &mut property, option) };
    match code {
        E_NOTIMPL => Ok(None),
        _ if code.is_err() => Err(Fault::failed("KsGetPinFramingCache", code)),
        _ if property == FramingProp::UNINITIALIZED => Ok(None),
        _ => Ok(Some(Cached { property, framing: framing.cast_const().cast() })),
    }
}

/// The head of every extended framing with one item that a driver could mean (see [`old`]).
const PLAIN_HEAD: KsAllocatorFramingExHead =
    KsAllocatorFramingExHead { count_items: 1, pin_flags: 0, output_compression: KsCompression::NONE, pin_weight: 0 };

/// Reads the framing of a pin that has only the old property.
///
/// The cache's pointer is one to the extended structure, and nothing public says whether the old one lies there as it is
/// or made into an extended one. The two can be told apart: the head of an extended framing with one item and no
/// compression would be an old one for one frame of one byte that is modified in the device's memory.
///
/// # Safety
///
/// `framing` is good for reading the one or the other.
unsafe fn old(framing: *const u8) -> Result<BlobFraming, Fault> {
    // SAFETY: the old structure is as long as the head of the extended one.
    let bytes = unsafe { framing.cast::<[u8; size_of::<KsAllocatorFraming>()]>().read_unaligned() };
    if bytes == PLAIN_HEAD.as_bytes() {
        // SAFETY: it is an extended one, as the caller promises.
        return unsafe { extended(framing) };
    }
    let old = KsAllocatorFraming::read_from_bytes(&bytes).unwrap_or_default();
    Ok(BlobFraming::from(&FramingBlob::Old(old)))
}

/// Reads an extended framing.
///
/// # Safety
///
/// `framing` is good for reading as many items as it says.
unsafe fn extended(framing: *const u8) -> Result<BlobFraming, Fault> {
    // SAFETY: its first member.
    let count = unsafe { framing.cast::<u32>().read_unaligned() };
    if count > MOST_ITEMS {
        return Err(Fault::new(E_INVALIDARG, format!("its framing has a CountItems of {count}")));
    }
    let length = size_of::<KsAllocatorFramingExHead>() + count as usize * size_of::<KsFramingItem>();
    let mut bytes = vec![0; length];
    // SAFETY: as long as it says, as the caller promises; the copy is our own memory.
    unsafe { framing.copy_to_nonoverlapping(bytes.as_mut_ptr(), length) };
    if count == 0 {
        return Err(Fault::new(E_INVALIDARG, "its framing has a CountItems of 0"));
    }
    read_blob(&bytes).map_err(|error| Fault::new(E_INVALIDARG, format!("its framing: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::{AlignmentMask, FramingFlags, KSMEMORY_TYPE_KERNEL_PAGED, KsAllocatorFramingEx, PoolType};
    use kspipe::graph::Framing;

    #[test]
    fn an_old_framing_is_read_as_it_is_or_made_into_an_extended_one() {
        let plain = KsAllocatorFraming {
            flags: ks::OptionsOrRequirements(2),
            pool_type: PoolType::PAGED_POOL,
            frames: 3,
            frame_size: 512,
            file_alignment: AlignmentMask(15).into(),
            reserved: 0,
        };
        // SAFETY: a whole structure.
        let read = unsafe { old((&raw const plain).cast()) }.expect("a framing");
        assert!(matches!(read.framing, Framing::Old(_)));
        assert_eq!((read.framing.items()[0].frames, read.framing.items()[0].alignment), (3, 16));

        let made =
            KsAllocatorFramingEx::simple(KSMEMORY_TYPE_KERNEL_PAGED, FramingFlags(2), 3, AlignmentMask(15), 512, 512);
        // SAFETY: as above.
        let read = unsafe { old((&raw const made).cast()) }.expect("a framing");
        assert!(matches!(read.framing, Framing::Extended(_)));
        assert_eq!((read.framing.items()[0].frames, read.framing.items()[0].alignment), (3, 16));
    }

    #[test]
    fn a_count_of_items_that_cannot_be_is_refused_before_anything_behind_it_is_read() {
        for count in [0u32, MOST_ITEMS + 1, 0x4141_4141, u32::MAX] {
            let head = KsAllocatorFramingExHead { count_items: count, ..PLAIN_HEAD };
            // SAFETY: no item is there, and none is read.
            let fault = unsafe { extended((&raw const head).cast()) }.expect_err("no framing");
            assert_eq!(fault.code, E_INVALIDARG);
            assert!(fault.message.contains(&format!("CountItems of {count}")), "{}", fault.message);
        }
    }
}
