//! Finds the declarations of framings in a unit's tokens. The syntax tree alone would not do: a macro can hold a whole
//! declaration, and a grammar that does not replace macros sees a call in its place.

use crate::evaluate::{Evaluator, Overflow};
use crate::extent::{declaration_length, invocation_length, parenthesised_length, split, value_length};
use crate::framing::{Form, Structure};
use crate::initializer::{Filled, fill, parse};
use crate::lexer::{Token, TokenKind};
use crate::macros::expand;
use crate::preprocess::{At, Lookup};
use crate::slots::Slots;
use crate::text::Place;
use crate::types::{Type, framing_type};
use crate::unknown::{Cause, Unknown};
use std::collections::{HashMap, HashSet};

/// The macro of ks.h.
const SIMPLE: &str = "DECLARE_SIMPLE_FRAMING_EX";

/// A variable whose type is a framing, or has framings in it.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) name_place: Place,
    pub(crate) place: Place,
    pub(crate) of: Type,
    pub(crate) form: Form,
    pub(crate) variant: Option<String>,
    pub(crate) slots: Slots,
    pub(crate) is_static: bool,
}

/// A variable, parameter or member that is a framing, or points to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) structure: Structure,
    pub(crate) is_pointer: bool,
}

/// What a unit declares.
#[derive(Default)]
pub(crate) struct Declarations {
    pub(crate) found: Vec<Found>,
    pub(crate) variables: HashMap<String, Variable>,
    pub(crate) overflows: Vec<Overflow>,
    /// What of a declaration could not be read.
    pub(crate) problems: Vec<Unknown>,
    /// Tokens of declarations, by their places: the rest are uses.
    pub(crate) conditional: Vec<Place>,
}

/// Finds them.
pub(crate) fn find<'s>(evaluator: &Evaluator<'_, 's>) -> Declarations {
    let types = framing_types(evaluator);
    let macros = framing_macros(evaluator, &types);
    let mut finder = Finder { evaluator, types, macros, declarations: Declarations::default() };
    finder.unit();
    finder.declarations
}

/// The names of types that are framings or have some in them.
fn framing_types(evaluator: &Evaluator<'_, '_>) -> HashMap<String, Type> {
    let mut types = HashMap::new();
    for name in ["KSALLOCATOR_FRAMING", "KSALLOCATOR_FRAMING_EX"] {
        if let Some(of) = framing_type(name) {
            types.insert(name.to_owned(), of.clone());
            types.insert(format!("_{name}"), of);
        }
    }
    let at = evaluator.unit.at(0);
    for name in evaluator.facts.type_names() {
        if let Ok(of) = evaluator.facts.named_type(evaluator, name, &at)
            && has_framing(&of, 0)
        {
            types.entry(name.to_owned()).or_insert(of);
        }
    }
    types
}

pub(crate) fn has_framing(of: &Type, depth: usize) -> bool {
    match of {
        _ if depth > 32 => false,
        Type::Record(record) => {
            structure_of(&record.name).is_some() || record.fields.iter().any(|field| has_framing(&field.of, depth + 1))
        }
        Type::Array(of, _) => has_framing(of, depth + 1),
        _ => false,
    }
}

pub(crate) fn structure_of(name: &str) -> Option<Structure> {
    match name.trim_start_matches('_') {
        "KSALLOCATOR_FRAMING" => Some(Structure::Old),
        "KSALLOCATOR_FRAMING_EX" => Some(Structure::Extended),
        _ => None,
    }
}

/// The macros in whose bodies a framing is declared.
fn framing_macros(evaluator: &Evaluator<'_, '_>, types: &HashMap<String, Type>) -> HashSet<String> {
    let mut macros: HashSet<String> = HashSet::new();
    // Each round finds macros of macros; more than a few is nobody's.
    for _ in 0..8 {
        let before = macros.len();
        for (name, definitions) in evaluator.unit.definitions() {
            let bodies = definitions.iter().filter_map(|definition| definition.body.as_ref());
            let declares = bodies
                .flatten()
                .filter_map(Token::identifier)
                .any(|word| word == SIMPLE || types.contains_key(word) || (macros.contains(word) && word != name));
            if declares {
                macros.insert(name.to_owned());
            }
        }
        if macros.len() == before {
            break;
        }
    }
    macros
}

