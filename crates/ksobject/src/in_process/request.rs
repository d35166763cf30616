//! Requests, read from bytes nobody vouches for: which item of which set is meant, what is asked of it, and whether the
//! object has it. What every object answers alike is answered here: the support queries.

use super::client::Client;
use super::failure::Failure;
use super::object::{Item, Object, Set, Verb};
use super::pending::PendingFrame;
use ks::{
    Guid, IOCTL_KS_DISABLE_EVENT, IOCTL_KS_ENABLE_EVENT, IOCTL_KS_METHOD, IOCTL_KS_PROPERTY, KsEventData, KsEventType,
    KsIdentifier, KsMethodType, KsMultipleItem, KsPropertyDescription, KsPropertyType, NtStatus,
};
use rustix::fd::OwnedFd;
use zerocopy::{FromBytes, IntoBytes};

/// What a request is about.
pub(crate) struct Requested<'a> {
    pub(crate) set: Guid,
    pub(crate) id: u32,
    /// `KSPROPERTY_TYPE_*` and the like.
    pub(crate) types: u32,
    /// The request's bytes after its `KSIDENTIFIER`: a pin's number, say.
    pub(crate) rest: &'a [u8],
}

/// How far a request came.
pub(crate) enum Started {
    /// To its end: so many bytes are answered.
    Done(usize),
    /// To its end: so many bytes are answered, and these descriptors.
    Given(usize, Vec<OwnedFd>),
    /// It waits for a frame.
    Pending(PendingFrame),
}

/// `KSPROPERTY_TYPE_SETSUPPORT`, and the same bit of methods and events.
const SET_SUPPORT: u32 = KsPropertyType::SETSUPPORT.bits();
/// `KSPROPERTY_TYPE_BASICSUPPORT`, likewise.
const BASIC_SUPPORT: u32 = KsPropertyType::BASICSUPPORT.bits();

/// Sends a request to an object.
pub(crate) fn start(
    object: &Object,
    code: u32,
    input: &[u8],
    output: &mut [u8],
    client: &dyn Client,
) -> Result<Started, Failure> {
    match code {
        IOCTL_KS_PROPERTY => property(object, input, output, client).map(Started::Done),
        IOCTL_KS_METHOD => method(object, input, output, client),
        IOCTL_KS_ENABLE_EVENT => enable_event(object, input, output, client).map(Started::Done),
        IOCTL_KS_DISABLE_EVENT => disable_event(object, input, client).map(Started::Done),
        _ => Err(NtStatus::STATUS_INVALID_DEVICE_REQUEST.into()),
    }
}

/// The request in `input`.
fn requested(input: &[u8]) -> Result<Requested<'_>, Failure> {
    match KsIdentifier::read_from_prefix(input) {
        Ok((KsIdentifier { set, id, flags }, rest)) => Ok(Requested { set, id, types: flags, rest }),
        Err(_) => Err(NtStatus::STATUS_INVALID_BUFFER_SIZE.into()),
    }
}

fn property(object: &Object, input: &[u8], output: &mut [u8], client: &dyn Client) -> Result<usize, Failure> {
    let requested = requested(input)?;
    let item = match find(object, Verb::Property, &requested, output)? {
        Found::Answered(length) => return Ok(length),
        Found::Item(item) => item,
    };
    match KsPropertyType::from_bits_retain(requested.types) {
        KsPropertyType::BASICSUPPORT => answer_property_support(&item, output),
        KsPropertyType::GET if item.types & requested.types != 0 => {
            object.answering().get_property(&requested, output, client)
        }
        KsPropertyType::SET if item.types & requested.types != 0 => {
            object.answering().set_property(&requested, output, client).map(|()| output.len())
        }
        KsPropertyType::GET | KsPropertyType::SET => Err(NtStatus::STATUS_NOT_FOUND.into()),
        _ => Err(NtStatus::STATUS_INVALID_PARAMETER.into()),
    }
}

fn method(object: &Object, input: &[u8], output: &mut [u8], client: &dyn Client) -> Result<Started, Failure> {
    let requested = requested(input)?;
    let item = match find(object, Verb::Method, &requested, output)? {
        Found::Answered(length) => return Ok(Started::Done(length)),
        Found::Item(item) => item,
    };
    if requested.types == BASIC_SUPPORT {
        return answer(item.types.as_bytes(), output).map(Started::Done);
    }
    // SOURCE only says whose buffer it is, and there is no other than the caller's here.
    let types = KsMethodType::from_bits_retain(requested.types) - KsMethodType::SOURCE;
    // What the item table declares, or SEND, which Microsoft's pages say for every call.
    if types.bits() != item.types && types != KsMethodType::SEND {
        return Err(NtStatus::STATUS_INVALID_PARAMETER.into());
    }
    object.start_method(&requested, output, client)
}

