//! Words for messages: the nearest known name, lists, excerpts.

/// Names longer than this are no misspelling of ours; comparing them would only take time.
const LONGEST_NAME: usize = 64;
/// So many names are looked at, in their order.
const NAMES_COMPARED: usize = 10_000;

/// The known name nearest to a word, if one is near: `kernel_nonpaged` is `kernel-nonpaged`, `mod` is `mode`.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONGEST_NAME {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    // One that starts like the other is near as well, after those that are misspelled: `inplace`, `maximum`.
    let mut begins_alike = None;
    let near = known
        .into_iter()
        .take(NAMES_COMPARED)
        .inspect(|name| {
            let alike = name.starts_with(&word) || word.starts_with(name);
            if begins_alike.is_none() && alike && name.len().min(word.len()) >= 3 {
                begins_alike = Some(*name);
            }
        })
        .filter(|name| name.len() <= LONGEST_NAME && name.len().abs_diff(word.len()) <= LONGEST_NAME / 2)
        .map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), name))
        .filter(|(distance, name)| {
            let longer = name.chars().count().max(word.chars().count());
            *distance <= longer.div_ceil(3).min(4)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name);
    near.or(begins_alike)
}

/// `a`, `b` or `c`.
pub(super) fn list(words: &[&str]) -> String {
    joined(words, "or")
}

/// `a`, `b` and `c`.
pub(super) fn list_all(words: &[&str]) -> String {
    joined(words, "and")
}

fn joined(words: &[&str], last_word: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} {last_word} {last}", rest.join(", ")),
    }
}

/// The word, cut where it is too long for a message, on one line.
pub(super) fn excerpt(word: &str) -> String {
    let mut short: String = word.chars().take(60).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    short.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_far_ones_are_not() {
        let known = ["kernel-nonpaged", "kernel-paged", "user", "system", "frames", "mode"];
        for (word, expected) in [
            ("kernel_nonpaged", Some("kernel-nonpaged")),
            ("Kernel-Paged", Some("kernel-paged")),
            ("usr", Some("user")),
            ("farmes", Some("frames")),
            ("mod", Some("mode")),
            ("framesize", Some("frames")),
            ("kernel-", Some("kernel-nonpaged")),
            ("bananas", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), known), None);
    }

    #[test]
    fn excerpts_stay_on_one_line() {
        assert_eq!(excerpt("a\nb\u{1b}"), "a\\nb\\u{1b}");
        assert_eq!(excerpt(&"é".repeat(61)).chars().count(), 61);
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(list_all(&["a", "b"]), "`a` and `b`");
    }
}
