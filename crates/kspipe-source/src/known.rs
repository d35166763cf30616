//! What the headers of Windows define and a driver's sources only name: constants, GUIDs, types.

use crate::integer::IntegerType;
use crate::types::{Type, framing_type};
use ks::{AllocatorFlags, Guid, KSMEMORY_TYPES, OptionFlags, RequirementFlags};

/// Constants of wdm.h, ntdef.h, ks.h and ksmedia.h that framings are written with.
const CONSTANTS: &[(&str, u32)] = &[
    ("PAGE_SIZE", 0x1000),
    ("PAGE_SHIFT", 12),
    ("NonPagedPool", 0),
    ("NonPagedPoolExecute", 0),
    ("PagedPool", 1),
    ("NonPagedPoolMustSucceed", 2),
    ("NonPagedPoolCacheAligned", 4),
    ("PagedPoolCacheAligned", 5),
    ("NonPagedPoolNx", 512),
    ("NonPagedPoolNxCacheAligned", 516),
    ("FILE_BYTE_ALIGNMENT", 0),
    ("FILE_WORD_ALIGNMENT", 1),
    ("FILE_LONG_ALIGNMENT", 3),
    ("FILE_QUAD_ALIGNMENT", 7),
    ("FILE_OCTA_ALIGNMENT", 15),
    ("FILE_32_BYTE_ALIGNMENT", 31),
    ("FILE_64_BYTE_ALIGNMENT", 63),
    ("FILE_128_BYTE_ALIGNMENT", 127),
    ("FILE_256_BYTE_ALIGNMENT", 255),
    ("FILE_512_BYTE_ALIGNMENT", 511),
    ("MAXULONG", u32::MAX),
    ("MAXDWORD", u32::MAX),
    ("ULONG_MAX", u32::MAX),
    ("UINT_MAX", u32::MAX),
    ("MAXLONG", i32::MAX as u32),
    ("LONG_MAX", i32::MAX as u32),
    ("INT_MAX", i32::MAX as u32),
    ("MAXUSHORT", 0xFFFF),
    ("MAXUCHAR", 0xFF),
    ("TRUE", 1),
    ("FALSE", 0),
    ("NULL", 0),
    ("true", 1),
    ("false", 0),
    ("nullptr", 0),
    ("KSPIN_FLAG_DISPATCH_LEVEL_PROCESSING", 0x0000_0001),
    ("KSPIN_FLAG_CRITICAL_PROCESSING", 0x0000_0002),
    ("KSPIN_FLAG_HYPERCRITICAL_PROCESSING", 0x0000_0004),
    ("KSPIN_FLAG_GENERATE_MAPPINGS", 0x0000_1000),
    ("KSPIN_DATAFLOW_IN", 1),
    ("KSPIN_DATAFLOW_OUT", 2),
];

/// The value of a header's constant.
pub(crate) fn constant(name: &str) -> Option<u32> {
    let flags = || RequirementFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits()));
    let flags = flags()
        .chain(AllocatorFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits())))
        .chain(OptionFlags::NAMES.iter().map(|(name, flag)| (*name, flag.bits())));
    CONSTANTS.iter().copied().chain(flags).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// A GUID by its name, or by the name of the macro with its numbers (`STATIC_`).
pub(crate) fn guid(name: &str) -> Option<Guid> {
    let name = name.strip_prefix("STATIC_").unwrap_or(name);
    if name == "GUID_NULL" || name == "KSMEMORY_TYPE_DONT_CARE" {
        return Some(Guid::NULL);
    }
    KSMEMORY_TYPES.iter().find(|(known, _)| *known == name).map(|(_, guid)| *guid)
}

