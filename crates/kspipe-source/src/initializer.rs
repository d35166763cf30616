//! Initialisers: braces, designators and flat lists, laid into a type as C does it.

use crate::evaluate::{Evaluator, Overflow, Value};
use crate::integer::{Integer, IntegerType};
use crate::lexer::Token;
use crate::preprocess::At;
use crate::slots::Slots;
use crate::text::Place;
use crate::types::{Record, Type};
use crate::unknown::{Cause, Unknown};

/// Braces in braces.
const DEEPEST: usize = 48;
/// More values than any table of a driver has.
const LARGEST_LIST: usize = 100_000;

/// An initialiser as written.
pub(crate) enum Initializer<'s> {
    List(Vec<Entry<'s>>, Place),
    Expression(Vec<Token<'s>>, Place),
}

/// One entry of a list.
pub(crate) struct Entry<'s> {
    designators: Vec<Designator<'s>>,
    value: Initializer<'s>,
}

enum Designator<'s> {
    Member(String, Place),
    Element(Vec<Token<'s>>, Place),
}

/// What an initialiser gives.
#[derive(Default)]
pub(crate) struct Filled {
    pub(crate) slots: Slots,
    pub(crate) overflows: Vec<Overflow>,
    /// What could not be laid into the type.
    pub(crate) problems: Vec<Unknown>,
}

/// Reads `{ ... }` at the start of the tokens, in which macros are replaced; gives how many tokens it takes.
pub(crate) fn parse<'s>(tokens: &[Token<'s>]) -> Result<(Initializer<'s>, usize), Unknown> {
    let mut parser = Parser { tokens, position: 0, entries: 0 };
    let initializer = parser.value(0)?;
    Ok((initializer, parser.position))
}

struct Parser<'t, 's> {
    tokens: &'t [Token<'s>],
    position: usize,
    entries: usize,
}

impl<'s> Parser<'_, 's> {
    fn next_is(&self, punctuator: &str) -> bool {
        self.tokens.get(self.position).is_some_and(|token| token.is(punctuator))
    }

    fn place(&self) -> Place {
        let token = self.tokens.get(self.position).or(self.tokens.last());
        token.map_or(Place { file: 0, start: 0, end: 0 }, |token| token.place)
    }

    fn value(&mut self, depth: usize) -> Result<Initializer<'s>, Unknown> {
        let start = self.place();
        if depth > DEEPEST {
            return Err(Unknown::new(Cause::NotRead, start, "the initialiser is nested too deeply"));
        }
        if !self.next_is("{") {
            let tokens = self.expression();
            let place = tokens.first().zip(tokens.last()).map_or(start, |(first, last)| first.place.to(last.place));
            return Ok(Initializer::Expression(tokens, place));
        }
        self.position += 1;
        let mut entries = Vec::new();
        loop {
            if self.next_is("}") {
                let end = self.place();
                self.position += 1;
                return Ok(Initializer::List(entries, start.to(end)));
            }
            if self.position >= self.tokens.len() {
                return Err(Unknown::new(Cause::NotRead, start, "the initialiser does not end"));
            }
            self.entries += 1;
            if self.entries > LARGEST_LIST {
                return Err(Unknown::new(Cause::NotRead, start, "the initialiser is too long"));
            }
            let designators = self.designators();
            let before = self.position;
            entries.push(Entry { designators, value: self.value(depth + 1)? });
            if self.next_is(",") {
                self.position += 1;
            } else if !self.next_is("}") {
                let place = self.place();
                // Nothing was read, or something is left over.
                if self.position == before || self.position >= self.tokens.len() {
                    return Err(Unknown::new(Cause::NotRead, place, "the initialiser does not end"));
                }
                return Err(Unknown::new(Cause::NotRead, place, "a comma is missing here"));
            }
        }
    }

    fn designators(&mut self) -> Vec<Designator<'s>> {
        let start = self.position;
        let mut designators = Vec::new();
        loop {
            if self.next_is(".")
                && let Some(token) = self.tokens.get(self.position + 1)
                && let Some(name) = token.identifier()
            {
                designators.push(Designator::Member(name.to_owned(), token.place));
                self.position += 2;
            } else if self.next_is("[") {
                let rest = &self.tokens[self.position + 1..];
                let Some(close) = rest.iter().position(|token| token.is("]")) else { break };
                designators.push(Designator::Element(rest[..close].to_vec(), self.place()));
                self.position += close + 2;
            } else {
                break;
            }
        }
        if designators.is_empty() {
            return designators;
        }
        if self.next_is("=") {
            self.position += 1;
        } else if !self.next_is("{") {
            self.position = start;
            return Vec::new();
        }
        designators
    }

    /// The tokens up to a comma or brace that belongs to the list.
    fn expression(&mut self) -> Vec<Token<'s>> {
        let start = self.position;
        let mut depth = 0usize;
        while let Some(token) = self.tokens.get(self.position) {
            if token.is("(") || token.is("[") || token.is("{") {
                depth += 1;
            } else if token.is(")") || token.is("]") || token.is("}") {
                let Some(less) = depth.checked_sub(1) else { break };
                depth = less;
            } else if depth == 0 && (token.is(",") || token.is(";")) {
                break;
            }
            self.position += 1;
        }
        self.tokens[start..self.position].to_vec()
    }
}

