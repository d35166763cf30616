//! `KSMEMORY_TYPE_*`: where frames may live.

use crate::Guid;

/// `KSMEMORY_TYPE_WILDCARD` and `KSMEMORY_TYPE_DONT_CARE`: any memory.
pub const KSMEMORY_TYPE_WILDCARD: Guid = Guid::NULL;
/// `KSMEMORY_TYPE_DONT_CARE`, the same value as [`KSMEMORY_TYPE_WILDCARD`].
pub const KSMEMORY_TYPE_DONT_CARE: Guid = Guid::NULL;
/// `KSMEMORY_TYPE_SYSTEM`: host memory of any kind.
pub const KSMEMORY_TYPE_SYSTEM: Guid = Guid::from_u128(0x091BB638_603F_11D1_B067_00A0C9062802);
/// `KSMEMORY_TYPE_DEVICE_UNKNOWN`: a device's memory that nobody can map.
pub const KSMEMORY_TYPE_DEVICE_UNKNOWN: Guid = Guid::from_u128(0x091BB639_603F_11D1_B067_00A0C9062802);
/// `KSMEMORY_TYPE_USER`: memory of a user-mode process.
pub const KSMEMORY_TYPE_USER: Guid = Guid::from_u128(0x8CB0FC28_7893_11D1_B069_00A0C9062802);
/// `KSMEMORY_TYPE_KERNEL_PAGED`: the kernel's paged pool.
pub const KSMEMORY_TYPE_KERNEL_PAGED: Guid = Guid::from_u128(0xD833F8F8_7894_11D1_B069_00A0C9062802);
/// `KSMEMORY_TYPE_KERNEL_NONPAGED`: the kernel's nonpaged pool.
pub const KSMEMORY_TYPE_KERNEL_NONPAGED: Guid = Guid::from_u128(0x4A6D5FC4_7895_11D1_B069_00A0C9062802);
