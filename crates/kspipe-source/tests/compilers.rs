//! What this crate makes of sources, compared with what a compiler for Windows makes of them, for 64 and 32 bits. The
//! test needs the Debian packages g++-mingw-w64-x86-64 and g++-mingw-w64-i686, and fails where they are missing.

#[path = "../../ks/tests/headers/compiler.rs"]
#[allow(dead_code)]
mod compiler;
mod framings;

use compiler::{Architecture, Headers, data};
use framings::{corpus, random};
use ks::FramingBlob;
use kspipe_source::{Input, Member, MemberValue, Options, read, write_c};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// What the headers of programs lack and those of drivers have.
const DRIVER: &str = "
#define PAGE_SIZE 0x1000
#define NonPagedPool 0
#define PagedPool 1
#define FILE_BYTE_ALIGNMENT 0x00000000
#define FILE_LONG_ALIGNMENT 0x00000003
#define FILE_QUAD_ALIGNMENT 0x00000007
#define FILE_512_BYTE_ALIGNMENT 0x000001ff
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define min(a, b) (((a) < (b)) ? (a) : (b))
";

/// Macros, constants and types of a driver's own.
const DEFINITIONS: &str = "
#define WIDTH 320
#define HEIGHT (240)
#define BYTES WIDTH * HEIGHT * 2
#define ALIGN(x, a) (((x) + (a) - 1) & ~((a) - 1))
#define PASTE(a, b) a ## b
#define TWICE(x) x + x
#define NESTED(x) TWICE(ALIGN(x, 16))
#define SELF SELF_ + 1
#define SELF_ 41
#define LATER DEFINED_LATER
#define DEFINED_LATER 99
#define EMPTY
#define ARGUMENT_COUNT(a, b, ...) b
enum Lines { First = 7, Second, Third = First + 10, Fourth, };
enum { Anonymous = 1 << 4 | 3 };
static const ULONG Constant = 3 * WIDTH;
const int Negative = -5;
const unsigned char Byte = 300;
struct Header { UCHAR kind; ULONG size; USHORT tail; };
typedef struct _PACKET { struct Header header; ULONGLONG time; UCHAR data[WIDTH / 2][3]; } PACKET, *PPACKET;
typedef union { ULONG word; UCHAR bytes[6]; } EITHER;
typedef struct { PVOID pointer; ULONG count; } POINTING;
typedef unsigned short SAMPLE;
";

/// Expressions of which C and C++ make the same number.
const EXPRESSIONS: &[&str] = &[
    "0",
    "017",
    "0x1F",
    "0b1011",
    "42u",
    "42UL",
    "1ll << 20",
    "'A'",
    "'\\n'",
    "'\\x7f'",
    "'\\101'",
    "-1",
    "~0",
    "!0",
    "!5",
    "2 * PAGE_SIZE",
    "PAGE_SIZE - 1",
    "PAGE_SIZE << 2",
    "1 + 2 * 3",
    "(1 + 2) * 3",
    "10 - 4 - 3",
    "100 / 7 % 5",
    "-7 / 2",
    "-7 % 3",
    "1 << 4 | 1",
    "6 & 3 ^ 5",
    "0xF0 >> 4",
    "3 > 2 ? 10 : 20",
    "0 ? 1 / 0 : 5",
    "1 ? 2 : 0 ? 3 : 4",
    "1 && 0",
    "2 || 1 / 0",
    "5 == 5",
    "5 != 5",
    "1 < 2 == 1",
    "WIDTH * HEIGHT * 3 / 2",
    "BYTES + 1",
    "2 + BYTES",
    "ALIGN(WIDTH * 3 + 1, 64)",
    "ALIGN (BYTES, 4096)",
    "PASTE(WI, DTH)",
    "PASTE(0x, 1F)",
    "TWICE(3) * 2",
    "NESTED(5)",
    "SELF",
    "LATER",
    "EMPTY 5 EMPTY",
    "ARGUMENT_COUNT(1, 2, 3)",
    "ALIGN(ALIGN(5, 4), (16))",
    "First + Second",
    "Third",
    "Fourth * 2",
    "Anonymous",
    "Constant",
    "Negative",
    "Byte",
    "Constant + Negative",
    "(UCHAR) 0x1FF",
    "(USHORT) -1",
    "(CHAR) 200",
    "(ULONG) -1",
    "(ULONG)-1 / 2",
    "(LONG)-1 / 2",
    "(unsigned long) 5",
    "(unsigned char) 257 + 1",
    "(ULONGLONG) 1 << 31",
    "(SAMPLE) 65537",
    "0xFFFFFFFF",
    "0x80000000 | 2",
    "4294967295u",
    "-1 < 0u",
    "sizeof(ULONG)",
    "sizeof(ULONGLONG)",
    "sizeof(unsigned long)",
    "sizeof(int)",
    "sizeof(struct Header)",
    "sizeof(PACKET)",
    "sizeof(PPACKET)",
    "sizeof(EITHER)",
    "sizeof(POINTING)",
    "sizeof(PACKET) * 4 + 2",
    "sizeof(void *)",
    "sizeof(SIZE_T)",
    "sizeof(KSALLOCATOR_FRAMING_EX)",
    "sizeof(KS_FRAMING_ITEM)",
    "sizeof(KSALLOCATOR_FRAMING)",
    "sizeof(GUID)",
    "sizeof(ULONG) - 5 > 0",
    "FILE_512_BYTE_ALIGNMENT + 1",
    "KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY",
    "KSALLOCATOR_FLAG_CAN_ALLOCATE | KSALLOCATOR_REQUIREMENTF_MUST_ALLOCATE",
    "max(WIDTH, 100)",
    "min(3, HEIGHT)",
    "1'000'000",
    "65536 * 65535u",
    "(1 + (2 + (3 + (4))))",
    "+ + 3",
    "- - 3",
    "~ -4",
    "(3) - 1",
    "(WIDTH) - 1",
    "(WIDTH) * (2)",
    "(ULONG)(3) + 1",
    "(ULONG)(SHORT)-2",
];