/// Lays an initialiser into a type.
pub(crate) fn fill<'s>(evaluator: &Evaluator<'_, 's>, at: &At, of: &Type, initializer: &Initializer<'s>) -> Filled {
    let mut filler = Filler { evaluator, at, filled: Filled::default() };
    filler.object(of, 0, initializer, 0);
    filler.filled
}

struct Filler<'f, 'u, 's> {
    evaluator: &'f Evaluator<'u, 's>,
    at: &'f At,
    filled: Filled,
}

impl<'s> Filler<'_, '_, 's> {
    fn size(&self, of: &Type) -> u64 {
        of.size(self.evaluator.pointer_bytes)
    }

    /// One initialiser for one object.
    fn object(&mut self, of: &Type, offset: u64, initializer: &Initializer<'s>, depth: usize) {
        match (of, initializer) {
            (Type::Record(_) | Type::Array(..), Initializer::List(entries, _)) => {
                self.filled.slots.clear(offset, self.size(of));
                self.list(of, offset, entries, depth);
            }
            (Type::Guid, Initializer::List(entries, place)) => match entries.as_slice() {
                // `{ STATIC_KSMEMORY_TYPE_USER }`, a GUID in one piece.
                [Entry { designators, value: Initializer::Expression(tokens, place) }]
                    if designators.is_empty() && self.is_guid(tokens) =>
                {
                    self.expression(of, offset, tokens, *place);
                }
                [] => self.filled.slots.set(offset, 16, Ok(Value::Guid(ks::Guid::NULL)), *place),
                _ => {
                    self.filled.slots.clear(offset, 16);
                    self.list(of, offset, entries, depth);
                }
            },
            // A number may stand in braces of its own.
            (_, Initializer::List(entries, place)) => match entries.as_slice() {
                [] => self.filled.slots.set(offset, self.size(of), Ok(Value::Integer(Integer::int(0))), *place),
                [only, ..] if depth < DEEPEST => self.object(of, offset, &only.value, depth + 1),
                _ => {}
            },
            (_, Initializer::Expression(tokens, place)) => self.expression(of, offset, tokens, *place),
        }
    }

