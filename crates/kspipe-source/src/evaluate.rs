//! Constant expressions: C's grammar over tokens whose macros are replaced, C's integers, and why a value is not known.

use crate::facts::Facts;
use crate::integer::{Computed, Integer, IntegerType};
use crate::known;
use crate::lexer::{Token, TokenKind, tokens};
use crate::macros::expand;
use crate::preprocess::{At, Lookup, Unit};
use crate::text::{Place, SourceFile};
use crate::types::Type;
use ks::Guid;
use std::cell::{Cell, RefCell};
use std::fmt;

/// Why a value is not known from the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The name or expression that is to blame.
    pub place: Place,
    /// What is not known of it, as a clause: "`FRAMES` is no constant in these files".
    pub because: String,
}

impl Unknown {
    pub(crate) fn new(place: Place, because: impl Into<String>) -> Self {
        Self { place, because: because.into() }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.because)
    }
}

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

/// Parentheses in parentheses, and constants made of constants.
const DEEPEST: usize = 100;
/// The work one source may cost: every look at a token of an expression counts.
const LARGEST_WORK: usize = 20_000_000;

/// Reads constant expressions of one source.
pub(crate) struct Evaluator<'u, 's> {
    pub(crate) unit: &'u Unit<'s>,
    pub(crate) files: &'s [SourceFile],
    pub(crate) facts: &'u Facts,
    pub(crate) pointer_bytes: u64,
    /// Constants that are being evaluated: one that is made of itself has no value.
    active: RefCell<Vec<String>>,
    work: Cell<usize>,
}

impl<'u, 's> Evaluator<'u, 's> {
    pub(crate) fn new(unit: &'u Unit<'s>, files: &'s [SourceFile], facts: &'u Facts, pointer_bytes: u64) -> Self {
        Self { unit, files, facts, pointer_bytes, active: RefCell::default(), work: Cell::new(0) }
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
        let mut parser = Parser { evaluator: self, tokens, position: 0, at, depth: 0, overflows: Vec::new() };
        let mut value = parser.conditional();
        if let Some(rest) = tokens.get(parser.position)
            && value.is_ok()
        {
            value = Err(Unknown::new(rest.place, format!("`{}` is not understood here", rest.text)));
        }
        Evaluated { value, overflows: parser.overflows }
    }

    /// The value of an expression that stands at a place of a file.
    pub(crate) fn evaluate_place(&self, place: Place, at: &At) -> Evaluated {
        let text = self.files.get(place.file).and_then(|file| file.text().get(place.start..place.end)).unwrap_or("");
        self.evaluate(&tokens(text, place.file, place.start), at)
    }

    fn named(&self, name: &str, place: Place, at: &At) -> Result<Value, Unknown> {
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
            return Err(Unknown::new(place, because));
        }
        if let Some(constants) = self.facts.constants.get(name) {
            return self.constant(name, constants, place, at);
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
        Err(Unknown::new(place, format!("`{name}` is no constant in these files")))
    }

    fn constant(&self, name: &str, all: &[crate::facts::Constant], place: Place, at: &At) -> Result<Value, Unknown> {
        if self.active.borrow().len() >= DEEPEST || self.active.borrow().iter().any(|active| active == name) {
            return Err(Unknown::new(place, format!("`{name}` is made of itself")));
        }
        self.active.borrow_mut().push(name.to_owned());
        let values: Vec<_> = all
            .iter()
            .map(|constant| {
                let base = match constant.expression {
                    Some(expression) => match self.evaluate_place(expression, at).value? {
                        Value::Integer(integer) => integer,
                        guid @ Value::Guid(_) => return Ok(guid),
                    },
                    None => Integer::int(0),
                };
                let of = constant.of.as_ref().and_then(|of| match self.facts.named_type(self, of, at) {
                    Ok(Type::Integer(of)) => Some(of),
                    _ => None,
                });
                Ok(Value::Integer(Integer::new(base.value + constant.more, of.unwrap_or(base.of))))
            })
            .collect();
        self.active.borrow_mut().pop();
        let mut values = values.into_iter();
        let first = values.next().unwrap_or_else(|| Err(Unknown::new(place, "it has no value")));
        if values.any(|other| other.as_ref().ok() != first.as_ref().ok()) {
            return Err(Unknown::new(place, format!("`{name}` is defined more than once, with different values")));
        }
        first.map_err(|inner| Unknown::new(place, format!("`{name}` is not known: {}", inner.because)))
    }

