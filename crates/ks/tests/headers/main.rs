//! Everything in this crate that has a name in the Windows headers, compared with the headers: a C++ compiler for
//! Windows emits their sizes, offsets, values, GUIDs and vtable slots, for x86-64 and i686, and they must be ours.
//!
//! Nothing is run, only compiled, so the test works on any machine with the Debian packages g++-mingw-w64-x86-64 and
//! g++-mingw-w64-i686. It fails where they are missing; it is never skipped.

mod compiler;
mod layouts;

use compiler::{Architecture, Headers};
use ks::*;
use std::collections::HashMap;
use std::sync::LazyLock;
use zerocopy::IntoBytes;

/// What mingw-w64's headers do not have, though Microsoft's do, and why it is here all the same. The tests hold that
/// they are missing, so that the list shrinks as the headers grow.
const NOT_IN_MINGW: &[(&str, &str)] = &[
    ("KSALLOCATOR_FLAG_ENABLE_CACHED_MDL", "newer than mingw-w64's ks.h; from Microsoft's metadata"),
    ("KSALLOCATOR_FLAG_2D_BUFFER_REQUIRED", "newer than mingw-w64's ks.h; from Microsoft's metadata"),
    (
        "KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY_CUSTOM_ALLOCATION",
        "newer than mingw-w64's ks.h; from Microsoft's metadata",
    ),
];

/// One thing to compare.
struct Probe {
    architecture: Architecture,
    headers: Headers,
    /// What it is, for the message.
    what: String,
    /// A declaration, with `@` where its name goes.
    declaration: String,
    /// The first bytes it must have.
    expected: Vec<u8>,
}

#[derive(Default)]
struct Probes(Vec<Probe>);

impl Probes {
    fn push(&mut self, architecture: Architecture, headers: Headers, declaration: String, expected: Vec<u8>) {
        let what = declaration.replacen(" @", "", 1);
        self.0.push(Probe { architecture, headers, what, declaration, expected });
    }

    /// A number on one architecture.
    fn value(&mut self, architecture: Architecture, headers: Headers, expression: &str, expected: u64) {
        // By way of unsigned: an HRESULT is a negative number in C.
        let declaration = format!("VALUE @ = (unsigned)({expression});");
        self.push(architecture, headers, declaration, expected.to_le_bytes().to_vec());
    }

    /// A number on both.
    fn constant(&mut self, headers: Headers, name: &str, expected: u32) {
        for architecture in Architecture::ALL {
            self.value(architecture, headers, name, u64::from(expected));
        }
    }

    fn guid(&mut self, expression: &str, expected: Guid) {
        for architecture in Architecture::ALL {
            let declaration = format!("CONSTANT GUID @ = {expression};");
            self.push(architecture, Headers::User, declaration, expected.as_bytes().to_vec());
        }
    }
}

/// A group of things to compare, one test each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    Constants,
    Guids,
    Texts,
    Structures,
    Methods,
    SimpleFraming,
    Missing,
}

impl Group {
    const ALL: [Self; 7] = [
        Self::Constants,
        Self::Guids,
        Self::Texts,
        Self::Structures,
        Self::Methods,
        Self::SimpleFraming,
        Self::Missing,
    ];

    fn probes(self) -> Vec<Probe> {
        let mut probes = Probes::default();
        match self {
            Self::Constants => constants(&mut probes),
            Self::Guids => guids(&mut probes),
            Self::Texts => texts(&mut probes),
            Self::Structures => structures(&mut probes),
            Self::Methods => methods(&mut probes),
            Self::SimpleFraming => simple_framing(&mut probes),
            Self::Missing => missing(&mut probes),
        }
        probes.0
    }

    fn check(self) {
        let probes = self.probes();
        assert!(!probes.is_empty(), "nothing to compare");
        let mut failures = String::new();
        for (index, probe) in probes.iter().enumerate() {
            let (architecture, headers) = (probe.architecture, probe.headers);
            let found = EMITTED[&(architecture, headers)]
                .get(&format!("{self:?}_{index}"))
                .unwrap_or_else(|| panic!("{architecture:?} emits nothing for {}", probe.what));
            if found.get(..probe.expected.len()) != Some(&probe.expected) {
                failures += &format!(
                    "{architecture:?} {headers:?} {}\n  headers {found:02x?}\n  ours    {:02x?}\n",
                    probe.what, probe.expected
                );
            }
        }
        assert!(failures.is_empty(), "not as in the headers:\n{failures}");
    }
}