/// Expressions of C++ alone.
const OF_CPP: &[&str] =
    &["static_cast<ULONG>(5) + 1", "ULONG(7)", "static_cast<UCHAR>(256 + 3)", "::Constant", "true + 1"];

/// Structures of the headers of which only the size is known.
const SIZED: &[&str] = &[
    "KSDATAFORMAT",
    "KSDATARANGE",
    "KSATTRIBUTE",
    "KS_BITMAPINFOHEADER",
    "BITMAPINFOHEADER",
    "KS_VIDEOINFOHEADER",
    "KS_VIDEOINFOHEADER2",
    "KS_VIDEOINFO",
    "KS_MPEG1VIDEOINFO",
    "KS_MPEGVIDEOINFO2",
    "KS_VBIINFOHEADER",
    "KS_ANALOGVIDEOINFO",
    "KS_TVTUNER_CHANGE_INFO",
    "KS_DATARANGE_VIDEO",
    "KS_DATARANGE_VIDEO2",
    "KS_DATARANGE_VIDEO_VBI",
    "KS_DATARANGE_ANALOGVIDEO",
    "KS_DATAFORMAT_VIDEOINFOHEADER",
    "KS_DATAFORMAT_VIDEOINFOHEADER2",
    "KS_DATAFORMAT_VBIINFOHEADER",
    "KSDATARANGE_AUDIO",
    "KSDATARANGE_MUSIC",
    "KSDATAFORMAT_WAVEFORMATEX",
    "WAVEFORMATEX",
    "WAVEFORMATEXTENSIBLE",
    "PCMWAVEFORMAT",
    "RGBQUAD",
    "KS_RGBQUAD",
    "RECT",
    "POINT",
    "SIZE",
    "LARGE_INTEGER",
    "ULARGE_INTEGER",
    "KSPROPERTY",
    "KSMETHOD",
    "KSEVENT",
    "KSIDENTIFIER",
    "KSPIN_INTERFACE",
    "KSPIN_MEDIUM",
    "KSP_PIN",
    "KSP_NODE",
    "KSMULTIPLE_ITEM",
    "KSTIME",
    "KSINTERVAL",
    "KSSTREAM_HEADER",
    "KS_FRAME_INFO",
    "KS_VBI_FRAME_INFO",
    "KSSTREAMALLOCATOR_STATUS",
    "KSSTREAMALLOCATOR_STATUS_EX",
    "CC_HW_FIELD",
    "NABTS_BUFFER",
    "NABTS_BUFFER_LINE",
    "VBICODECFILTERING_SCANLINES",
    "VBICODECFILTERING_NABTS_SUBSTREAMS",
    "VBICODECFILTERING_CC_SUBSTREAMS",
];

