//! What a mediated process says to the server, and hears, of each frame.

use kspipe::allocator::{FrameFlags, FrameHeader};
use zerocopy::little_endian::{I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What came of a request for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is none now. The pin's descriptor becomes readable when there may be.
    Nothing,
    /// Here it is.
    Frame,
    /// The stream has ended, and all of it was taken.
    Ended,
    /// The server has closed the graph.
    Closed,
    /// The pin takes and sends nothing any more.
    Shut,
    /// What was sent was no frame: its sender breaks the rules. The next may be good.
    Nonsense,
    /// As many frames are kept as the pin holds: one has to be released first.
    HoldsMost,
}

impl Step {
    const ALL: [Self; 7] =
        [Self::Nothing, Self::Frame, Self::Ended, Self::Closed, Self::Shut, Self::Nonsense, Self::HoldsMost];

    /// The step of a number; `None`: there is none such.
    pub fn of(number: u32) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }
}

/// The answer to NEXT and ACQUIRE, and what goes with SEND: 48 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct FrameMessage {
    /// An answer's [`Step`]; 0 in a request.
    pub step: U32,
    /// The frame's place in its pool, where the step is a frame. With SEND: the frame that came in and is handed on.
    pub frame: U32,
    /// See [`FrameHeader::presentation_time`].
    pub presentation_time: I64,
    /// See [`FrameHeader::duration`].
    pub duration: I64,
    /// See [`FrameHeader::sequence`].
    pub sequence: U64,
    /// See [`FrameHeader::data_used`].
    pub data_used: U64,
    /// See [`FrameFlags`].
    pub flags: U32,
    /// With SEND: 1 where the frame came in by an in pin and is handed on, 0 for the frame that was acquired.
    pub hands_on: U32,
}

impl FrameMessage {
    /// A frame with what travels with it.
    pub fn of(frame: u32, header: &FrameHeader) -> Self {
        Self {
            step: (Step::Frame as u32).into(),
            frame: frame.into(),
            presentation_time: header.presentation_time.into(),
            duration: header.duration.into(),
            sequence: header.sequence.into(),
            data_used: header.data_used.into(),
            flags: header.flags.bits().into(),
            hands_on: 0.into(),
        }
    }

    /// No frame, and why.
    pub fn none(step: Step) -> Self {
        Self { step: (step as u32).into(), ..Self::default() }
    }

    /// What travels with the frame.
    pub fn header(&self) -> FrameHeader {
        FrameHeader {
            presentation_time: self.presentation_time.get(),
            duration: self.duration.get(),
            sequence: self.sequence.get(),
            data_used: self.data_used.get(),
            flags: FrameFlags::from_bits_retain(self.flags.get()),
        }
    }
}

/// What goes with WRITE: 16 bytes. The bytes are at the same place in the pin's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct WriteMessage {
    /// From which byte of the frame on: as many as were written before.
    pub offset: U64,
    /// How many bytes: at most [`MOST_WRITTEN`].
    pub length: U64,
}

/// The most bytes that one WRITE copies: others are served after that.
pub const MOST_WRITTEN: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_s_header_comes_back_as_it_went() {
        let header = FrameHeader {
            presentation_time: i64::MIN,
            duration: 7,
            sequence: u64::MAX,
            data_used: 5,
            flags: FrameFlags::from_bits_retain(0x8000_0110),
        };
        let message = FrameMessage::of(9, &header);
        assert_eq!((message.header(), message.as_bytes().len()), (header, 48));
        for step in Step::ALL {
            assert_eq!(Step::of(FrameMessage::none(step).step.get()), Some(step));
        }
        assert_eq!(Step::of(7), None);
    }
}
