//! Names that are unique and tell pins apart, made of those the pins have.

use std::collections::{HashMap, HashSet};

/// The most UTF-16 units of a name that are read: twice what `PIN_INFO` has room for.
pub(super) const MOST_UNITS: usize = 256;

/// Text in UTF-16 up to its zero, without control characters, which could be taken for other lines of a log.
pub(super) fn decode(units: impl IntoIterator<Item = u16>) -> String {
    let units: Vec<u16> = units.into_iter().take(MOST_UNITS).take_while(|unit| *unit != 0).collect();
    let decoded = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    decoded.map(|unit| if unit.is_control() { char::REPLACEMENT_CHARACTER } else { unit }).collect()
}

/// Names given out so far.
#[derive(Default)]
pub(super) struct Names {
    filters: HashSet<String>,
    /// Full names, `filter.pin`. A dot in a name could make two pins' the same.
    pins: HashSet<String>,
    /// How often each was asked for, so that many of one name are numbered in linear time.
    asked: HashMap<String, u32>,
}

impl Names {
    /// A name for another filter: the one it has, numbered where an earlier one has it.
    pub(super) fn filter(&mut self, wanted: &str) -> String {
        let wanted = if wanted.is_empty() { "filter" } else { wanted };
        let name =
            first_free(wanted, self.asked.entry(wanted.to_owned()).or_default(), |name| !self.filters.contains(name));
        self.filters.insert(name.clone());
        name
    }

    /// A name for another pin of a filter, likewise. Returns the name and the full name.
    pub(super) fn pin(&mut self, filter: &str, wanted: &str) -> (String, String) {
        let wanted = if wanted.is_empty() { "pin" } else { wanted };
        let full = |name: &str| format!("{filter}.{name}");
        let name =
            first_free(wanted, self.asked.entry(full(wanted)).or_default(), |name| !self.pins.contains(&full(name)));
        let full = full(&name);
        self.pins.insert(full.clone());
        (name, full)
    }
}

fn first_free(wanted: &str, asked: &mut u32, is_free: impl Fn(&str) -> bool) -> String {
    loop {
        *asked += 1;
        let name = if *asked == 1 { wanted.to_owned() } else { format!("{wanted} ({asked})") };
        if is_free(&name) {
            return name;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_as_they_are_and_are_numbered_where_they_are_taken() {
        let mut names = Names::default();
        assert_eq!(names.filter("camera"), "camera");
        assert_eq!(names.filter("camera"), "camera (2)");
        assert_eq!(names.filter("camera (2)"), "camera (2) (2)");
        assert_eq!(names.filter(""), "filter");
        assert_eq!(names.pin("camera", "out").1, "camera.out");
        assert_eq!(names.pin("camera", "out").0, "out (2)");
        assert_eq!(names.pin("camera (2)", "out").1, "camera (2).out");
        assert_eq!(names.pin("camera", "").1, "camera.pin");
    }

    #[test]
    fn a_dot_in_a_name_makes_no_two_pins_one() {
        let mut names = Names::default();
        assert_eq!(names.pin("a.b", "c").1, "a.b.c");
        assert_eq!(names.pin("a", "b.c").1, "a.b.c (2)");
    }

    #[test]
    fn text_ends_at_its_zero_and_has_no_control_characters() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        assert_eq!(decode(units("Aufnahme\u{1F3A5}\0rest")), "Aufnahme\u{1F3A5}");
        assert_eq!(decode(units("a\nb")), "a\u{FFFD}b");
        assert_eq!(decode([0xD800, 0x61]), "\u{FFFD}a");
        assert_eq!(decode(std::iter::repeat(0x61)).len(), MOST_UNITS);
    }
}
