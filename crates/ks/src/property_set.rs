//! The sets of properties, methods and events that allocators and connections answer, and the numbers in them.

use crate::Guid;

constants! {
    /// The header's name of every set, class and object name.
    KS_GUIDS: Guid {
        /// The properties of an allocator: `KSPROPERTY_STREAMALLOCATOR_*`.
        KSPROPSETID_StreamAllocator = Guid::from_u128(0xCF6E4342_EC87_11CF_A130_0020AFD156E4);
        /// The methods of an allocator: `KSMETHOD_STREAMALLOCATOR_*`.
        KSMETHODSETID_StreamAllocator = Guid::from_u128(0xCF6E4341_EC87_11CF_A130_0020AFD156E4);
        /// The events of an allocator: `KSEVENT_STREAMALLOCATOR_*`.
        KSEVENTSETID_StreamAllocator = Guid::from_u128(0x75D95571_073C_11D0_A161_0020AFD156E4);
        /// The properties of a connection: `KSPROPERTY_CONNECTION_*`.
        KSPROPSETID_Connection = Guid::from_u128(0x1D58C920_AC9B_11CF_A5D6_28DB04C10000);
        /// The properties of a stream: `KSPROPERTY_STREAM_*`.
        KSPROPSETID_Stream = Guid::from_u128(0x65AABA60_98AE_11CF_A10D_0020AFD156E4);
        /// The properties of a filter's pin factories: `KSPROPERTY_PIN_*`, each asked for with a
        /// [`KspPin`](crate::KspPin).
        KSPROPSETID_Pin = Guid::from_u128(0x8C134960_51AD_11CF_878A_94F801C10000);
        /// The interfaces of streaming: `KSINTERFACE_STANDARD_*`.
        KSINTERFACESETID_Standard = Guid::from_u128(0x1A8766A0_62CE_11CF_A5D6_28DB04C10000);
        /// The mediums of devices: [`KSMEDIUM_TYPE_ANYINSTANCE`].
        KSMEDIUMSETID_Standard = Guid::from_u128(0x4747B320_62CE_11CF_A5D6_28DB04C10000);
        /// The name under which a pin is created; as text, [`KSSTRING_Pin`].
        KSNAME_Pin = Guid::from_u128(0x146F1A80_4791_11D0_A5D6_28DB04C10000);
        /// The name under which an allocator is created; as text, [`KSSTRING_Allocator`].
        KSNAME_Allocator = Guid::from_u128(0x642F5D00_4791_11D0_A5D6_28DB04C10000);
        /// The class of the proxy filter.
        CLSID_Proxy = Guid::from_u128(0x17CCA71B_ECD7_11D0_B908_00A0C9223196);
    }
}

