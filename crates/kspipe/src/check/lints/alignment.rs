//! Masks and counts.

use crate::check::alternative::Subjected;
use crate::check::{Circumstances, Member, Origin};
use crate::finding::codes;
use crate::graph::oddity;

/// KS040, KS041: a mask that is a count, or neither.
pub(super) fn count_or_mask(subject: &mut Subjected<'_>, _: &Circumstances) {
    for alternative in subject.alternatives() {
        let Some(mask) = alternative.mask() else { continue };
        let value = mask.0.is_power_of_two().then(|| u64::from(mask.0 - 1));
        subject.odd(alternative.at(Member::FileAlignment), oddity::alignment(mask), value);
    }
}

/// KS042: a mask of 1, where a count of 1 may be meant. A graph file has a count.
pub(super) fn two(subject: &mut Subjected<'_>, _: &Circumstances) {
    if subject.framing.origin == Origin::Graph {
        return;
    }
    for alternative in subject.alternatives() {
        if alternative.mask().is_some_and(|mask| mask.0 == 1) {
            subject.find(
                &codes::ALIGNMENT_OF_TWO,
                alternative.at(Member::FileAlignment),
                "it is a mask, and 1 asks for an alignment of 2 bytes",
                "write 0 (FILE_BYTE_ALIGNMENT) for no alignment",
            );
        }
    }
}
