//! What a filter's pin factories are described by.

use ks::{
    Guid, KSINTERFACE_STANDARD_STREAMING, KSINTERFACESETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE, KSMEDIUMSETID_Standard,
    KsAllocatorFraming, KsDataFormat, KsDataRange, KsIdentifier, KsPinCommunication, KsPinDataFlow, KsPinInterface,
    KsPinMedium, NtStatus, validate_allocator_framing_ex,
};
use zerocopy::{FromBytes, IntoBytes};

/// A pin factory of a filter: what the properties of KSPROPSETID_Pin answer, and the framing of its pins
/// (`KSPIN_DESCRIPTOR_EX`).
#[derive(Clone, Debug)]
pub struct PinFactory {
    /// Which way data goes.
    pub data_flow: KsPinDataFlow,
    /// Which side of a connection its pins are. On those that receive, allocators can be created.
    pub communication: KsPinCommunication,
    /// The interfaces; a pin is created with one of them.
    pub interfaces: Vec<KsPinInterface>,
    /// The mediums; a pin is created with one of them.
    pub mediums: Vec<KsPinMedium>,
    /// The data ranges, each a `KSDATARANGE` with what follows it. A pin is created with a format of one of them: its
    /// major format, subformat and specifier are those of the range, or zero there.
    pub data_ranges: Vec<Vec<u8>>,
    /// The formats it proposes, each a `KSDATAFORMAT` with what follows it: asked for a format in a range
    /// (`KSPROPERTY_PIN_DATAINTERSECTION`), it answers the first of them that is in it.
    pub formats: Vec<Vec<u8>>,
    /// How many pins there may be at once; [`ks::KSINSTANCE_INDETERMINATE`] for any number.
    pub possible_instances: u32,
    /// How many pins there must be for the filter to work.
    pub necessary_instances: u32,
    /// The category, or zero for none.
    pub category: Guid,
    /// The name, or none.
    pub name: Option<String>,
    /// What its pins ask of an allocator.
    pub framing: PinFraming,
    /// Its pins can provide an allocator: they answer `KSPROPERTY_STREAM_ALLOCATOR` (statement 149), and where they
    /// receive, allocators can be created on them.
    pub can_allocate: bool,
}

impl PinFactory {
    /// Pins that receive frames of any format by the standard interface and medium, any number of them; they can
    /// provide allocators and ask nothing of one.
    pub fn sink() -> Self {
        let standard = |set, id| KsIdentifier { set, id, flags: 0 };
        let any_format = KsDataRange { format_size: size_of::<KsDataRange>() as u32, ..Default::default() };
        Self {
            data_flow: KsPinDataFlow::IN,
            communication: KsPinCommunication::SINK,
            interfaces: vec![standard(KSINTERFACESETID_Standard, KSINTERFACE_STANDARD_STREAMING)],
            mediums: vec![standard(KSMEDIUMSETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE)],
            data_ranges: vec![any_format.as_bytes().to_vec()],
            formats: Vec::new(),
            possible_instances: ks::KSINSTANCE_INDETERMINATE,
            necessary_instances: 0,
            category: Guid::NULL,
            name: None,
            framing: PinFraming::none(),
            can_allocate: true,
        }
    }

    /// The same for pins that send frames.
    pub fn source() -> Self {
        Self { data_flow: KsPinDataFlow::OUT, communication: KsPinCommunication::SOURCE, ..Self::sink() }
    }

    /// Whether its pins receive frames.
    pub(crate) fn receives(&self) -> bool {
        [KsPinCommunication::SINK, KsPinCommunication::BOTH].contains(&self.communication)
    }

    /// Whether a range of the factory has this format.
    pub(crate) fn accepts(&self, format: &KsDataFormat) -> bool {
        let of = |range: &KsDataRange| {
            let same = |range: Guid, format: Guid| range == Guid::NULL || range == format;
            same(range.major_format, format.major_format)
                && same(range.sub_format, format.sub_format)
                && same(range.specifier, format.specifier)
        };
        self.data_ranges.iter().any(|range| KsDataRange::read_from_prefix(range).is_ok_and(|(range, _)| of(&range)))
    }
}

/// What the pins of a factory answer to the properties `KSPROPERTY_CONNECTION_ALLOCATORFRAMING` and `_EX`: one of them,
/// or neither.
#[derive(Clone, Debug, Default)]
pub struct PinFraming(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    None,
    Old(KsAllocatorFraming),
    Extended(Vec<u8>),
}

impl PinFraming {
    /// Neither property.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// The old structure, as pins of stream class drivers have it.
    pub fn old(framing: KsAllocatorFraming) -> Self {
        Self(Kind::Old(framing))
    }

    /// The extended structure with all its items, as pins of AVStream drivers have it: `24 + 88 * CountItems` bytes.
    /// Bytes after them are left out.
    ///
    /// # Errors
    /// As [`validate_allocator_framing_ex`].
    pub fn extended(bytes: &[u8]) -> Result<Self, NtStatus> {
        validate_allocator_framing_ex(bytes)?;
        let (framing, _) = ks::FramingEx::parse_prefix(bytes).map_err(|_| NtStatus::STATUS_INVALID_PARAMETER)?;
        Ok(Self(Kind::Extended(bytes[..framing.byte_length()].to_vec())))
    }

    /// The answer to the old property.
    pub(crate) fn as_old(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Old(framing) => Some(framing.as_bytes()),
            _ => None,
        }
    }

    /// The answer to the extended property.
    pub(crate) fn as_extended(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Extended(bytes) => Some(bytes),
            _ => None,
        }
    }
}