constants! {
    /// The header's name of every number in a set.
    KS_IDS: u32 {
        /// Property of an allocator, kernel mode only: a [`KsStreamAllocatorFunctionTable`](crate::KsStreamAllocatorFunctionTable).
        KSPROPERTY_STREAMALLOCATOR_FUNCTIONTABLE = 0;
        /// Property of an allocator: a [`KsStreamAllocatorStatus`](crate::KsStreamAllocatorStatus).
        KSPROPERTY_STREAMALLOCATOR_STATUS = 1;
        /// Method of an allocator: takes a frame; pending while none is free.
        KSMETHOD_STREAMALLOCATOR_ALLOC = 0;
        /// Method of an allocator: gives a frame back.
        KSMETHOD_STREAMALLOCATOR_FREE = 1;
        /// Event of an allocator, for the system's own use.
        KSEVENT_STREAMALLOCATOR_INTERNAL_FREEFRAME = 0;
        /// Event of an allocator: a frame came back.
        KSEVENT_STREAMALLOCATOR_FREEFRAME = 1;
        /// Property of a connection: its state.
        KSPROPERTY_CONNECTION_STATE = 0;
        /// Property of a connection: its priority.
        KSPROPERTY_CONNECTION_PRIORITY = 1;
        /// Property of a connection: its format.
        KSPROPERTY_CONNECTION_DATAFORMAT = 2;
        /// Property of a connection: a [`KsAllocatorFraming`](crate::KsAllocatorFraming).
        KSPROPERTY_CONNECTION_ALLOCATORFRAMING = 3;
        /// Property of a connection: whether it would take a format.
        KSPROPERTY_CONNECTION_PROPOSEDATAFORMAT = 4;
        /// Property of a connection: whether it must be acquired in order.
        KSPROPERTY_CONNECTION_ACQUIREORDERING = 5;
        /// Property of a connection: a [`KsAllocatorFramingEx`](crate::KsAllocatorFramingEx), of any number of items.
        KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX = 6;
        /// Property of a connection: when to start.
        KSPROPERTY_CONNECTION_STARTAT = 7;
        /// Property of a stream: the handle of its allocator.
        KSPROPERTY_STREAM_ALLOCATOR = 0;
        /// Property of a stream: the pipe it belongs to.
        KSPROPERTY_STREAM_PIPE_ID = 10;
        /// Property of a pin factory: how many pins of it there can be, and are.
        KSPROPERTY_PIN_CINSTANCES = 0;
        /// Property of a filter: how many pin factories it has.
        KSPROPERTY_PIN_CTYPES = 1;
        /// Property of a pin factory: which way its data flows.
        KSPROPERTY_PIN_DATAFLOW = 2;
        /// Property of a pin factory: the list of its data ranges, see [`DataRanges`](crate::DataRanges).
        KSPROPERTY_PIN_DATARANGES = 3;
        /// Property of a pin factory: the first format it has of a list of data ranges, which follows the request.
        KSPROPERTY_PIN_DATAINTERSECTION = 4;
        /// Property of a pin factory: the list of its interfaces.
        KSPROPERTY_PIN_INTERFACES = 5;
        /// Property of a pin factory: the list of its mediums.
        KSPROPERTY_PIN_MEDIUMS = 6;
        /// Property of a pin factory: which side of a connection its pins are.
        KSPROPERTY_PIN_COMMUNICATION = 7;
        /// Property of a pin factory: how many pins of it there can be, and are, over all filters.
        KSPROPERTY_PIN_GLOBALCINSTANCES = 8;
        /// Property of a pin factory: how many pins of it there must be.
        KSPROPERTY_PIN_NECESSARYINSTANCES = 9;
        /// Property of a pin factory: what its pins are wired to.
        KSPROPERTY_PIN_PHYSICALCONNECTION = 10;
        /// Property of a pin factory: its category.
        KSPROPERTY_PIN_CATEGORY = 11;
        /// Property of a pin factory: its name.
        KSPROPERTY_PIN_NAME = 12;
        /// Property of a pin factory: the list of the data ranges it has at this moment.
        KSPROPERTY_PIN_CONSTRAINEDDATARANGES = 13;
        /// Property of a pin factory: whether it would take a format.
        KSPROPERTY_PIN_PROPOSEDATAFORMAT = 14;
        /// Interface: frames.
        KSINTERFACE_STANDARD_STREAMING = 0;
        /// Interface: frames, over and over.
        KSINTERFACE_STANDARD_LOOPED_STREAMING = 1;
        /// Interface: control.
        KSINTERFACE_STANDARD_CONTROL = 2;
        /// Medium: the I/O system of the device.
        KSMEDIUM_TYPE_ANYINSTANCE = 0;
    }
}

constants! {
    /// The header's name of every text.
    KS_STRINGS: &str {
        /// [`KSNAME_Allocator`] as the object manager wants it: what the name of a created allocator starts with, in
        /// UTF-16, before a backslash and the 24 bytes of its framing (statement 130).
        KSSTRING_Allocator = "{642F5D00-4791-11D0-A5D6-28DB04C10000}";
        /// [`KSNAME_Pin`] likewise, before a backslash, a [`KsPinConnect`](crate::KsPinConnect) and a format.
        KSSTRING_Pin = "{146F1A80-4791-11D0-A5D6-28DB04C10000}";
        /// The same for an extended framing; no page says how it is used.
        KSSTRING_AllocatorEx = "{091BB63B-603F-11D1-B067-00A0C9062802}";
    }
}
