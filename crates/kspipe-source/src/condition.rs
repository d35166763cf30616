//! The conditions of `#if`: whether a compiler surely sees what follows, surely does not, or may.

use crate::expression::LEVELS;
use crate::integer::{Integer, IntegerType};
use crate::lexer::{Token, TokenKind};

/// What a name in a condition stands for.
pub(crate) enum Name<'d, 's> {
    /// The files do not say: a header or the command line may.
    Unknown,
    /// These tokens.
    Is(&'d [Token<'s>]),
}

/// What is known of names where a condition stands.
pub(crate) trait Names<'s> {
    /// What a name stands for.
    fn name(&self, name: &str) -> Name<'_, 's>;
    /// Whether it is surely a macro, or surely none; `None`: it may be one.
    fn is_defined(&self, name: &str) -> Option<bool>;
}

/// Parentheses in parentheses, and macros of macros.
const DEEPEST: usize = 32;
/// More tokens than any condition has, its macros replaced.
const LONGEST: usize = 2000;

/// Whether a condition is met; `None` where that depends on what the files do not say.
pub(crate) fn is_met<'s>(names: &impl Names<'s>, tokens: &[Token<'s>]) -> Option<bool> {
    let mut expanded = Vec::new();
    expand(names, tokens, 0, &mut expanded);
    let mut reader = Reader { tokens: &expanded, position: 0, depth: 0 };
    let value = reader.conditional();
    let is_whole = reader.position == expanded.len() && expanded.len() < LONGEST;
    value.filter(|_| is_whole).map(Integer::is_true)
}

/// A token of a condition in which what is known is replaced.
enum Part<'s> {
    Token(Token<'s>),
    Value(Option<bool>),
}

fn expand<'s>(names: &impl Names<'s>, tokens: &[Token<'s>], depth: usize, expanded: &mut Vec<Part<'s>>) {
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        next += 1;
        if expanded.len() >= LONGEST {
            return;
        }
        match token.identifier() {
            Some("defined") => {
                let in_parentheses = tokens.get(next).is_some_and(|token| token.is("("));
                let name = tokens.get(next + usize::from(in_parentheses)).and_then(Token::identifier);
                next += if in_parentheses { 3 } else { 1 };
                expanded.push(Part::Value(name.and_then(|name| names.is_defined(name))));
            }
            Some("true" | "TRUE") => expanded.push(Part::Value(Some(true))),
            Some("false" | "FALSE") => expanded.push(Part::Value(Some(false))),
            Some(name) => match names.name(name) {
                Name::Is(body) if depth < DEEPEST => expand(names, body, depth + 1, expanded),
                _ => {
                    // The arguments of what may be a macro tell nothing.
                    if tokens.get(next).is_some_and(|token| token.is("(")) {
                        next += crate::extent::parenthesised_length(&tokens[next..]);
                    }
                    expanded.push(Part::Value(None));
                }
            },
            None => expanded.push(Part::Token(token.clone())),
        }
    }
}

struct Reader<'t, 's> {
    tokens: &'t [Part<'s>],
    position: usize,
    depth: usize,
}

impl Reader<'_, '_> {
    fn operator(&self) -> Option<&str> {
        match self.tokens.get(self.position)? {
            Part::Token(token) if token.kind == TokenKind::Punctuator => Some(token.text.as_ref()),
            _ => None,
        }
    }

    fn take(&mut self, punctuator: &str) -> bool {
        let is = self.operator() == Some(punctuator);
        self.position += usize::from(is);
        is
    }

    /// Gives up: nothing is known of the whole.
    fn give_up(&mut self) -> Option<Integer> {
        self.position = usize::MAX;
        None
    }

    fn conditional(&mut self) -> Option<Integer> {
        if self.depth >= DEEPEST {
            return self.give_up();
        }
        self.depth += 1;
        let mut value = self.binary(0);
        if self.take("?") {
            let yes = self.conditional();
            if !self.take(":") {
                return self.give_up();
            }
            let no = self.conditional();
            value = value.and_then(|value| if value.is_true() { yes } else { no });
        }
        self.depth -= 1;
        value
    }

    fn binary(&mut self, level: usize) -> Option<Integer> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1);
        while let Some(operator) = self.operator().filter(|operator| operators.contains(operator)).map(str::to_owned) {
            self.position += 1;
            let right = self.binary(level + 1);
            let truth = |value: Option<Integer>| value.map(Integer::is_true);
            left = match (operator.as_str(), truth(left), truth(right)) {
                ("&&", Some(false), _) | ("&&", _, Some(false)) => Some(Integer::truth(false)),
                ("||", Some(true), _) | ("||", _, Some(true)) => Some(Integer::truth(true)),
                ("&&", Some(true), Some(true)) => Some(Integer::truth(true)),
                ("||", Some(false), Some(false)) => Some(Integer::truth(false)),
                ("&&" | "||", ..) => None,
                _ => left.zip(right).and_then(|(left, right)| Some(left.binary(&operator, right).ok()?.integer)),
            };
        }
        left
    }

    fn unary(&mut self) -> Option<Integer> {
        if self.depth >= DEEPEST {
            return self.give_up();
        }
        let Some(part) = self.tokens.get(self.position) else { return self.give_up() };
        self.position += 1;
        let token = match part {
            Part::Value(value) => return value.map(Integer::truth),
            Part::Token(token) => token,
        };
        self.depth += 1;
        let value = match (token.kind, token.text.as_ref()) {
            (TokenKind::Number, text) => Integer::parse(text).map(widest),
            (TokenKind::Character, text) => Integer::parse_character(text).map(widest),
            (_, "!") => self.unary().map(|value| Integer::truth(!value.is_true())),
            (_, "-") => self.unary().map(Integer::negate),
            (_, "+") => self.unary(),
            (_, "~") => self.unary().map(Integer::complement),
            (_, "(") => {
                let value = self.conditional();
                if self.take(")") { value } else { self.give_up() }
            }
            _ => self.give_up(),
        };
        self.depth -= 1;
        value
    }
}

/// The preprocessor computes in the widest types.
fn widest(value: Integer) -> Integer {
    let of = if value.of.signed { IntegerType::LONG_LONG } else { IntegerType::UNSIGNED_LONG_LONG };
    Integer::new(value.value, of)
}