    fn expression(&mut self, of: &Type, offset: u64, tokens: &[Token<'s>], place: Place) {
        let size = self.size(of);
        match of {
            Type::Integer(integer) => {
                let evaluated = self.evaluator.evaluate_expanded(tokens, self.at);
                self.filled.overflows.extend(evaluated.overflows);
                let value = evaluated.value.and_then(|value| match value {
                    Value::Integer(value) => Ok(Value::Integer(self.stored(value, *integer, place))),
                    Value::Guid(_) => Err(Unknown::new(Cause::Wrong, place, "a GUID stands where a number should be")),
                });
                self.filled.slots.set(offset, size, value, place);
            }
            Type::Guid => {
                let value = self.evaluator.evaluate_expanded(tokens, self.at).value.and_then(|value| match value {
                    Value::Guid(_) => Ok(value),
                    Value::Integer(_) => {
                        Err(Unknown::new(Cause::Wrong, place, "a number stands where a GUID should be"))
                    }
                });
                self.filled.slots.set(offset, size, value, place);
            }
            Type::Pointer => {}
            Type::Record(_) | Type::Array(..) | Type::Opaque { .. } => {
                let unknown = Unknown::new(
                    Cause::AtRunTime,
                    place,
                    "it is copied from something that is known only when the driver runs",
                );
                self.filled.slots.set_unknown(offset, size, unknown);
            }
        }
    }

    fn stored(&mut self, value: Integer, of: IntegerType, place: Place) -> Integer {
        let stored = value.cast(of);
        if let Some(exact) = stored.overflow {
            self.filled.overflows.push(Overflow { place, exact, bits: of.bits });
        }
        stored.integer
    }

    /// Whether an expression is a GUID in one piece, known or not.
    fn is_guid(&self, tokens: &[Token<'s>]) -> bool {
        match self.evaluator.evaluate_expanded(tokens, self.at).value {
            Ok(Value::Guid(_)) => true,
            Ok(Value::Integer(_)) => false,
            Err(_) => {
                matches!(tokens, [name] if name.identifier().is_some())
                    || tokens.first().and_then(Token::identifier) == Some("STATICGUIDOF")
                    || tokens.first().and_then(Token::identifier) == Some("__uuidof")
            }
        }
    }

    fn list(&mut self, of: &Type, offset: u64, entries: &[Entry<'s>], depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let mut next = 0;
        let mut member = 0u64;
        while let Some(entry) = entries.get(next) {
            if !entry.designators.is_empty() {
                if let Some((first, part, at)) = self.designated(of, offset, &entry.designators) {
                    self.object(&part, at, &entry.value, depth + 1);
                    member = first + 1;
                }
                next += 1;
                continue;
            }
            let Some((part, at)) = part(of, member, offset, self.evaluator.pointer_bytes) else {
                let (Initializer::Expression(_, place) | Initializer::List(_, place)) = &entry.value;
                self.filled.problems.push(Unknown::new(
                    Cause::NotRead,
                    *place,
                    "there are more values here than members",
                ));
                return;
            };
            next = self.next_part(&part, at, entries, next, depth);
            member += 1;
        }
    }

    /// Fills one member with the next entry, or, where the entry is no list and the member is one, with as many entries
    /// as it takes: C lets the braces be left out.
    fn next_part(&mut self, of: &Type, offset: u64, entries: &[Entry<'s>], next: usize, depth: usize) -> usize {
        let Some(entry) = entries.get(next) else { return next };
        let flat = match &entry.value {
            Initializer::List(..) => false,
            Initializer::Expression(tokens, _) => of.is_aggregate() && depth < DEEPEST && !self.is_whole(of, tokens),
        };
        if !flat {
            self.object(of, offset, &entry.value, depth + 1);
            return next + 1;
        }
        let (mut next, mut member) = (next, 0);
        while let Some((part, at)) = part(of, member, offset, self.evaluator.pointer_bytes) {
            match entries.get(next) {
                Some(entry) if entry.designators.is_empty() => {}
                _ => break,
            }
            next = self.next_part(&part, at, entries, next, depth + 1);
            member += 1;
            // Of a union the first member is initialised, and no other.
            if matches!(of, Type::Record(record) if record.is_union) {
                break;
            }
        }
        next
    }

    /// Whether an expression stands for a whole aggregate.
    fn is_whole(&self, of: &Type, tokens: &[Token<'s>]) -> bool {
        matches!(of, Type::Guid) && self.is_guid(tokens)
    }

    fn designated(&mut self, of: &Type, offset: u64, designators: &[Designator<'s>]) -> Option<(u64, Type, u64)> {
        let (mut of, mut offset, mut first) = (of.clone(), offset, None);
        for designator in designators {
            let (index, part, at) = match designator {
                Designator::Member(name, place) => {
                    let found = match &of {
                        Type::Record(record) => record.member(name).map(|(at, part)| (position(record, at), part, at)),
                        _ => None,
                    };
                    let Some(found) = found else {
                        self.filled.problems.push(Unknown::new(
                            Cause::NotRead,
                            *place,
                            format!("there is no member `{name}` here"),
                        ));
                        return None;
                    };
                    found
                }
                Designator::Element(tokens, place) => {
                    let index = match self.evaluator.evaluate_expanded(tokens, self.at).value {
                        Ok(Value::Integer(index)) => u64::try_from(index.value).ok().filter(|index| *index < 4096),
                        _ => None,
                    };
                    let found = match (&of, index) {
                        (Type::Array(part, _), Some(index)) => {
                            Some((index, part.as_ref().clone(), index.checked_mul(self.size(part))?))
                        }
                        _ => None,
                    };
                    let Some(found) = found else {
                        self.filled.problems.push(Unknown::new(Cause::NotRead, *place, "this element is not known"));
                        return None;
                    };
                    found
                }
            };
            first.get_or_insert(index);
            (of, offset) = (part, offset.checked_add(at)?);
        }
        first.map(|first| (first, of, offset))
    }
}

/// The place among its members of the one at an offset.
fn position(record: &Record, offset: u64) -> u64 {
    let before = record.fields.iter().take_while(|field| field.offset <= offset).count();
    before.saturating_sub(1) as u64
}

/// The member or element at a position.
fn part(of: &Type, position: u64, offset: u64, pointer_bytes: u64) -> Option<(Type, u64)> {
    match of {
        Type::Record(record) => {
            let field = record.fields.get(usize::try_from(position).ok()?)?;
            Some((field.of.clone(), offset.checked_add(field.offset)?))
        }
        // The header declares one framing item and means as many as are counted.
        Type::Array(part, count) => {
            let is_items = matches!(part.as_ref(), Type::Record(record) if record.name == "KS_FRAMING_ITEM");
            (part.size(pointer_bytes) > 0 && (position < *count || is_items && position < 4096))
                .then(|| part.size(pointer_bytes).checked_mul(position).and_then(|at| offset.checked_add(at)))
                .flatten()
                .map(|at| (part.as_ref().clone(), at))
        }
        Type::Guid => {
            let number = |bits| Type::Integer(IntegerType { bits, signed: false });
            let (at, part) = match position {
                0 => (0, number(32)),
                1 => (4, number(16)),
                2 => (6, number(16)),
                3 => (8, Type::Array(number(8).into(), 8)),
                _ => return None,
            };
            Some((part, offset.checked_add(at)?))
        }
        _ => None,
    }
}
