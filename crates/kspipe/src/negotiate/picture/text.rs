//! Text in pictures: how wide it is, how it is cut, broken and escaped.

/// Names are cut after so many letters.
const MOST_LETTERS: usize = 26;

/// The sizes and weights text is drawn in, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    /// Filters' names and the headline: 13 pixels, bold.
    Name,
    /// Pins' names: 11 pixels, every letter of one width.
    Pin,
    /// The legend: 12 pixels.
    Legend,
    /// Words on arrows and in boxes: 10 pixels.
    Small,
    /// The same, bold.
    SmallBold,
    /// Numbers of pipes: 9 pixels, bold.
    Number,
}

/// The room a text takes: what it takes in DejaVu Sans and Verdana, the widest of the usual fonts, or a little more.
/// Nothing is known of the fonts a viewer has.
pub(super) fn text_width(text: &str, font: Font) -> f64 {
    let (size, bold) = match font {
        Font::Name => (13.0, true),
        Font::Pin => (11.0, false),
        Font::Legend => (12.0, false),
        Font::Small => (10.0, false),
        Font::SmallBold => (10.0, true),
        Font::Number => (9.0, true),
    };
    let em = |letter: char| match letter {
        _ if !letter.is_ascii() => 1.05,
        _ if font == Font::Pin => 0.61,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.40,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | '\\' => 0.45,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '+' | '=' | '<' | '>' | '~' | '#' | '&' | '^' => 1.0,
        'A'..='Z' => 0.79,
        _ => 0.65,
    };
    let width: f64 = text.chars().map(em).sum();
    // What lies beyond the plane of common letters is pictures, mostly.
    let pictures = text.chars().filter(|letter| *letter >= '\u{1F000}').count() as f64;
    (width + pictures * 0.4) * size * if bold { 1.12 } else { 1.0 }
}

/// A name as it is drawn: cut where it is too long, control characters replaced.
pub(super) fn shown(name: &str) -> String {
    let mut letters = name.chars().map(printable);
    let mut text: String = letters.by_ref().take(MOST_LETTERS).collect();
    if letters.next().is_some() {
        text.pop();
        text.push('…');
    }
    text
}

/// The letter, or U+FFFD for one that nobody can see or XML cannot have.
pub(super) fn printable(letter: char) -> char {
    match letter {
        '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
        // Marks that turn the direction of what follows would reach past the name.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => '\u{FFFD}',
        control if control.is_control() => '\u{FFFD}',
        other => other,
    }
}

/// Text in lines of at most so many pixels, broken at spaces; a word that is wider is broken anywhere.
pub(super) fn wrapped(text: &str, font: Font, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0.0;
    for word in text.split(' ') {
        let space = text_width(" ", font);
        let whole = text_width(word, font);
        if used > 0.0 && used + space + whole > width {
            lines.push(String::new());
            used = 0.0;
        }
        let Some(line) = lines.last_mut() else { continue };
        if used > 0.0 {
            line.push(' ');
            used += space;
        }
        if whole <= width {
            line.push_str(word);
            used += whole;
            continue;
        }
        for letter in word.chars() {
            let wide = text_width(letter.encode_utf8(&mut [0; 4]), font);
            if used + wide > width {
                lines.push(String::new());
                used = 0.0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            used += wide;
        }
    }
    lines
}

/// Text as XML has it.
pub(super) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push('\n'),
            other => escaped.push(printable(other)),
        }
    }
    escaped
}

/// A number of bytes in a few characters: `3.11 MB`. Pictures have no room for the digits; tool tips and the legend do.
pub(super) fn short_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("EB", 1_000_000_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => {
            // Hundredths, rounded down: a picture never claims more than is copied.
            let hundredths = u128::from(bytes) * 100 / u128::from(*unit);
            format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
        }
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_short() {
        let table = [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (3_110_400, "3.11 MB"), (u64::MAX, "18.44 EB")];
        for (bytes, text) in table {
            assert_eq!(short_bytes(bytes), text);
        }
    }

    #[test]
    fn names_are_cut_and_every_letter_can_be_seen() {
        assert_eq!(shown("capture"), "capture");
        assert_eq!(shown(&"a".repeat(26)), "a".repeat(26));
        assert_eq!(shown(&"a".repeat(27)), format!("{}…", "a".repeat(25)));
        assert_eq!(shown("a\u{7}b\u{202E}c\u{FFFF}"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}");
    }

    #[test]
    fn lines_are_no_wider_than_asked_and_lose_nothing() {
        let texts = ["", "one", "one two three four five six seven", "averylongwordwithoutanyspaceinit and more"];
        for text in texts {
            for width in [30.0, 60.0, 400.0] {
                let lines = wrapped(text, Font::Legend, width);
                assert!(lines.iter().all(|line| text_width(line, Font::Legend) <= width), "{lines:?}");
                let letters = |text: &str| text.replace(' ', "");
                assert_eq!(letters(&lines.concat()), letters(text));
            }
        }
    }

    #[test]
    fn what_means_something_to_xml_is_escaped() {
        assert_eq!(escape_xml("<a & \"b\" 'c'>\u{1}"), "&lt;a &amp; &quot;b&quot; &#39;c&#39;&gt;\u{FFFD}");
    }
}
