//! Characters to tokens: what macros are replaced in, and what expressions are made of.

use crate::text::Place;
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Identifier,
    Number,
    Character,
    Text,
    Punctuator,
}

/// A token. A macro can make new ones; these have the place of the macro's use.
#[derive(Clone, Debug)]
pub(crate) struct Token<'s> {
    pub(crate) kind: TokenKind,
    pub(crate) text: Cow<'s, str>,
    pub(crate) place: Place,
    /// Nothing but white space and comments stands before it on its line.
    pub(crate) starts_line: bool,
}

impl Token<'_> {
    pub(crate) fn is(&self, punctuator: &str) -> bool {
        self.kind == TokenKind::Punctuator && self.text == punctuator
    }

    pub(crate) fn identifier(&self) -> Option<&str> {
        (self.kind == TokenKind::Identifier).then_some(self.text.as_ref())
    }
}

/// Longest first.
const PUNCTUATORS: &[&str] = &[
    "<<=", ">>=", "...", "->*", "##", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+=", "-=",
    "*=", "/=", "%=", "&=", "|=", "^=", "::", ".*",
];

/// The tokens of `text`, a stretch of a file that begins at `offset`. What is no token of C is skipped.
pub(crate) fn tokens(text: &str, file: usize, offset: usize) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, position: 0, starts_line: true };
    let mut tokens = Vec::new();
    while let Some((kind, start)) = lexer.next() {
        let place = Place { file, start: offset + start, end: offset + lexer.position };
        let text = spliced(&text[start..lexer.position]);
        tokens.push(Token { kind, text, place, starts_line: lexer.starts_line });
        lexer.starts_line = false;
    }
    tokens
}

/// Without a backslash and line end inside the token.
fn spliced(text: &str) -> Cow<'_, str> {
    if text.contains("\\\n") || text.contains("\\\r\n") {
        Cow::Owned(text.replace("\\\r\n", "").replace("\\\n", ""))
    } else {
        Cow::Borrowed(text)
    }
}

struct Lexer<'s> {
    text: &'s str,
    position: usize,
    starts_line: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while let Some(character) = self.peek() {
            let splice = self.splice();
            if splice > 0 {
                self.position += splice;
            } else if keep(character) {
                self.position += character.len_utf8();
            } else {
                return;
            }
        }
    }

    /// The length of a backslash with its line end here.
    fn splice(&self) -> usize {
        let rest = self.rest();
        if rest.starts_with("\\\n") {
            2
        } else if rest.starts_with("\\\r\n") {
            3
        } else {
            0
        }
    }

    fn skip_to(&mut self, end: &str) {
        self.position = self.rest().find(end).map_or(self.text.len(), |found| self.position + found + end.len());
    }

    fn next(&mut self) -> Option<(TokenKind, usize)> {
        loop {
            let character = self.peek()?;
            let start = self.position;
            let splice = self.splice();
            if splice > 0 {
                self.position += splice;
            } else if character == '\n' {
                self.starts_line = true;
                self.position += 1;
            } else if character.is_whitespace() {
                self.position += character.len_utf8();
            } else if self.rest().starts_with("//") {
                while let Some(character) = self.peek().filter(|character| *character != '\n') {
                    self.position += self.splice().max(character.len_utf8());
                }
            } else if self.rest().starts_with("/*") {
                self.position += 2;
                self.skip_to("*/");
            } else if is_identifier_start(character) {
                return Some((self.identifier_or_prefixed_text(), start));
            } else if character.is_ascii_digit() || (character == '.' && self.digit_follows()) {
                self.number();
                return Some((TokenKind::Number, start));
            } else if character == '"' || character == '\'' {
                self.quoted(character);
                let kind = if character == '"' { TokenKind::Text } else { TokenKind::Character };
                return Some((kind, start));
            } else {
                let long = PUNCTUATORS.iter().find(|known| self.rest().starts_with(**known));
                self.position += long.map_or(character.len_utf8(), |known| known.len());
                return Some((TokenKind::Punctuator, start));
            }
        }
    }

    fn digit_follows(&self) -> bool {
        self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_digit)
    }

    fn identifier_or_prefixed_text(&mut self) -> TokenKind {
        let start = self.position;
        self.skip_while(is_identifier_part);
        let word = &self.text[start..self.position];
        match (word, self.peek()) {
            ("R" | "LR" | "uR" | "UR" | "u8R", Some('"')) => {
                self.raw_text();
                TokenKind::Text
            }
            ("L" | "u" | "U" | "u8", Some('"')) => {
                self.quoted('"');
                TokenKind::Text
            }
            ("L" | "u" | "U" | "u8", Some('\'')) => {
                self.quoted('\'');
                TokenKind::Character
            }
            _ => TokenKind::Identifier,
        }
    }

    fn raw_text(&mut self) {
        self.position += 1;
        let delimiter: String = self.rest().chars().take_while(|character| *character != '(').take(17).collect();
        self.skip_to(&format!("){delimiter}\""));
    }

    fn number(&mut self) {
        while let Some(character) = self.peek() {
            let before = self.text[..self.position].chars().next_back();
            let sign = matches!(character, '+' | '-') && matches!(before, Some('e' | 'E' | 'p' | 'P'));
            // A hexadecimal number may end in e: 0x1e+2 is one token of the preprocessor, and no number.
            let separator =
                character == '\'' && self.rest()[1..].starts_with(|next: char| next.is_ascii_alphanumeric());
            if !(is_identifier_part(character) || character == '.' || sign || separator) {
                return;
            }
            self.position += character.len_utf8();
        }
    }

    /// A text or character, to its quote or the end of its line.
    fn quoted(&mut self, quote: char) {
        self.position += 1;
        while let Some(character) = self.peek() {
            if character == '\n' {
                return;
            }
            self.position += character.len_utf8();
            if character == '\\' {
                self.position += self.peek().map_or(0, char::len_utf8);
            } else if character == quote {
                return;
            }
        }
    }
}

fn is_identifier_start(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '_' | '$')
}

fn is_identifier_part(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text, 0, 0).iter().map(|token| token.text.to_string()).collect()
    }

    #[test]
    fn comments_and_white_space_part_tokens() {
        assert_eq!(texts("a/**/+b // c \\\n still\n<<=0x10UL->d"), ["a", "+", "b", "<<=", "0x10UL", "->", "d"]);
    }

    #[test]
    fn texts_hide_what_is_in_them() {
        assert_eq!(texts(r#""a\"//" L'\'' R"x(")")x" y"#), [r#""a\"//""#, r"L'\''", r#"R"x(")")x""#, "y"]);
    }

    #[test]
    fn a_line_end_after_a_backslash_is_nothing() {
        assert_eq!(texts("KS\\\nALLOCATOR 1\\\r\n2"), ["KSALLOCATOR", "1", "2"]);
    }

    #[test]
    fn a_token_has_its_place_and_says_whether_it_begins_a_line() {
        let tokens = tokens("a b\n /* */ #c", 3, 100);
        let places: Vec<_> =
            tokens.iter().map(|token| (token.place.start, token.place.end, token.starts_line)).collect();
        assert_eq!(places, [(100, 101, true), (102, 103, false), (111, 112, true), (112, 113, false)]);
    }
}
