//! How much memory the system can still give.
//!
//! Asked for more, it would not say no: pages of a `memfd` are counted only as they are touched, and where there is none left
//! for the next, Linux ends a process, ours or another's.

#![forbid(unsafe_code)]

/// Bytes that can be had, swap space with them; `None` where the system does not say.
pub(super) fn bytes() -> Option<u64> {
    bytes_of(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// The same, of the text of `/proc/meminfo`.
fn bytes_of(text: &str) -> Option<u64> {
    let kibibytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    let free = kibibytes("MemAvailable")?.saturating_add(kibibytes("SwapFree").unwrap_or(0));
    Some(free.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_had_is_what_is_available_and_the_free_swap_space() {
        let cases = [
            ("MemTotal: 100 kB\nMemFree: 5 kB\nMemAvailable:      70 kB\nSwapFree:  3 kB\n", Some(73 * 1024)),
            ("MemAvailable: 70 kB\n", Some(70 * 1024)),
            ("MemAvailable: 18446744073709551615 kB\nSwapFree: 1 kB\n", Some(u64::MAX)),
            ("MemFree: 5 kB\n", None),
            ("MemAvailable: many kB\n", None),
            ("", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(bytes_of(text), bytes, "{text}");
        }
    }
}
