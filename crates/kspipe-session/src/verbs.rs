//! What a server and its clients say to each other. The socket's object is a KS filter that stands for the graph, with a pin
//! factory for each connected pin of a filter outside, named `filter.pin`, of one possible instance. All texts are JSON;
//! `docs/sessions.md` describes them.

mod frames;

pub use frames::{FrameMessage, MOST_WRITTEN, Step, WriteMessage};

use ks::Guid;
use kspipe::graph::{Graph, PinId, PixelFormat, Rate};
use kspipe::stream::{ChromaSiting, ColorRange, Interlacing, MediaFormat};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The set of methods on the filter.
pub const KSMETHODSETID_KSPGRAPH: Guid = Guid::from_u128(0x3748652a_283d_4187_b51d_b8793f787c25);
/// Answered with the length of a text in 8 bytes, and a descriptor of a sealed `memfd` that holds it: [`Description`].
pub const KSMETHOD_KSPGRAPH_DESCRIBE: u32 = 0;
/// Likewise: the status, who has which frame and since when.
pub const KSMETHOD_KSPGRAPH_STATUS: u32 = 1;

/// The set of methods on a pin.
pub const KSMETHODSETID_KSPPIN: Guid = Guid::from_u128(0x918f4174_61b4_4a7e_bb77_39875f898449);
/// The process joins with the pin's filter, all of it: with [`VERSION`] in 4 bytes, answered with a [`Join`].
pub const KSMETHOD_KSPPIN_JOIN: u32 = 0;
/// With the number of the first in 4 bytes, answered with at most 16 of the descriptors that [`Join::descriptors`] counts.
pub const KSMETHOD_KSPPIN_DESCRIPTORS: u32 = 1;
/// The process has dropped all it had by the filter's pins, and leaves.
pub const KSMETHOD_KSPPIN_LEAVE: u32 = 2;
/// Of a mediated process, as all that follow. The next frame that came in by the pin: answered with a [`FrameMessage`].
pub const KSMETHOD_KSPPIN_NEXT: u32 = 3;
/// With a frame's number in 4 bytes: it is given back.
pub const KSMETHOD_KSPPIN_RELEASE: u32 = 4;
/// With a handle in 8 bytes, of a `memfd` sealed against shrinking: what WRITE copies from, from now on.
pub const KSMETHOD_KSPPIN_FILE: u32 = 5;
/// A free frame to fill, one at a time: answered with a [`FrameMessage`].
pub const KSMETHOD_KSPPIN_ACQUIRE: u32 = 6;
/// With a [`WriteMessage`]: bytes are copied from the pin's file into the frame that was acquired.
pub const KSMETHOD_KSPPIN_WRITE: u32 = 7;
/// With a [`FrameMessage`]: the frame that was acquired goes out by the pin, or one that came in.
pub const KSMETHOD_KSPPIN_SEND: u32 = 8;
/// The stream that goes out by the pin ends; or the pin takes nothing more.
pub const KSMETHOD_KSPPIN_END: u32 = 9;

/// The version of these texts and methods.
pub const VERSION: u32 = 1;

/// What a server serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// [`VERSION`].
    pub version: u32,
    /// The graph as a file, for who runs a filter of it; `None`: then nobody can.
    pub graph: Option<GraphSource>,
    /// The plan, as [`plan_json`](kspipe::negotiate::plan_json) has it.
    pub plan: serde_json::Value,
    /// The filters in processes of their own, by name.
    pub outside: Vec<String>,
    /// What may be joined, in the order of the pin factories.
    pub pins: Vec<PinDescription>,
    /// By pin, `filter.pin`, what its frames hold.
    pub formats: BTreeMap<String, FormatDescription>,
}

/// A graph file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphSource {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The folder that paths in it are relative to, absolute.
    pub base: String,
    /// What the plan optimises, where that is not what the text says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

/// A pin that may be joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinDescription {
    /// `filter.pin`.
    pub name: String,
    /// Its filter.
    pub filter: String,
    /// Frames come in by it, else they go out.
    pub is_in: bool,
}

/// What frames hold: [`MediaFormat`] by the names that graph files and YUV4MPEG2 use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatDescription {
    /// `nv12`, `i420`, `rgb24`.
    pub pixels: String,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames per second, as a fraction.
    pub rate: [u32; 2],
    /// The width and height of a pixel; 0, 0: not known.
    pub aspect: [u32; 2],
    /// The letter YUV4MPEG2 writes after `I`.
    pub interlacing: char,
    /// What it writes after `C`.
    pub siting: String,
    /// `limited`, `full`, or none where it is not stated.
    pub range: Option<String>,
}

