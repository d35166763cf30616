//! Text that another process wrote, on its way to a terminal.

use serde_json::Value;

/// The character as it may be shown: what would work on a terminal instead of being shown on it, or turns the direction of
/// what follows, is another letter.
fn shown(character: char) -> char {
    match character {
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => '\u{b7}',
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// The text as it may be shown, in one line.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// The same with all texts of a value, the names of members too.
pub(super) fn printable_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(&text)),
        Value::Array(values) => values.into_iter().map(printable_value).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (printable(&name), printable_value(value))).collect()
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let hostile = "a\x1b[2Jb\u{9b}2Jc\r\n\t\0\x7f\u{202e}d\u{2066}\u{feff}";
        let text = printable(hostile);
        assert_eq!(text, "a·[2Jb·2Jc·····\u{fffd}d\u{fffd}\u{fffd}");
        assert_eq!(printable("grün, 日本"), "grün, 日本");
        let value = json!({ "\x1b": ["\x07", { "x": "\u{85}" }, 1, null, true] });
        assert_eq!(printable_value(value), json!({ "·": ["·", { "x": "·" }, 1, null, true] }));
    }
}
