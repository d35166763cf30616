//! A filter: its pin factories, what they answer, and the pins created of them.

use super::client::Client;
use super::extension::{Extension, FilterExtension, PinInstance};
use super::factory::PinFactory;
use super::failure::Failure;
use super::intersection::intersection;
use super::object::{Item, KsObject, Object, Set, Verb};
use super::pin::Pin;
use super::request::{Requested, Started, answer, answer_list};
use crate::handle::Handle;
use crate::lock::{Lock, lock};
use ks::{
    CreateClass, CreateName, Guid, KSINSTANCE_INDETERMINATE, KSPROPERTY_PIN_CATEGORY, KSPROPERTY_PIN_CINSTANCES,
    KSPROPERTY_PIN_COMMUNICATION, KSPROPERTY_PIN_CTYPES, KSPROPERTY_PIN_DATAFLOW, KSPROPERTY_PIN_DATAINTERSECTION,
    KSPROPERTY_PIN_DATARANGES, KSPROPERTY_PIN_INTERFACES, KSPROPERTY_PIN_MEDIUMS, KSPROPERTY_PIN_NAME,
    KSPROPERTY_PIN_NECESSARYINSTANCES, KSPROPSETID_Pin, KsDataFormat, KsIdentifier, KsPinCInstances, KsPinConnect,
    KsPropertyType, NtStatus,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zerocopy::{FromBytes, IntoBytes};

/// A filter object.
#[derive(Debug)]
pub(crate) struct Filter {
    factories: Vec<Arc<CountedFactory>>,
    /// What a layer above answers, and how many pins were created for it.
    extension: Option<(Arc<Extension>, AtomicU64)>,
}

/// A pin factory, and how many pins of it there are.
#[derive(Debug)]
pub(crate) struct CountedFactory {
    factory: PinFactory,
    pins: Lock<u32>,
}

/// One of the pins that are counted. It keeps its factory.
#[derive(Debug)]
pub(crate) struct Counted(Arc<CountedFactory>);

impl Counted {
    /// Counts one pin more, if there may be.
    pub(crate) fn new(factory: &Arc<CountedFactory>) -> Result<Self, NtStatus> {
        let mut pins = lock(&factory.pins);
        let possible = factory.factory.possible_instances;
        if *pins >= possible && possible != KSINSTANCE_INDETERMINATE {
            return Err(NtStatus::STATUS_DEVICE_BUSY);
        }
        *pins += 1;
        Ok(Self(factory.clone()))
    }

    /// What the pin was made by.
    pub(crate) fn factory(&self) -> &PinFactory {
        &self.0.factory
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *lock(&self.0.pins) -= 1;
    }
}

impl CountedFactory {
    pub(crate) fn new(factory: PinFactory) -> Arc<Self> {
        Arc::new(Self { factory, pins: Lock::new(0) })
    }
}

const PROPERTIES: &[Set] = &[Set::of(
    KSPROPSETID_Pin,
    &[
        Item { id: KSPROPERTY_PIN_CINSTANCES, types: GET },
        Item { id: KSPROPERTY_PIN_CTYPES, types: GET },
        Item { id: KSPROPERTY_PIN_DATAFLOW, types: GET },
        Item { id: KSPROPERTY_PIN_DATARANGES, types: GET },
        Item { id: KSPROPERTY_PIN_DATAINTERSECTION, types: GET },
        Item { id: KSPROPERTY_PIN_INTERFACES, types: GET },
        Item { id: KSPROPERTY_PIN_MEDIUMS, types: GET },
        Item { id: KSPROPERTY_PIN_COMMUNICATION, types: GET },
        Item { id: KSPROPERTY_PIN_NECESSARYINSTANCES, types: GET },
        Item { id: KSPROPERTY_PIN_CATEGORY, types: GET },
        Item { id: KSPROPERTY_PIN_NAME, types: GET },
    ],
)];
const GET: u32 = KsPropertyType::GET.bits();

/// A `KSP_PIN`'s bytes after its `KSPROPERTY`: the number and a reserved word.
const PIN_BYTES: usize = size_of::<ks::KspPin>() - size_of::<ks::KsProperty>();

impl Filter {
    pub(crate) fn new(factories: Vec<PinFactory>) -> Self {
        Self { factories: factories.into_iter().map(CountedFactory::new).collect(), extension: None }
    }

    /// A filter whose pins, and itself, answer more.
    pub(crate) fn extended(factories: Vec<PinFactory>, extension: Arc<dyn FilterExtension>) -> Self {
        let extension = Extension::new(extension, PROPERTIES, Pin::PROPERTIES);
        Self { extension: Some((Arc::new(extension), AtomicU64::new(0))), ..Self::new(factories) }
    }

    /// The extension, where the request is about a set of its.
    fn extension_for(&self, set: Guid) -> Option<&Extension> {
        self.extension.as_ref().map(|(extension, _)| &**extension).filter(|extension| extension.has(None, set))
    }

    /// The factory that a request is about: a `KSP_PIN` says its number after the `KSPROPERTY`.
    fn factory(&self, requested: &Requested<'_>) -> Result<&CountedFactory, NtStatus> {
        if requested.rest.len() < PIN_BYTES {
            return Err(NtStatus::STATUS_INVALID_BUFFER_SIZE);
        }
        let (number, _) = u32::read_from_prefix(requested.rest).map_err(|_| NtStatus::STATUS_INVALID_BUFFER_SIZE)?;
        self.numbered(number).map(|factory| &**factory)
    }

    fn numbered(&self, number: u32) -> Result<&Arc<CountedFactory>, NtStatus> {
        let number = usize::try_from(number).map_err(|_| NtStatus::STATUS_INVALID_PARAMETER)?;
        self.factories.get(number).ok_or(NtStatus::STATUS_INVALID_PARAMETER)
    }

    /// Creates a pin, as the parameters of its create name ask (`KsValidateConnectRequest`).
    fn create_pin(&self, parameters: &[u8], client: &dyn Client) -> Result<Pin, NtStatus> {
        let (connect, format) = KsPinConnect::parse(parameters).ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        let counted = self.numbered(connect.pin_id)?;
        let factory = &counted.factory;
        let has = |list: &[KsIdentifier], wanted: KsIdentifier| {
            list.iter().any(|one| (one.set, one.id) == (wanted.set, wanted.id))
        };
        if !has(&factory.interfaces, connect.interface) || !has(&factory.mediums, connect.medium) {
            return Err(NtStatus::STATUS_NO_MATCH);
        }
        let (head, _) = KsDataFormat::read_from_prefix(format).map_err(|_| NtStatus::STATUS_INVALID_PARAMETER)?;
        let length = usize::try_from(head.format_size).unwrap_or(usize::MAX);
        let format = format.get(..length).filter(|format| format.len() >= size_of::<KsDataFormat>());
        let format = format.ok_or(NtStatus::STATUS_INVALID_PARAMETER)?;
        if !factory.accepts(&head) {
            return Err(NtStatus::STATUS_NO_MATCH);
        }
        if !connect.pin_to_handle.is_null() {
            match client.object(Handle(connect.pin_to_handle.addr().cast_signed()))? {
                Object::Pin(sink) if sink.receives() => {}
                _ => return Err(NtStatus::STATUS_INVALID_PARAMETER),
            }
        }
        let pin = Pin::new(Counted::new(counted)?, format.to_vec());
        let Some((extension, created)) = &self.extension else { return Ok(pin) };
        let number = created.fetch_add(1, Ordering::Relaxed);
        let instance = PinInstance { factory: connect.pin_id, number };
        extension.extension.pin_created(instance, client.process()?)?;
        Ok(pin.extended(extension.clone(), instance))
    }
}

impl KsObject for Filter {
    fn sets(&self, verb: Verb) -> &[Set] {
        match &self.extension {
            Some((extension, _)) => extension.filter.of(verb),
            None if verb == Verb::Property => PROPERTIES,
            None => &[],
        }
    }

    fn get_property(
        &self,
        requested: &Requested<'_>,
        output: &mut [u8],
        client: &dyn Client,
    ) -> Result<usize, Failure> {
        if let Some(extension) = self.extension_for(requested.set) {
            return extension.get_property(None, requested, output, client);
        }
        if requested.id == KSPROPERTY_PIN_CTYPES {
            let count = u32::try_from(self.factories.len()).unwrap_or(u32::MAX);
            return answer(count.as_bytes(), output);
        }
        let counted = self.factory(requested)?;
        let factory = &counted.factory;
        match requested.id {
            KSPROPERTY_PIN_CINSTANCES => {
                let current_count = *lock(&counted.pins);
                let instances = KsPinCInstances { possible_count: factory.possible_instances, current_count };
                answer(instances.as_bytes(), output)
            }
            KSPROPERTY_PIN_DATAFLOW => answer(factory.data_flow.as_bytes(), output),
            KSPROPERTY_PIN_DATARANGES => answer_list(factory.data_ranges.iter().map(|range| &range[..]), output),
            // `factory` saw to it that there are as many bytes.
            KSPROPERTY_PIN_DATAINTERSECTION => answer(intersection(factory, &requested.rest[PIN_BYTES..])?, output),
            KSPROPERTY_PIN_INTERFACES => answer_list(factory.interfaces.iter().map(IntoBytes::as_bytes), output),
            KSPROPERTY_PIN_MEDIUMS => answer_list(factory.mediums.iter().map(IntoBytes::as_bytes), output),
            KSPROPERTY_PIN_COMMUNICATION => answer(factory.communication.as_bytes(), output),
            KSPROPERTY_PIN_NECESSARYINSTANCES => answer(factory.necessary_instances.as_bytes(), output),
            KSPROPERTY_PIN_CATEGORY if factory.category != Guid::NULL => answer(factory.category.as_bytes(), output),
            KSPROPERTY_PIN_NAME => match &factory.name {
                Some(name) => {
                    let units: Vec<u16> = name.encode_utf16().chain([0]).collect();
                    answer(units.as_bytes(), output)
                }
                None => Err(NtStatus::STATUS_NOT_FOUND.into()),
            },
            _ => Err(NtStatus::STATUS_NOT_FOUND.into()),
        }
    }

    fn start_method(
        self: Arc<Self>,
        requested: &Requested<'_>,
        data: &mut [u8],
        client: &dyn Client,
    ) -> Result<Started, Failure> {
        let extension = self.extension_for(requested.set).ok_or(NtStatus::STATUS_NOT_FOUND)?;
        extension.call(None, requested, data, client)
    }

    fn create(&self, name: &CreateName<'_>, client: &dyn Client) -> Result<Object, NtStatus> {
        if name.class != CreateClass::Pin {
            return Err(NtStatus::STATUS_OBJECT_NAME_NOT_FOUND);
        }
        Ok(Object::Pin(Arc::new(self.create_pin(name.parameters, client)?)))
    }
}
