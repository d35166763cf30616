//! Constant expressions: C's grammar over tokens whose macros are replaced.

use crate::evaluate::{DEEPEST, Evaluated, Evaluator, LARGEST_WORK, Overflow, Value};
use crate::integer::{Computed, Integer, IntegerType};
use crate::known;
use crate::lexer::{Token, TokenKind};
use crate::preprocess::At;
use crate::text::Place;
use crate::types::Type;
use crate::unknown::{Cause, Unknown};

/// Reads one expression.
pub(crate) struct Parser<'e, 'u, 's> {
    evaluator: &'e Evaluator<'u, 's>,
    tokens: &'e [Token<'s>],
    position: usize,
    at: &'e At,
    overflows: Vec<Overflow>,
}

/// Binary operators, each level binding tighter than the one before.
pub(crate) const LEVELS: &[&[&str]] = &[
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

impl<'e, 'u, 's> Parser<'e, 'u, 's> {
    /// The value of all the tokens, in which macros are replaced.
    pub(crate) fn evaluate(evaluator: &'e Evaluator<'u, 's>, tokens: &'e [Token<'s>], at: &'e At) -> Evaluated {
        let mut parser = Parser { evaluator, tokens, position: 0, at, overflows: Vec::new() };
        let mut value = parser.conditional();
        if parser.position < tokens.len() && value.is_ok() {
            value = Err(parser.not_understood());
        }
        Evaluated { value, overflows: parser.overflows }
    }

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

    /// The value in parentheses. What is wrong inside is told before what it leads to.
    fn closed(&mut self, value: Result<Value, Unknown>) -> Result<Value, Unknown> {
        let closed = self.expect(")");
        value.and_then(|value| closed.map(|()| value))
    }

    fn not_understood(&self) -> Unknown {
        match self.peek() {
            Some(token) => {
                Unknown::new(Cause::NotRead, token.place, format!("`{}` is not understood here", token.text))
            }
            None => Unknown::new(Cause::Wrong, self.place(), "the expression is cut off"),
        }
    }

    fn conditional(&mut self) -> Result<Value, Unknown> {
        let work = self.evaluator.work.get();
        if self.evaluator.depth.get() >= DEEPEST || work > LARGEST_WORK {
            self.position = self.tokens.len();
            return Err(Unknown::new(Cause::NotRead, self.place(), "the expression is nested too deeply"));
        }
        self.evaluator.work.set(work + 1 + self.tokens.len() - self.position.min(self.tokens.len()));
        self.evaluator.depth.update(|depth| depth + 1);
        let condition = self.binary(0);
        let value = if self.take("?") { self.arms(condition) } else { condition };
        self.evaluator.depth.update(|depth| depth - 1);
        value
    }

    /// `a : b` behind a condition. What the arm that is not taken overflows does not count.
    fn arms(&mut self, condition: Result<Value, Unknown>) -> Result<Value, Unknown> {
        let before = self.overflows.len();
        let yes = self.conditional();
        let of_yes = self.overflows.split_off(before.min(self.overflows.len()));
        if let Err(missing) = self.expect(":") {
            return yes.and(Err(missing));
        }
        let no = self.conditional();
        match condition? {
            Value::Integer(condition) if condition.is_true() => {
                self.overflows.truncate(before);
                self.overflows.extend(of_yes);
                yes
            }
            Value::Integer(_) => no,
            Value::Guid(_) => Err(Unknown::new(Cause::Wrong, self.place(), "a GUID is no condition")),
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
                            let computed = computed.map_err(|why| Unknown::new(Cause::Wrong, place, why))?;
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
        if self.evaluator.depth.get() >= DEEPEST {
            self.position = self.tokens.len();
            return Err(Unknown::new(Cause::NotRead, self.place(), "the expression is nested too deeply"));
        }
        self.evaluator.depth.update(|depth| depth + 1);
        let value = self.unary_inner();
        self.evaluator.depth.update(|depth| depth - 1);
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
                return Err(Unknown::new(
                    Cause::AtRunTime,
                    place,
                    "an address is known only when the driver is loaded",
                ));
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
                if follows.is("(") || self.evaluator.named(text, name.place, self.at, &mut Vec::new()).is_ok() {
                    return None;
                }
                Err(Unknown::new(Cause::Undefined, name.place, format!("the type `{text}` is not known")))
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
            known.then(|| facts.named_type(self.evaluator, only, self.at).map_err(|reason| reason.at(place)))
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
            _ => Err(Unknown::new(Cause::NotRead, place, "this conversion gives no number")),
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
        Err(Unknown::new(Cause::NotRead, place, format!("the size of `{}` is not known", text.join(" "))))
    }

    fn primary(&mut self) -> Result<Value, Unknown> {
        let Some(token) = self.peek().cloned() else { return Err(self.not_understood()) };
        self.position += 1;
        let place = token.place;
        match token.kind {
            TokenKind::Number => match Integer::parse(&token.text) {
                Some(integer) => Ok(Value::Integer(integer)),
                None => Err(no_number(&token)),
            },
            TokenKind::Character => match Integer::parse_character(&token.text) {
                Some(integer) => Ok(Value::Integer(integer)),
                None => Err(Unknown::new(Cause::NotRead, place, format!("`{}` is no character", token.text))),
            },
            TokenKind::Text => Err(Unknown::new(Cause::Wrong, place, "a text is no number")),
            TokenKind::Punctuator if token.is("(") => {
                let value = self.conditional();
                self.closed(value)
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
            let value = self.closed(value);
            let of =
                of.unwrap_or_else(|| Err(Unknown::new(Cause::Undefined, place, "the type of this cast is not known")))?;
            return self.converted(of, value?, place);
        }
        if self.next_is("(") {
            return self.call(&name, place);
        }
        self.evaluator.named(&name, place, self.at, &mut self.overflows)
    }

    /// What the headers have as macros that look like functions, and conversions that look like calls.
    fn call(&mut self, name: &str, place: Place) -> Result<Value, Unknown> {
        let open = self.position;
        let close = self.closing(open).ok_or_else(|| self.not_understood())?;
        if matches!(name, "STATICGUIDOF" | "DEFINE_GUIDNAMED" | "DEFINE_GUIDEX") {
            self.position = close + 1;
            let [argument] = &self.tokens[open + 1..close] else {
                return Err(Unknown::new(Cause::NotRead, place, format!("the argument of `{name}` is no name")));
            };
            return self.evaluator.named(&argument.text, argument.place, self.at, &mut self.overflows);
        }
        if matches!(name, "FIELD_OFFSET" | "offsetof" | "__builtin_offsetof" | "RTL_FIELD_SIZE") {
            let inner = &self.tokens[open + 1..close];
            self.position = close + 1;
            return self.member_of(name == "RTL_FIELD_SIZE", inner, place);
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
            let is_of_files = self.evaluator.facts.functions.iter().any(|function| function.name == name);
            return Err(if is_of_files {
                let because = format!("`{name}` is called, which is known only when the driver runs");
                Unknown::new(Cause::AtRunTime, place, because)
            } else {
                Unknown::new(Cause::Undefined, place, format!("`{name}` is no macro in these files"))
            });
        }
        let values = values.collect::<Result<Vec<_>, _>>()?;
        match (name, values.as_slice()) {
            ("max" | "MAX" | "__max", [a, b]) => Ok(Value::Integer(if a.value > b.value { *a } else { *b })),
            ("min" | "MIN" | "__min", [a, b]) => Ok(Value::Integer(if a.value < b.value { *a } else { *b })),
            ("ROUND_TO_PAGES", [a]) => Ok(Value::Integer(Integer::new((a.value + 4095) & !4095, a.of))),
            ("BYTES_TO_PAGES", [a]) => Ok(Value::Integer(Integer::new((a.value + 4095) >> 12, a.of))),
            _ => Err(Unknown::new(Cause::NotRead, place, format!("`{name}` has the wrong number of arguments"))),
        }
    }

    /// `FIELD_OFFSET(type, member.member)`, or the member's size.
    fn member_of(&mut self, is_size: bool, inner: &[Token<'s>], place: Place) -> Result<Value, Unknown> {
        let not_read = || Unknown::new(Cause::NotRead, place, "this member is not understood");
        let comma = inner.iter().position(|token| token.is(",")).ok_or_else(not_read)?;
        let (of, path) = (&inner[..comma], &inner[comma + 1..]);
        let type_place = of.first().map_or(place, |token| token.place);
        let unknown = || Unknown::new(Cause::Undefined, type_place, "the type of this member is not known");
        let (mut of, mut offset) = (self.type_name(of).ok_or_else(unknown)??, 0u64);
        for part in path.split(|token| token.is(".")) {
            let [name] = part else { return Err(not_read()) };
            let Type::Record(record) = &of else { return Err(not_read()) };
            let (at, member) = record.member(name.identifier().ok_or_else(not_read)?).ok_or_else(not_read)?;
            (of, offset) = (member, offset.saturating_add(at));
        }
        let pointer_bytes = self.evaluator.pointer_bytes;
        let (value, of) = if is_size {
            (of.size(pointer_bytes), IntegerType { bits: 8 * pointer_bytes as u32, signed: false })
        } else {
            // FIELD_OFFSET is a LONG in the headers.
            (offset, IntegerType::INT)
        };
        Ok(Value::Integer(Integer::new(i128::from(value), of)))
    }

    /// Members, elements and calls of what is no constant.
    fn postfix(&mut self, value: Result<Value, Unknown>) -> Result<Value, Unknown> {
        match self.peek() {
            Some(token) if ["->", ".", "[", "++", "--"].iter().any(|operator| token.is(operator)) => {
                let place = self.tokens.get(self.position.wrapping_sub(1)).map_or(token.place, |before| before.place);
                Err(Unknown::new(Cause::AtRunTime, place.to(token.place), "this is known only when the driver runs"))
            }
            _ => value,
        }
    }
}

fn integer(value: Value, place: Place) -> Result<Integer, Unknown> {
    match value {
        Value::Integer(integer) => Ok(integer),
        Value::Guid(_) => Err(Unknown::new(Cause::Wrong, place, "a GUID stands where a number should be")),
    }
}

/// Why a number that C has, or does not have, is none here.
fn no_number(token: &Token<'_>) -> Unknown {
    let text = token.text.to_ascii_lowercase();
    let is_hexadecimal = text.starts_with("0x");
    let is_fraction = text.contains('.') || text.contains(if is_hexadecimal { 'p' } else { 'e' });
    let digits = text.trim_end_matches(['u', 'l']);
    if is_fraction {
        Unknown::new(Cause::NotRead, token.place, format!("`{}` is no whole number", token.text))
    } else if digits.trim_start_matches("0x").chars().all(|digit| digit.is_ascii_hexdigit() || digit == '\'') {
        Unknown::new(Cause::Wrong, token.place, format!("`{}` is no number of 64 bits", token.text))
    } else {
        Unknown::new(Cause::NotRead, token.place, format!("`{}` is not understood as a number", token.text))
    }
}
