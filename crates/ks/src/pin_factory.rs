//! Pin factories and connections: what a filter says of its pins, and how one is asked for (ks.h).

use crate::{KsIdentifier, KsPinInterface, KsPinMedium, Native, PointerWidth};
use core::mem::offset_of;
use core::ptr::without_provenance_mut;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

open_enum! {
    /// `KSPIN_DATAFLOW`: which way data goes through a pin.
    KsPinDataFlow {
        /// Into the filter.
        IN = 1, KSPIN_DATAFLOW_IN;
        /// Out of it.
        OUT = 2, KSPIN_DATAFLOW_OUT;
    }

    /// `KSSTATE`: what a connection does.
    KsState {
        /// It holds no more than it must.
        STOP = 0, KSSTATE_STOP;
        /// It takes what it needs.
        ACQUIRE = 1, KSSTATE_ACQUIRE;
        /// It has what it needs, and waits.
        PAUSE = 2, KSSTATE_PAUSE;
        /// It streams.
        RUN = 3, KSSTATE_RUN;
    }
}

/// `KSPIN_CINSTANCES`: how many pins of a factory there are, and may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsPinCInstances {
    /// `PossibleCount`; [`KSINSTANCE_INDETERMINATE`] for any number.
    pub possible_count: u32,
    /// `CurrentCount`.
    pub current_count: u32,
}

/// As many pins as are asked for.
pub const KSINSTANCE_INDETERMINATE: u32 = u32::MAX;

/// `KSPRIORITY`: the priority of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsPriority {
    /// `PriorityClass`.
    pub priority_class: u32,
    /// `PrioritySubClass`.
    pub priority_sub_class: u32,
}

/// `KSPIN_CONNECT`: which pin is asked for. A [`KsDataFormat`](crate::KsDataFormat) follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct KsPinConnectFor<P: PointerWidth> {
    /// `Interface`.
    pub interface: KsPinInterface,
    /// `Medium`.
    pub medium: KsPinMedium,
    /// `PinId`: the pin factory.
    pub pin_id: u32,
    /// `PinToHandle`: for a source pin, the handle of the sink pin it shall send to; else null.
    pub pin_to_handle: P::Pointer,
    /// `Priority`.
    pub priority: KsPriority,
}

/// [`KsPinConnectFor`] this program.
pub type KsPinConnect = KsPinConnectFor<Native>;

impl KsPinConnect {
    /// Reads the structure that these bytes begin with, and gives the bytes after it, which are its format. `None`
    /// where they are too few. No alignment is asked of them.
    pub fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (whole, format) = bytes.split_at_checked(size_of::<Self>())?;
        let handle = offset_of!(Self, pin_to_handle);
        let connect = Self {
            interface: KsPinInterface::read_from_prefix(whole).ok()?.0,
            medium: KsPinMedium::read_from_prefix(&whole[offset_of!(Self, medium)..]).ok()?.0,
            pin_id: u32::read_from_prefix(&whole[offset_of!(Self, pin_id)..]).ok()?.0,
            pin_to_handle: without_provenance_mut(usize::read_from_prefix(&whole[handle..]).ok()?.0),
            priority: KsPriority::read_from_prefix(&whole[offset_of!(Self, priority)..]).ok()?.0,
        };
        Some((connect, format))
    }

    /// Its bytes; padding is 0.
    pub fn to_bytes(&self) -> [u8; size_of::<Self>()] {
        let mut bytes = [0; size_of::<Self>()];
        let mut write = |offset: usize, part: &[u8]| bytes[offset..offset + part.len()].copy_from_slice(part);
        write(offset_of!(Self, interface), self.interface.as_bytes());
        write(offset_of!(Self, medium), self.medium.as_bytes());
        write(offset_of!(Self, pin_id), self.pin_id.as_bytes());
        write(offset_of!(Self, pin_to_handle), self.pin_to_handle.addr().as_bytes());
        write(offset_of!(Self, priority), self.priority.as_bytes());
        bytes
    }
}

/// `KSPROPERTY_DESCRIPTION`: the long answer to a property's `BASICSUPPORT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsPropertyDescription {
    /// `AccessFlags`: `KSPROPERTY_TYPE_GET` and `SET`, as far as they are supported.
    pub access_flags: u32,
    /// `DescriptionSize`: bytes of the description, this head included.
    pub description_size: u32,
    /// `PropTypeSet`: the type of the value; zero where it is not said.
    pub prop_type_set: KsIdentifier,
    /// `MembersListCount`: the lists that follow.
    pub members_list_count: u32,
    /// `Reserved`: 0.
    pub reserved: u32,
}

assert_layout!(KsPinCInstances: 8, 4 { possible_count: 0, current_count: 4 });
assert_layout!(KsPriority: 8, 4 { priority_class: 0, priority_sub_class: 4 });
assert_layout_by_width!(KsPinConnectFor: 72 | 64, 8 | 8 {
    interface: 0 | 0, medium: 24 | 24, pin_id: 48 | 48, pin_to_handle: 56 | 52, priority: 64 | 56,
});
assert_layout!(KsPropertyDescription: 40, 8 {
    access_flags: 0, description_size: 4, prop_type_set: 8, members_list_count: 32, reserved: 36,
});