/// Structures whose size is all that a framing is computed from, with their size and alignment for 64 bits; those with
/// pointers have their size for 32 behind.
#[rustfmt::skip]
pub(crate) const SIZES: &[(&str, u64, u64, u64)] = &[
    ("KSDATAFORMAT", 64, 8, 64), ("KSDATARANGE", 64, 8, 64), ("KSATTRIBUTE", 24, 4, 24),
    ("KS_BITMAPINFOHEADER", 40, 4, 40), ("BITMAPINFOHEADER", 40, 4, 40), ("KS_VIDEOINFOHEADER", 88, 8, 88),
    ("KS_VIDEOINFOHEADER2", 112, 8, 112), ("KS_VIDEOINFO", 1128, 8, 1128), ("KS_MPEG1VIDEOINFO", 104, 8, 104),
    ("KS_MPEGVIDEOINFO2", 136, 8, 136), ("KS_VBIINFOHEADER", 44, 4, 44), ("KS_ANALOGVIDEOINFO", 48, 8, 48),
    ("KS_TVTUNER_CHANGE_INFO", 16, 4, 16), ("KS_DATARANGE_VIDEO", 296, 8, 296), ("KS_DATARANGE_VIDEO2", 320, 8, 320),
    ("KS_DATARANGE_VIDEO_VBI", 256, 8, 256), ("KS_DATARANGE_ANALOGVIDEO", 112, 8, 112),
    ("KS_DATAFORMAT_VIDEOINFOHEADER", 152, 8, 152), ("KS_DATAFORMAT_VIDEOINFOHEADER2", 176, 8, 176),
    ("KS_DATAFORMAT_VBIINFOHEADER", 112, 8, 112), ("KSDATARANGE_AUDIO", 88, 8, 88), ("KSDATARANGE_MUSIC", 96, 8, 96),
    ("KSDATAFORMAT_WAVEFORMATEX", 82, 1, 82), ("WAVEFORMATEX", 18, 1, 18), ("WAVEFORMATEXTENSIBLE", 40, 1, 40),
    ("PCMWAVEFORMAT", 16, 1, 16), ("RGBQUAD", 4, 1, 4), ("KS_RGBQUAD", 4, 1, 4), ("RECT", 16, 4, 16),
    ("POINT", 8, 4, 8), ("SIZE", 8, 4, 8), ("LARGE_INTEGER", 8, 8, 8), ("ULARGE_INTEGER", 8, 8, 8),
    ("KSPROPERTY", 24, 8, 24), ("KSMETHOD", 24, 8, 24), ("KSEVENT", 24, 8, 24), ("KSIDENTIFIER", 24, 8, 24),
    ("KSPIN_INTERFACE", 24, 8, 24), ("KSPIN_MEDIUM", 24, 8, 24), ("KSP_PIN", 32, 8, 32), ("KSP_NODE", 32, 8, 32),
    ("KSMULTIPLE_ITEM", 8, 4, 8), ("KSTIME", 16, 8, 16), ("KSINTERVAL", 16, 8, 16), ("KSSTREAM_HEADER", 56, 8, 48),
    ("KS_FRAME_INFO", 72, 8, 64), ("KS_VBI_FRAME_INFO", 88, 8, 88), ("KSSTREAMALLOCATOR_STATUS", 32, 4, 32),
    ("KSSTREAMALLOCATOR_STATUS_EX", 120, 4, 120), ("CC_HW_FIELD", 192, 8, 192), ("NABTS_BUFFER", 543, 1, 543),
    ("NABTS_BUFFER_LINE", 37, 1, 37), ("VBICODECFILTERING_SCANLINES", 128, 4, 128),
    ("VBICODECFILTERING_NABTS_SUBSTREAMS", 512, 4, 512), ("VBICODECFILTERING_CC_SUBSTREAMS", 4, 4, 4),
];

/// A type of the language or of the headers.
pub(crate) fn header_type(name: &str, pointer_bytes: u64) -> Option<Type> {
    let integer = |bits: u64, signed| Some(Type::Integer(IntegerType { bits: bits as u32, signed }));
    match name {
        "UCHAR" | "BYTE" | "BOOLEAN" | "UINT8" | "uint8_t" | "bool" => return integer(8, false),
        "CHAR" | "CCHAR" | "INT8" | "int8_t" => return integer(8, true),
        "USHORT" | "WORD" | "WCHAR" | "UINT16" | "uint16_t" | "wchar_t" => return integer(16, false),
        "SHORT" | "INT16" | "int16_t" => return integer(16, true),
        "ULONG" | "DWORD" | "UINT" | "ULONG32" | "UINT32" | "DWORD32" | "uint32_t" | "FOURCC" => {
            return integer(32, false);
        }
        "LONG"
        | "INT"
        | "BOOL"
        | "LONG32"
        | "INT32"
        | "int32_t"
        | "NTSTATUS"
        | "POOL_TYPE"
        | "KSPIN_DATAFLOW"
        | "KSPIN_COMMUNICATION"
        | "KSSTATE" => return integer(32, true),
        "ULONGLONG" | "ULONG64" | "UINT64" | "DWORDLONG" | "DWORD64" | "uint64_t" => return integer(64, false),
        "LONGLONG" | "LONG64" | "INT64" | "int64_t" | "REFERENCE_TIME" | "__int64" => return integer(64, true),
        "ULONG_PTR" | "SIZE_T" | "size_t" | "UINT_PTR" | "DWORD_PTR" | "uintptr_t" => {
            return integer(8 * pointer_bytes, false);
        }
        "LONG_PTR" | "SSIZE_T" | "INT_PTR" | "ptrdiff_t" | "intptr_t" => return integer(8 * pointer_bytes, true),
        "PVOID" | "HANDLE" | "PUCHAR" | "PULONG" | "PCHAR" | "PWSTR" | "LPVOID" | "PBYTE" => {
            return Some(Type::Pointer);
        }
        "GUID" | "KSPIN_GUID" | "IID" | "CLSID" | "_GUID" => return Some(Type::Guid),
        _ => {}
    }
    if let Some(of) = framing_type(name) {
        return Some(of);
    }
    let sized = SIZES.iter().find(|(known, ..)| *known == name.trim_start_matches("tag").trim_start_matches('_'));
    sized.map(|(_, wide, align, narrow)| Type::Opaque {
        size: if pointer_bytes == 8 { *wide } else { *narrow },
        align: *align,
    })
}

/// A type of several words, or one keyword: `unsigned long`.
pub(crate) fn keyword_type(words: &[&str]) -> Option<Type> {
    let mut signed = None;
    let (mut longs, mut base, mut bits) = (0, false, None);
    for word in words {
        match *word {
            "unsigned" | "__unsigned" => signed = Some(false),
            "signed" | "__signed" => signed = Some(true),
            "long" => longs += 1,
            "int" => base = true,
            "char" | "__int8" => bits = Some(8),
            "short" | "__int16" => bits = Some(16),
            "__int32" => bits = Some(32),
            "__int64" => bits = Some(64),
            _ => return None,
        }
    }
    let bits = match (bits, longs) {
        (Some(bits), _) => bits,
        (None, 2..) => 64,
        (None, 1) => 32,
        (None, _) if base || signed.is_some() => 32,
        _ => return None,
    };
    Some(Type::Integer(IntegerType { bits, signed: signed.unwrap_or(true) }))
}
