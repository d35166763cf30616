//! What a layer above adds to a filter and its pins, in this process and from another's side of the socket.
#![cfg(unix)]

use ks::{
    CreateClass, Guid, KSINTERFACE_STANDARD_STREAMING, KSINTERFACESETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE,
    KSMEDIUMSETID_Standard, KsDataFormat, KsIdentifier, KsMethod, KsMethodType, KsPinConnect, KsProperty,
    KsPropertyType, NtStatus,
};
use ksobject::{
    ClientProcess, ExtensionAnswer, ExtensionRequest, ExtensionSet, FilterExtension, Handle, InProcessObjects,
    ObjectAccess, OwnedHandle, PinFactory, PinInstance, RemoteObjects, Server, Win32Error,
};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::sync::{Arc, Mutex};
use zerocopy::IntoBytes;

const OF_FILTER: Guid = Guid::from_u128(0x11111111_2222_3333_4444_555555555555);
const OF_PIN: Guid = Guid::from_u128(0x11111111_2222_3333_4444_555555555556);

/// Says what it is asked, and by whom; lets one pin be created at a time.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn tell(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl FilterExtension for Told {
    fn filter_sets(&self) -> &'static [ExtensionSet] {
        &[ExtensionSet { set: OF_FILTER, are_methods: false, items: 1 }]
    }

    fn pin_sets(&self) -> &'static [ExtensionSet] {
        &[ExtensionSet { set: OF_PIN, are_methods: true, items: 2 }]
    }

    fn pin_created(&self, pin: PinInstance, by: ClientProcess) -> Result<(), NtStatus> {
        assert_eq!(u32::try_from(by.process).unwrap(), std::process::id());
        assert_eq!(by.user, rustix::process::geteuid().as_raw());
        if pin.factory == 1 {
            return Err(NtStatus::STATUS_ACCESS_DENIED);
        }
        self.tell(format!("pin {} created", pin.number));
        Ok(())
    }

    fn pin_ended(&self, pin: PinInstance) {
        self.tell(format!("pin {} ended", pin.number));
    }

    fn request(&self, request: &ExtensionRequest<'_>, _from: ClientProcess) -> Result<ExtensionAnswer, NtStatus> {
        let pin = request.pin.map(|pin| pin.number);
        self.tell(format!("{pin:?} {} {:?}", request.id, request.data));
        if let (Some(_), 1, Ok(handle)) = (pin, request.id, <[u8; 8]>::try_from(request.data)) {
            let mut read = [0; 5];
            let file = request.descriptors.memory_file(Handle(isize::from_le_bytes(handle)));
            let said = file.map(|file| (file.length(), file.read(0, &mut read), read));
            self.tell(format!("file {said:?}"));
        }
        let descriptors = match (pin, request.id) {
            (Some(_), 1) => vec![OwnedFd::from(std::fs::File::open("/proc/self/stat").unwrap())],
            _ => Vec::new(),
        };
        Ok(ExtensionAnswer { data: b"answer".to_vec(), descriptors })
    }
}

fn pin_name(factory: u32) -> Vec<u8> {
    let standard = |set, id| KsIdentifier { set, id, flags: 0 };
    let connect = KsPinConnect {
        interface: standard(KSINTERFACESETID_Standard, KSINTERFACE_STANDARD_STREAMING),
        medium: standard(KSMEDIUMSETID_Standard, KSMEDIUM_TYPE_ANYINSTANCE),
        pin_id: factory,
        ..KsPinConnect::default()
    };
    let format = KsDataFormat { format_size: size_of::<KsDataFormat>() as u32, ..KsDataFormat::default() };
    [&CreateClass::Pin.head()[..], &connect.to_bytes(), format.as_bytes()].concat()
}

fn filter(told: &Arc<Told>) -> OwnedHandle {
    InProcessObjects::create_extended_filter(vec![PinFactory::sink(), PinFactory::sink()], told.clone()).unwrap()
}