/// More elements than any driver's array has.
const LARGEST_ARRAY: u64 = 4096;

struct Finder<'f, 'u, 's> {
    evaluator: &'f Evaluator<'u, 's>,
    types: HashMap<String, Type>,
    macros: HashSet<String>,
    declarations: Declarations,
}

impl<'s> Finder<'_, '_, 's> {
    fn unit(&mut self) {
        let unit = self.evaluator.unit;
        let tokens = &unit.tokens;
        let mut next = 0;
        while let Some(token) = tokens.get(next) {
            let start = next;
            next += 1;
            let Some(word) = token.identifier() else { continue };
            let interesting = word == SIMPLE
                || self.types.contains_key(word)
                || self.macros.contains(word)
                || self.is_given_a_macro(start);
            if !interesting {
                if let Some((structure, is_pointer)) = pointer_type(word) {
                    self.variable(&tokens[start..], structure, is_pointer);
                }
                continue;
            }
            let is_type =
                self.types.contains_key(word) && matches!(unit.lookup(word, &unit.at(start)), Lookup::NoMacro);
            let end = start
                + if is_type { declaration_length(&tokens[start..]) } else { invocation_length(&tokens[start..]) };
            let is_static = (start.saturating_sub(4)..start)
                .rev()
                .map_while(|before| tokens[before].identifier())
                .any(|word| word == "static");
            let ways = unit.variants(start..end);
            let before = self.declarations.found.len();
            for (way, indices) in ways.iter().enumerate() {
                let chosen: Vec<Token<'s>> = indices.iter().filter_map(|index| tokens.get(*index).cloned()).collect();
                let variant = (ways.len() > 1).then(|| format!("#if, way {} of {}", way + 1, ways.len()));
                self.declaration(&chosen, &unit.at(start), variant.as_deref(), is_static, 0);
            }
            if ways.len() > 1 && self.declarations.found.len() > before {
                self.declarations.conditional.push(token.place);
            }
            if self.declarations.found.len() > before {
                next = end.max(next);
            }
        }
    }

    /// Whether a macro is used here that is given one which declares framings: `APPLY(DECLARE_SIMPLE_FRAMING_EX, ...)`.
    fn is_given_a_macro(&self, start: usize) -> bool {
        let unit = self.evaluator.unit;
        let tokens = &unit.tokens[start..];
        let [Token { text, .. }, open, given, end, ..] = tokens else { return false };
        open.is("(")
            && (end.is(",") || end.is(")"))
            && given.identifier().is_some_and(|word| word == SIMPLE || self.macros.contains(word))
            && matches!(unit.lookup(text, &unit.at(start)), Lookup::One(definition) if definition.parameters.is_some())
    }