/// What the compiler emits for all groups, compiled once for each architecture and set of headers.
static EMITTED: LazyLock<HashMap<(Architecture, Headers), compiler::Symbols>> = LazyLock::new(|| {
    let mut sources: HashMap<(Architecture, Headers), String> = HashMap::new();
    for group in Group::ALL {
        for (index, probe) in group.probes().iter().enumerate() {
            let source = sources.entry((probe.architecture, probe.headers)).or_default();
            *source += &probe.declaration.replacen('@', &format!("{group:?}_{index}"), 1);
            source.push('\n');
        }
    }
    sources
        .into_iter()
        .map(|((architecture, headers), source)| {
            ((architecture, headers), compiler::data(architecture, headers, &source))
        })
        .collect()
});

/// Whether a constant is visible to drivers only.
fn is_kernel_only(name: &str) -> bool {
    matches!(
        name,
        "KSEVENTF_EVENT_OBJECT"
            | "KSEVENTF_SEMAPHORE_OBJECT"
            | "KSEVENTF_DPC"
            | "KSEVENTF_WORKITEM"
            | "KSEVENTF_KSWORKITEM"
            | "NonPagedPool"
            | "PagedPool"
    ) || name.starts_with("KSPROPERTY_STREAMALLOCATOR_")
        || name.starts_with("FILE_") && name.ends_with("_ALIGNMENT")
}

/// Every number in the crate that has a name in the headers.
fn numbers() -> Vec<(&'static str, u32)> {
    let mut numbers = Vec::new();
    macro_rules! take {
        ($($type:ty),* ; $value:expr) => {
            $( numbers.extend(<$type>::NAMES.iter().map(|(name, value)| (*name, $value(*value)))); )*
        };
    }
    // Flags have bits, enumerations a field; both are transparent over one word.
    fn word<T: IntoBytes + zerocopy::Immutable>(value: T) -> u32 {
        u32::from_ne_bytes(value.as_bytes().try_into().expect("one word"))
    }
    take!(RequirementFlags, OptionFlags, AllocatorFlags, AllocatorStrategy, PipeFactors, KsPropertyType; word);
    take!(KsMethodType, KsEventType, EventNotification, StreamHeaderFlags, SampleFlags, GetBufferFlags; word);
    take!(PoolType, KsAllocatorMode, PipeState, PipeAllocatorPlace, KsLogicalMemoryType, KsIoOperation; word);
    take!(KsPeekOperation, FramingProp, FramingCacheOps, KsPinCommunication, AlignmentMask; word);
    take!(KsPinDataFlow, KsState; word);
    take!(DataFormatFlags, DataRangeFlags, AttributeFlags; word);
    take!(Hresult; |status: Hresult| status.0.cast_unsigned());
    take!(NtStatus; |status: NtStatus| status.0.cast_unsigned());
    numbers.extend_from_slice(KS_IDS);
    numbers.extend_from_slice(IOCTLS);
    numbers.extend_from_slice(CTL_CODE_PARTS);
    numbers.push(("AllocatorStrategy_DontCare", AllocatorStrategy_DontCare.bits()));
    numbers.push(("PipeFactor_None", PipeFactor_None.bits()));
    numbers.push(("KSMETHOD_TYPE_NONE", KSMETHOD_TYPE_NONE.bits()));
    numbers
}

fn constants(probes: &mut Probes) {
    let numbers = numbers();
    for (name, _) in NOT_IN_MINGW {
        assert!(numbers.iter().any(|(known, _)| known == name), "{name} is not in the crate");
    }
    for (name, value) in numbers.into_iter().filter(|(name, _)| NOT_IN_MINGW.iter().all(|(missing, _)| missing != name))
    {
        let headers = if is_kernel_only(name) { Headers::Kernel } else { Headers::User };
        probes.constant(headers, name, value);
    }
}

fn guids(probes: &mut Probes) {
    for (name, guid) in KSMEMORY_TYPES.iter().chain(KS_GUIDS) {
        probes.guid(&format!("{{ STATIC_{name} }}"), *guid);
    }
    for (name, guid) in IIDS {
        let interface = name.strip_prefix("IID_").expect("an IID's name starts with IID_");
        probes.guid(&format!("__uuidof({interface})"), *guid);
        if interface.starts_with("IKs") {
            probes.guid(&format!("{{ STATIC_{name} }}"), *guid);
        }
    }
}

