//! A panic is injected into every slot and export, and the host goes on.

#[cfg(unix)]
use crate::KspCreateSinkPin;
use crate::face::KsAllocator;
use crate::guard::injection;
use crate::hresult::*;
use crate::interfaces::*;
use crate::lock::{Lock, lock};
use crate::{
    CLSID_KspAllocator, DllCanUnloadNow, DllGetClassObject, DllRegisterServer, DllUnregisterServer, KsGetMediaType,
    KsGetMediaTypeCount, KsGetMultiplePinFactoryItems, KsOpenDefaultDevice, KsResolveRequiredAttributes,
    KsSynchronousDeviceControl,
};
use crate::{KsPin, KspCreateAllocator, KspCreatePin, KspDeleteMediaType, KspNegotiatePins};
use core::ptr::{null, null_mut};
use ks::{
    AlignmentCount, AllocatorProperties, AllocatorPropertiesEx, AmMediaType, AmSample2Properties, FramingCacheOps,
    FramingProp, GetBufferFlags, Guid, KsAllocatorMode, KsIdentifier, KsPeekOperation, KsPinCommunication,
    KsStreamAllocatorStatus, KsStreamSegment, PinDirection, PinInfo,
};
use ksobject::Handle;
use windows_core::Interface;

/// Calls with a panic injected; what the caller sees must be `expected`, and the panic must have happened.
fn struck<T: PartialEq + core::fmt::Debug>(slot: &str, expected: T, call: impl FnOnce() -> T) {
    injection::arm();
    let answer = call();
    assert!(!injection::disarm(), "{slot} is not guarded");
    assert_eq!(answer, expected, "{slot}");
}

/// Silences the messages of the injected panics. One test at a time, because the hook is the process's.
fn quietly(body: impl FnOnce() + std::panic::UnwindSafe) {
    static ALONE: Lock<()> = Lock::new(());
    let _alone = lock(&ALONE);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let result = std::panic::catch_unwind(body);
    std::panic::set_hook(before);
    if let Err(payload) = result {
        std::panic::resume_unwind(payload);
    }
}

/// A committed allocator and a sample of it.
fn subject() -> (IKsAllocatorEx, IMemAllocatorCallbackTemp, IMediaSample2) {
    let object = KsAllocator::new();
    let (ks, memory) = (object.interface(), object.memory_interface());
    let request = AllocatorProperties { c_buffers: 1, cb_buffer: 16, cb_align: AlignmentCount(1), cb_prefix: 0 };
    let (mut actual, mut sample) = (AllocatorProperties::default(), None);
    // SAFETY: every pointer is there or null where it may be.
    unsafe {
        memory.SetProperties(&request, &mut actual).unwrap();
        memory.Commit().unwrap();
        memory.GetBuffer(&mut sample, null(), null(), GetBufferFlags::NOWAIT).unwrap();
    }
    (ks, memory, sample.expect("a sample").cast().expect("an IMediaSample2"))
}

#[test]
fn a_panic_in_any_slot_or_export_reaches_the_caller_as_a_failure() {
    quietly(|| {
        let (ks, memory, sample) = subject();
        allocator_slots(&ks, &memory);
        sample_slots(&sample);
        for pin in [KsPin::input("In").build(), KsPin::output("Out").build()] {
            pin_slots(&pin);
            connection_slots(&pin.interface());
        }
        allocator_slots_of_pins();
        media_type_slots();
        exports();
        server();
        proxy_functions();
        #[cfg(all(target_os = "linux", not(loom)))]
        session_functions();
        // The host goes on: nothing was lost.
        drop(sample);
        let mut free = 0;
        // SAFETY: the number is there.
        unsafe {
            assert_eq!(memory.GetFreeCount(&mut free), S_OK);
            assert_eq!(memory.Decommit(), S_OK);
        }
        assert_eq!(free, 1);
    });
}

