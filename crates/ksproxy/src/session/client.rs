//! A connection to a server, and a filter of its graph.
#![allow(non_snake_case, reason = "the names of the header")]

use super::failure::{Failure, KSP_E_NO_FORMAT, answer, last};
use super::format::KspFormat;
use super::{Handle, KspClient, KspFilter, border};
use crate::hresult::*;
use core::ffi::c_char;
use kspipe_session::Client;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use windows_core::HRESULT;

/// Connects to the server at a path. That alone has no part in the graph.
///
/// Answers `S_OK`, `E_POINTER`, `KSP_E_NO_SERVER`, `E_ACCESSDENIED`, `KSP_E_SERVER_GONE`, `KSP_E_PROTOCOL`,
/// `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure `*client` is null.
///
/// # Safety
///
/// `path` is null or a text that ends in a zero, `client` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspConnect(path: *const c_char, client: *mut *mut KspClient) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let (client, path) = unsafe { (border::result(client)?, border::bytes(path)?) };
        let connected = Client::connect(OsStr::from_bytes(path))?;
        // The object lives in this library.
        crate::module::object_made();
        *client = Handle::open(connected)?;
        Ok(S_OK)
    })
}

/// What the server serves, as JSON: its filters, pins, formats and plan, as `docs/sessions.md` says under DESCRIBE. The text
/// is the caller's, who frees it with `free`.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure `*text` is null.
///
/// # Safety
///
/// `text` is null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetDescription(client: *mut KspClient, text: *mut *mut c_char) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let text = unsafe { border::result(text)? };
        let client = Handle::object(client)?;
        let json = serde_json::to_string(client.description());
        *text = border::given_text(&json.map_err(|_| Failure::new(E_UNEXPECTED, "the description is no text"))?)?;
        Ok(S_OK)
    })
}

/// Who has which frame since when, as JSON: `docs/sessions.md`, Status. The text is the caller's, who frees it with `free`.
///
/// Answers `S_OK`, `E_POINTER`, `E_HANDLE`, `KSP_E_SERVER_GONE`, `E_ACCESSDENIED`, `KSP_E_PROTOCOL`, `E_OUTOFMEMORY`,
/// `E_UNEXPECTED`. On failure `*text` is null.
///
/// # Safety
///
/// `text` is null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetStatus(client: *mut KspClient, text: *mut *mut c_char) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let text = unsafe { border::result(text)? };
        *text = border::given_text(&Handle::object(client)?.status()?)?;
        Ok(S_OK)
    })
}

/// What the frames at a pin, `filter.pin`, hold.
///
/// Answers `S_OK`, `E_POINTER`, `E_INVALIDARG` for another size or a name that is no UTF-8, `E_HANDLE`, `KSP_E_NO_FORMAT`,
/// `E_UNEXPECTED`. On failure `*format` is as it was.
///
/// # Safety
///
/// `pin` is null or a text that ends in a zero. `format` is null, or good for reading its size, and where that is that of a
/// [`KspFormat`], for writing one.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetFormat(
    client: *mut KspClient,
    pin: *const c_char,
    format: *mut KspFormat,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let pin = unsafe { border::name(pin)? };
        if format.is_null() {
            return Err(Failure::NULL);
        }
        // SAFETY: not null, so good for reading its size.
        if !unsafe { border::has_size(format) } {
            return Err(Failure::new(E_INVALIDARG, "the structure's Size is another"));
        }
        let client = Handle::object(client)?;
        let found = client.description().formats.get(pin).and_then(|format| KspFormat::new(&format.to_format()?));
        let no_format =
            || Failure::told(KSP_E_NO_FORMAT, format!("the graph does not say what frames at `{pin}` hold"));
        // SAFETY: as long as a format, so good for writing one.
        unsafe { format.write(found.ok_or_else(no_format)?) };
        Ok(S_OK)
    })
}

/// Joins with a filter, all its pins, by its name or that of one of its pins, `filter.pin`. Where a process that sends to it is
/// in the middle of a hand-over, that is waited for, up to 5 seconds.
///
/// Answers `S_OK`, `E_POINTER`, `E_INVALIDARG` for a name that is no UTF-8, `E_HANDLE`, `KSP_E_NO_SUCH_PIN`, `KSP_E_TAKEN`,
/// `KSP_E_SENDER_STOPPED`, `KSP_E_SERVER_GONE`, `E_ACCESSDENIED`, `KSP_E_PROTOCOL`, `E_FAIL` where a pool cannot be mapped,
/// `E_OUTOFMEMORY`, `E_UNEXPECTED`. On failure `*filter` is null.
///
/// # Safety
///
/// `name` is null or a text that ends in a zero, `filter` null or good for writing a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspJoin(
    client: *mut KspClient,
    name: *const c_char,
    filter: *mut *mut KspFilter,
) -> HRESULT {
    answer(|| {
        // SAFETY: as the caller promises.
        let (filter, name) = unsafe { (border::result(filter)?, border::name(name)?) };
        let client = Handle::object(client)?;
        let pins = &client.description().pins;
        let by_pin = pins.iter().find(|pin| pin.name == name).map(|pin| &*pin.filter);
        *filter = Handle::open(client.filter(by_pin.unwrap_or(name))?)?;
        Ok(S_OK)
    })
}

/// Whether the server asks sources to end: then nothing more can be acquired, and what is on its way still arrives.
///
/// Answers `S_OK`: it does, `S_FALSE`: it does not, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// None: a handle is looked up.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspIsStopping(filter: *mut KspFilter) -> HRESULT {
    answer(|| Ok(if Handle::object(filter)?.is_stopping() { S_OK } else { S_FALSE }))
}

/// Closes a connection. What was joined by it stays. Null is nothing.
///
/// Answers `S_OK`, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// None: a handle is looked up.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCloseClient(client: *mut KspClient) -> HRESULT {
    answer(|| Handle::end(client))
}

/// Closes a filter. The process leaves it, and another may have it, once its readers, writers and frames are closed too. Null
/// is nothing.
///
/// Answers `S_OK`, `E_HANDLE`, `E_UNEXPECTED`.
///
/// # Safety
///
/// None: a handle is looked up.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspCloseFilter(filter: *mut KspFilter) -> HRESULT {
    answer(|| Handle::end(filter))
}

/// What the last of these functions that failed in this thread failed with: a sentence in UTF-8 for a person. Never null,
/// empty where none has failed, and good until the next one that fails in this thread, and its end.
///
/// # Safety
///
/// None.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn KspGetLastErrorText() -> *const c_char {
    crate::guard::value(c"".as_ptr(), last)
}
