//! What the pins of the proxy say to each other (ksproxy.h), and lists of variable length (ks.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

open_enum! {
    /// `KSPEEKOPERATION`: whether a getter counts a reference.
    KsPeekOperation {
        /// It does not.
        PEEK_ONLY = 0, KsPeekOperation_PeekOnly;
        /// It does.
        ADD_REF = 1, KsPeekOperation_AddRef;
    }

    /// `FRAMING_PROP`: which framing property a pin answers.
    FramingProp {
        /// Not asked yet.
        UNINITIALIZED = 0, FramingProp_Uninitialized;
        /// Neither.
        NONE = 1, FramingProp_None;
        /// `KSPROPERTY_CONNECTION_ALLOCATORFRAMING`.
        OLD = 2, FramingProp_Old;
        /// `KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX`.
        EX = 3, FramingProp_Ex;
    }

    /// `FRAMING_CACHE_OPS`: which slot of a pin's framing cache is meant.
    FramingCacheOps {
        /// The cache is bypassed.
        UPDATE = 0, Framing_Cache_Update;
        /// The framing read last.
        READ_LAST = 1, Framing_Cache_ReadLast;
        /// The framing read first.
        READ_ORIG = 2, Framing_Cache_ReadOrig;
        /// The framing written.
        WRITE = 3, Framing_Cache_Write;
    }

    /// `KSPIN_COMMUNICATION`: which side of a connection a pin is.
    KsPinCommunication {
        /// None.
        NONE = 0, KSPIN_COMMUNICATION_NONE;
        /// It receives requests.
        SINK = 1, KSPIN_COMMUNICATION_SINK;
        /// It sends requests.
        SOURCE = 2, KSPIN_COMMUNICATION_SOURCE;
        /// Either.
        BOTH = 3, KSPIN_COMMUNICATION_BOTH;
        /// It bridges two graphs.
        BRIDGE = 4, KSPIN_COMMUNICATION_BRIDGE;
    }
}

/// `KSMULTIPLE_ITEM`: the head of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct KsMultipleItem {
    /// `Size`: bytes of the list, this head included.
    pub size: u32,
    /// `Count`: the items in it.
    pub count: u32,
}

assert_layout!(KsMultipleItem: 8, 4 { size: 0, count: 4 });