/// What a process that joins gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// [`VERSION`].
    pub version: u32,
    /// The filter.
    pub filter: String,
    /// The pools that its pins' frames are of.
    pub pools: Vec<JoinedPool>,
    /// Its pins.
    pub pins: Vec<JoinedPin>,
    /// How many descriptors there are: of each pool in turn the control memory, the files of frames, and the events; of a
    /// mediated process the files of each pool, and then a socket for each pin that is readable when there is something to ask for; at
    /// last a descriptor that is readable once sources are asked to end, and one that is once the graph has begun.
    pub descriptors: u32,
    /// The process is not trusted with the pools' control memory: the server does everything for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mediated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A pool, by its descriptors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedPool {
    /// The pipe's number in the plan.
    pub pipe: u32,
    /// The frames may be written; else their descriptor can only be read through.
    pub writable: bool,
    /// Files of frames.
    pub files: u32,
    /// Events.
    pub events: u32,
    /// For a mediated process, which does not see the control memory: how the frames lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<FramesLayout>,
}

/// How the frames of a pool lie in their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramesLayout {
    /// How many there are.
    pub frames: u32,
    /// Bytes of each.
    pub size: u64,
    /// What each starts at a multiple of, in bytes.
    pub alignment: u64,
    /// Bytes before each.
    pub prefix: u64,
    /// Each is in a file of its own, which comes with NEXT's answer when the frame comes for the first time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub isolated: bool,
}

/// By which holders a pin takes or sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedPin {
    /// Its name without the filter's.
    pub name: String,
    /// The pipe whose frames come in, or go out.
    pub pipe: u32,
    /// An in pin: the number of the holder it takes as.
    pub takes_as: Option<u32>,
    /// An out pin: the number of the holder it sends as, an acquirer or an in pin's.
    pub sends_as: Option<u32>,
    /// An out pin: the number of the in pin's holder it sends to.
    pub sends_to: Option<u32>,
}

impl From<MediaFormat> for FormatDescription {
    fn from(format: MediaFormat) -> Self {
        let letter = Interlacing::ALL.iter().find(|(_, value)| *value == format.interlacing);
        let siting = ChromaSiting::ALL.iter().find(|(_, value)| *value == format.siting);
        Self {
            pixels: format.pixels.to_string(),
            width: format.width,
            height: format.height,
            rate: [format.rate.numerator, format.rate.denominator],
            aspect: [format.aspect.0, format.aspect.1],
            interlacing: letter.map_or('?', |(letter, _)| char::from(*letter)),
            siting: siting.map_or("", |(name, _)| *name).to_owned(),
            range: format.range.map(|range| if range == ColorRange::Full { "full" } else { "limited" }.to_owned()),
        }
    }
}

impl FormatDescription {
    /// The format; `None` where there is none such.
    pub fn to_format(&self) -> Option<MediaFormat> {
        let (_, pixels) = PixelFormat::ALL.iter().find(|(name, _)| *name == self.pixels)?;
        let rate = Rate { numerator: self.rate[0], denominator: self.rate[1] };
        let mut format = MediaFormat::new(*pixels, self.width, self.height, rate).ok()?;
        format.aspect = (self.aspect[0], self.aspect[1]);
        format.interlacing = Interlacing::ALL.iter().find(|(letter, _)| char::from(*letter) == self.interlacing)?.1;
        format.siting = ChromaSiting::ALL.iter().find(|(name, _)| *name == self.siting)?.1;
        format.range = match self.range.as_deref() {
            None => None,
            Some("full") => Some(ColorRange::Full),
            Some("limited") => Some(ColorRange::Limited),
            Some(_) => return None,
        };
        Some(format)
    }
}

impl Description {
    /// The formats by the pins of a graph. `None` where one is no format or of no pin.
    pub fn formats_of(&self, graph: &Graph) -> Option<Vec<(PinId, MediaFormat)>> {
        self.formats.iter().map(|(name, format)| Some((graph.find_pin(name)?, format.to_format()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_come_back_as_they_went() {
        let rate = Rate { numerator: 30_000, denominator: 1001 };
        let plain = MediaFormat::new(PixelFormat::Nv12, 37, 19, rate).unwrap();
        for (_, interlacing) in Interlacing::ALL {
            for (_, siting) in ChromaSiting::ALL {
                for range in [None, Some(ColorRange::Full), Some(ColorRange::Limited)] {
                    let format = MediaFormat { interlacing, siting, range, aspect: (4, 3), ..plain };
                    let text = serde_json::to_string(&FormatDescription::from(format)).unwrap();
                    let read: FormatDescription = serde_json::from_str(&text).unwrap();
                    assert_eq!(read.to_format(), Some(format), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_no_format_can_be_is_none() {
        let rate = Rate { numerator: 30, denominator: 1 };
        let good = FormatDescription::from(MediaFormat::new(PixelFormat::I420, 2, 2, rate).unwrap());
        let wrong = |change: &dyn Fn(&mut FormatDescription)| {
            let mut format = good.clone();
            change(&mut format);
            format.to_format()
        };
        assert_eq!(wrong(&|f| f.width = 0), None);
        assert_eq!(wrong(&|f| f.rate = [1, 0]), None);
        assert_eq!(wrong(&|f| f.pixels = "yuy2".to_owned()), None);
        assert_eq!(wrong(&|f| f.interlacing = 'x'), None);
        assert_eq!(wrong(&|f| f.siting = String::new()), None);
        assert_eq!(wrong(&|f| f.range = Some(String::new())), None);
    }
}