fn allocator_slots(ks: &IKsAllocatorEx, memory: &IMemAllocatorCallbackTemp) {
    let (mut properties, mut status) = (AllocatorProperties::default(), KsStreamAllocatorStatus::default());
    let (extended, mut sample, mut free) = (AllocatorPropertiesEx::default(), None, 0);
    let mut object = null_mut();
    // SAFETY: in every call the pointers are there or null where they may be.
    unsafe {
        struck("QueryInterface", E_UNEXPECTED, || ks.query(&IMemAllocator::IID, &mut object));
        struck("QueryInterface", E_UNEXPECTED, || memory.query(&IKsAllocator::IID, &mut object));
        assert!(object.is_null());
        struck("KsGetAllocatorHandle", Handle::NULL, || ks.KsGetAllocatorHandle());
        struck("KsGetAllocatorMode", KsAllocatorMode::USER, || ks.KsGetAllocatorMode());
        struck("KsGetAllocatorStatus", E_UNEXPECTED, || ks.KsGetAllocatorStatus(&mut status));
        struck("KsSetAllocatorMode", (), || ks.KsSetAllocatorMode(KsAllocatorMode::KERNEL));
        struck("KsSetProperties", (), || ks.KsSetProperties(&extended));
        struck("KsSetAllocatorHandle", (), || ks.KsSetAllocatorHandle(Handle::NULL));
        struck("KsCreateAllocatorAndGetHandle", Handle::NULL, || ks.KsCreateAllocatorAndGetHandle(None));
        let request = properties;
        struck("SetProperties", E_UNEXPECTED, || memory.SetProperties(&request, &mut properties));
        struck("GetProperties", E_UNEXPECTED, || memory.GetProperties(&mut properties));
        struck("Commit", E_UNEXPECTED, || memory.Commit());
        struck("Decommit", E_UNEXPECTED, || memory.Decommit());
        let flags = GetBufferFlags::NOWAIT;
        struck("GetBuffer", E_UNEXPECTED, || memory.GetBuffer(&mut sample, null(), null(), flags));
        struck("ReleaseBuffer", E_UNEXPECTED, || memory.ReleaseBuffer(None));
        struck("SetNotify", E_UNEXPECTED, || memory.SetNotify(None));
        struck("GetFreeCount", E_UNEXPECTED, || memory.GetFreeCount(&mut free));
        assert_eq!(ks.KsGetAllocatorMode(), KsAllocatorMode::USER, "the call that failed changed nothing");
    }
    assert!(sample.is_none());
}

fn sample_slots(sample: &IMediaSample2) {
    let (this, vtable) = (sample.as_raw(), Interface::vtable(sample));
    let unknown = &vtable.base__.base__;
    let (mut object, mut buffer, mut number, mut media_type) = (null_mut(), null_mut(), 0i64, null_mut());
    let mut properties = AmSample2Properties::default();
    let bytes = (&raw mut properties).cast::<u8>();
    // SAFETY: in every call as above, and the reference counts are left as they were.
    unsafe {
        struck("QueryInterface", E_UNEXPECTED, || (unknown.QueryInterface)(this, &IMediaSample::IID, &mut object));
        struck("AddRef", 0, || (unknown.AddRef)(this));
        struck("Release", 0, || (unknown.Release)(this));
        struck("GetPointer", E_UNEXPECTED, || sample.GetPointer(&mut buffer));
        struck("GetSize", 0, || sample.GetSize());
        struck("GetTime", E_UNEXPECTED, || sample.GetTime(&raw mut number, &raw mut number));
        struck("SetTime", E_UNEXPECTED, || sample.SetTime(null(), null()));
        struck("IsSyncPoint", E_UNEXPECTED, || sample.IsSyncPoint());
        struck("SetSyncPoint", E_UNEXPECTED, || sample.SetSyncPoint(1));
        struck("IsPreroll", E_UNEXPECTED, || sample.IsPreroll());
        struck("SetPreroll", E_UNEXPECTED, || sample.SetPreroll(1));
        struck("GetActualDataLength", 0, || sample.GetActualDataLength());
        struck("SetActualDataLength", E_UNEXPECTED, || sample.SetActualDataLength(1));
        struck("GetMediaType", E_UNEXPECTED, || sample.GetMediaType(&mut media_type));
        struck("SetMediaType", E_UNEXPECTED, || sample.SetMediaType(null()));
        struck("IsDiscontinuity", E_UNEXPECTED, || sample.IsDiscontinuity());
        struck("SetDiscontinuity", E_UNEXPECTED, || sample.SetDiscontinuity(1));
        struck("GetMediaTime", E_UNEXPECTED, || sample.GetMediaTime(&raw mut number, &raw mut number));
        struck("SetMediaTime", E_UNEXPECTED, || sample.SetMediaTime(null(), null()));
        struck("GetProperties", E_UNEXPECTED, || sample.GetProperties(16, bytes));
        struck("SetProperties", E_UNEXPECTED, || sample.SetProperties(0, null()));
    }
}

