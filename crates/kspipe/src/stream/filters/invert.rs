//! `invert`: the negative of a picture.

use super::Modifier;

/// Every byte of the picture inverted, whatever it means.
pub(super) struct Invert;

impl Modifier for Invert {
    fn modify(&mut self, picture: &mut [u8]) {
        for byte in picture {
            *byte = !*byte;
        }
    }

    fn modify_into(&mut self, from: &[u8], to: &mut [u8]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = !*from;
        }
    }
}
