//! What names stand for: constants, macros, GUIDs; and the entrance to constant expressions.

use crate::expression::Parser;
use crate::facts::{Constant, Facts};
use crate::integer::Integer;
use crate::known;
use crate::lexer::{Token, tokens};
use crate::macros::expand;
use crate::preprocess::{At, Lookup, Unit};
use crate::text::{Place, SourceFile};
use crate::types::Type;
use crate::unknown::{Cause, Unknown};
use ks::Guid;
use std::cell::{Cell, RefCell};

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(Integer),
    Guid(Guid),
}

/// Arithmetic whose result has more bits than its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overflow {
    pub(crate) place: Place,
    pub(crate) exact: i128,
    pub(crate) bits: u32,
}

/// What an expression gives, and what overflowed on the way.
pub(crate) struct Evaluated {
    pub(crate) value: Result<Value, Unknown>,
    pub(crate) overflows: Vec<Overflow>,
}

/// Expressions in expressions: parentheses, signs, and constants made of constants.
pub(crate) const DEEPEST: usize = 100;
/// The work one source may cost: every look at a token of an expression counts.
pub(crate) const LARGEST_WORK: usize = 20_000_000;

/// Reads constant expressions of one source.
pub(crate) struct Evaluator<'u, 's> {
    pub(crate) unit: &'u Unit<'s>,
    pub(crate) files: &'s [SourceFile],
    pub(crate) facts: &'u Facts,
    pub(crate) pointer_bytes: u64,
    /// Constants that are being evaluated: one that is made of itself has no value.
    active: RefCell<Vec<String>>,
    pub(crate) work: Cell<usize>,
    /// How deep the expression that is read stands in others, those of constants and types it names among them.
    pub(crate) depth: Cell<usize>,
}

impl<'u, 's> Evaluator<'u, 's> {
    pub(crate) fn new(unit: &'u Unit<'s>, files: &'s [SourceFile], facts: &'u Facts, pointer_bytes: u64) -> Self {
        Self { unit, files, facts, pointer_bytes, active: RefCell::default(), work: Cell::new(0), depth: Cell::new(0) }
    }

