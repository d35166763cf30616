//! The members of the two framing structures: their offsets, sizes and the header's names.

/// The members of `KSALLOCATOR_FRAMING_EX` before its items, or of `KSALLOCATOR_FRAMING`, or of an item.
pub(crate) type Fields = &'static [(usize, usize, &'static str)];

/// `KSALLOCATOR_FRAMING_EX` before its items.
pub(crate) const HEAD: Fields = &[
    (0, 4, "CountItems"),
    (4, 4, "PinFlags"),
    (8, 4, "OutputCompression.RatioNumerator"),
    (12, 4, "OutputCompression.RatioDenominator"),
    (16, 4, "OutputCompression.RatioConstantMargin"),
    (20, 4, "PinWeight"),
];

/// `KS_FRAMING_ITEM`.
pub(crate) const ITEM: Fields = &[
    (0, 16, "MemoryType"),
    (16, 16, "BusType"),
    (32, 4, "MemoryFlags"),
    (36, 4, "BusFlags"),
    (40, 4, "Flags"),
    (44, 4, "Frames"),
    (48, 4, "FileAlignment"),
    (52, 4, "MemoryTypeWeight"),
    (56, 4, "PhysicalRange.MinFrameSize"),
    (60, 4, "PhysicalRange.MaxFrameSize"),
    (64, 4, "PhysicalRange.Stepping"),
    (68, 4, "FramingRange.Range.MinFrameSize"),
    (72, 4, "FramingRange.Range.MaxFrameSize"),
    (76, 4, "FramingRange.Range.Stepping"),
    (80, 4, "FramingRange.InPlaceWeight"),
    (84, 4, "FramingRange.NotInPlaceWeight"),
];

/// `KSALLOCATOR_FRAMING`.
pub(crate) const OLD: Fields = &[
    (0, 4, "RequirementsFlags"),
    (4, 4, "PoolType"),
    (8, 4, "Frames"),
    (12, 4, "FrameSize"),
    (16, 4, "FileAlignment"),
    (20, 4, "Reserved"),
];

/// Bytes of the members before the items.
pub(crate) const HEAD_BYTES: usize = 24;
/// Bytes of an item.
pub(crate) const ITEM_BYTES: usize = 88;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offsets_are_those_that_blobs_are_read_with() {
        for (fields, item, base) in [(HEAD, None, 0), (ITEM, Some(1), HEAD_BYTES + ITEM_BYTES)] {
            for (offset, size, name) in fields {
                for byte in [*offset, offset + size - 1] {
                    let field = ks::FramingField::at(base + byte);
                    assert_eq!((field.item, field.name), (item, *name), "{byte}");
                }
            }
        }
        let ends = |fields: Fields| fields.iter().map(|(offset, size, _)| offset + size).max();
        assert_eq!((ends(HEAD), ends(ITEM), ends(OLD)), (Some(24), Some(88), Some(24)));
    }
}
