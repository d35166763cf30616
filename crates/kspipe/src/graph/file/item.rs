//! The items of a pin's `framing`.

use super::draft::Memories;
use super::keys;
use super::memory;
use super::reader::{Fields, Problem, Reader, Value};
use crate::finding::{Span, Subject, codes};
use crate::graph::{FrameRange, FramingItem};
use ks::{AllocatorFlags, RequirementFlags};

/// The largest alignment: a `FileAlignment` mask is 32 bits wide, and the alignment is the mask plus 1.
const LARGEST_ALIGNMENT: i64 = 1 << 32;

/// The pin an item belongs to, `(filter, pin)`.
pub(super) type PinName<'d> = (&'d str, &'d str);

/// The pin, as findings name it.
pub(super) fn subject((filter, pin): PinName<'_>) -> Subject {
    Subject::pin(format!("{filter}.{pin}"))
}

/// An item on its way: whose it is.
#[derive(Clone, Copy, Debug)]
struct Place<'d> {
    pin: PinName<'d>,
    item: usize,
}

impl Place<'_> {
    fn subject(self, member: &'static str) -> Subject {
        subject(self.pin).item(self.item).member(member)
    }
}

/// Reads one item. What cannot be read is reported, and asks nothing.
pub(super) fn read<'d>(
    reader: &mut Reader<'d>,
    memories: &Memories<'d>,
    pin: PinName<'d>,
    place: usize,
    value: &'d Value<'d>,
) -> Option<FramingItem> {
    let place = Place { pin, item: place };
    let fields = reader.table(value, &keys::ITEM, "a framing item")?;
    let mut item = FramingItem::default();
    if let Some(value) = fields.get("memory") {
        item.memory = memory::of_item(reader, memories, value).unwrap_or_default();
    }
    if let Some(value) = fields.get("bus") {
        item.bus = memory::bus(reader, value).unwrap_or_default();
    }
    if let Some(value) = fields.get("frames") {
        item.frames = reader.u32(value, "`frames`", "frames; 0 asks nothing", 0).unwrap_or(0);
    }
    if let Some(value) = fields.get("weight") {
        item.weight = reader.u32(value, "`weight`", "carried, no effect", 0).unwrap_or(0);
    }
    if let Some(value) = fields.get("requirements") {
        let words = words(reader, place.subject("Flags"), value, "requirement", &keys::REQUIREMENTS);
        item.requirements = words.into_iter().fold(RequirementFlags::empty(), RequirementFlags::union);
    }
    if let Some(value) = fields.get("flags") {
        let words = words(reader, place.subject("Flags"), value, "flag", &keys::FLAGS);
        item.flags = words.into_iter().fold(AllocatorFlags::empty(), AllocatorFlags::union);
    }
    alignment(reader, place, &fields, &mut item);
    sizes(reader, place, &fields, &mut item);
    Some(item)
}

fn alignment<'d>(reader: &mut Reader<'d>, place: Place<'d>, fields: &Fields<'d>, item: &mut FramingItem) {
    let (alignment, pitch) = (fields.entry("alignment"), fields.entry("pitch"));
    if let (Some((alignment, _)), Some((pitch, _))) = (alignment, pitch) {
        reader.report(|| {
            let message = "an item has `alignment` or `pitch`, not both: they share one field";
            Problem::new(pitch, message, "leave one out").note(alignment, "the other")
        });
    }
    if let Some((_, value)) = alignment {
        let asked = reader.integer(value, "`alignment`", "bytes, a power of two; 0 asks nothing", 0, LARGEST_ALIGNMENT);
        let bytes = asked.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        if bytes != 0 && !bytes.is_power_of_two() {
            let span = value.span().into();
            reader.report(|| {
                let message = format!("an alignment of {bytes} bytes is not a power of two");
                let next = bytes.next_power_of_two();
                let problem = Problem::new(span, message, "expected a power of two, in bytes; 0 asks nothing");
                if bytes + 1 == next {
                    problem.code(&codes::ALIGNMENT_AS_MASK).help(format!(
                        "write {next}: {bytes} is a driver's mask (FileAlignment), which is the alignment minus 1"
                    ))
                } else {
                    problem.help(format!("the next power of two is {next}"))
                }
            });
        } else {
            item.alignment = bytes;
        }
    }
    if let Some((span, value)) = pitch {
        let range = (i64::from(i32::MIN), i64::from(i32::MAX));
        let bytes = reader.integer(value, "`pitch`", "bytes a row; negative: bottom up", range.0, range.1);
        item.pitch = bytes.and_then(|bytes| i32::try_from(bytes).ok());
        if !item.flags.contains(AllocatorFlags::TWO_D_BUFFER_REQUIRED) {
            let message = "a `pitch` without the flag `2d-buffer-required`: drivers would read it as an alignment";
            reader.finding(
                &codes::PITCH,
                place.subject("FramePitch"),
                span,
                message,
                "add the flag `2d-buffer-required`, or say `alignment`",
            );
        }
    }
}

