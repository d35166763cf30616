//! The framing of a pin that was not asked for it yet: its driver's answer.

use super::error::Fault;
use crate::hresult::*;
use ks::{
    KSPROPERTY_CONNECTION_ALLOCATORFRAMING, KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX, KSPROPSETID_Connection,
    KsProperty, KsPropertyType,
};
use ksobject::Handle;
use ksobject::{ObjectAccess, Win32Error};
use kspipe::graph::{BlobFraming, read_blob};

/// The most bytes that are read: far more items than any driver has.
const MOST_BYTES: usize = 1 << 16;

/// Asks the driver behind a handle for the extended framing, then for the old one. A driver that has neither asks nothing.
pub(super) fn read(access: &dyn ObjectAccess, handle: Handle) -> Result<BlobFraming, Fault> {
    for id in [KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX, KSPROPERTY_CONNECTION_ALLOCATORFRAMING] {
        if let Some(bytes) = answer(access, handle, id)? {
            let malformed = |error| Fault::new(E_INVALIDARG, format!("its driver's framing: {error}"));
            return read_blob(&bytes).map_err(malformed);
        }
    }
    Ok(BlobFraming::default())
}

/// The answer to a property of any length; `None` where the driver has no such property.
fn answer(access: &dyn ObjectAccess, handle: Handle, id: u32) -> Result<Option<Vec<u8>>, Fault> {
    let request = KsProperty::property(KSPROPSETID_Connection, id, KsPropertyType::GET);
    // Without room for it, the answer is how long it would be. A driver without the property fails in a way of its own.
    let needed = match access.property(handle, &request, &mut []) {
        Err(failure) if [Win32Error::MORE_DATA, Win32Error::INSUFFICIENT_BUFFER].contains(&failure.error) => {
            failure.returned
        }
        _ => return Ok(None),
    };
    if needed > MOST_BYTES {
        return Err(Fault::new(E_INVALIDARG, format!("its driver's framing has {needed} bytes")));
    }
    let mut bytes = vec![0; needed];
    match access.property(handle, &request, &mut bytes) {
        Ok(answered) => {
            bytes.truncate(answered);
            Ok(Some(bytes))
        }
        Err(failure) => Err(Fault::failed("KSPROPERTY_CONNECTION_ALLOCATORFRAMING", failure.error.to_hresult())),
    }
}
