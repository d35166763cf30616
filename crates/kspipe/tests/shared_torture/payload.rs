//! What frames carry: a number, and bytes that follow from it, so that a frame that is torn or another's is known.

use kspipe::allocator::shared::{FrameView, WritableFrame};

/// Bytes of a frame.
pub(crate) const SIZE: usize = 256;

fn bytes(number: u64) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut state = number;
    for word in bytes.chunks_exact_mut(8) {
        word.copy_from_slice(&state.to_le_bytes());
        state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ number;
    }
    bytes
}

pub(crate) fn fill(frame: &mut WritableFrame, number: u64) {
    frame.copy_from(0, &bytes(number));
    let mut header = frame.header();
    header.sequence = number;
    header.data_used = SIZE as u64;
    frame.set_header(header);
}

/// The number a frame carries, if all of it does.
pub(crate) fn read(frame: &FrameView) -> Result<u64, String> {
    let mut found = [0; SIZE];
    frame.copy_to(0, &mut found);
    let number = u64::from_le_bytes(found[..8].try_into().expect("eight bytes"));
    if found == bytes(number) {
        Ok(number)
    } else {
        Err(format!("frame {} is torn: it begins as {number}", frame.index()))
    }
}
