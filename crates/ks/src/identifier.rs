//! The request of a property, method or event: `KSIDENTIFIER`.

use crate::Guid;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

flags! {
    /// `KSPROPERTY_TYPE_*`: what is asked of a property.
    KsPropertyType {
        /// Its value.
        GET = 0x0000_0001, KSPROPERTY_TYPE_GET;
        /// To take a value.
        SET = 0x0000_0002, KSPROPERTY_TYPE_SET;
        /// Whether the set is supported.
        SETSUPPORT = 0x0000_0100, KSPROPERTY_TYPE_SETSUPPORT;
        /// What of it is supported.
        BASICSUPPORT = 0x0000_0200, KSPROPERTY_TYPE_BASICSUPPORT;
    }

    /// `KSMETHOD_TYPE_*`: how a method uses its buffer. `KSMETHOD_TYPE_NONE` is no bit. Microsoft's pages say SEND for
    /// every call, and send WRITE for `KSMETHOD_STREAMALLOCATOR_ALLOC`.
    KsMethodType {
        /// The object reads it.
        READ = 0x0000_0001, KSMETHOD_TYPE_READ;
        /// A call; the same value as READ.
        SEND = 0x0000_0001, KSMETHOD_TYPE_SEND;
        /// The object writes it.
        WRITE = 0x0000_0002, KSMETHOD_TYPE_WRITE;
        /// Both.
        MODIFY = 0x0000_0003, KSMETHOD_TYPE_MODIFY;
        /// The caller's buffer is used as it is.
        SOURCE = 0x0000_0004, KSMETHOD_TYPE_SOURCE;
        /// Whether the set is supported.
        SETSUPPORT = 0x0000_0100, KSMETHOD_TYPE_SETSUPPORT;
        /// What of it is supported.
        BASICSUPPORT = 0x0000_0200, KSMETHOD_TYPE_BASICSUPPORT;
    }

    /// `KSEVENT_TYPE_*`: what is asked of an event.
    KsEventType {
        /// To notify from now on.
        ENABLE = 0x0000_0001, KSEVENT_TYPE_ENABLE;
        /// To notify once; with ENABLE.
        ONESHOT = 0x0000_0002, KSEVENT_TYPE_ONESHOT;
        /// To notify with data.
        ENABLEBUFFERED = 0x0000_0004, KSEVENT_TYPE_ENABLEBUFFERED;
        /// Whether the set is supported.
        SETSUPPORT = 0x0000_0100, KSEVENT_TYPE_SETSUPPORT;
        /// What of it is supported.
        BASICSUPPORT = 0x0000_0200, KSEVENT_TYPE_BASICSUPPORT;
        /// The data of a notification.
        QUERYBUFFER = 0x0000_0400, KSEVENT_TYPE_QUERYBUFFER;
    }
}

/// `KSMETHOD_TYPE_NONE`.
pub const KSMETHOD_TYPE_NONE: KsMethodType = KsMethodType::empty();

/// `KSIDENTIFIER`: a property, method, event, interface or medium by its set and number.
///
/// In the headers it is a union with a LONGLONG, which is what aligns it to 8.
///
/// ```
/// use ks::{KSPROPERTY_STREAMALLOCATOR_STATUS, KSPROPSETID_StreamAllocator, KsIdentifier, KsPropertyType};
/// let request =
///     KsIdentifier::property(KSPROPSETID_StreamAllocator, KSPROPERTY_STREAMALLOCATOR_STATUS, KsPropertyType::GET);
/// assert_eq!(request.flags, 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
pub struct KsIdentifier {
    /// `Set`.
    pub set: Guid,
    /// `Id`: the number in the set.
    pub id: u32,
    /// `Flags`: by what the identifier is for, `KSPROPERTY_TYPE_*`, `KSMETHOD_TYPE_*` or `KSEVENT_TYPE_*`; 0 in an
    /// interface or medium.
    pub flags: u32,
}

/// `KSPROPERTY`.
pub type KsProperty = KsIdentifier;
/// `KSMETHOD`.
pub type KsMethod = KsIdentifier;
/// `KSEVENT`.
pub type KsEvent = KsIdentifier;
/// `KSPIN_INTERFACE`.
pub type KsPinInterface = KsIdentifier;
/// `KSPIN_MEDIUM`.
pub type KsPinMedium = KsIdentifier;

impl KsIdentifier {
    /// The request of a property.
    pub const fn property(set: Guid, id: u32, flags: KsPropertyType) -> Self {
        Self { set, id, flags: flags.bits() }
    }
    /// The request of a method.
    pub const fn method(set: Guid, id: u32, flags: KsMethodType) -> Self {
        Self { set, id, flags: flags.bits() }
    }
    /// The request of an event.
    pub const fn event(set: Guid, id: u32, flags: KsEventType) -> Self {
        Self { set, id, flags: flags.bits() }
    }
    /// The flags of a property's request.
    pub const fn property_type(&self) -> KsPropertyType {
        KsPropertyType::from_bits_retain(self.flags)
    }
    /// The flags of a method's request.
    pub const fn method_type(&self) -> KsMethodType {
        KsMethodType::from_bits_retain(self.flags)
    }
    /// The flags of an event's request.
    pub const fn event_type(&self) -> KsEventType {
        KsEventType::from_bits_retain(self.flags)
    }
}

assert_layout!(KsIdentifier: 24, 8 { set: 0, id: 16, flags: 20 });