    /// `PKSALLOCATOR_FRAMING name`, `KSALLOCATOR_FRAMING_EX *name`, and so on.
    fn variable(&mut self, tokens: &[Token<'s>], structure: Structure, is_pointer: bool) {
        let mut is_pointer = is_pointer;
        for token in tokens.iter().skip(1).take(4) {
            match token.identifier() {
                Some("const" | "volatile" | "CONST") => {}
                Some(name) => {
                    self.declarations.variables.insert(name.to_owned(), Variable { structure, is_pointer });
                    return;
                }
                None if token.is("*") || token.is("&") => is_pointer = true,
                None => return,
            }
        }
    }

    /// One declaration, from the word that makes it interesting on.
    fn declaration(&mut self, tokens: &[Token<'s>], at: &At, variant: Option<&str>, is_static: bool, depth: usize) {
        let Some(first) = tokens.first() else { return };
        let Some(word) = first.identifier() else { return };
        if !matches!(self.evaluator.unit.lookup(word, at), Lookup::NoMacro) && depth == 0 {
            return self.expanded(tokens, at, variant, is_static);
        }
        if word == SIMPLE {
            return self.simple(tokens, at, variant, is_static);
        }
        let Some(of) = self.types.get(word).cloned() else { return };
        if let Type::Record(record) = &of
            && let Some(structure) = structure_of(&record.name)
        {
            self.variable(tokens, structure, false);
        }
        self.declarators(&of, tokens, at, variant, is_static);
    }

    /// A macro's use: what it stands for may declare one framing or several.
    fn expanded(&mut self, tokens: &[Token<'s>], at: &At, variant: Option<&str>, is_static: bool) {
        let Ok(expanded) = expand(self.evaluator.unit, tokens, at) else { return };
        let whole = tokens.first().zip(tokens.last()).map(|(first, last)| first.place.to(last.place));
        let before = self.declarations.found.len();
        for start in 0..expanded.len() {
            let word = expanded[start].identifier();
            if word.is_some_and(|word| word == SIMPLE || self.types.contains_key(word)) {
                let is_static = is_static
                    || start > 0 && expanded[..start].iter().rev().take(3).any(|token| token.text == "static");
                self.declaration(&expanded[start..], at, variant, is_static, 1);
            }
        }
        for found in &mut self.declarations.found[before..] {
            found.place = whole.unwrap_or(found.place);
        }
    }

    fn simple(&mut self, tokens: &[Token<'s>], at: &At, variant: Option<&str>, is_static: bool) {
        let place = tokens[0].place;
        let length = invocation_length(tokens);
        let closed = tokens.get(length.saturating_sub(1)).is_some_and(|token| token.is(")"));
        if length < 3 || !closed {
            if tokens.get(1).is_some_and(|token| token.is("(")) {
                self.declarations.problems.push(Unknown::new(
                    Cause::NotRead,
                    place,
                    format!("the arguments of `{SIMPLE}` do not end"),
                ));
            }
            return;
        }
        let arguments = split(&tokens[2..length - 1]);
        let [name, memory, flags, frames, alignment, min, max] = arguments.as_slice() else {
            let because = format!("`{SIMPLE}` has 7 arguments, here are {}", arguments.len());
            return self.declarations.problems.push(Unknown::new(Cause::NotRead, place, because));
        };
        // Its name may be made by a macro; the place is that of the use.
        let made = expand(self.evaluator.unit, name, at).unwrap_or_default();
        let Some(name) = made.first().or(name.first()) else {
            return self.declarations.problems.push(Unknown::new(
                Cause::NotRead,
                place,
                format!("`{SIMPLE}` is given no name"),
            ));
        };
        let Some(of) = framing_type("KSALLOCATOR_FRAMING_EX") else { return };
        let whole = place.to(tokens[length - 1].place);
        // What the macro fills in by itself has the place of the whole.
        let number = |text: &'static str| {
            vec![Token { kind: TokenKind::Number, text: text.into(), place: whole, starts_line: false }]
        };
        let mark = |text: &'static str| Token {
            kind: TokenKind::Punctuator,
            text: text.into(),
            place: whole,
            starts_line: false,
        };
        let null =
            vec![Token { kind: TokenKind::Identifier, text: "GUID_NULL".into(), place: whole, starts_line: false }];
        let [one, nought, open] = [number("1"), number("0"), number("0xFFFFFFFF")];
        let list = |parts: &[&[Token<'s>]]| {
            let mut tokens = vec![mark("{")];
            for part in parts {
                tokens.extend(part.iter().cloned());
                tokens.push(mark(","));
            }
            tokens.push(mark("}"));
            tokens
        };
        let compression = list(&[&one, &one, &nought]);
        let physical = list(&[&nought, &open, &one]);
        let optimal = list(&[min, max, &one]);
        let weighted = list(&[&optimal, &nought, &nought]);
        // `KSMEMORY_TYPE_X` or the numbers of one: a list of its own, because numbers would shift what follows.
        let memory = list(&[memory]);
        let item = list(&[&memory, &null, &nought, &nought, flags, frames, alignment, &nought, &physical, &weighted]);
        let items = list(&[&item]);
        let all = list(&[&one, &nought, &compression, &nought, &items]);
        self.initialised(
            &of,
            &all,
            at,
            Head { name, place: whole, form: Form::SimpleMacro, variant, is_static, is_open: false },
        );
    }

    /// `name = { ... }, name[2] = { ... };` behind a type.
    fn declarators(&mut self, of: &Type, tokens: &[Token<'s>], at: &At, variant: Option<&str>, is_static: bool) {
        let mut next = 1;
        let token = |next: usize| tokens.get(next);
        // `struct NAME { ... } const name = { ... };`
        if token(next).is_some_and(|token| token.is("{")) {
            next += parenthesised_length(&tokens[next..]);
        }
        loop {
            while token(next).is_some_and(|token| {
                matches!(token.identifier(), Some("const" | "volatile" | "CONST" | "static" | "FAR"))
            }) {
                next += 1;
            }
            // `__declspec(align(8))` before the name.
            while token(next).is_some_and(|token| token.identifier().is_some())
                && token(next + 1).is_some_and(|token| token.is("("))
            {
                next += 1;
                next += parenthesised_length(&tokens[next..]);
            }
            let Some(name) = token(next).filter(|token| token.kind == TokenKind::Identifier) else { return };
            let name_start = next;
            next += 1;
            while token(next).is_some_and(|token| token.is("::"))
                && token(next + 1).is_some_and(|token| token.identifier().is_some())
            {
                next += 2;
            }
            let mut full = tokens[name_start].clone();
            full.text = tokens[name_start..next].iter().map(|token| token.text.as_ref()).collect::<String>().into();
            full.place = name.place.to(tokens[next - 1].place);
            let (mut of, mut counts) = (of.clone(), Vec::new());
            while token(next).is_some_and(|token| token.is("[")) {
                let Some(close) = tokens[next..].iter().position(|token| token.is("]")) else { return };
                counts.push(tokens[next + 1..next + close].to_vec());
                next += close + 1;
            }
            let mut is_open = false;
            for (dimension, count) in counts.iter().enumerate().rev() {
                let known = match self.evaluator.evaluate(count, at).value {
                    Ok(crate::evaluate::Value::Integer(count)) => u64::try_from(count.value).ok(),
                    _ => None,
                };
                is_open |= dimension == 0 && known.is_none();
                of = Type::Array(of.into(), known.unwrap_or(LARGEST_ARRAY).min(LARGEST_ARRAY));
            }
            next += usize::from(token(next).is_some_and(|token| token.is("=")));
            let Some(value) = tokens.get(next..).filter(|rest| !rest.is_empty()) else { return };
            if matches!(value[0].text.as_ref(), ";" | "," | ")") && value[0].kind == TokenKind::Punctuator {
                if value[0].is(",") {
                    next += 1;
                    continue;
                }
                return;
            }
            let length = value_length(value);
            let place = tokens[0].place.to(value[length.saturating_sub(1)].place);
            match expand(self.evaluator.unit, &value[..length], at) {
                Ok(expanded) if expanded.first().is_some_and(|token| token.is("{")) => {
                    let head = Head { name: &full, place, form: Form::Initializer, variant, is_static, is_open };
                    self.initialised(&of, &expanded, at, head);
                }
                Ok(_) => {}
                Err(unknown) => self.declarations.problems.push(unknown),
            }
            next += length;
            if !token(next).is_some_and(|token| token.is(",")) {
                return;
            }
            next += 1;
        }
    }

    fn initialised(&mut self, of: &Type, tokens: &[Token<'s>], at: &At, head: Head<'_, 's>) {
        let tokens = match expand(self.evaluator.unit, tokens, at) {
            Ok(tokens) => tokens,
            Err(unknown) => return self.declarations.problems.push(unknown),
        };
        let initializer = match parse(&tokens) {
            Ok((initializer, _)) => initializer,
            Err(unknown) => return self.declarations.problems.push(unknown),
        };
        let Filled { slots, overflows, problems } = fill(self.evaluator, at, of, &initializer);
        self.declarations.overflows.extend(overflows);
        self.declarations.problems.extend(problems);
        let of = match of {
            Type::Array(element, _) if head.is_open => {
                let stated = slots.end(0).div_ceil(element.size(self.evaluator.pointer_bytes).max(1));
                Type::Array(element.clone(), stated.max(1))
            }
            of => of.clone(),
        };
        self.declarations.found.push(Found {
            name: head.name.text.to_string(),
            name_place: head.name.place,
            place: head.place,
            of,
            form: head.form,
            variant: head.variant.map(str::to_owned),
            slots,
            is_static: head.is_static,
        });
    }
}

struct Head<'h, 's> {
    name: &'h Token<'s>,
    place: Place,
    form: Form,
    variant: Option<&'h str>,
    is_static: bool,
    /// It is an array whose length is the number of its values.
    is_open: bool,
}

fn pointer_type(word: &str) -> Option<(Structure, bool)> {
    let structure = structure_of(word.strip_prefix("PC").or_else(|| word.strip_prefix('P')).unwrap_or(word))?;
    Some((structure, word.starts_with('P')))
}
