//! `KSMEMORY_TYPE_*`: where frames may live.

use crate::Guid;

constants! {
    /// The header's name of every memory type. `GUID_NULL` has three names; the first is the wildcard.
    KSMEMORY_TYPES: Guid {
        /// Any memory.
        KSMEMORY_TYPE_WILDCARD = Guid::NULL;
        /// The same value as [`KSMEMORY_TYPE_WILDCARD`].
        KSMEMORY_TYPE_DONT_CARE = Guid::NULL;
        /// The same value again, for memory and bus types alike.
        KS_TYPE_DONT_CARE = Guid::NULL;
        /// Host memory of any kind.
        KSMEMORY_TYPE_SYSTEM = Guid::from_u128(0x091BB638_603F_11D1_B067_00A0C9062802);
        /// A device's memory that nobody can map.
        KSMEMORY_TYPE_DEVICE_UNKNOWN = Guid::from_u128(0x091BB639_603F_11D1_B067_00A0C9062802);
        /// Memory of a user-mode process.
        KSMEMORY_TYPE_USER = Guid::from_u128(0x8CB0FC28_7893_11D1_B069_00A0C9062802);
        /// The kernel's paged pool.
        KSMEMORY_TYPE_KERNEL_PAGED = Guid::from_u128(0xD833F8F8_7894_11D1_B069_00A0C9062802);
        /// The kernel's nonpaged pool.
        KSMEMORY_TYPE_KERNEL_NONPAGED = Guid::from_u128(0x4A6D5FC4_7895_11D1_B069_00A0C9062802);
    }
}
