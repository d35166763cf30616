//! The lints of a framing, each a function of its own.

mod alignment;
mod amounts;
mod flags;
mod items;
mod memory;
mod ranges;
mod reserved;
mod sizes;

use super::Circumstances;
use super::alternative::Subjected;

/// Looks at a framing and says what it finds.
pub(super) type Lint = fn(&mut Subjected<'_>, &Circumstances);

/// Every lint. Each finds the codes its description names.
pub(super) const LINTS: &[Lint] = &[
    alignment::count_or_mask,
    alignment::two,
    ranges::upside_down,
    ranges::step_over_range,
    ranges::step_misses_maximum,
    ranges::no_size,
    ranges::capacity_over_maximum,
    sizes::against_media,
    sizes::placeholder,
    sizes::unread_at_in_pins,
    amounts::asks_nothing,
    amounts::codec_frames,
    amounts::wasted,
    amounts::too_many_bytes,
    flags::unknown,
    flags::of_pipes,
    flags::must_allocate_preferred,
    flags::in_place_at_source,
    flags::integrity_and_writer,
    memory::contradiction,
    memory::pool_type,
    memory::system_memory_clear,
    memory::paged_at_dispatch_level,
    memory::memory_flags,
    reserved::members,
    reserved::weights,
    reserved::ratio,
    reserved::head_of_extended,
    items::duplicate_or_dominated,
    items::unread,
];
