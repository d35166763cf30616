//! The COM interfaces: their identifiers, and the order of their methods in the vtable.

use crate::Guid;

constants! {
    /// The header's name of every interface identifier.
    IIDS: Guid {
        /// `IUnknown`.
        IID_IUnknown = Guid::from_u128(0x00000000_0000_0000_C000_000000000046);
        /// `IClassFactory`.
        IID_IClassFactory = Guid::from_u128(0x00000001_0000_0000_C000_000000000046);
        /// `IKsAllocator`, the user-mode one.
        IID_IKsAllocator = Guid::from_u128(0x8DA64899_C0D9_11D0_8413_0000F822FE8A);
        /// `IKsAllocatorEx`.
        IID_IKsAllocatorEx = Guid::from_u128(0x091BB63A_603F_11D1_B067_00A0C9062802);
        /// `IMemAllocator`.
        IID_IMemAllocator = Guid::from_u128(0x56A8689C_0AD4_11CE_B03A_0020AF0BA770);
        /// `IMemAllocatorCallbackTemp`.
        IID_IMemAllocatorCallbackTemp = Guid::from_u128(0x379A0CF0_C1DE_11D2_ABF5_00A0C905F375);
        /// `IMemAllocatorNotifyCallbackTemp`.
        IID_IMemAllocatorNotifyCallbackTemp = Guid::from_u128(0x92980B30_C1DE_11D2_ABF5_00A0C905F375);
        /// `IMediaSample`.
        IID_IMediaSample = Guid::from_u128(0x56A8689A_0AD4_11CE_B03A_0020AF0BA770);
        /// `IMediaSample2`.
        IID_IMediaSample2 = Guid::from_u128(0x36B73884_C2C8_11CF_8B46_00805F6CEF60);
        /// `IKsObject`.
        IID_IKsObject = Guid::from_u128(0x423C13A2_2070_11D0_9EF7_00AA00A216A1);
        /// `IKsPin`.
        IID_IKsPin = Guid::from_u128(0xB61178D1_A2D9_11CF_9E53_00AA00A216A1);
        /// `IKsPinEx`.
        IID_IKsPinEx = Guid::from_u128(0x7BB38260_D19C_11D2_B38A_00A0C95EC22E);
        /// `IKsPinPipe`.
        IID_IKsPinPipe = Guid::from_u128(0xE539CD90_A8B4_11D1_8189_00A0C9062802);
        /// `IMemInputPin`.
        IID_IMemInputPin = Guid::from_u128(0x56A8689D_0AD4_11CE_B03A_0020AF0BA770);
        /// `IAMBufferNegotiation`.
        IID_IAMBufferNegotiation = Guid::from_u128(0x56ED71A0_AF5F_11D0_B3F0_00AA003761C5);
    }
}

/// A COM interface as the ABI has it: what an object's vtable must hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: &'static str,
    /// Its identifier.
    pub iid: Guid,
    /// The interface whose methods come first.
    pub base: Option<&'static Interface>,
    /// Its own methods, in the order of their slots.
    pub methods: &'static [Method],
}

/// A method of an [`Interface`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its slot in the vtable, from 0, those of the base included.
    pub slot: usize,
    /// Its name.
    pub name: &'static str,
    /// The bytes of arguments the callee removes from the stack on i686, `this` included (`ret N`).
    pub stack_bytes: u32,
}

impl Interface {
    /// The number of slots in its vtable.
    pub const fn slots(&self) -> usize {
        let base = match self.base {
            Some(base) => base.slots(),
            None => 0,
        };
        base + self.methods.len()
    }

    /// The method in a slot, whether its own or of an interface it derives from.
    pub fn method(&self, slot: usize) -> Option<&'static Method> {
        match self.methods.iter().find(|method| method.slot == slot) {
            Some(method) => Some(method),
            None => self.base?.method(slot),
        }
    }
}

