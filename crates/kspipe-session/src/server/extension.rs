//! What the graph's filter object and its pins answer: see [`verbs`](crate::verbs).

use super::{Shared, none_left};
use crate::lock::lock;
use crate::verbs::{
    KSMETHOD_KSPGRAPH_DESCRIBE, KSMETHOD_KSPGRAPH_STATUS, KSMETHOD_KSPPIN_DESCRIPTORS, KSMETHOD_KSPPIN_JOIN,
    KSMETHOD_KSPPIN_LEAVE, KSMETHODSETID_KSPGRAPH, KSMETHODSETID_KSPPIN, VERSION,
};
use ks::NtStatus;
use ksobject::{ClientProcess, ExtensionAnswer, ExtensionRequest, ExtensionSet, FilterExtension, PinInstance};
use std::sync::{Arc, Weak};
use std::time::Instant;

/// The graph as a KS object. It does not keep the server's state: the object may be the last to go.
#[derive(Debug)]
pub(super) struct SessionExtension(Weak<Shared>);

impl SessionExtension {
    pub(super) fn new(shared: Weak<Shared>) -> Self {
        Self(shared)
    }

    fn shared(&self) -> Result<Arc<Shared>, NtStatus> {
        self.0.upgrade().ok_or(NtStatus::STATUS_CANCELLED)
    }
}

/// The number at the start of a method's data.
pub(super) fn number(data: &[u8]) -> Result<u32, NtStatus> {
    let bytes = data.first_chunk().ok_or(NtStatus::STATUS_BUFFER_TOO_SMALL)?;
    Ok(u32::from_le_bytes(*bytes))
}

impl FilterExtension for SessionExtension {
    fn filter_sets(&self) -> &'static [ExtensionSet] {
        &[ExtensionSet { set: KSMETHODSETID_KSPGRAPH, are_methods: true, items: 2 }]
    }

    fn pin_sets(&self) -> &'static [ExtensionSet] {
        &[ExtensionSet { set: KSMETHODSETID_KSPPIN, are_methods: true, items: 10 }]
    }

    fn pin_created(&self, pin: PinInstance, by: ClientProcess) -> Result<(), NtStatus> {
        lock(&self.shared()?.state).pin_created(pin, by)
    }

    fn pin_ended(&self, pin: PinInstance) {
        if let Ok(shared) = self.shared() {
            lock(&shared.state).pin_ended(pin);
        }
    }

    fn request(&self, request: &ExtensionRequest<'_>, from: ClientProcess) -> Result<ExtensionAnswer, NtStatus> {
        let shared = self.shared()?;
        let mut state = lock(&shared.state);
        let Some(pin) = request.pin else {
            let (length, file) = match request.id {
                KSMETHOD_KSPGRAPH_DESCRIBE => state.told_description(),
                KSMETHOD_KSPGRAPH_STATUS => state.told_status(Instant::now()),
                _ => return Err(NtStatus::STATUS_NOT_FOUND),
            }
            .map_err(none_left)?;
            return Ok(ExtensionAnswer { data: length.to_le_bytes().to_vec(), descriptors: vec![file] });
        };
        match request.id {
            KSMETHOD_KSPPIN_JOIN if number(request.data)? != VERSION => Err(NtStatus::STATUS_REVISION_MISMATCH),
            KSMETHOD_KSPPIN_JOIN => {
                let data = state.join(pin, &from, request.data.len())?;
                Ok(ExtensionAnswer { data, descriptors: Vec::new() })
            }
            KSMETHOD_KSPPIN_DESCRIPTORS => {
                let descriptors = state.descriptors(pin, &from, number(request.data)?)?;
                Ok(ExtensionAnswer { data: Vec::new(), descriptors })
            }
            KSMETHOD_KSPPIN_LEAVE => state.leave(pin, &from).map(|()| ExtensionAnswer::default()),
            _ => state.mediated(pin, &from, request),
        }
    }
}