fn sizes<'d>(reader: &mut Reader<'d>, place: Place<'d>, fields: &Fields<'d>, item: &mut FramingItem) {
    let (size, physical, optimal) = (fields.entry("size"), fields.entry("physical"), fields.entry("optimal"));
    if let Some((size, value)) = size {
        for (other, _) in [physical, optimal].into_iter().flatten() {
            reader.report(|| {
                let message = "`size` stands for both `physical` and `optimal`, so it cannot stand beside them";
                Problem::new(other, message, "leave this out, or `size`").note(size, "`size` is here")
            });
        }
        let range = if value.get_ref().is_integer() {
            reader.u32(value, "`size`", "bytes", 1).map(FrameRange::exactly)
        } else if value.get_ref().is_table() {
            range(reader, place, value, "size", !item.is_preference())
        } else {
            reader.wrong_type(value, "`size`", "bytes, or a table { min, max, step }");
            None
        };
        (item.physical, item.optimal) = (range.unwrap_or_default(), range.unwrap_or_default());
        return;
    }
    if let Some((_, value)) = physical {
        item.physical = range(reader, place, value, "physical", !item.is_preference()).unwrap_or_default();
    }
    if let Some((span, value)) = optimal {
        item.optimal = range(reader, place, value, "optimal", false).unwrap_or_default();
        let (capacity, largest) = (item.optimal.min, item.physical.max);
        if !item.is_preference() && capacity > largest {
            let message = format!(
                "the capacity (the optimal minimum, {capacity} bytes) is over the physical maximum of {largest} bytes"
            );
            reader.finding(
                &codes::CAPACITY_OVER_MAXIMUM,
                place.subject("FramingRange.Range.MinFrameSize"),
                span,
                message,
                "no frame can serve this item; raise `physical.max`",
            );
        }
    }
}

/// A range; `required`: an empty one is an error, otherwise it is only noted.
fn range<'d>(
    reader: &mut Reader<'d>,
    place: Place<'d>,
    value: &'d Value<'d>,
    key: &str,
    required: bool,
) -> Option<FrameRange> {
    let fields = reader.table(value, &keys::RANGE, &format!("`{key}`"))?;
    let mut bound = |name: &str, unit: &str, least: u32, otherwise: u32| match fields.get(name) {
        Some(value) => reader.u32(value, &format!("`{key}.{name}`"), unit, least),
        None => Some(otherwise),
    };
    let min = bound("min", "bytes", 0, FrameRange::OPEN.min);
    let max = bound("max", "bytes", u32::from(required), FrameRange::OPEN.max);
    let step = bound("step", "bytes; 0 and 1: any", 0, FrameRange::OPEN.step);
    let range = FrameRange { min: min?, max: max?, step: step? };
    if range.min > range.max {
        let span = |name: &str| fields.get(name).map_or(fields.span, |value| Span::from(value.span()));
        let message = format!("the minimum of `{key}`, {}, is over its maximum, {}", range.min, range.max);
        if required {
            reader.report(|| {
                Problem::new(span("min"), message, "expected at most the maximum")
                    .note(span("max"), "the maximum")
                    .code(&codes::RANGE_UPSIDE_DOWN)
            });
        } else {
            reader.finding(
                &codes::RANGE_UPSIDE_DOWN,
                place.subject(if key == "optimal" {
                    "FramingRange.Range.MinFrameSize"
                } else {
                    "PhysicalRange.MinFrameSize"
                }),
                span("min"),
                message,
                "swap them",
            );
        }
    }
    Some(range)
}

/// A list of words, each once.
fn words<'d, T: Copy>(
    reader: &mut Reader<'d>,
    subject: Subject,
    value: &'d Value<'d>,
    what: &str,
    known: &[(&'static str, T)],
) -> Vec<T> {
    let mut seen: Vec<&str> = Vec::new();
    let mut values = Vec::new();
    for word in reader.array(value, &format!("`{what}s`"), &format!("a list of {what}s")).into_iter().flatten() {
        let Some(text) = reader.string(word, &format!("a {what}"), "its name") else { continue };
        let Some(value) = reader.choice(text, what, known) else { continue };
        if seen.contains(&text.text) {
            reader.finding(
                &codes::WORD_TWICE,
                subject.clone(),
                text.span,
                format!("`{}` is listed twice", text.text),
                "leave one out",
            );
            continue;
        }
        seen.push(text.text);
        values.push(value);
    }
    values
}
