//! A framing as C.

use crate::fields::ITEM;
use ks::{FramingBlob, FramingFlags, Guid, KSMEMORY_TYPES, KsAllocatorFraming, KsFramingItem, RequirementFlags};
use std::fmt::Write;

/// A declaration of the framing in C and C++, under this name; what [`read`](crate::read) reads of it is the same
/// framing, and so is what a compiler makes of it.
///
/// Several items are a structure of their own, because the header's has room for one: its address is that of a
/// `KSALLOCATOR_FRAMING_EX`.
///
/// ```
/// use ks::{FramingBlob, KsAllocatorFraming};
/// let text = kspipe_source::write_c(&FramingBlob::Old(KsAllocatorFraming::default()), "Framing");
/// assert!(text.starts_with("static const KSALLOCATOR_FRAMING Framing = {"));
/// ```
pub fn write_c(framing: &FramingBlob<'_>, name: &str) -> String {
    let name = identifier(name);
    match framing {
        FramingBlob::Old(framing) => old(framing, &name),
        FramingBlob::Extended(framing) => {
            let head = framing.head();
            let items: Vec<_> = framing.items().collect();
            let compression = head.output_compression;
            let opening = format!(
                "    {},  // CountItems\n    {},  // PinFlags\n    {{ {}, {}, {} }},  // OutputCompression: numerator, denominator, margin\n    {},  // PinWeight\n",
                number(head.count_items),
                hexadecimal(head.pin_flags),
                number(compression.ratio_numerator),
                number(compression.ratio_denominator),
                number(compression.ratio_constant_margin),
                number(head.pin_weight)
            );
            let Some((first, more)) = items.split_first() else { return String::new() };
            let first = format!("{opening}    {{\n{}    }}\n", item(first));
            if more.is_empty() {
                return format!("static const KSALLOCATOR_FRAMING_EX {name} = {{\n{first}}};\n");
            }
            let more: String = more.iter().map(item).collect();
            format!(
                "// The header's structure has room for one item. Use it as (const KSALLOCATOR_FRAMING_EX *) &{name}.\n\
                 typedef struct {{\n    KSALLOCATOR_FRAMING_EX Framing;\n    KS_FRAMING_ITEM More[{}];\n}} {name}_TYPE;\n\n\
                 static const {name}_TYPE {name} = {{\n    {{\n{first}    }},\n    {{\n{more}    }}\n}};\n",
                items.len() - 1
            )
        }
    }
}

/// Letters, digits and underscores of a name.
fn identifier(name: &str) -> String {
    let letters = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let name: String = name.chars().map(letters).collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name
    } else {
        format!("Framing_{name}")
    }
}

fn old(framing: &KsAllocatorFraming, name: &str) -> String {
    let pool = match framing.pool_type.0 {
        // The names are the kernel's; programs do not have them.
        0 => "0,  // NonPagedPool".to_owned(),
        1 => "1,  // PagedPool".to_owned(),
        other => format!("{},  // PoolType", hexadecimal(other)),
    };
    format!(
        "static const KSALLOCATOR_FRAMING {name} = {{\n    {{ {} }},  // RequirementsFlags\n    {pool}\n    {},  // Frames\n    {},  // FrameSize, bytes\n    {{ {} }},  // FileAlignment: a mask, the alignment minus 1\n    {}  // Reserved\n}};\n",
        flags(FramingFlags(framing.flags.0)),
        number(framing.frames),
        number(framing.frame_size),
        hexadecimal(framing.file_alignment.0),
        hexadecimal(framing.reserved),
    )
}

fn item(item: &KsFramingItem) -> String {
    let range = |range: ks::KsFramingRange| {
        format!("{{ {}, {}, {} }}", number(range.min_frame_size), number(range.max_frame_size), number(range.stepping))
    };
    let lines = [
        guid(item.memory_type),
        if item.bus_type == Guid::NULL { "{ STATIC_KS_TYPE_DONT_CARE }".to_owned() } else { guid(item.bus_type) },
        flags(item.memory_flags),
        hexadecimal(item.bus_flags),
        flags(item.flags),
        number(item.frames),
        hexadecimal(item.file_alignment.0),
        number(item.memory_type_weight),
        range(item.physical_range),
        format!(
            "{{ {}, {}, {} }}",
            range(item.framing_range.range),
            number(item.framing_range.in_place_weight),
            number(item.framing_range.not_in_place_weight)
        ),
    ];
    let mut names: Vec<&str> = ITEM.iter().map(|(_, _, name)| name.split('.').next().unwrap_or(name)).collect();
    names.dedup();
    let mut text = String::from("        {\n");
    for (line, name) in lines.iter().zip(names) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "            {line},  // {name}");
    }
    text.push_str("        },\n");
    text
}

fn number(value: u32) -> String {
    if value == u32::MAX {
        "0xFFFFFFFF".to_owned()
    } else if value > i32::MAX as u32 {
        format!("{value}u")
    } else {
        value.to_string()
    }
}

fn hexadecimal(value: u32) -> String {
    if value == 0 { "0".to_owned() } else { format!("0x{value:X}") }
}

/// The header's names of the flags that every header has, and the other bits as a number.
fn flags(word: FramingFlags) -> String {
    const NEWER: [&str; 3] = [
        "KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY_CUSTOM_ALLOCATION",
        "KSALLOCATOR_FLAG_ENABLE_CACHED_MDL",
        "KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED",
    ];
    let requirements = RequirementFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits()));
    let allocator = ks::AllocatorFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits()));
    let mut rest = word.0;
    let mut parts = Vec::new();
    for (name, bit) in requirements.chain(allocator).filter(|(name, _)| !NEWER.contains(name)) {
        if rest & bit != 0 && rest & bit == bit {
            rest &= !bit;
            parts.push(name.to_owned());
        }
    }
    if rest != 0 || parts.is_empty() {
        parts.push(hexadecimal(rest));
    }
    parts.join(" | ")
}

fn guid(guid: Guid) -> String {
    match KSMEMORY_TYPES.iter().find(|(_, known)| *known == guid) {
        Some((name, _)) => format!("{{ STATIC_{name} }}"),
        None => {
            let rest: Vec<String> = guid.data4.iter().map(|byte| format!("0x{byte:02X}")).collect();
            format!("{{ 0x{:08X}, 0x{:04X}, 0x{:04X}, {{ {} }} }}", guid.data1, guid.data2, guid.data3, rest.join(", "))
        }
    }
}
