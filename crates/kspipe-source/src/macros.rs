//! Macros replaced by what they stand for, as the C standard does it: a name is not replaced in what came from itself.

use crate::lexer::{Token, TokenKind};
use crate::preprocess::{At, Definition, Lookup, Unit};
use crate::text::Place;
use crate::unknown::{Cause, Unknown};
use std::borrow::Cow;
use std::rc::Rc;

/// More tokens than any initialiser of a driver has: a macro that doubles itself ends here.
const LARGEST_EXPANSION: usize = 100_000;
/// Arguments in arguments in arguments.
const DEEPEST_ARGUMENT: usize = 24;

/// What `...` is called in a macro's body.
pub(crate) const VARIADIC: &str = "__VA_ARGS__";

/// The macros a token came from.
type Origin = Option<Rc<From>>;

struct From {
    name: String,
    outer: Origin,
}

fn came_from(origin: &Origin, name: &str) -> bool {
    let mut at = origin.as_ref();
    while let Some(from) = at {
        if from.name == name {
            return true;
        }
        at = from.outer.as_ref();
    }
    false
}

/// The tokens with every macro of the files replaced. What came from a macro has the place of its use; an argument
/// keeps its own.
pub(crate) fn expand<'s>(unit: &Unit<'s>, tokens: &[Token<'s>], at: &At) -> Result<Vec<Token<'s>>, Unknown> {
    let mut expansion = Expansion { unit, at, made: 0 };
    let work = tokens.iter().rev().map(|token| (token.clone(), None)).collect();
    let done = expansion.run(work, 0)?;
    Ok(done.into_iter().map(|(token, _)| token).collect())
}

type Work<'s> = Vec<(Token<'s>, Origin)>;

struct Expansion<'u, 's> {
    unit: &'u Unit<'s>,
    at: &'u At,
    made: usize,
}

impl<'s> Expansion<'_, 's> {
    /// `work` has the next token last.
    fn run(&mut self, mut work: Work<'s>, depth: usize) -> Result<Work<'s>, Unknown> {
        let mut done = Vec::new();
        while let Some((token, origin)) = work.pop() {
            let name = token.identifier().filter(|name| !came_from(&origin, name));
            let definition = name.map(|name| self.unit.lookup(name, self.at));
            let Some(Lookup::One(definition)) = definition else {
                done.push((token, origin));
                continue;
            };
            let (name, place) = (token.text.to_string(), token.place);
            let (body, outer) = match &definition.parameters {
                None => (self.body(definition, &[], place), origin),
                Some(_) if !work.last().is_some_and(|(next, _)| next.is("(")) => {
                    done.push((token, origin));
                    continue;
                }
                Some(parameters) => {
                    // What stands for `...` has its commas in it.
                    let variadic = parameters.iter().position(|parameter| parameter == VARIADIC).unwrap_or(usize::MAX);
                    let (arguments, end) = arguments(&mut work, variadic).ok_or_else(|| {
                        Unknown::new(Cause::NotRead, place, format!("the arguments of the macro `{name}` do not end"))
                    })?;
                    let mut expanded = Vec::new();
                    for raw in arguments {
                        if depth >= DEEPEST_ARGUMENT {
                            return Err(Unknown::new(Cause::NotRead, place, "macros are nested too deeply"));
                        }
                        let full = self.run(raw.iter().rev().cloned().collect(), depth + 1)?;
                        expanded.push(Argument { raw, full });
                    }
                    (self.body(definition, &expanded, place.to(end)), origin)
                }
            };
            self.made += body.len();
            if self.made > LARGEST_EXPANSION {
                return Err(Unknown::new(Cause::NotRead, place, format!("the macro `{name}` grows without end")));
            }
            let origin = Some(Rc::new(From { name, outer }));
            work.extend(body.into_iter().rev().map(|(token, inner)| (token, inner.or_else(|| origin.clone()))));
        }
        Ok(done)
    }

    /// The body with the arguments in it.
    fn body(&self, definition: &Definition<'s>, arguments: &[Argument<'s>], place: Place) -> Work<'s> {
        let body = definition.body.as_deref().unwrap_or(&[]);
        let argument = |token: &Token<'_>| {
            let parameters = definition.parameters.as_ref()?;
            let index = parameters.iter().position(|parameter| token.identifier() == Some(parameter))?;
            Some(arguments.get(index))
        };
        let mut made: Work<'s> = Vec::new();
        let mut paste = false;
        let mut index = 0;
        while let Some(token) = body.get(index) {
            index += 1;
            if token.is("##") {
                paste = true;
                continue;
            }
            let pastes_next = body.get(index).is_some_and(|next| next.is("##"));
            let new: Work<'s> = if let Some(found) = argument(token) {
                match found {
                    Some(argument) if paste || pastes_next => argument.raw.clone(),
                    Some(argument) => argument.full.clone(),
                    None => Vec::new(),
                }
            } else if let Some(found) = body.get(index).filter(|_| token.is("#")).and_then(argument) {
                index += 1;
                let words =
                    found.map(|argument| argument.raw.iter().map(|(token, _)| token.text.as_ref()).collect::<Vec<_>>());
                let text = format!("\"{}\"", words.unwrap_or_default().join(" "));
                vec![(Token { kind: TokenKind::Text, text: Cow::Owned(text), place, starts_line: false }, None)]
            } else {
                vec![(Token { place, starts_line: false, ..token.clone() }, None)]
            };
            // `, ## __VA_ARGS__` pastes nothing: the comma goes where there are no arguments.
            if paste && token.text == VARIADIC && made.last().is_some_and(|(left, _)| left.is(",")) {
                paste = false;
                if new.is_empty() {
                    made.pop();
                }
            }
            let mut new = new.into_iter();
            if std::mem::take(&mut paste)
                && let Some((left, _)) = made.last_mut()
                && let Some((right, _)) = new.next()
            {
                left.text = Cow::Owned(format!("{}{}", left.text, right.text));
                left.place = place;
            }
            made.extend(new);
        }
        made
    }
}

struct Argument<'s> {
    raw: Work<'s>,
    full: Work<'s>,
}

/// Takes `( a , b )` off the work: the arguments, and where they end. The one at `variadic` takes all that is left.
fn arguments<'s>(work: &mut Work<'s>, variadic: usize) -> Option<(Vec<Work<'s>>, Place)> {
    work.pop()?;
    let mut arguments = vec![Vec::new()];
    let mut depth = 0usize;
    loop {
        let (token, origin) = work.pop()?;
        if depth == 0 && token.is(")") {
            if arguments.len() == 1 && arguments[0].is_empty() {
                arguments.clear();
            }
            return Some((arguments, token.place));
        }
        if depth == 0 && token.is(",") && arguments.len() <= variadic {
            arguments.push(Vec::new());
            continue;
        }
        // A comma between braces parts arguments too.
        match token.text.as_ref() {
            "(" if token.is("(") => depth += 1,
            ")" if token.is(")") => depth -= 1,
            _ => {}
        }
        arguments.last_mut()?.push((token, origin));
    }
}
