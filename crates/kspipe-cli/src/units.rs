//! Numbers as people read them.

use std::time::Duration;

/// `3 110 400`, with spaces that do not break.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// `1 frame`, `3 110 400 frames`: a number of things whose word takes an s.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `8.3 MB`: three digits and a decimal unit.
pub(crate) fn bytes(number: u64) -> String {
    scaled(number as f64, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// `1.25 ms`: three digits and a unit of time.
pub(crate) fn nanoseconds(number: u64) -> String {
    if number < 1_000_000_000 {
        scaled(number as f64, 1000.0, &["ns", "µs", "ms"])
    } else {
        format!("{} s", digits(number as f64 / 1e9))
    }
}

/// A length of time.
pub(crate) fn seconds(duration: Duration) -> String {
    nanoseconds(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// Events a second; `-` where no time has passed.
pub(crate) fn rate(events: u64, duration: Duration) -> String {
    if duration.is_zero() { "-".to_owned() } else { digits(events as f64 / duration.as_secs_f64()) }
}

/// A number that is mostly whole: `0`, `1`, `0.33`.
pub(crate) fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn scaled(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while number >= step && unit + 1 < units.len() {
        number /= step;
        unit += 1;
    }
    let value = if unit == 0 { format!("{number:.0}") } else { digits(number) };
    format!("{value}\u{a0}{}", units[unit])
}

/// Three digits that mean something; more only before the point.
fn digits(number: f64) -> String {
    match number {
        n if n >= 100.0 => grouped(n.round() as u64),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: String) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn one_thing_has_no_s() {
        for (number, text) in [(0, "0 frames"), (1, "1 frame"), (2, "2 frames"), (3_110_400, "3 110 400 frames")] {
            assert_eq!(plain(counted(number, "frame")), text);
        }
    }

    #[test]
    fn numbers_are_grouped_from_the_right() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (3_110_400, "3 110 400")] {
            assert_eq!(plain(grouped(number)), text);
        }
        assert_eq!(plain(grouped(u64::MAX)), "18 446 744 073 709 551 615");
    }

    #[test]
    fn units_keep_three_digits() {
        for (number, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (8_294_400, "8.29 MB"), (u64::MAX, "18.4 EB")]
        {
            assert_eq!(plain(bytes(number)), text);
        }
        for (number, text) in [(0, "0 ns"), (1500, "1.50 µs"), (42_000_000, "42.0 ms"), (12_340_000_000, "12.3 s")] {
            assert_eq!(plain(nanoseconds(number)), text);
        }
    }

    #[test]
    fn a_rate_without_time_is_none() {
        assert_eq!(rate(24, Duration::ZERO), "-");
        assert_eq!(plain(rate(24, Duration::from_millis(10))), "2 400");
    }

    #[test]
    fn decimals_lose_their_zeros() {
        for (number, text) in [(0.0, "0"), (1.0, "1"), (0.333, "0.33"), (2.5, "2.5"), (10.0, "10")] {
            assert_eq!(decimal(number), text);
        }
    }
}