    /// The value of tokens in which macros are still to be replaced.
    pub(crate) fn evaluate(&self, tokens: &[Token<'s>], at: &At) -> Evaluated {
        match expand(self.unit, tokens, at) {
            Ok(expanded) => self.evaluate_expanded(&expanded, at),
            Err(unknown) => Evaluated { value: Err(unknown), overflows: Vec::new() },
        }
    }

    /// The value of tokens without macros.
    pub(crate) fn evaluate_expanded(&self, tokens: &[Token<'s>], at: &At) -> Evaluated {
        Parser::evaluate(self, tokens, at)
    }

    /// The value of an expression that stands at a place of a file.
    pub(crate) fn evaluate_place(&self, place: Place, at: &At) -> Evaluated {
        let text = self.files.get(place.file).and_then(|file| file.text().get(place.start..place.end)).unwrap_or("");
        self.evaluate(&tokens(text, place.file, place.start), at)
    }

    pub(crate) fn named(
        &self,
        name: &str,
        place: Place,
        at: &At,
        overflows: &mut Vec<Overflow>,
    ) -> Result<Value, Unknown> {
        if let Lookup::Several(definitions) = self.unit.lookup(name, at) {
            let lines: Vec<String> = definitions
                .iter()
                .rev()
                .filter_map(|definition| {
                    let file = self.files.get(definition.place.file)?;
                    Some(format!("{}:{}", file.name(), file.position(definition.place.start).0))
                })
                .collect();
            let because = format!("`{name}` depends on conditions of the preprocessor ({})", lines.join(", "));
            return Err(Unknown::new(Cause::Ambiguous, place, because));
        }
        let constants: Vec<&Constant> = self.facts.constants.get(name).into_iter().flatten().collect();
        let (local, of_files): (Vec<&Constant>, Vec<&Constant>) =
            constants.into_iter().partition(|constant| constant.function.is_some());
        // Those of the function hide those of the file, and those of other functions are none here.
        let here = |constant: &&Constant| {
            let function = constant.function.and_then(|function| self.facts.functions.get(function));
            function.is_some_and(|function| function.place.contains(place))
        };
        let local: Vec<&Constant> = local.into_iter().filter(here).collect();
        let visible = if local.is_empty() { of_files } else { local };
        if !visible.is_empty() {
            return self.constant(name, &visible, place, at, overflows);
        }
        if let Some(guid) = self.facts.guids.get(name.strip_prefix("STATIC_").unwrap_or(name)) {
            return self.guid_of_file(name, *guid, place, at);
        }
        if let Some(guid) = known::guid(name) {
            return Ok(Value::Guid(guid));
        }
        if let Some(value) = known::constant(name) {
            return Ok(Value::Integer(Integer::of_constant(value)));
        }
        Err(Unknown::new(Cause::Undefined, place, format!("`{name}` is no constant in these files")))
    }

    fn constant(
        &self,
        name: &str,
        all: &[&Constant],
        place: Place,
        at: &At,
        overflows: &mut Vec<Overflow>,
    ) -> Result<Value, Unknown> {
        if self.active.borrow().len() >= DEEPEST || self.active.borrow().iter().any(|active| active == name) {
            return Err(match all {
                // Of several with this name it may be made of another.
                [_] if self.active.borrow().len() < DEEPEST => {
                    Unknown::new(Cause::Wrong, place, format!("`{name}` is made of itself"))
                }
                [_] => Unknown::new(Cause::NotRead, place, format!("`{name}` is made of too many others")),
                _ => Unknown::new(Cause::Ambiguous, place, format!("there are several `{name}`")),
            });
        }
        self.active.borrow_mut().push(name.to_owned());
        let values: Vec<_> = all
            .iter()
            .map(|constant| {
                let base = match constant.expression {
                    Some(expression) => {
                        let evaluated = self.evaluate_place(expression, at);
                        // They are told where the constant is used.
                        overflows
                            .extend(evaluated.overflows.into_iter().map(|overflow| Overflow { place, ..overflow }));
                        match evaluated.value? {
                            Value::Integer(integer) => integer,
                            guid @ Value::Guid(_) => return Ok(guid),
                        }
                    }
                    None => Integer::int(0),
                };
                let of = constant.of.as_ref().and_then(|of| match self.facts.named_type(self, of, at) {
                    Ok(Type::Integer(of)) => Some(of),
                    _ => None,
                });
                let of = of.unwrap_or(base.of);
                let exact = base.value + constant.more;
                let stored = Integer { value: exact, of: base.of }.cast(of);
                overflows.extend(stored.overflow.map(|exact| Overflow { place, exact, bits: of.bits }));
                Ok(Value::Integer(stored.integer))
            })
            .collect();
        self.active.borrow_mut().pop();
        let mut values = values.into_iter();
        let first = values.next().unwrap_or_else(|| Err(Unknown::new(Cause::NotRead, place, "it has no value")));
        if values.any(|other| other.as_ref().ok() != first.as_ref().ok()) {
            return Err(Unknown::new(
                Cause::Ambiguous,
                place,
                format!("`{name}` is defined more than once, with different values"),
            ));
        }
        first.map_err(|inner| Unknown::new(inner.cause, place, format!("`{name}` is not known: {}", inner.because)))
    }

    /// `DEFINE_GUID(NAME, ...)`, `const GUID NAME = { ... }` or `DEFINE_GUIDSTRUCT("...", NAME)`.
    fn guid_of_file(&self, name: &str, numbers: Place, place: Place, at: &At) -> Result<Value, Unknown> {
        let text =
            self.files.get(numbers.file).and_then(|file| file.text().get(numbers.start..numbers.end)).unwrap_or("");
        if let Ok(guid) = text.trim().trim_matches('"').parse() {
            return Ok(Value::Guid(guid));
        }
        let unknown =
            || Unknown::new(Cause::NotRead, place, format!("the numbers of the GUID `{name}` are not understood"));
        let all = expand(self.unit, &tokens(text, numbers.file, numbers.start), at)?;
        let mut words = Vec::new();
        for part in all.split(|token| token.is(",") || token.is("{") || token.is("}")).filter(|part| !part.is_empty()) {
            match self.evaluate_expanded(part, at).value? {
                Value::Integer(integer) => words.push(integer.value),
                guid @ Value::Guid(_) => return Ok(guid),
            }
        }
        guid_of_words(&words).map(Value::Guid).ok_or_else(unknown)
    }
}

/// The GUID of eleven numbers.
pub(crate) fn guid_of_words(words: &[i128]) -> Option<Guid> {
    let [data1, data2, data3, rest @ ..] = words else { return None };
    let mut data4 = [0; 8];
    for (byte, word) in data4.iter_mut().zip(rest) {
        *byte = u8::try_from(*word).ok()?;
    }
    (rest.len() == 8).then_some(())?;
    Some(Guid {
        data1: u32::try_from(*data1).ok()?,
        data2: u16::try_from(*data2).ok()?,
        data3: u16::try_from(*data3).ok()?,
        data4,
    })
}