fn texts(probes: &mut Probes) {
    for (name, text) in KS_STRINGS {
        for architecture in Architecture::ALL {
            let units = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
            probes.push(architecture, Headers::User, format!("CONSTANT wchar_t @[] = {name};"), units);
        }
    }
}

fn structures(probes: &mut Probes) {
    for layout in layouts::all() {
        let (architecture, headers, name) = (layout.architecture, layout.headers, layout.name);
        probes.value(architecture, headers, &format!("sizeof({name})"), layout.size as u64);
        let align = if headers == Headers::User { "alignof" } else { "_Alignof" };
        probes.value(architecture, headers, &format!("{align}({name})"), layout.align as u64);
        for member in layout.members {
            if (name, member.name, architecture) == ("KSSTREAM_HEADER", "Reserved", Architecture::I686) {
                assert_eq!(member.size, Some(0), "the header has no such member on i686");
                continue;
            }
            let path = member.name;
            probes.value(architecture, headers, &format!("offsetof({name}, {path})"), member.offset as u64);
            if let Some(size) = member.size {
                probes.value(architecture, headers, &format!("sizeof((({name} *)0)->{path})"), size as u64);
            }
        }
    }
}

fn methods(probes: &mut Probes) {
    for interface in INTERFACES {
        for method in interface.methods {
            let mut pointer = format!("&{}::{}", interface.name, method.name);
            if method.name == "QueryInterface" {
                // C++ has a second one, a template.
                pointer = format!("(HRESULT (STDMETHODCALLTYPE IUnknown::*)(REFIID, void **)){pointer}");
            }
            for architecture in Architecture::ALL {
                // GCC's pointer to a virtual method is the offset of its slot, plus 1.
                let word = method.slot as u64 * architecture.pointer_bytes() + 1;
                let expected = word.to_le_bytes()[..architecture.pointer_bytes() as usize].to_vec();
                let declaration = format!("CONSTANT auto @ = {pointer};");
                probes.push(architecture, Headers::User, declaration, expected);
            }
            let expression = format!("stack_bytes({pointer})");
            probes.value(Architecture::I686, Headers::User, &expression, u64::from(method.stack_bytes));
        }
    }
}

/// Statement 13, byte for byte: what the header's own macro declares.
fn simple_framing(probes: &mut Probes) {
    let simple = KsAllocatorFramingEx::simple(
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        FramingFlags::new(
            RequirementFlags::SYSTEM_MEMORY | RequirementFlags::PREFERENCES_ONLY,
            AllocatorFlags::empty(),
        ),
        2,
        AlignmentMask(7),
        100,
        200,
    );
    for architecture in Architecture::ALL {
        let declaration = "extern \"C\" DECLARE_SIMPLE_FRAMING_EX(@, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED), \
                           KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY, \
                           2, 7, 100, 200);";
        probes.push(architecture, Headers::User, declaration.to_owned(), simple.as_bytes().to_vec());
    }
}

fn missing(probes: &mut Probes) {
    for architecture in Architecture::ALL {
        for (name, _) in NOT_IN_MINGW {
            let declaration = format!("VALUE @ =\n#ifdef {name}\n1;\n#else\n0;\n#endif");
            probes.push(architecture, Headers::User, declaration, vec![0; 8]);
        }
        // A union with FileAlignment at Microsoft's; mingw-w64 has the one member.
        for structure in ["KS_FRAMING_ITEM", "KSALLOCATOR_FRAMING"] {
            probes.value(architecture, Headers::User, &format!("HasFramePitch<{structure}>::value"), 0);
        }
    }
}

#[test]
fn every_constant_has_the_value_of_the_headers() {
    Group::Constants.check();
}

#[test]
fn every_guid_has_the_bytes_of_the_headers() {
    Group::Guids.check();
}

#[test]
fn every_text_has_the_units_of_the_headers() {
    Group::Texts.check();
}

#[test]
fn every_structure_is_laid_out_as_in_the_headers() {
    Group::Structures.check();
}

#[test]
fn every_method_is_in_the_slot_of_the_headers_and_removes_the_same_arguments() {
    Group::Methods.check();
}

#[test]
fn a_simple_framing_is_what_declare_simple_framing_ex_declares() {
    Group::SimpleFraming.check();
}

#[test]
fn what_the_headers_are_said_to_lack_is_missing_there() {
    Group::Missing.check();
}
