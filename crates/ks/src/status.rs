//! How calls end: `HRESULT` in user mode, `NTSTATUS` in the kernel.

use core::fmt;

/// A status type: a number with names.
macro_rules! status {
    ($(
        $(#[$outer:meta])*
        $name:ident { $( $(#[$doc:meta])* $constant:ident = $value:literal; )* }
    )*) => {$(
        $(#[$outer])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        #[must_use]
        pub struct $name(pub i32);

        impl $name {
            $( $(#[$doc])* pub const $constant: Self = Self(u32::cast_signed($value)); )*

            /// The header's name of every value.
            pub const NAMES: &'static [(&'static str, Self)] = &[$((stringify!($constant), Self::$constant)),*];

            /// The header's name of this value, where it has one.
            pub fn name(self) -> Option<&'static str> {
                Self::NAMES.iter().find(|(_, value)| *value == self).map(|(name, _)| *name)
            }
            /// Whether the call succeeded: the number is not negative.
            pub const fn is_success(self) -> bool {
                self.0 >= 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{:#010X}", self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, concat!(stringify!($name), "({:#010X})"), self.0),
                }
            }
        }
    )*};
}

status! {
    /// `HRESULT`. What each value means to an allocator stands with the method that returns it.
    Hresult {
        /// Success.
        S_OK = 0x0000_0000;
        /// Success, and the answer is no.
        S_FALSE = 0x0000_0001;
        /// A pointer is null.
        E_POINTER = 0x8000_4003;
        /// The object has no such interface.
        E_NOINTERFACE = 0x8000_4002;
        /// The object does not do this.
        E_NOTIMPL = 0x8000_4001;
        /// It failed, and nothing more is known.
        E_FAIL = 0x8000_4005;
        /// It failed as nobody expected.
        E_UNEXPECTED = 0x8000_FFFF;
        /// No memory.
        E_OUTOFMEMORY = 0x8007_000E;
        /// An argument is wrong.
        E_INVALIDARG = 0x8007_0057;
        /// A handle is wrong.
        E_HANDLE = 0x8007_0006;
        /// The object cannot be part of another.
        CLASS_E_NOAGGREGATION = 0x8004_0110;
        /// The library has no such class.
        CLASS_E_CLASSNOTAVAILABLE = 0x8004_0111;
        /// The class could not be registered, or not removed.
        SELFREG_E_CLASS = 0x8004_0201;
        /// The pin is connected already.
        VFW_E_ALREADY_CONNECTED = 0x8004_0204;
        /// No media type suits both pins.
        VFW_E_NO_ACCEPTABLE_TYPES = 0x8004_0207;
        /// The pin goes the other way.
        VFW_E_INVALID_DIRECTION = 0x8004_0208;
        /// The pin is not connected.
        VFW_E_NOT_CONNECTED = 0x8004_0209;
        /// No allocator suits both pins.
        VFW_E_NO_ALLOCATOR = 0x8004_020A;
        /// A run-time error.
        VFW_E_RUNTIME_ERROR = 0x8004_020B;
        /// No buffers are set.
        VFW_E_BUFFER_NOTSET = 0x8004_020C;
        /// The buffer is too small.
        VFW_E_BUFFER_OVERFLOW = 0x8004_020D;
        /// The alignment is wrong.
        VFW_E_BADALIGN = 0x8004_020E;
        /// The allocator is committed.
        VFW_E_ALREADY_COMMITTED = 0x8004_020F;
        /// Samples are still out.
        VFW_E_BUFFERS_OUTSTANDING = 0x8004_0210;
        /// The allocator is not committed.
        VFW_E_NOT_COMMITTED = 0x8004_0211;
        /// No size is set.
        VFW_E_SIZENOTSET = 0x8004_0212;
        /// The filter is not stopped, as it must be.
        VFW_E_NOT_STOPPED = 0x8004_0224;
        /// The filter is in another state.
        VFW_E_WRONG_STATE = 0x8004_0227;
        /// The pin does not take this media type.
        VFW_E_TYPE_NOT_ACCEPTED = 0x8004_022A;
        /// No sample is free, or not in time.
        VFW_E_TIMEOUT = 0x8004_022E;
        /// The graph goes round.
        VFW_E_CIRCULAR_GRAPH = 0x8004_0231;
        /// The sample has no time.
        VFW_E_SAMPLE_TIME_NOT_SET = 0x8004_0249;
        /// The sample has no media time.
        VFW_E_MEDIA_TIME_NOT_SET = 0x8004_0251;
        /// Success: the sample has a start time and no stop time.
        VFW_S_NO_STOP_TIME = 0x0004_0270;
        /// Success: there is nothing at this position of a list, nor after it.
        VFW_S_NO_MORE_ITEMS = 0x0004_0103;
    }

    /// `NTSTATUS`.
    NtStatus {
        /// Success.
        STATUS_SUCCESS = 0x0000_0000;
        /// The request waits.
        STATUS_PENDING = 0x0000_0103;
        /// The buffer holds only part of the answer.
        STATUS_BUFFER_OVERFLOW = 0x8000_0005;
        /// It failed, and nothing more is known.
        STATUS_UNSUCCESSFUL = 0xC000_0001;
        /// The handle names no object, or none of the kind asked for.
        STATUS_INVALID_HANDLE = 0xC000_0008;
        /// An argument is wrong.
        STATUS_INVALID_PARAMETER = 0xC000_000D;
        /// There are as many as there may be.
        STATUS_DEVICE_BUSY = 0x8000_0011;
        /// The device has no such request.
        STATUS_INVALID_DEVICE_REQUEST = 0xC000_0010;
        /// The buffer is too small.
        STATUS_BUFFER_TOO_SMALL = 0xC000_0023;
        /// Nothing can be created under such a name.
        STATUS_OBJECT_NAME_NOT_FOUND = 0xC000_0034;
        /// There is one already.
        STATUS_OBJECT_NAME_COLLISION = 0xC000_0035;
        /// No frame, or no memory.
        STATUS_INSUFFICIENT_RESOURCES = 0xC000_009A;
        /// It is not for this user.
        STATUS_ACCESS_DENIED = 0xC000_0022;
        /// The versions of two sides differ.
        STATUS_REVISION_MISMATCH = 0xC000_0059;
        /// The device does not do this.
        STATUS_NOT_SUPPORTED = 0xC000_00BB;
        /// Whoever is asked has as many files open as it may.
        STATUS_TOO_MANY_OPENED_FILES = 0xC000_011F;
        /// The request was cancelled.
        STATUS_CANCELLED = 0xC000_0120;
        /// The buffer has the wrong size.
        STATUS_INVALID_BUFFER_SIZE = 0xC000_0206;
        /// The set has no such item.
        STATUS_NOT_FOUND = 0xC000_0225;
        /// The object has no such set.
        STATUS_PROPSET_NOT_FOUND = 0xC000_0230;
        /// Nothing the object has matches what is asked.
        STATUS_NO_MATCH = 0xC000_0272;
    }
}
