//! [`Name`]: a text in UTF-16 that ends in a zero, as C programs have it.

use ks::MAX_NAME_UNITS;

/// A text in UTF-16 with a zero at its end and nowhere else.
pub(super) struct Name(Box<[u16]>);

impl Name {
    /// The text up to its first zero, if it has one.
    pub(super) fn new(text: &str) -> Self {
        Self(text.encode_utf16().take_while(|unit| *unit != 0).chain([0]).collect())
    }

    /// The text of these units, up to the first zero among them.
    pub(super) fn from_units(units: &[u16]) -> Self {
        Self(units.iter().copied().take_while(|unit| *unit != 0).chain([0]).collect())
    }

    /// All units, the zero included.
    pub(super) fn units(&self) -> &[u16] {
        &self.0
    }

    /// Where the text begins, for programs that read it; it stays there as long as `self`.
    pub(super) fn as_ptr(&self) -> *mut u16 {
        self.0.as_ptr().cast_mut()
    }

    /// As much of the text as a fixed array holds, with a zero after it. A character of two units is not torn apart.
    pub(super) fn truncated(&self) -> [u16; MAX_NAME_UNITS] {
        let text = &self.0[..self.0.len() - 1];
        let mut length = text.len().min(MAX_NAME_UNITS - 1);
        let is_first_of_two = |unit: &u16| (0xD800..0xDC00).contains(unit);
        if length < text.len() && text[..length].last().is_some_and(is_first_of_two) {
            length -= 1;
        }
        let mut array = [0; MAX_NAME_UNITS];
        array[..length].copy_from_slice(&text[..length]);
        array
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_its_first_zero() {
        assert_eq!(Name::new("").units(), [0]);
        assert_eq!(Name::new("ab\0c").units(), [97, 98, 0]);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let short = Name::new("in").truncated();
        assert_eq!((short[0], short[1], short[2], short[127]), (105, 110, 0, 0));
        assert_eq!(Name::new(&"a".repeat(300)).truncated()[125..], [97, 97, 0]);
        // The 127th unit would be the first half of a character.
        let torn = format!("{}\u{1F600}", "a".repeat(126));
        assert_eq!(Name::new(&torn).truncated()[125..], [97, 0, 0]);
        let whole = format!("{}\u{1F600}", "a".repeat(125));
        assert_eq!(Name::new(&whole).truncated()[125..], [0xD83D, 0xDE00, 0]);
    }
}