/// An interface from its table; numbers that do not continue those of the base fail the build.
macro_rules! interfaces {
    ($(
        $(#[$outer:meta])*
        $constant:ident = $name:ident($iid:ident): $base:expr, {
            $( $slot:literal $method:ident $stack_bytes:literal; )*
        }
    )*) => {
        $(
            $(#[$outer])*
            pub static $constant: Interface = Interface {
                name: stringify!($name),
                iid: $iid,
                base: $base,
                methods: &[$(Method { slot: $slot, name: stringify!($method), stack_bytes: $stack_bytes }),*],
            };

            const _: () = {
                let base: Option<&Interface> = $base;
                let mut slot = match base {
                    Some(base) => base.slots(),
                    None => 0,
                };
                $(
                    assert!(slot == $slot, concat!(stringify!($method), " is not in the slot after the one before"));
                    slot += 1;
                )*
                let _ = slot;
            };
        )*

        /// All interfaces whose vtables are described.
        pub static INTERFACES: &[&Interface] = &[$(&$constant),*];
    };
}

interfaces! {
    /// `IUnknown`.
    IUNKNOWN = IUnknown(IID_IUnknown): None, {
        0 QueryInterface 12;
        1 AddRef 4;
        2 Release 4;
    }

    /// `IClassFactory`: what makes objects of a class.
    ICLASSFACTORY = IClassFactory(IID_IClassFactory): Some(&IUNKNOWN), {
        3 CreateInstance 16;
        4 LockServer 8;
    }

    /// `IKsAllocator`: the mode, handle and status of an allocator.
    IKSALLOCATOR = IKsAllocator(IID_IKsAllocator): Some(&IUNKNOWN), {
        3 KsGetAllocatorHandle 4;
        4 KsGetAllocatorMode 4;
        5 KsGetAllocatorStatus 8;
        6 KsSetAllocatorMode 8;
    }

    /// `IKsAllocatorEx`: and the pipe it serves. The last method has no page of Microsoft's.
    IKSALLOCATOREX = IKsAllocatorEx(IID_IKsAllocatorEx): Some(&IKSALLOCATOR), {
        7 KsGetProperties 4;
        8 KsSetProperties 8;
        9 KsSetAllocatorHandle 8;
        10 KsCreateAllocatorAndGetHandle 8;
    }

    /// `IMemAllocator`: DirectShow's allocator.
    IMEMALLOCATOR = IMemAllocator(IID_IMemAllocator): Some(&IUNKNOWN), {
        3 SetProperties 12;
        4 GetProperties 8;
        5 Commit 4;
        6 Decommit 4;
        7 GetBuffer 20;
        8 ReleaseBuffer 8;
    }

    /// `IMemAllocatorCallbackTemp`: and who is told of released samples.
    IMEMALLOCATORCALLBACKTEMP = IMemAllocatorCallbackTemp(IID_IMemAllocatorCallbackTemp): Some(&IMEMALLOCATOR), {
        9 SetNotify 8;
        10 GetFreeCount 8;
    }

    /// `IMemAllocatorNotifyCallbackTemp`, which the client implements.
    IMEMALLOCATORNOTIFYCALLBACKTEMP =
        IMemAllocatorNotifyCallbackTemp(IID_IMemAllocatorNotifyCallbackTemp): Some(&IUNKNOWN), {
        3 NotifyRelease 4;
    }

    /// `IMediaSample`: a frame.
    IMEDIASAMPLE = IMediaSample(IID_IMediaSample): Some(&IUNKNOWN), {
        3 GetPointer 8;
        4 GetSize 4;
        5 GetTime 12;
        6 SetTime 12;
        7 IsSyncPoint 4;
        8 SetSyncPoint 8;
        9 IsPreroll 4;
        10 SetPreroll 8;
        11 GetActualDataLength 4;
        12 SetActualDataLength 8;
        13 GetMediaType 8;
        14 SetMediaType 8;
        15 IsDiscontinuity 4;
        16 SetDiscontinuity 8;
        17 GetMediaTime 12;
        18 SetMediaTime 12;
    }

    /// `IMediaSample2`: and all its properties at once.
    IMEDIASAMPLE2 = IMediaSample2(IID_IMediaSample2): Some(&IMEDIASAMPLE), {
        19 GetProperties 12;
        20 SetProperties 12;
    }

    /// `IKsObject`: what has a handle.
    IKSOBJECT = IKsObject(IID_IKsObject): Some(&IUNKNOWN), {
        3 KsGetObjectHandle 4;
    }

    /// `IKsPin`: a pin of the proxy.
    IKSPIN = IKsPin(IID_IKsPin): Some(&IUNKNOWN), {
        3 KsQueryMediums 8;
        4 KsQueryInterfaces 8;
        5 KsCreateSinkPinHandle 12;
        6 KsGetCurrentCommunication 16;
        7 KsPropagateAcquire 4;
        8 KsDeliver 12;
        9 KsMediaSamplesCompleted 8;
        10 KsPeekAllocator 8;
        11 KsReceiveAllocator 8;
        12 KsRenegotiateAllocator 4;
        13 KsIncrementPendingIoCount 4;
        14 KsDecrementPendingIoCount 4;
        15 KsQualityNotify 16;
    }

    /// `IKsPinEx`: and its errors.
    IKSPINEX = IKsPinEx(IID_IKsPinEx): Some(&IKSPIN), {
        16 KsNotifyError 12;
    }

    /// `IKsPinPipe`: a pin's framing cache and pipe.
    ///
    /// `KsGetPinBusCache` returns a GUID by value: with Microsoft's ABI `this` comes first and the address of the
    /// result second, and that address is returned. GCC has the two the other way round, so a C++ client of this slot
    /// must be built by a compiler with Microsoft's ABI, or call through a C function pointer (statement 11).
    IKSPINPIPE = IKsPinPipe(IID_IKsPinPipe): Some(&IUNKNOWN), {
        3 KsGetPinFramingCache 16;
        4 KsSetPinFramingCache 16;
        5 KsGetConnectedPin 4;
        6 KsGetPipe 8;
        7 KsSetPipe 8;
        8 KsGetPipeAllocatorFlag 4;
        9 KsSetPipeAllocatorFlag 8;
        10 KsGetPinBusCache 8;
        11 KsSetPinBusCache 20;
        12 KsGetPinName 4;
        13 KsGetFilterName 4;
    }
}