fn pin_slots(pin: &KsPin) {
    let (ks, pipe) = (pin.ks_interface(), pin.pipe_interface());
    let object: IKsObject = ks.cast().expect("an IKsObject");
    let (mut list, mut identifier, mut other) = (null_mut(), KsIdentifier::default(), KsIdentifier::default());
    let (mut communication, mut segment) = (KsPinCommunication::NONE, KsStreamSegment::default());
    let (mut framing, mut property) = (null_mut(), FramingProp::NONE);
    let (mut bus, option, peek) = (Guid::NULL, FramingCacheOps::WRITE, KsPeekOperation::PEEK_ONLY);
    let place = &raw mut bus;
    // SAFETY: in every call as above.
    unsafe {
        struck("KsGetObjectHandle", Handle::NULL, || object.KsGetObjectHandle());
        struck("KsQueryMediums", E_UNEXPECTED, || ks.KsQueryMediums(&mut list));
        struck("KsQueryInterfaces", E_UNEXPECTED, || ks.KsQueryInterfaces(&mut list));
        struck("KsCreateSinkPinHandle", E_UNEXPECTED, || ks.KsCreateSinkPinHandle(&mut identifier, &mut other));
        struck("KsGetCurrentCommunication", E_UNEXPECTED, || {
            ks.KsGetCurrentCommunication(&mut communication, &mut identifier, &mut other)
        });
        struck("KsPropagateAcquire", E_UNEXPECTED, || ks.KsPropagateAcquire());
        struck("KsDeliver", E_UNEXPECTED, || ks.KsDeliver(None, 0));
        struck("KsMediaSamplesCompleted", E_UNEXPECTED, || ks.KsMediaSamplesCompleted(&mut segment));
        struck("KsPeekAllocator", None, || ks.KsPeekAllocator(peek));
        struck("KsReceiveAllocator", E_UNEXPECTED, || ks.KsReceiveAllocator(None));
        struck("KsRenegotiateAllocator", E_UNEXPECTED, || ks.KsRenegotiateAllocator());
        struck("KsIncrementPendingIoCount", 0, || ks.KsIncrementPendingIoCount());
        struck("KsDecrementPendingIoCount", 0, || ks.KsDecrementPendingIoCount());
        struck("KsQualityNotify", E_UNEXPECTED, || ks.KsQualityNotify(0, 0));
        struck("KsNotifyError", (), || ks.KsNotifyError(None, E_FAIL));
        struck("KsGetPinFramingCache", E_UNEXPECTED, || pipe.KsGetPinFramingCache(&mut framing, &mut property, option));
        struck("KsSetPinFramingCache", E_UNEXPECTED, || pipe.KsSetPinFramingCache(framing, &mut property, option));
        struck("KsGetConnectedPin", None, || pipe.KsGetConnectedPin());
        struck("KsGetPipe", None, || pipe.KsGetPipe(peek));
        struck("KsSetPipe", E_UNEXPECTED, || pipe.KsSetPipe(None));
        struck("KsGetPipeAllocatorFlag", 0, || pipe.KsGetPipeAllocatorFlag());
        struck("KsSetPipeAllocatorFlag", E_UNEXPECTED, || pipe.KsSetPipeAllocatorFlag(1));
        struck("KsGetPinBusCache", place, || pipe.KsGetPinBusCache(place));
        struck("KsSetPinBusCache", E_UNEXPECTED, || pipe.KsSetPinBusCache(Guid::NULL));
        struck("KsGetPinName", null_mut(), || pipe.KsGetPinName());
        struck("KsGetFilterName", null_mut(), || pipe.KsGetFilterName());
    }
    assert_eq!((pin.pending_io(), pin.last_error(), pin.pipe_allocator_flag()), (0, None, 0), "nothing was changed");
    assert_ne!(pin.bus(), Guid::NULL);
}

