//! The keys a graph file may have, table by table, and the words some of them take. The reader asks for no key that is
//! not here, and a test holds `docs/graph-file.schema.json` against these lists.

use crate::graph::{Direction, Mode, Restart, RouteKind};
use ks::{AllocatorFlags, Guid, RequirementFlags};

/// A table of a graph file: what it is called in messages, and its keys.
#[derive(Debug)]
pub struct Table {
    /// What messages call it: `a pin`.
    pub name: &'static str,
    /// The keys it may have.
    pub keys: &'static [&'static str],
}

/// The file itself.
pub static FILE: Table =
    Table { name: "a graph file", keys: &["strategy", "bridges", "connections", "filter", "memory"] };
/// `[filter.NAME]`.
pub static FILTER: Table = Table { name: "a filter", keys: &["mode", "pin", "routes", "run", "process", "restart"] };
/// `pin.NAME` of a filter.
pub static PIN: Table =
    Table { name: "a pin", keys: &["direction", "framing", "framing-blob", "compression", "holds", "media-size"] };
/// One item of a pin's `framing`.
pub static ITEM: Table = Table {
    name: "a framing item",
    keys: &[
        "memory",
        "bus",
        "frames",
        "alignment",
        "pitch",
        "physical",
        "optimal",
        "size",
        "weight",
        "requirements",
        "flags",
    ],
};
/// `physical`, `optimal` and `size` of an item.
pub static RANGE: Table = Table { name: "a range of sizes", keys: &["min", "max", "step"] };
/// `compression` of a pin.
pub static COMPRESSION: Table = Table { name: "a compression", keys: &["numerator", "denominator", "margin"] };
/// `[memory."{GUID}"]`.
pub static MEMORY: Table = Table { name: "a memory type", keys: &["name", "host-mappable", "user-mappable"] };

/// Every table with the same keys wherever it stands; those of `run` depend on its `kind` ([`KINDS`]).
pub static TABLES: [&Table; 7] = [&FILE, &FILTER, &PIN, &ITEM, &RANGE, &COMPRESSION, &MEMORY];

/// Where in a graph a filter that runs stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One out pin.
    Source,
    /// One in pin and one out pin.
    Transform,
    /// One in pin and one or more out pins.
    Tee,
    /// Two or more in pins and one or more out pins.
    Join,
    /// One in pin.
    Sink,
}

/// A `run.kind`, in one role.
#[derive(Debug)]
pub struct Kind {
    /// The value of `kind`.
    pub name: &'static str,
    /// Where the filter stands.
    pub role: Role,
    /// The keys of its table, with whether each must be there.
    pub table: Table,
    /// The keys that must be there.
    pub required: &'static [&'static str],
}

const fn kind(
    name: &'static str,
    role: Role,
    title: &'static str,
    keys: &'static [&'static str],
    required: &'static [&'static str],
) -> Kind {
    Kind { name, role, table: Table { name: title, keys }, required }
}

/// What filters can do. `y4m` and `raw` are sources or sinks, as the filter's pins are.
pub static KINDS: [Kind; 13] = [
    kind(
        "pattern",
        Role::Source,
        "a `pattern` source",
        &["kind", "format", "width", "height", "rate", "frames"],
        &["kind", "format", "width", "height"],
    ),
    kind("y4m", Role::Source, "a `y4m` source", &["kind", "path"], &["kind", "path"]),
    kind(
        "raw",
        Role::Source,
        "a `raw` source",
        &["kind", "path", "format", "width", "height", "rate"],
        &["kind", "path", "format", "width", "height"],
    ),
    kind("invert", Role::Transform, "an `invert` transform", &["kind"], &["kind"]),
    kind("convert", Role::Transform, "a `convert` transform", &["kind"], &["kind"]),
    kind("hold", Role::Transform, "a `hold` transform", &["kind", "frames"], &["kind", "frames"]),
    kind("tee", Role::Tee, "a `tee`", &["kind"], &["kind"]),
    kind("join", Role::Join, "a `join`", &["kind"], &["kind"]),
    kind("y4m", Role::Sink, "a `y4m` sink", &["kind", "path"], &["kind", "path"]),
    kind("raw", Role::Sink, "a `raw` sink", &["kind", "path"], &["kind", "path"]),
    kind("png", Role::Sink, "a `png` sink", &["kind", "path", "every"], &["kind", "path"]),
    kind("checksum", Role::Sink, "a `checksum` sink", &["kind", "path"], &["kind"]),
    kind("discard", Role::Sink, "a `discard` sink", &["kind"], &["kind"]),
];

