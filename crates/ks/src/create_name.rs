//! Names under which objects are created on the handle of another: a class as text, a backslash, and the bytes of a
//! structure, all in one "string" (statements 130 to 134).

use crate::{AlignmentMask, KSSTRING_Allocator, KSSTRING_Pin, KsAllocatorFraming, NtStatus, OptionFlags, PoolType};
use zerocopy::{FromBytes, IntoBytes};

/// UTF-16 units of a class: a GUID in braces.
const CLASS_UNITS: usize = 38;
/// Bytes of a class and the backslash after it.
const HEAD_BYTES: usize = 2 * (CLASS_UNITS + 1);
/// A backslash as a unit of UTF-16.
const BACKSLASH: u8 = b'\\';

/// Bytes of [`allocator_create_name`].
pub const ALLOCATOR_CREATE_NAME_BYTES: usize = HEAD_BYTES + size_of::<KsAllocatorFraming>();

/// What kind of object a name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateClass {
    /// [`KSSTRING_Allocator`]: an allocator, on a sink pin. Its parameters are a [`KsAllocatorFraming`].
    Allocator,
    /// [`KSSTRING_Pin`]: a pin, on a filter. Its parameters are a [`KsPinConnect`](crate::KsPinConnect) and a format.
    Pin,
}

impl CreateClass {
    const ALL: [Self; 2] = [Self::Allocator, Self::Pin];

    /// The class as text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Allocator => KSSTRING_Allocator,
            Self::Pin => KSSTRING_Pin,
        }
    }

    /// What a name of this class begins with: the text in UTF-16LE and a backslash.
    pub fn head(self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        for (unit, byte) in head.chunks_exact_mut(2).zip(self.text().bytes().chain([BACKSLASH])) {
            unit[0] = byte;
        }
        head
    }
}

/// The name under which `KsCreateAllocator` creates an allocator: [`KSSTRING_Allocator`] in UTF-16LE, a backslash, and
/// the 24 bytes of the framing (statement 130).
///
/// ```
/// let framing = ks::KsAllocatorFraming { frames: 2, frame_size: 4096, ..Default::default() };
/// let name = ks::allocator_create_name(&framing);
/// assert_eq!(name[..4], [b'{', 0, b'6', 0]);
/// assert_eq!(ks::CreateName::parse(&name).and_then(|name| name.allocator_framing()), Ok(framing));
/// ```
pub fn allocator_create_name(framing: &KsAllocatorFraming) -> [u8; ALLOCATOR_CREATE_NAME_BYTES] {
    let mut name = [0; ALLOCATOR_CREATE_NAME_BYTES];
    let (head, parameters) = name.split_at_mut(HEAD_BYTES);
    head.copy_from_slice(&CreateClass::Allocator.head());
    parameters.copy_from_slice(framing.as_bytes());
    name
}

/// A create name, read from bytes nobody vouches for. No alignment is asked of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateName<'a> {
    /// What is asked for.
    pub class: CreateClass,
    /// The bytes after the class and its backslash. They may be anything, zeros and backslashes too.
    pub parameters: &'a [u8],
}

impl<'a> CreateName<'a> {
    /// Reads a name. One backslash before the class is passed over, which some builders of names write, and the class
    /// may be in any case.
    ///
    /// # Errors
    /// `STATUS_OBJECT_NAME_NOT_FOUND` where the name is of no class of [`CreateClass`].
    pub fn parse(name: &'a [u8]) -> Result<Self, NtStatus> {
        let name = name.strip_prefix(&[BACKSLASH, 0]).unwrap_or(name);
        let parse = |class: CreateClass| {
            let (head, parameters) = name.split_at_checked(HEAD_BYTES)?;
            // The second byte of every unit is 0, which has no case.
            head.eq_ignore_ascii_case(&class.head()).then_some(Self { class, parameters })
        };
        CreateClass::ALL.into_iter().find_map(parse).ok_or(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND)
    }

    /// The framing in the name of an allocator, checked as `KsValidateAllocatorCreateRequest` checks it. Bytes after it
    /// are passed over: some builders of names leave two or four.
    ///
    /// # Errors
    /// `STATUS_OBJECT_NAME_NOT_FOUND` where the name is no allocator's, `STATUS_INVALID_PARAMETER` where it has fewer
    /// than 24 bytes of parameters (statement 131), and as
    /// [`validate_creation`](KsAllocatorFraming::validate_creation).
    pub fn allocator_framing(&self) -> Result<KsAllocatorFraming, NtStatus> {
        if self.class != CreateClass::Allocator {
            return Err(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND);
        }
        let (framing, _) =
            KsAllocatorFraming::read_from_prefix(self.parameters).map_err(|_| NtStatus::STATUS_INVALID_PARAMETER)?;
        framing.validate_creation().map(|()| framing)
    }
}

impl KsAllocatorFraming {
    /// Whether an allocator can be created with this, as `KsValidateAllocatorCreateRequest` and
    /// `KsCreateDefaultAllocatorEx` judge it: `FrameSize` is not 0 (statement 132), no option is set but those of
    /// [`OptionFlags::VALID`] (133), the alignment is a power of two, at most a page of 4096 bytes (134), and system
    /// memory comes from a pool there is. Any number of frames is right; 0 is no limit.
    ///
    /// # Errors
    /// `STATUS_INVALID_PARAMETER`.
    pub fn validate_creation(&self) -> Result<(), NtStatus> {
        /// A page, minus 1.
        const MAX_MASK: AlignmentMask = AlignmentMask(4095);
        let options = self.flags.options();
        let mask = self.file_alignment.file_alignment();
        let pool = [PoolType::NON_PAGED_POOL, PoolType::PAGED_POOL].contains(&self.pool_type);
        let sound = self.frame_size != 0
            && OptionFlags::VALID.contains(options)
            && mask.is_valid()
            && mask <= MAX_MASK
            && (pool || !options.contains(OptionFlags::SYSTEM_MEMORY));
        if sound { Ok(()) } else { Err(NtStatus::STATUS_INVALID_PARAMETER) }
    }
}