fn connection_slots(pin: &IPin) {
    let (mut peer, mut media_type, mut info) = (None, AmMediaType::default(), PinInfo::default());
    let (mut direction, mut id, mut types, mut count) = (PinDirection::INPUT, null_mut(), None, 0);
    // SAFETY: in every call as above.
    unsafe {
        struck("Connect", E_UNEXPECTED, || pin.Connect(None, null()));
        struck("ReceiveConnection", E_UNEXPECTED, || pin.ReceiveConnection(None, null()));
        struck("Disconnect", E_UNEXPECTED, || pin.Disconnect());
        struck("ConnectedTo", E_UNEXPECTED, || pin.ConnectedTo(&mut peer));
        struck("ConnectionMediaType", E_UNEXPECTED, || pin.ConnectionMediaType(&mut media_type));
        struck("QueryPinInfo", E_UNEXPECTED, || pin.QueryPinInfo(&mut info));
        struck("QueryDirection", E_UNEXPECTED, || pin.QueryDirection(&mut direction));
        struck("QueryId", E_UNEXPECTED, || pin.QueryId(&mut id));
        struck("QueryAccept", E_UNEXPECTED, || pin.QueryAccept(&media_type));
        struck("EnumMediaTypes", E_UNEXPECTED, || pin.EnumMediaTypes(&mut types));
        struck("QueryInternalConnections", E_UNEXPECTED, || pin.QueryInternalConnections(null_mut(), &mut count));
        struck("EndOfStream", E_UNEXPECTED, || pin.EndOfStream());
        struck("BeginFlush", E_UNEXPECTED, || pin.BeginFlush());
        struck("EndFlush", E_UNEXPECTED, || pin.EndFlush());
        struck("NewSegment", E_UNEXPECTED, || pin.NewSegment(0, 0, 1.0));
    }
}

fn allocator_slots_of_pins() {
    let (input, output) = (KsPin::input("In").build(), KsPin::output("Out").build());
    let sink: IMemInputPin = input.interface().cast().expect("an IMemInputPin");
    let source: IAMBufferNegotiation = output.interface().cast().expect("an IAMBufferNegotiation");
    let (mut allocator, mut properties, mut processed) = (None, AllocatorProperties::default(), 0);
    let samples = [None];
    // SAFETY: in every call as above.
    unsafe {
        struck("GetAllocator", E_UNEXPECTED, || sink.GetAllocator(&mut allocator));
        struck("NotifyAllocator", E_UNEXPECTED, || sink.NotifyAllocator(None, 0));
        struck("GetAllocatorRequirements", E_UNEXPECTED, || sink.GetAllocatorRequirements(&mut properties));
        struck("Receive", E_UNEXPECTED, || sink.Receive(None));
        struck("ReceiveMultiple", E_UNEXPECTED, || sink.ReceiveMultiple(samples.as_ptr(), 0, &mut processed));
        struck("ReceiveCanBlock", E_UNEXPECTED, || sink.ReceiveCanBlock());
        struck("SuggestAllocatorProperties", E_UNEXPECTED, || source.SuggestAllocatorProperties(&properties));
        struck("GetAllocatorProperties", E_UNEXPECTED, || source.GetAllocatorProperties(&mut properties));
    }
}

fn media_type_slots() {
    let mut types = None;
    let (mut media_type, mut fetched) = (null_mut(), 0);
    // SAFETY: in every call as above.
    unsafe {
        KsPin::input("In").build().interface().EnumMediaTypes(&mut types).unwrap();
        let types: IEnumMediaTypes = types.take().expect("an enumerator");
        let mut other = None;
        struck("Next", E_UNEXPECTED, || types.Next(1, &mut media_type, &mut fetched));
        struck("Skip", E_UNEXPECTED, || types.Skip(0));
        struck("Reset", E_UNEXPECTED, || types.Reset());
        struck("Clone", E_UNEXPECTED, || types.Clone(&mut other));
    }
}