/// `bridges`.
pub static BRIDGES: [(&str, crate::graph::Bridges); 2] =
    [("allow", crate::graph::Bridges::Allow), ("forbid", crate::graph::Bridges::Forbid)];
/// `mode` of a filter.
pub static MODES: [(&str, Mode); 2] = [("user", Mode::User), ("kernel", Mode::Kernel)];
/// `restart` of a filter.
pub static RESTARTS: [(&str, Restart); 2] = [("never", Restart::Never), ("on-death", Restart::OnDeath)];
/// `direction` of a pin.
pub static DIRECTIONS: [(&str, Direction); 2] = [("in", Direction::In), ("out", Direction::Out)];
/// The last word of a route.
pub static ROUTE_KINDS: [(&str, RouteKind); 4] = [
    ("pass", RouteKind::Pass),
    ("in-place", RouteKind::InPlace),
    ("copy", RouteKind::Copy),
    ("either", RouteKind::Either),
];
/// `memory` of an item: the names of `KSMEMORY_TYPE_*`. No declared memory type may take one.
pub static MEMORY_NAMES: [(&str, Guid); 7] = [
    ("wildcard", ks::KSMEMORY_TYPE_WILDCARD),
    ("dont-care", ks::KSMEMORY_TYPE_DONT_CARE),
    ("system", ks::KSMEMORY_TYPE_SYSTEM),
    ("user", ks::KSMEMORY_TYPE_USER),
    ("kernel-paged", ks::KSMEMORY_TYPE_KERNEL_PAGED),
    ("kernel-nonpaged", ks::KSMEMORY_TYPE_KERNEL_NONPAGED),
    ("device", ks::KSMEMORY_TYPE_DEVICE_UNKNOWN),
];
/// `requirements` of an item: `KSALLOCATOR_REQUIREMENTF_*`.
pub static REQUIREMENTS: [(&str, RequirementFlags); 6] = [
    ("inplace-modifier", RequirementFlags::INPLACE_MODIFIER),
    ("system-memory", RequirementFlags::SYSTEM_MEMORY),
    ("frame-integrity", RequirementFlags::FRAME_INTEGRITY),
    ("must-allocate", RequirementFlags::MUST_ALLOCATE),
    ("system-memory-custom-allocation", RequirementFlags::SYSTEM_MEMORY_CUSTOM_ALLOCATION),
    ("preferences-only", RequirementFlags::PREFERENCES_ONLY),
];
/// `flags` of an item: `KSALLOCATOR_FLAG_*`.
pub static FLAGS: [(&str, AllocatorFlags); 12] = [
    ("partial-read-support", AllocatorFlags::PARTIAL_READ_SUPPORT),
    ("device-specific", AllocatorFlags::DEVICE_SPECIFIC),
    ("can-allocate", AllocatorFlags::CAN_ALLOCATE),
    ("insist-on-framesize-ratio", AllocatorFlags::INSIST_ON_FRAMESIZE_RATIO),
    ("no-frame-integrity", AllocatorFlags::NO_FRAME_INTEGRITY),
    ("multiple-output", AllocatorFlags::MULTIPLE_OUTPUT),
    ("cycle", AllocatorFlags::CYCLE),
    ("allocator-exists", AllocatorFlags::ALLOCATOR_EXISTS),
    ("independent-ranges", AllocatorFlags::INDEPENDENT_RANGES),
    ("attention-stepping", AllocatorFlags::ATTENTION_STEPPING),
    ("enable-cached-mdl", AllocatorFlags::ENABLE_CACHED_MDL),
    ("2d-buffer-required", AllocatorFlags::TWO_D_BUFFER_REQUIRED),
];
