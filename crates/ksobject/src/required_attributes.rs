//! Whether the attributes of a data range are met: what `KsResolveRequiredAttributes` decides.

use ks::{AttributeFlags, AttributeList, DataRange, DataRangeFlags, Guid};
use std::collections::BTreeSet;

/// Whether `asked` and the attributes attached to `range` suit each other.
///
/// Every attribute that is asked for must be attached, and every attached one that is required must be asked for. An
/// attribute is known by its GUID, and named twice is named once. Where nobody asks for any (`None`, which is not the
/// same as an empty list), the range must have no list at all.
pub fn are_met(range: &DataRange<'_>, asked: Option<&AttributeList<'_>>) -> bool {
    let Some(attached) = range.attributes() else {
        // A range that requires attributes and has none attached is met by nothing.
        let requires = range.head().range_flags().contains(DataRangeFlags::REQUIRED_ATTRIBUTES);
        return !requires && asked.is_none_or(|asked| asked.iter().next().is_none());
    };
    let Some(asked) = asked else { return false };
    let asked: BTreeSet<Guid> = asked.iter().map(|(attribute, _)| attribute.attribute).collect();
    let available: BTreeSet<Guid> = attached.iter().map(|(attribute, _)| attribute.attribute).collect();
    let mut required = attached.iter().filter(|(attribute, _)| attribute.flags.contains(AttributeFlags::REQUIRED));
    asked.is_subset(&available) && required.all(|(attribute, _)| asked.contains(&attribute.attribute))
}

/// Whether a format without attributes is one of the range's.
pub fn are_met_by_none(range: &DataRange<'_>) -> bool {
    are_met(range, Some(&AttributeList::EMPTY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ks::{KsAttribute, KsDataRange, KsMultipleItem};
    use zerocopy::IntoBytes;

    const REQUIRED: AttributeFlags = AttributeFlags::REQUIRED;
    const OPTIONAL: AttributeFlags = AttributeFlags::empty();

    fn list(attributes: &[(u128, AttributeFlags)]) -> Vec<u8> {
        let head = KsMultipleItem { size: 8 + 24 * attributes.len() as u32, count: attributes.len() as u32 };
        let mut bytes = head.as_bytes().to_vec();
        for (id, flags) in attributes {
            let attribute = KsAttribute { size: 24, flags: *flags, attribute: Guid::from_u128(*id) };
            bytes.extend(attribute.as_bytes());
        }
        bytes
    }

    /// Whether `asked` suits a range with these flags and this list.
    fn met(
        flags: DataRangeFlags,
        attached: Option<&[(u128, AttributeFlags)]>,
        asked: Option<&[(u128, AttributeFlags)]>,
    ) -> bool {
        let flags = if attached.is_some() { flags | DataRangeFlags::ATTRIBUTES } else { flags };
        let head = KsDataRange { format_size: 64, flags: flags.bits(), ..KsDataRange::default() };
        let mut range = head.as_bytes().to_vec();
        range.extend(attached.map(list).unwrap_or_default());
        let asked = asked.map(list);
        let asked = asked.as_deref().map(|bytes| AttributeList::parse(bytes).expect("a list"));
        are_met(&DataRange::parse(&range).expect("a range"), asked.as_ref())
    }

    #[test]
    fn who_asks_for_nothing_gets_a_range_without_a_list_only() {
        let plain = DataRangeFlags::empty();
        assert!(met(plain, None, None));
        assert!(!met(plain, Some(&[(1, OPTIONAL)]), None));
        assert!(!met(plain, Some(&[]), None), "an empty list is one");
        // An empty list of asked attributes is not the same as none.
        assert!(met(plain, None, Some(&[])));
        assert!(met(plain, Some(&[(1, OPTIONAL)]), Some(&[])));
    }

    #[test]
    fn all_that_is_asked_for_is_there_and_all_that_is_required_is_asked_for() {
        let plain = DataRangeFlags::empty();
        let attached: &[_] = &[(1, REQUIRED), (2, OPTIONAL), (3, REQUIRED)];
        for (asked, suits) in [
            (&[(1, OPTIONAL), (3, OPTIONAL)][..], true),
            (&[(3, REQUIRED), (2, OPTIONAL), (1, REQUIRED)], true),
            (&[(1, OPTIONAL), (3, OPTIONAL), (1, OPTIONAL)], true),
            (&[(1, OPTIONAL), (2, OPTIONAL)], false),
            (&[(1, OPTIONAL), (3, OPTIONAL), (4, OPTIONAL)], false),
            (&[], false),
        ] {
            assert_eq!(met(plain, Some(attached), Some(asked)), suits, "{asked:?}");
        }
        assert!(!met(plain, None, Some(&[(1, OPTIONAL)])));
    }

    #[test]
    fn a_range_that_requires_what_it_does_not_name_is_met_by_nothing() {
        for asked in [None, Some(&[][..]), Some(&[(1, OPTIONAL)])] {
            assert!(!met(DataRangeFlags::REQUIRED_ATTRIBUTES, None, asked));
        }
        let named: &[_] = &[(1, REQUIRED)];
        assert!(met(DataRangeFlags::REQUIRED_ATTRIBUTES, Some(named), Some(named)));
    }
}