fn exports() {
    let mut object = null_mut();
    let none: *mut AmMediaType = null_mut();
    // SAFETY: in every call as above.
    unsafe {
        struck("KspCreateAllocator", E_UNEXPECTED, || KspCreateAllocator(&IKsAllocatorEx::IID, &mut object));
        struck("KspCreatePin", E_UNEXPECTED, || KspCreatePin(null(), &IPin::IID, &mut object));
        #[cfg(unix)]
        {
            let mut handle = Handle::NULL;
            struck("KspCreateSinkPin", E_UNEXPECTED, || KspCreateSinkPin(&mut handle));
            assert_eq!(handle, Handle::NULL);
        }
        struck("KspNegotiatePins", E_UNEXPECTED, || KspNegotiatePins(null(), 0, 0, None, null_mut()));
        struck("KspDeleteMediaType", (), || KspDeleteMediaType(none));
    }
    assert!(object.is_null());
}

fn server() {
    let class = windows_core::GUID::from_u128(CLSID_KspAllocator.to_u128());
    let mut object = null_mut();
    let mut get = || {
        // SAFETY: every pointer is there.
        let answer = unsafe { DllGetClassObject(&class, &IClassFactory::IID, &mut object) };
        (answer, object)
    };
    struck("DllGetClassObject", (E_UNEXPECTED, null_mut()), &mut get);
    let (answer, factory) = get();
    assert_eq!(answer, S_OK);
    // SAFETY: the factory asked for, and its reference.
    let factory = unsafe { IClassFactory::from_raw(factory) };
    // SAFETY: every pointer is there or null where it may be.
    unsafe {
        struck("CreateInstance", E_UNEXPECTED, || factory.CreateInstance(None, &IKsAllocatorEx::IID, &mut object));
        struck("LockServer", E_UNEXPECTED, || factory.LockServer(1));
    }
    struck("DllCanUnloadNow", S_FALSE, || DllCanUnloadNow());
    struck("DllRegisterServer", E_UNEXPECTED, || DllRegisterServer());
    struck("DllUnregisterServer", E_UNEXPECTED, || DllUnregisterServer());
}

fn proxy_functions() {
    let (filter, mut handle) = (Handle::NULL, Handle::NULL);
    let (mut number, mut items, mut media_type) = (0, null_mut(), AmMediaType::default());
    let (range, category) = (ks::KsDataRange::default(), windows_core::GUID::zeroed());
    // SAFETY: in every call the pointers are there or null where they may be.
    unsafe {
        struck("KsSynchronousDeviceControl", E_UNEXPECTED, || {
            KsSynchronousDeviceControl(filter, 0, null(), 0, null_mut(), 0, &mut number)
        });
        struck("KsGetMultiplePinFactoryItems", E_UNEXPECTED, || KsGetMultiplePinFactoryItems(filter, 0, 0, &mut items));
        struck("KsGetMediaTypeCount", E_UNEXPECTED, || KsGetMediaTypeCount(filter, 0, &mut number));
        struck("KsGetMediaType", E_UNEXPECTED, || KsGetMediaType(0, &mut media_type, filter, 0));
        struck("KsOpenDefaultDevice", E_UNEXPECTED, || KsOpenDefaultDevice(&category, 0, &mut handle));
        struck("KsResolveRequiredAttributes", E_UNEXPECTED, || KsResolveRequiredAttributes(&range, null()));
    }
    assert_eq!((items, handle), (null_mut(), Handle::NULL));
}