fn enable_event(object: &Object, input: &[u8], output: &mut [u8], client: &dyn Client) -> Result<usize, Failure> {
    let requested = requested(input)?;
    let item = match find(object, Verb::Event, &requested, output)? {
        Found::Answered(length) => return Ok(length),
        Found::Item(item) => item,
    };
    if requested.types == BASIC_SUPPORT {
        return answer(item.types.as_bytes(), output);
    }
    let types = KsEventType::from_bits_retain(requested.types);
    if types.is_empty() || !KsEventType::from_bits_retain(item.types).contains(types) {
        return Err(NtStatus::STATUS_INVALID_PARAMETER.into());
    }
    object.answering().enable_event(&requested, output, client).map(|()| 0)
}

fn disable_event(object: &Object, input: &[u8], client: &dyn Client) -> Result<usize, Failure> {
    if !input.is_empty() && input.len() < size_of::<KsEventData>() {
        return Err(NtStatus::STATUS_INVALID_BUFFER_SIZE.into());
    }
    let key = (!input.is_empty()).then(|| client.event_key(input));
    match object.answering().disable_event(client.owner(), key)? {
        // Nothing to disable is no error where all were meant.
        0 if key.is_some() => Err(NtStatus::STATUS_NOT_FOUND.into()),
        _ => Ok(0),
    }
}

/// What a request comes to before its item is looked at.
enum Found {
    /// It was about sets, and is answered.
    Answered(usize),
    /// It is about this item.
    Item(Item),
}

/// The item a request is about, if the object has it.
fn find(object: &Object, verb: Verb, requested: &Requested<'_>, output: &mut [u8]) -> Result<Found, Failure> {
    let answering = object.answering();
    let has = |set: &Set, item: &Item| answering.has(verb, set.guid, item.id);
    let sets = || answering.sets(verb).iter().filter(|set| set.items.iter().any(|item| has(set, item)));
    if requested.set == Guid::NULL && requested.types == SET_SUPPORT {
        let guids: Vec<u8> = sets().flat_map(|set| set.guid.as_bytes().to_vec()).collect();
        return answer(&guids, output).map(Found::Answered);
    }
    let set = sets().find(|set| set.guid == requested.set).ok_or(NtStatus::STATUS_PROPSET_NOT_FOUND)?;
    if requested.types == SET_SUPPORT {
        return Ok(Found::Answered(0));
    }
    let item = set.items.iter().find(|item| item.id == requested.id && has(set, item)).copied();
    Ok(Found::Item(item.ok_or(NtStatus::STATUS_NOT_FOUND)?))
}

/// Answers a property's `BASICSUPPORT`: its access flags, and the whole description where there is room.
fn answer_property_support(item: &Item, output: &mut [u8]) -> Result<usize, Failure> {
    if output.len() < size_of::<KsPropertyDescription>() {
        return answer(item.types.as_bytes(), output);
    }
    let description = KsPropertyDescription {
        access_flags: item.types,
        description_size: size_of::<KsPropertyDescription>() as u32,
        ..Default::default()
    };
    answer(description.as_bytes(), output)
}

/// Answers with these bytes, or says how many there are.
pub(crate) fn answer(bytes: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
    let given = output.len();
    let place = output.get_mut(..bytes.len()).ok_or(Failure::too_small(bytes.len(), given))?;
    place.copy_from_slice(bytes);
    Ok(bytes.len())
}

/// Answers with a list: a `KSMULTIPLE_ITEM`, and the items, each filled up to a multiple of 8 bytes. Where the buffer is
/// exactly as large as the head, that alone is answered; where it is a ULONG, the size of the whole list
/// (`KsHandleSizedListQuery`).
pub(crate) fn answer_list<'a>(items: impl Iterator<Item = &'a [u8]>, output: &mut [u8]) -> Result<usize, Failure> {
    let mut list = vec![0; size_of::<KsMultipleItem>()];
    let mut count = 0u32;
    for item in items {
        list.extend_from_slice(item);
        list.resize(list.len().next_multiple_of(8), 0);
        count = count.saturating_add(1);
    }
    let size = u32::try_from(list.len()).map_err(|_| NtStatus::STATUS_INSUFFICIENT_RESOURCES)?;
    let head = KsMultipleItem { size, count };
    if output.len() == size_of_val(&size) {
        return answer(size.as_bytes(), output);
    }
    if output.len() == size_of_val(&head) {
        return answer(head.as_bytes(), output);
    }
    list[..size_of_val(&head)].copy_from_slice(head.as_bytes());
    answer(&list, output)
}
