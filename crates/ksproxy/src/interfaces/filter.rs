//! `IBaseFilter`, the interfaces it derives from, and `IEnumPins`: how a pin's filter is asked for its other pins.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use super::IPin;
use core::ffi::c_void;
use ks::{FilterInfo, FilterState, Guid};
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, interface};

/// `IPersist` (objidl.h): the class of an object.
///
/// | slot | method |
/// | --- | --- |
/// | 3 | `GetClassID` |
#[interface("0000010C-0000-0000-C000-000000000046")]
pub unsafe trait IPersist: IUnknown {
    /// Slot 3. The class.
    pub fn GetClassID(&self, class: *mut Guid) -> HRESULT;
}

/// `IMediaFilter` (strmif.h): the state of a filter.
///
/// | slot | method | slot | method |
/// | --- | --- | --- | --- |
/// | 4 | `Stop` | 7 | `GetState` |
/// | 5 | `Pause` | 8 | `SetSyncSource` |
/// | 6 | `Run` | 9 | `GetSyncSource` |
#[interface("56A86899-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IMediaFilter: IPersist {
    /// Slot 4. Stops.
    pub fn Stop(&self) -> HRESULT;
    /// Slot 5. Pauses.
    pub fn Pause(&self) -> HRESULT;
    /// Slot 6. Runs; `start` is the reference time of stream time 0, in units of 100 ns.
    pub fn Run(&self, start: i64) -> HRESULT;
    /// Slot 7. The state, once a change that is under way is done or the time (in milliseconds) is over.
    pub fn GetState(&self, timeout: u32, state: *mut FilterState) -> HRESULT;
    /// Slot 8. Sets the clock (`IReferenceClock`) or, with null, none.
    pub fn SetSyncSource(&self, clock: *mut c_void) -> HRESULT;
    /// Slot 9. The clock (`IReferenceClock`), with a reference, or null.
    pub fn GetSyncSource(&self, clock: *mut *mut c_void) -> HRESULT;
}

/// `IBaseFilter` (strmif.h): a filter and its pins.
///
/// | slot | method | slot | method |
/// | --- | --- | --- | --- |
/// | 10 | `EnumPins` | 13 | `JoinFilterGraph` |
/// | 11 | `FindPin` | 14 | `QueryVendorInfo` |
/// | 12 | `QueryFilterInfo` | | |
#[interface("56A86895-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IBaseFilter: IMediaFilter {
    /// Slot 10. The pins.
    pub fn EnumPins(&self, enumerator: *mut Option<IEnumPins>) -> HRESULT;
    /// Slot 11. The pin that answers this to `QueryId`, with a reference; `id` is in UTF-16, ending in a zero.
    pub fn FindPin(&self, id: *const u16, pin: *mut Option<IPin>) -> HRESULT;
    /// Slot 12. Name and graph (with a reference).
    pub fn QueryFilterInfo(&self, info: *mut FilterInfo) -> HRESULT;
    /// Slot 13. Tells the filter which graph (`IFilterGraph`, no reference to be taken) it is in, and its name there.
    pub fn JoinFilterGraph(&self, graph: *mut c_void, name: *const u16) -> HRESULT;
    /// Slot 14. The vendor in UTF-16; the caller frees it with `CoTaskMemFree`.
    pub fn QueryVendorInfo(&self, vendor: *mut *mut u16) -> HRESULT;
}

/// `IEnumPins` (strmif.h): the pins of a filter, one after the other.
///
/// | slot | method |
/// | --- | --- |
/// | 3 | `Next` |
/// | 4 | `Skip` |
/// | 5 | `Reset` |
/// | 6 | `Clone` |
#[interface("56A86892-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IEnumPins: IUnknown {
    /// Slot 3. Up to `count` pins, each with a reference, and how many they are; `S_FALSE` where they are fewer,
    /// `VFW_E_ENUM_OUT_OF_SYNC` where the pins have changed. `fetched` may be null only if one is asked for.
    pub fn Next(&self, count: u32, pins: *mut Option<IPin>, fetched: *mut u32) -> HRESULT;
    /// Slot 4. Passes over `count` pins; `S_FALSE` where there were fewer.
    pub fn Skip(&self, count: u32) -> HRESULT;
    /// Slot 5. Starts again.
    pub fn Reset(&self) -> HRESULT;
    /// Slot 6. Another enumerator, at the same place.
    pub fn Clone(&self, enumerator: *mut Option<IEnumPins>) -> HRESULT;
}
