//! `KSPROPERTY_PIN_DATAINTERSECTION`: the first of a client's data ranges in which a pin factory has a format.

use super::factory::PinFactory;
use crate::required_attributes;
use ks::{DataRange, DataRanges, Guid, KsDataFormat, NtStatus};
use zerocopy::FromBytes;

/// A format of the factory's in the first range of `asked` that has one. `asked` is a `KSMULTIPLE_ITEM` and data ranges.
pub(crate) fn intersection<'a>(factory: &'a PinFactory, asked: &[u8]) -> Result<&'a [u8], NtStatus> {
    let asked = DataRanges::parse(asked).map_err(|_| NtStatus::STATUS_INVALID_PARAMETER)?;
    let found = asked.iter().find_map(|range| factory.formats.iter().find(|format| is_in(&range, format)));
    found.map(Vec::as_slice).ok_or(NtStatus::STATUS_NO_MATCH)
}

/// Whether a format, which has no attributes, is one of a range's. What follows the range's head is its maker's business:
/// the factory knows what it can do in its own ranges.
fn is_in(range: &DataRange<'_>, format: &[u8]) -> bool {
    let Ok((format, _)) = KsDataFormat::read_from_prefix(format) else { return false };
    let same = |range: Guid, format: Guid| range == Guid::NULL || range == format;
    let head = range.head();
    same(head.major_format, format.major_format)
        && same(head.sub_format, format.sub_format)
        && same(head.specifier, format.specifier)
        && required_attributes::are_met_by_none(range)
}
