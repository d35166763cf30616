//! How the header's names become Rust types: each macro writes the type and the table of the header's names beside
//! it, so that what is printed, listed and compared with the headers is what is compiled.

/// A set of bits. Unknown bits are kept; `Debug` prints the header's names.
macro_rules! flags {
    ($(
        $(#[$outer:meta])*
        $name:ident { $( $(#[doc = $doc:expr])* $flag:ident = $value:expr, $header:ident; )* }
    )*) => {$(
        $(#[$outer])*
        #[derive(
            Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, zerocopy::FromBytes, zerocopy::IntoBytes,
            zerocopy::KnownLayout, zerocopy::Immutable,
        )]
        #[repr(transparent)]
        pub struct $name(u32);

        bitflags::bitflags! {
            impl $name: u32 {
                $( $(#[doc = $doc])* const $flag = $value; )*
                const _ = !0;
            }
        }

        impl $name {
            /// The header's name of every flag, with its value.
            pub const NAMES: &'static [(&'static str, Self)] = &[$((stringify!($header), Self::$flag)),*];
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut rest = self.bits();
                let mut separator = "";
                for (name, flag) in Self::NAMES {
                    if rest != 0 && self.contains(*flag) && rest & flag.bits() != 0 {
                        write!(f, "{separator}{name}")?;
                        rest &= !flag.bits();
                        separator = " | ";
                    }
                }
                if rest != 0 || self.is_empty() { write!(f, "{separator}{rest:#x}") } else { Ok(()) }
            }
        }
    )*};
}

/// An enumeration of the headers. Values it does not list are kept; `Debug` prints the header's name.
macro_rules! open_enum {
    ($(
        $(#[$outer:meta])*
        $name:ident { $( $(#[$doc:meta])* $variant:ident = $value:expr, $header:ident; )* }
    )*) => {$(
        $(#[$outer])*
        #[derive(
            Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, zerocopy::FromBytes, zerocopy::IntoBytes,
            zerocopy::KnownLayout, zerocopy::Immutable,
        )]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            $( $(#[$doc])* pub const $variant: Self = Self($value); )*

            /// The header's name of every value.
            pub const NAMES: &'static [(&'static str, Self)] = &[$((stringify!($header), Self::$variant)),*];

            /// The header's name of this value, where it has one.
            pub fn name(self) -> Option<&'static str> {
                Self::NAMES.iter().find(|(_, value)| *value == self).map(|(name, _)| *name)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({})"), self.0),
                }
            }
        }
    )*};
}

/// Constants under the header's names, and the table of them.
macro_rules! constants {
    ($(#[$outer:meta])* $table:ident: $type:ty { $( $(#[$doc:meta])* $name:ident = $value:expr; )* }) => {
        $( $(#[$doc])* pub const $name: $type = $value; )*

        $(#[$outer])*
        pub const $table: &[(&str, $type)] = &[$((stringify!($name), $name)),*];
    };
}

/// Fails the build where a structure is not as the ABI has it.
macro_rules! assert_layout {
    ($type:ty: $size:literal, $align:literal { $($field:ident: $offset:literal),* $(,)? }) => {
        const _: () = {
            assert!(core::mem::size_of::<$type>() == $size && core::mem::align_of::<$type>() == $align);
            $( assert!(core::mem::offset_of!($type, $field) == $offset); )*
        };
    };
}

/// [`assert_layout`] for a structure with pointers: the layout with 64-bit pointers, then the one with 32-bit ones.
macro_rules! assert_layout_by_width {
    ($type:ident: $size64:literal | $size32:literal, $align64:literal | $align32:literal {
        $($field:ident: $offset64:literal | $offset32:literal),* $(,)?
    }) => {
        assert_layout!($type<$crate::Pointer64>: $size64, $align64 { $($field: $offset64),* });
        assert_layout!($type<$crate::Pointer32>: $size32, $align32 { $($field: $offset32),* });
        #[cfg(target_pointer_width = "64")]
        assert_layout!($type<$crate::Native>: $size64, $align64 { $($field: $offset64),* });
        #[cfg(target_pointer_width = "32")]
        assert_layout!($type<$crate::Native>: $size32, $align32 { $($field: $offset32),* });
    };
}