    /// `DEFINE_GUID(NAME, ...)`, `const GUID NAME = { ... }` or `DEFINE_GUIDSTRUCT("...", NAME)`.
    fn guid_of_file(&self, name: &str, numbers: Place, place: Place, at: &At) -> Result<Value, Unknown> {
        let text =
            self.files.get(numbers.file).and_then(|file| file.text().get(numbers.start..numbers.end)).unwrap_or("");
        if let Ok(guid) = text.trim().trim_matches('"').parse() {
            return Ok(Value::Guid(guid));
        }
        let unknown = || Unknown::new(place, format!("the numbers of the GUID `{name}` are not understood"));
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

struct Parser<'e, 'u, 's> {
    evaluator: &'e Evaluator<'u, 's>,
    tokens: &'e [Token<'s>],
    position: usize,
    at: &'e At,
    depth: usize,
    overflows: Vec<Overflow>,
}

/// Binary operators, each level binding tighter than the one before.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<", ">", "<=", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl<'s> Parser<'_, '_, 's> {
    fn peek(&self) -> Option<&Token<'s>> {
        self.tokens.get(self.position)
    }

    fn next_is(&self, punctuator: &str) -> bool {
        self.peek().is_some_and(|token| token.is(punctuator))
    }

    fn take(&mut self, punctuator: &str) -> bool {
        let is = self.next_is(punctuator);
        self.position += usize::from(is);
        is
    }

    /// Here, or the last token.
    fn place(&self) -> Place {
        let token = self.peek().or(self.tokens.last());
        token.map_or(Place { file: 0, start: 0, end: 0 }, |token| token.place)
    }

    fn expect(&mut self, punctuator: &str) -> Result<(), Unknown> {
        if self.take(punctuator) { Ok(()) } else { Err(self.not_understood()) }
    }

    fn not_understood(&self) -> Unknown {
        match self.peek() {
            Some(token) => Unknown::new(token.place, format!("`{}` is not understood here", token.text)),
            None => Unknown::new(self.place(), "the expression is cut off"),
        }
    }

    fn conditional(&mut self) -> Result<Value, Unknown> {
        let work = self.evaluator.work.get();
        if self.depth >= DEEPEST || work > LARGEST_WORK {
            self.position = self.tokens.len();
            return Err(Unknown::new(self.place(), "the expression is nested too deeply"));
        }
        self.evaluator.work.set(work + 1 + self.tokens.len() - self.position.min(self.tokens.len()));
        self.depth += 1;
        let condition = self.binary(0);
        let value = if self.take("?") { self.arms(condition) } else { condition };
        self.depth -= 1;
        value
    }

    /// `a : b` behind a condition. What the arm that is not taken overflows does not count.
    fn arms(&mut self, condition: Result<Value, Unknown>) -> Result<Value, Unknown> {
        let before = self.overflows.len();
        let yes = self.conditional();
        let of_yes = self.overflows.split_off(before.min(self.overflows.len()));
        self.expect(":")?;
        let no = self.conditional();
        match condition? {
            Value::Integer(condition) if condition.is_true() => {
                self.overflows.truncate(before);
                self.overflows.extend(of_yes);
                yes
            }
            Value::Integer(_) => no,
            Value::Guid(_) => Err(Unknown::new(self.place(), "a GUID is no condition")),
        }
    }

    fn binary(&mut self, level: usize) -> Result<Value, Unknown> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let start = self.place();
        let mut left = self.binary(level + 1);
        while let Some(operator) =
            self.peek().filter(|token| token.kind == TokenKind::Punctuator).map(|token| token.text.to_string())
            && operators.contains(&operator.as_str())
        {
            let place = self.place();
            self.position += 1;
            let before = self.overflows.len();
            let right = self.binary(level + 1);
            let end = self.tokens.get(self.position - 1).map_or(place, |token| token.place);
            // What C does not evaluate need not be known.
            left = match (operator.as_str(), &left) {
                ("||", Ok(Value::Integer(known))) if known.is_true() => {
                    self.overflows.truncate(before);
                    Ok(Value::Integer(Integer::truth(true)))
                }
                ("&&", Ok(Value::Integer(known))) if !known.is_true() => {
                    self.overflows.truncate(before);
                    Ok(Value::Integer(Integer::truth(false)))
                }
                _ => left.and_then(|left| {
                    let (left, right) = (integer(left, start)?, integer(right?, place)?);
                    match operator.as_str() {
                        "&&" => Ok(Value::Integer(Integer::truth(left.is_true() && right.is_true()))),
                        "||" => Ok(Value::Integer(Integer::truth(left.is_true() || right.is_true()))),
                        _ => {
                            let computed = left.binary(&operator, right);
                            let computed = computed.map_err(|why| Unknown::new(place, why))?;
                            Ok(Value::Integer(self.computed(computed, start.to(end))))
                        }
                    }
                }),
            };
        }
        left
    }

    fn computed(&mut self, computed: Computed, place: Place) -> Integer {
        if let Some(exact) = computed.overflow {
            self.overflows.push(Overflow { place, exact, bits: computed.integer.of.bits });
        }
        computed.integer
    }

    fn unary(&mut self) -> Result<Value, Unknown> {
        if self.depth >= DEEPEST {
            self.position = self.tokens.len();
            return Err(Unknown::new(self.place(), "the expression is nested too deeply"));
        }
        self.depth += 1;
        let value = self.unary_inner();
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self) -> Result<Value, Unknown> {
        let Some(token) = self.peek().cloned() else { return Err(self.not_understood()) };
        let place = token.place;
        if token.kind == TokenKind::Punctuator {
            let operator = token.text.as_ref();
            if matches!(operator, "+" | "-" | "~" | "!") {
                self.position += 1;
                let operand = integer(self.unary()?, place)?;
                return Ok(Value::Integer(match operator {
                    "-" => operand.negate(),
                    "~" => operand.complement(),
                    "!" => Integer::truth(!operand.is_true()),
                    _ => operand.promote(),
                }));
            }
            if matches!(operator, "&" | "*") {
                self.position += 1;
                let _ = self.unary();
                return Err(Unknown::new(place, "an address is known only when the driver is loaded"));
            }
            if operator == "("
                && let Some(of) = self.cast()
            {
                let operand = self.unary()?;
                return self.converted(of?, operand, place);
            }
        }
        if matches!(token.identifier(), Some("sizeof" | "_countof" | "ARRAYSIZE" | "SIZEOF_ARRAY" | "alignof")) {
            self.position += 1;
            return self.size_of(&token);
        }
        let value = self.primary();
        self.postfix(value)
    }

    /// `(type)` here, where something to convert follows.
    fn cast(&mut self) -> Option<Result<Type, Unknown>> {
        let close = self.closing(self.position)?;
        let inner = &self.tokens[self.position + 1..close];
        let follows = self.tokens.get(close + 1)?;
        let operand = follows.kind != TokenKind::Punctuator || follows.is("(") || follows.is("{");
        let also_sign = ["-", "+", "~", "!"].iter().any(|sign| follows.is(sign));
        let of = self.type_name(inner);
        if !(operand || (also_sign && of.is_some())) {
            return None;
        }
        let of = match of {
            Some(of) => of,
            // A name that is a value is no type; what is neither can only be a type here.
            None => {
                let [name] = inner else { return None };
                let text = name.identifier()?;
                if follows.is("(") || self.evaluator.named(text, name.place, self.at).is_ok() {
                    return None;
                }
                Err(Unknown::new(name.place, format!("the type `{text}` is not known")))
            }
        };
        self.position = close + 1;
        Some(of)
    }

    /// The closing one of the parenthesis at `open`.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (index, token) in self.tokens.iter().enumerate().skip(open) {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
        }
        None
    }

    /// Whether these tokens name a type.
    fn type_name(&self, tokens: &[Token<'s>]) -> Option<Result<Type, Unknown>> {
        let (names, stars): (Vec<_>, Vec<_>) = tokens.iter().partition(|token| token.kind == TokenKind::Identifier);
        if stars.iter().any(|token| !(token.is("*") || token.is("::") || token.is("&"))) {
            return None;
        }
        let words: Vec<&str> = names.iter().map(|token| token.text.as_ref()).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !matches!(*word, "const" | "volatile")).collect();
        let tagged = matches!(words.first(), Some(&("struct" | "union" | "enum" | "class")));
        let words = if tagged { words.get(1..)? } else { &words };
        let place = tokens.first()?.place;
        let known = known::keyword_type(words).map(Ok).or_else(|| {
            let [only] = words else { return None };
            let facts = self.evaluator.facts;
            let known = tagged || facts.is_type(only) || known::header_type(only, 8).is_some();
            known.then(|| {
                facts.named_type(self.evaluator, only, self.at).map_err(|because| Unknown::new(place, because))
            })
        });
        let pointer = stars.iter().any(|token| token.is("*"));
        if pointer && (known.is_some() || words == ["void"]) {
            return Some(Ok(Type::Pointer));
        }
        known
    }

    fn converted(&mut self, of: Type, value: Value, place: Place) -> Result<Value, Unknown> {
        match (of, value) {
            (Type::Guid, guid @ Value::Guid(_)) => Ok(guid),
            (Type::Integer(of), Value::Integer(integer)) => {
                let end = self.tokens.get(self.position.saturating_sub(1)).map_or(place, |token| token.place);
                Ok(Value::Integer(self.computed(integer.cast(of), place.to(end))))
            }
            // `(PVOID) 0`, and `PtrToUlong` of it.
            (Type::Pointer, Value::Integer(integer)) if integer.value == 0 => Ok(value),
            _ => Err(Unknown::new(place, "this conversion gives no number")),
        }
    }

    fn size_of(&mut self, word: &Token<'s>) -> Result<Value, Unknown> {
        let name = word.text.as_ref();
        let of_size = IntegerType { bits: 8 * self.evaluator.pointer_bytes as u32, signed: false };
        let inner = if self.next_is("(") {
            let close = self.closing(self.position).ok_or_else(|| self.not_understood())?;
            let inner = &self.tokens[self.position + 1..close];
            self.position = close + 1;
            inner
        } else {
            let inner = self.tokens.get(self.position..=self.position).ok_or_else(|| self.not_understood())?;
            self.position += 1;
            inner
        };
        if name == "sizeof"
            && let Some(of) = self.type_name(inner)
        {
            let size = of?.size(self.evaluator.pointer_bytes);
            return Ok(Value::Integer(Integer::new(i128::from(size), of_size)));
        }
        let text: Vec<&str> = inner.iter().map(|token| token.text.as_ref()).collect();
        let place = inner.first().map_or(word.place, |token| token.place);
        Err(Unknown::new(place, format!("the size of `{}` is not known", text.join(" "))))
    }

    fn primary(&mut self) -> Result<Value, Unknown> {
        let Some(token) = self.peek().cloned() else { return Err(self.not_understood()) };
        self.position += 1;
        let place = token.place;
        match token.kind {
            TokenKind::Number => match Integer::parse(&token.text) {
                Some(integer) => Ok(Value::Integer(integer)),
                None => Err(Unknown::new(place, format!("`{}` is no whole number of 64 bits", token.text))),
            },
            TokenKind::Character => match Integer::parse_character(&token.text) {
                Some(integer) => Ok(Value::Integer(integer)),
                None => Err(Unknown::new(place, format!("`{}` is no character", token.text))),
            },
            TokenKind::Text => Err(Unknown::new(place, "a text is no number")),
            TokenKind::Punctuator if token.is("(") => {
                let value = self.conditional();
                self.expect(")")?;
                value
            }
            TokenKind::Punctuator if token.is("::") => self.primary(),
            TokenKind::Punctuator => {
                self.position -= 1;
                Err(self.not_understood())
            }
            TokenKind::Identifier => self.name(&token),
        }
    }

    fn name(&mut self, token: &Token<'s>) -> Result<Value, Unknown> {
        let (mut name, mut place) = (token.text.to_string(), token.place);
        while self.next_is("::")
            && let Some(next) = self.tokens.get(self.position + 1)
            && next.kind == TokenKind::Identifier
        {
            self.position += 2;
            (name, place) = (next.text.to_string(), place.to(next.place));
        }
        if matches!(name.as_str(), "static_cast" | "reinterpret_cast" | "const_cast") && self.next_is("<") {
            let close = (self.position..self.tokens.len()).find(|index| self.tokens[*index].is(">"));
            let close = close.ok_or_else(|| self.not_understood())?;
            let of = self.type_name(&self.tokens[self.position + 1..close]);
            self.position = close + 1;
            self.expect("(")?;
            let value = self.conditional();
            self.expect(")")?;
            let of = of.unwrap_or_else(|| Err(Unknown::new(place, "the type of this cast is not known")))?;
            return self.converted(of, value?, place);
        }
        if self.next_is("(") {
            return self.call(&name, place);
        }
        self.evaluator.named(&name, place, self.at)
    }

    /// What the headers have as macros that look like functions, and conversions that look like calls.
    fn call(&mut self, name: &str, place: Place) -> Result<Value, Unknown> {
        let open = self.position;
        let close = self.closing(open).ok_or_else(|| self.not_understood())?;
        if matches!(name, "STATICGUIDOF" | "DEFINE_GUIDNAMED" | "DEFINE_GUIDEX") {
            self.position = close + 1;
            let [argument] = &self.tokens[open + 1..close] else {
                return Err(Unknown::new(place, format!("the argument of `{name}` is no name")));
            };
            return self.evaluator.named(&argument.text, argument.place, self.at);
        }
        let conversion = self.type_name(std::slice::from_ref(&self.tokens[open - 1]));
        self.position = open + 1;
        let mut arguments = Vec::new();
        while !self.next_is(")") {
            arguments.push(self.conditional());
            if !self.take(",") {
                break;
            }
        }
        self.position = close + 1;
        if let Some(of) = conversion
            && let [argument] = arguments.as_slice()
        {
            return self.converted(of?, argument.clone()?, place);
        }
        let values = arguments.into_iter().map(|argument| integer(argument?, place));
        let known =
            matches!(name, "max" | "min" | "MAX" | "MIN" | "__max" | "__min" | "ROUND_TO_PAGES" | "BYTES_TO_PAGES");
        if !known {
            return Err(Unknown::new(place, format!("`{name}` is called, which is known only when the driver runs")));
        }
        let values = values.collect::<Result<Vec<_>, _>>()?;
        match (name, values.as_slice()) {
            ("max" | "MAX" | "__max", [a, b]) => Ok(Value::Integer(if a.value > b.value { *a } else { *b })),
            ("min" | "MIN" | "__min", [a, b]) => Ok(Value::Integer(if a.value < b.value { *a } else { *b })),
            ("ROUND_TO_PAGES", [a]) => Ok(Value::Integer(Integer::new((a.value + 4095) & !4095, a.of))),
            ("BYTES_TO_PAGES", [a]) => Ok(Value::Integer(Integer::new((a.value + 4095) >> 12, a.of))),
            _ => Err(Unknown::new(place, format!("`{name}` has the wrong number of arguments"))),
        }
    }

    /// Members, elements and calls of what is no constant.
    fn postfix(&mut self, value: Result<Value, Unknown>) -> Result<Value, Unknown> {
        match self.peek() {
            Some(token) if ["->", ".", "[", "++", "--"].iter().any(|operator| token.is(operator)) => {
                let place = self.tokens.get(self.position.wrapping_sub(1)).map_or(token.place, |before| before.place);
                Err(Unknown::new(place.to(token.place), "this is known only when the driver runs"))
            }
            _ => value,
        }
    }
}

fn integer(value: Value, place: Place) -> Result<Integer, Unknown> {
    match value {
        Value::Integer(integer) => Ok(integer),
        Value::Guid(_) => Err(Unknown::new(place, "a GUID stands where a number should be")),
    }
}