fn options(architecture: Architecture) -> Options {
    Options { pointer_bytes: architecture.pointer_bytes() as u32 }
}

#[test]
fn expressions_have_the_values_that_compilers_give_them() {
    let sizes: Vec<String> =
        SIZED.iter().flat_map(|name| [format!("sizeof({name})"), format!("sizeof(struct After_{name})")]).collect();
    // What follows a structure shows its alignment.
    let after: String = SIZED
        .iter()
        .map(|name| format!("struct After_{name} {{ UCHAR first; {name} second; UCHAR third; }};\n"))
        .collect();
    let expressions: Vec<&str> =
        EXPRESSIONS.iter().chain(OF_CPP).copied().chain(sizes.iter().map(String::as_str)).collect();
    let declarations: String = expressions
        .iter()
        .enumerate()
        .map(|(index, expression)| {
            format!("extern \"C\" const KSALLOCATOR_FRAMING Probe_{index} = {{ {{ 0 }}, 0, 1, (ULONG)({expression}), {{ 0 }}, 0 }};\n")
        })
        .collect();
    let text = format!("{DEFINITIONS}{after}{declarations}");
    for architecture in Architecture::ALL {
        let compiled = data(architecture, Headers::User, &format!("{DRIVER}{text}"));
        let source = read(&[Input::new("probe.cpp", &text)], &options(architecture), |_, _| None);
        let mut wrong = String::new();
        for (index, expression) in expressions.iter().enumerate() {
            let name = format!("Probe_{index}");
            let expected = u32::from_le_bytes(compiled[&name][12..16].try_into().expect("four bytes"));
            let framing = source.framings.iter().find(|framing| framing.name == name);
            let member: Option<&Member> = framing.and_then(|framing| framing.member(None, "FrameSize"));
            let found = member.map(|member| member.value.clone());
            if found != Some(Ok(MemberValue::Word(expected))) {
                wrong += &format!("{architecture:?} {expression}: the compiler says {expected}, found {found:?}\n");
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}

/// Declarations in the ways of C++ that mingw-w64's compiler takes; all are called `Framing`.
const DECLARATIONS: &[&str] = &[
    "DECLARE_SIMPLE_FRAMING_EX(Framing, STATICGUIDOF(KSMEMORY_TYPE_KERNEL_NONPAGED), KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY | KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY, 2, 0, 2 * PAGE_SIZE, 2 * PAGE_SIZE);",
    "DECLARE_SIMPLE_FRAMING_EX(Framing, STATIC_KSMEMORY_TYPE_USER, 0x40, 25, FILE_LONG_ALIGNMENT, 188 * 312, 320*240*3);",
    "#define MINE(name, m) DECLARE_SIMPLE_FRAMING_EX(name, STATICGUIDOF(m), 0, 1, 0, 1, 2)\nMINE(Framing, KSMEMORY_TYPE_SYSTEM);",
    "const KSALLOCATOR_FRAMING_EX Framing = { 1, 0, 1, 1, 0, 0, STATIC_KSMEMORY_TYPE_KERNEL_PAGED, STATIC_KS_TYPE_DONT_CARE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };",
    "const KSALLOCATOR_FRAMING_EX Framing = { 1, 2, { 3, 4 }, 5, { { { STATIC_KSMEMORY_TYPE_USER }, { 0 }, 1, 2, 3, 4, { 5 }, 6, { 7, 8 }, { { 9 }, 10 } } } };",
    "const KSALLOCATOR_FRAMING_EX Framing = { 1, 2, 3, 4, 5, 6, { { { 0x11223344, 0x5566, 0x7788, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 0x1, 0x2, 0x3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23 } } };",
    "#define ITEM(frames) { { STATICGUIDOF(KSMEMORY_TYPE_USER) }, { STATICGUIDOF(KS_TYPE_DONT_CARE) }, 0, 0, 0, frames }\n#define FRAMING(i) { 1, 0, { 1, 1, 0 }, 0, { i } }\nconst KSALLOCATOR_FRAMING_EX Framing = FRAMING(ITEM(3));",
    "const KSALLOCATOR_FRAMING Framing = { 2, NonPagedPool, 8, sizeof(KSDATARANGE) * 2, FILE_QUAD_ALIGNMENT };",
    "const KSALLOCATOR_FRAMING Framing = { { KSALLOCATOR_OPTIONF_SYSTEM_MEMORY }, PagedPool, 8, 0x7F << 2, { 3 }, 0 };",
    "typedef struct { ULONG before; KSALLOCATOR_FRAMING_EX Framing; } OUTER; const OUTER Framing = { 7, { 1, 2, { 3, 4, 5 }, 6, { { KSMEMORY_TYPE_USER_NUMBERS } } } };",
];

#[test]
fn declarations_are_read_as_compilers_lay_them_out() {
    let extra = "#define KSMEMORY_TYPE_USER_NUMBERS { 0x8cb0fc28L, 0x7893, 0x11d1, 0xb0, 0x69, 0x00, 0xa0, 0xc9, 0x06, 0x28, 0x02 }\n";
    // One compiler run for all: each declaration has a name of its own.
    let all: Vec<String> = DECLARATIONS
        .iter()
        .enumerate()
        .map(|(index, text)| {
            text.replace("Framing,", &format!("Framing_{index},"))
                .replace("Framing =", &format!("Framing_{index} ="))
                .replace("MINE", &format!("MINE_{index}"))
                .replace("OUTER", &format!("OUTER_{index}"))
        })
        .collect();
    let exported: String = (0..all.len())
        .map(|index| format!("extern \"C\" const void *const Keep_{index} = &Framing_{index};\n"))
        .collect();
    let text = format!("{extra}{}\n", all.join("\n"));
    for architecture in Architecture::ALL {
        let compiled = data(architecture, Headers::User, &format!("{DRIVER}{text}{exported}"));
        let source = read(&[Input::new("all.cpp", &text)], &options(architecture), |_, _| None);
        for (index, declaration) in all.iter().enumerate() {
            // A constant of C++ has a name of its own making in the assembly.
            let name = format!("Framing_{index}");
            let symbol = compiled.iter().find(|(symbol, bytes)| {
                !bytes.is_empty()
                    && symbol.trim_start_matches("_ZL").trim_start_matches(|digit: char| digit.is_ascii_digit()) == name
            });
            let (_, compiled) = symbol.unwrap_or_else(|| panic!("{name} is not in {:?}", compiled.keys()));
            let framing = source.framings.iter().find(|framing| {
                framing.name.starts_with(&name)
                    && !framing.name[name.len()..].starts_with(|digit: char| digit.is_ascii_digit())
            });
            let framing = framing.unwrap_or_else(|| panic!("{declaration}\n{:#?}", source.problems));
            let bytes = framing.bytes().unwrap_or_else(|member| panic!("{declaration}: {member:?}"));
            assert!(
                compiled.ends_with(&bytes),
                "{architecture:?} {declaration}\ncompiler {compiled:?}\nfound    {bytes:?}"
            );
        }
    }
}

#[test]
fn written_framings_compile_to_the_same_bytes() {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let strategy = random();
    let random = (0..60).map(|_| strategy.new_tree(&mut runner).expect("a framing").current());
    let framings: Vec<Vec<u8>> = corpus().into_iter().map(|(_, bytes)| bytes).chain(random).collect();
    let mut text = String::new();
    for (index, bytes) in framings.iter().enumerate() {
        let written = write_c(&FramingBlob::parse(bytes).expect("a framing"), &format!("Written_{index}"));
        text += &written.replace("static const ", "extern \"C\" const ");
    }
    for architecture in Architecture::ALL {
        let compiled = data(architecture, Headers::User, &format!("{DRIVER}{text}"));
        for (index, bytes) in framings.iter().enumerate() {
            let compiled = &compiled[&format!("Written_{index}")];
            // The assembler may leave zeros at the end to the linker; trailing members of 0 are still bytes of the object.
            assert_eq!(
                &compiled[..bytes.len().min(compiled.len())],
                &bytes[..bytes.len().min(compiled.len())],
                "{architecture:?} {index}"
            );
            assert!(compiled.len() >= bytes.len(), "{architecture:?} {index}: {} bytes", compiled.len());
        }
    }
}