#[cfg(all(target_os = "linux", not(loom)))]
fn session_functions() {
    use crate::session::*;
    let (client, filter, frames, writer, frame) = (null_mut(), null_mut(), null_mut(), null_mut(), null_mut());
    let (mut header, mut format) = (KspFrameHeader::default(), KspFormat::default());
    let (mut new_client, mut new_filter, mut new_frames) = (null_mut(), null_mut(), null_mut());
    let (mut new_writer, mut new_frame, mut text) = (null_mut(), null_mut(), null_mut());
    let (mut data, mut bytes, mut size, mut descriptor) = (null(), null_mut(), 0, 0);
    let name = c"a".as_ptr();
    // SAFETY: in every call the pointers are there or null where they may be; handles are not followed.
    unsafe {
        struck("KspConnect", E_UNEXPECTED, || KspConnect(name, &mut new_client));
        struck("KspGetDescription", E_UNEXPECTED, || KspGetDescription(client, &mut text));
        struck("KspGetStatus", E_UNEXPECTED, || KspGetStatus(client, &mut text));
        struck("KspGetFormat", E_UNEXPECTED, || KspGetFormat(client, name, &mut format));
        struck("KspJoin", E_UNEXPECTED, || KspJoin(client, name, &mut new_filter));
        struck("KspIsStopping", E_UNEXPECTED, || KspIsStopping(filter));
        struck("KspOpenFrames", E_UNEXPECTED, || KspOpenFrames(filter, name, &mut new_frames));
        struck("KspNextFrame", E_UNEXPECTED, || KspNextFrame(frames, 0, &mut new_frame));
        struck("KspGetDescriptor", E_UNEXPECTED, || KspGetDescriptor(frames, &mut descriptor));
        struck("KspArm", E_UNEXPECTED, || KspArm(frames));
        struck("KspOpenWriter", E_UNEXPECTED, || KspOpenWriter(filter, name, &mut new_writer));
        struck("KspAcquireFrame", E_UNEXPECTED, || KspAcquireFrame(writer, 0, &mut new_frame));
        struck("KspSendFrame", E_UNEXPECTED, || KspSendFrame(writer, frame));
        struck("KspEndStream", E_UNEXPECTED, || KspEndStream(writer));
        struck("KspGetFrameHeader", E_UNEXPECTED, || KspGetFrameHeader(frame, &mut header));
        struck("KspSetFrameHeader", E_UNEXPECTED, || KspSetFrameHeader(frame, &header));
        struck("KspGetFrameData", E_UNEXPECTED, || KspGetFrameData(frame, &mut data, &mut size));
        struck("KspGetFrameBytes", E_UNEXPECTED, || KspGetFrameBytes(frame, &mut bytes, &mut size));
        struck("KspReleaseFrame", E_UNEXPECTED, || KspReleaseFrame(frame));
        struck("KspCloseFrames", E_UNEXPECTED, || KspCloseFrames(frames));
        struck("KspCloseWriter", E_UNEXPECTED, || KspCloseWriter(writer));
        struck("KspCloseFilter", E_UNEXPECTED, || KspCloseFilter(filter));
        struck("KspCloseClient", E_UNEXPECTED, || KspCloseClient(client));
        assert_eq!(core::ffi::CStr::from_ptr(KspGetLastErrorText()), c"a defect of kspipe");
        assert_eq!(struck_text(), "");
    }
    assert!(new_client.is_null() && new_filter.is_null() && new_frames.is_null() && new_writer.is_null());
    assert!(new_frame.is_null() && text.is_null() && data.is_null() && bytes.is_null());
    assert_eq!((size, descriptor, format), (0, 0, KspFormat::default()));
}

/// What `KspGetLastErrorText` answers when it panics.
#[cfg(all(target_os = "linux", not(loom)))]
fn struck_text() -> String {
    let mut text = String::new();
    struck("KspGetLastErrorText", (), || {
        // SAFETY: it takes nothing, and what it answers is a text.
        text =
            unsafe { core::ffi::CStr::from_ptr(crate::session::KspGetLastErrorText()) }.to_string_lossy().into_owned();
    });
    text
}

/// A client whose notification panics inside this library's own code.
#[windows_core::implement(IMemAllocatorNotifyCallbackTemp)]
struct Panicking;

impl IMemAllocatorNotifyCallbackTemp_Impl for Panicking_Impl {
    unsafe fn NotifyRelease(&self) -> windows_core::HRESULT {
        injection::arm();
        S_OK
    }
}

#[test]
fn a_release_succeeds_whatever_the_client_left_behind() {
    quietly(|| {
        let (_ks, memory, sample) = subject();
        let client = IMemAllocatorNotifyCallbackTemp::from(Panicking);
        let mut free = 0;
        // SAFETY: the pointers are there.
        unsafe {
            assert_eq!(memory.SetNotify(&client), S_OK);
            drop(sample);
            // The client armed the panic, so this call meets it.
            assert_eq!(memory.GetFreeCount(&mut free), E_UNEXPECTED);
            assert_eq!(memory.GetFreeCount(&mut free), S_OK);
            assert_eq!(memory.SetNotify(None), S_OK);
            assert_eq!(memory.Decommit(), S_OK);
        }
        assert_eq!(free, 1);
    });
}