/// What is the same wherever the object is.
fn answers(objects: &dyn ObjectAccess, create: fn(Handle, &[u8]) -> Result<OwnedHandle, Win32Error>, filter: Handle) {
    let property = |set, id, types| KsProperty::property(set, id, types);
    let get = property(OF_FILTER, 0, KsPropertyType::GET);
    let mut data = [0; 16];
    assert_eq!(objects.property(filter, &get, &mut data), Ok(6));
    assert_eq!(&data[..6], b"answer");
    let size = objects.property(filter, &get, &mut []).unwrap_err();
    assert_eq!((size.error, size.returned), (Win32Error::MORE_DATA, 6));
    for (set, id, types, error) in [
        (OF_FILTER, 1, KsPropertyType::GET, Win32Error::NOT_FOUND),
        (OF_FILTER, 0, KsPropertyType::SET, Win32Error::NOT_FOUND),
        (OF_PIN, 0, KsPropertyType::GET, Win32Error::SET_NOT_FOUND),
    ] {
        assert_eq!(objects.property(filter, &property(set, id, types), &mut data).unwrap_err().error, error);
    }
    // What the filter answers by itself it still does.
    let types = property(ks::KSPROPSETID_Pin, ks::KSPROPERTY_PIN_CTYPES, KsPropertyType::GET);
    assert_eq!(objects.property(filter, &types, &mut data), Ok(4));
    assert_eq!(create(filter, &pin_name(1)).err(), Some(Win32Error::ACCESS_DENIED));
    let pin = create(filter, &pin_name(0)).unwrap();
    let method = |id| KsMethod::method(OF_PIN, id, KsMethodType::WRITE);
    data[..2].copy_from_slice(&[7, 8]);
    let call =
        |id, data: &mut [u8]| objects.device_io_control(pin.handle(), ks::IOCTL_KS_METHOD, method(id).as_bytes(), data);
    assert_eq!(call(0, &mut data[..6]), Ok(6));
    assert_eq!(call(2, &mut data).unwrap_err().error, Win32Error::NOT_FOUND);
    let state = property(ks::KSPROPSETID_Connection, ks::KSPROPERTY_CONNECTION_STATE, KsPropertyType::GET);
    assert_eq!(objects.property(pin.handle(), &state, &mut data), Ok(4));
}

#[test]
fn a_filter_of_this_process_answers_what_is_added() {
    let told = Arc::new(Told::default());
    let filter = filter(&told);
    answers(&InProcessObjects, InProcessObjects::create, filter.handle());
    let said = told.take();
    assert_eq!(said, ["None 0 []", "None 0 []", "pin 1 created", "Some(1) 0 [7, 8, 0, 0, 101, 114]", "pin 1 ended"]);
}

#[test]
fn a_filter_behind_a_socket_answers_what_is_added_and_gives_descriptors() {
    let told = Arc::new(Told::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filter");
    let mut server = Server::bind(&path, filter(&told)).unwrap();
    let stop = server.stopper();
    let service = std::thread::spawn(move || server.run());
    let filter = RemoteObjects::open(&path).unwrap();
    answers(&RemoteObjects, RemoteObjects::create, filter.handle());

    let pin = RemoteObjects::create(filter.handle(), &pin_name(0)).unwrap();
    let mut data = [0; 8];
    let method = KsMethod::method(OF_PIN, 1, KsMethodType::WRITE);
    let (length, descriptors) = RemoteObjects::call(pin.handle(), &method, &mut data).unwrap();
    assert_eq!((length, descriptors.len()), (6, 1));
    assert!(std::io::read_to_string(std::fs::File::from(descriptors.into_iter().next().unwrap())).is_ok());
    // Files come along, where they cannot shrink.
    let before = told.take();
    let file = memfd_create(c"file", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::io::write(&file, b"bytes").unwrap();
    let call = |handle: u64, files: &[BorrowedFd<'_>]| {
        RemoteObjects::call_with(pin.handle(), &method, &mut handle.to_le_bytes(), files).unwrap();
        told.take().pop().unwrap()
    };
    assert_eq!(call(1, &[file.as_fd()]), format!("file {:?}", Err::<(), _>(NtStatus::STATUS_INVALID_HANDLE)));
    fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
    assert_eq!(call(1, &[file.as_fd()]), format!("file {:?}", Ok::<_, ()>((5, true, b"bytes"))));
    for (handle, files) in [(0, &[file.as_fd()][..]), (2, &[file.as_fd()]), (1, &[]), (u64::MAX, &[file.as_fd()])] {
        assert_eq!(
            call(handle, files),
            format!("file {:?}", Err::<(), _>(NtStatus::STATUS_INVALID_HANDLE)),
            "{handle}"
        );
    }
    let many = vec![file.as_fd(); ksobject::wire::MAX_DESCRIPTORS + 1];
    let refused = RemoteObjects::call_with(pin.handle(), &method, &mut data, &many).unwrap_err();
    assert_eq!(refused.error, Win32Error::NO_SYSTEM_RESOURCES);

    // The server ends all its objects.
    stop.stop();
    service.join().unwrap().unwrap();
    let said = [before, told.take()].concat();
    assert_eq!(said.iter().filter(|what| what.ends_with("created")).count(), 2, "{said:?}");
    assert_eq!(said.iter().filter(|what| what.ends_with("ended")).count(), 2, "{said:?}");
    assert!(RemoteObjects::call(pin.handle(), &method, &mut data).is_err());
}
