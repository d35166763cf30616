//! `IPin` and `IEnumMediaTypes`.
#![allow(missing_docs, elided_lifetimes_in_paths, clippy::missing_safety_doc)]

use ks::{AmMediaType, PinDirection, PinInfo};
use windows_core::{HRESULT, IUnknown, IUnknown_Vtbl, Ref, interface};

/// `IPin` (strmif.h): a pin of DirectShow.
///
/// | slot | method | slot | method |
/// | --- | --- | --- | --- |
/// | 3 | `Connect` | 11 | `QueryAccept` |
/// | 4 | `ReceiveConnection` | 12 | `EnumMediaTypes` |
/// | 5 | `Disconnect` | 13 | `QueryInternalConnections` |
/// | 6 | `ConnectedTo` | 14 | `EndOfStream` |
/// | 7 | `ConnectionMediaType` | 15 | `BeginFlush` |
/// | 8 | `QueryPinInfo` | 16 | `EndFlush` |
/// | 9 | `QueryDirection` | 17 | `NewSegment` |
/// | 10 | `QueryId` | | |
#[interface("56A86891-0AD4-11CE-B03A-0020AF0BA770")]
pub unsafe trait IPin: IUnknown {
    /// Slot 3. Connects an output pin to an input pin, with a media type or, for null, one the two agree on.
    pub fn Connect(&self, receive_pin: Ref<IPin>, media_type: *const AmMediaType) -> HRESULT;
    /// Slot 4. What `Connect` calls on the input pin.
    pub fn ReceiveConnection(&self, connector: Ref<IPin>, media_type: *const AmMediaType) -> HRESULT;
    /// Slot 5. Takes this side of the connection away. `S_FALSE`: there was none.
    pub fn Disconnect(&self) -> HRESULT;
    /// Slot 6. The other pin, with a reference; or null and `VFW_E_NOT_CONNECTED`.
    pub fn ConnectedTo(&self, pin: *mut Option<IPin>) -> HRESULT;
    /// Slot 7. A copy of the connection's media type, whose format block the caller frees.
    pub fn ConnectionMediaType(&self, media_type: *mut AmMediaType) -> HRESULT;
    /// Slot 8. Filter (with a reference), direction and name.
    pub fn QueryPinInfo(&self, info: *mut PinInfo) -> HRESULT;
    /// Slot 9. The direction.
    pub fn QueryDirection(&self, direction: *mut PinDirection) -> HRESULT;
    /// Slot 10. A name that is the pin's alone in its filter, in UTF-16; the caller frees it with `CoTaskMemFree`.
    pub fn QueryId(&self, id: *mut *mut u16) -> HRESULT;
    /// Slot 11. `S_OK`: the pin takes the media type. `S_FALSE`: it does not.
    pub fn QueryAccept(&self, media_type: *const AmMediaType) -> HRESULT;
    /// Slot 12. The media types the pin prefers.
    pub fn EnumMediaTypes(&self, enumerator: *mut Option<IEnumMediaTypes>) -> HRESULT;
    /// Slot 13. The pins of the same filter that this one's samples come from or go to, each with a reference. `pins`
    /// has room for `*count`; `*count` becomes the number there is. `S_FALSE`: there was not room enough, and no pin
    /// is written. `E_NOTIMPL`: every input pin of the filter goes to every output pin.
    pub fn QueryInternalConnections(&self, pins: *mut Option<IPin>, count: *mut u32) -> HRESULT;
    /// Slot 14. No more samples will come.
    pub fn EndOfStream(&self) -> HRESULT;
    /// Slot 15. Samples are refused until `EndFlush`.
    pub fn BeginFlush(&self) -> HRESULT;
    /// Slot 16. Samples are taken again.
    pub fn EndFlush(&self) -> HRESULT;
    /// Slot 17. What comes next is this part of the stream, in units of 100 ns, to be played at this rate.
    pub fn NewSegment(&self, start: i64, stop: i64, rate: f64) -> HRESULT;
}

/// `IEnumMediaTypes` (strmif.h): the media types a pin prefers, one after the other.
///
/// | slot | method |
/// | --- | --- |
/// | 3 | `Next` |
/// | 4 | `Skip` |
/// | 5 | `Reset` |
/// | 6 | `Clone` |
#[interface("89C31040-846B-11CE-97D3-00AA0055595A")]
pub unsafe trait IEnumMediaTypes: IUnknown {
    /// Slot 3. Up to `count` types, which the caller deletes, and how many they are; `S_FALSE` where they are fewer.
    /// `fetched` may be null only if one is asked for.
    pub fn Next(&self, count: u32, media_types: *mut *mut AmMediaType, fetched: *mut u32) -> HRESULT;
    /// Slot 4. Passes over `count` types; `S_FALSE` where there were fewer.
    pub fn Skip(&self, count: u32) -> HRESULT;
    /// Slot 5. Starts again.
    pub fn Reset(&self) -> HRESULT;
    /// Slot 6. Another enumerator, at the same place.
    pub fn Clone(&self, enumerator: *mut Option<IEnumMediaTypes>) -> HRESULT;
}
