//! The control codes by which a handle is asked: `IOCTL_KS_*`.

/// `CTL_CODE` (devioctl.h): a control code from the device's type, the function's number, how buffers are passed, and
/// the access it needs. Each part is masked to the bits it has (16, 12, 2 and 2), as a macro cannot refuse.
pub const fn ctl_code(device_type: u32, function: u32, method: u32, access: u32) -> u32 {
    (device_type & 0xFFFF) << 16 | (access & 3) << 14 | (function & 0xFFF) << 2 | method & 3
}

constants! {
    /// The header's name of every part of a control code.
    CTL_CODE_PARTS: u32 {
        /// The device type of Kernel Streaming.
        FILE_DEVICE_KS = 0x2F;
        /// Neither buffer is copied: the driver gets the caller's addresses.
        METHOD_NEITHER = 3;
        /// The handle needs no access in particular.
        FILE_ANY_ACCESS = 0;
        /// The handle must be open for reading.
        FILE_READ_ACCESS = 1;
        /// The handle must be open for writing.
        FILE_WRITE_ACCESS = 2;
    }
}

constants! {
    /// The header's name of every control code.
    IOCTLS: u32 {
        /// A property: a [`KsProperty`](crate::KsProperty) in, the value in or out.
        IOCTL_KS_PROPERTY = ctl_code(FILE_DEVICE_KS, 0, METHOD_NEITHER, FILE_ANY_ACCESS);
        /// To enable an event: a [`KsEvent`](crate::KsEvent) in, with a [`KsEventData`](crate::KsEventData).
        IOCTL_KS_ENABLE_EVENT = ctl_code(FILE_DEVICE_KS, 1, METHOD_NEITHER, FILE_ANY_ACCESS);
        /// To disable an event: the [`KsEventData`](crate::KsEventData) it was enabled with.
        IOCTL_KS_DISABLE_EVENT = ctl_code(FILE_DEVICE_KS, 2, METHOD_NEITHER, FILE_ANY_ACCESS);
        /// A method: a [`KsMethod`](crate::KsMethod) in, its arguments in or out.
        IOCTL_KS_METHOD = ctl_code(FILE_DEVICE_KS, 3, METHOD_NEITHER, FILE_ANY_ACCESS);
        /// To write frames: [`KsStreamHeader`](crate::KsStreamHeader)s.
        IOCTL_KS_WRITE_STREAM = ctl_code(FILE_DEVICE_KS, 4, METHOD_NEITHER, FILE_WRITE_ACCESS);
        /// To read frames: [`KsStreamHeader`](crate::KsStreamHeader)s.
        IOCTL_KS_READ_STREAM = ctl_code(FILE_DEVICE_KS, 5, METHOD_NEITHER, FILE_READ_ACCESS);
        /// To flush a stream.
        IOCTL_KS_RESET_STATE = ctl_code(FILE_DEVICE_KS, 6, METHOD_NEITHER, FILE_ANY_ACCESS);
    }
}
