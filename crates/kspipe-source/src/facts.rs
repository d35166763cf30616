//! What the files say, by name: constants, types, functions, assignments, and where they stand.

use crate::evaluate::{Evaluator, Value};
use crate::known;
use crate::preprocess::At;
use crate::text::Place;
use crate::types::{Record, Type};
use crate::unknown::{Cause, Reason};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// An enumerator, or a `const` of a number.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    /// `None`: 0.
    pub(crate) expression: Option<Place>,
    /// What is added to it: an enumerator without a value is one more than the one before.
    pub(crate) more: i128,
    /// Its type, where it is no enumerator.
    pub(crate) of: Option<String>,
    /// The function it is local to.
    pub(crate) function: Option<usize>,
}

/// A type as the source has it.
#[derive(Clone, Debug)]
pub(crate) enum TypeSource {
    Named(String),
    Enumeration,
    Pointer,
    Array(Box<TypeSource>, Option<Place>),
    Record { name: String, is_union: bool, fields: Vec<(Option<String>, TypeSource)> },
    Unknown(&'static str),
}

/// A function with a body.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The names of its parameters, which hide constants of the same names.
    pub(crate) parameters: Vec<String>,
    pub(crate) place: Place,
}

/// `left = right`, or with another operator.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) left: Place,
    pub(crate) right: Place,
    pub(crate) operator: String,
    /// The function it stands in.
    pub(crate) function: usize,
    /// The blocks it stands in, outermost first, by their place in [`Facts::blocks`].
    pub(crate) blocks: Vec<usize>,
}

/// A block of statements in a function.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// When it is entered: `case 2`, `if (x)`, or nothing.
    pub(crate) label: String,
    /// Blocks with the same one shut each other out.
    pub(crate) choice: usize,
}

/// What the syntax trees say.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) constants: HashMap<String, Vec<Constant>>,
    /// The numbers, or the text, of GUIDs the files define.
    pub(crate) guids: HashMap<String, Place>,
    pub(crate) functions: Vec<Function>,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) blocks: Vec<Block>,
    /// Namespaces and classes.
    pub(crate) scopes: Vec<(Place, String)>,
    /// What the parser could not understand.
    pub(crate) errors: Vec<Place>,
    /// Files the parser gave up on.
    pub(crate) unparsed: Vec<usize>,
    pub(crate) types: HashMap<String, TypeSource>,
    resolved: RefCell<HashMap<String, Option<Result<Type, Reason>>>>,
}

impl Facts {
    /// Whether the files define a type of this name.
    pub(crate) fn is_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// The names of the types the files define.
    pub(crate) fn type_names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The type of a name; the error says what of it is not known.
    pub(crate) fn named_type(&self, evaluator: &Evaluator<'_, '_>, name: &str, at: &At) -> Result<Type, Reason> {
        let Some(source) = self.types.get(name) else {
            let words: Vec<&str> =
                name.split_whitespace().filter(|word| !matches!(*word, "const" | "volatile")).collect();
            let known = known::keyword_type(&words);
            let known =
                known.or_else(|| known::header_type(words.last().copied().unwrap_or(name), evaluator.pointer_bytes));
            return known.ok_or_else(|| Reason::new(Cause::Undefined, format!("the type `{name}` is not known")));
        };
        let seen = self.resolved.borrow().get(name).cloned();
        match seen {
            Some(Some(resolved)) => return resolved,
            Some(None) => return Err(not_read(format!("the type `{name}` is made of itself"))),
            None => {}
        }
        if self.resolved.borrow().values().filter(|resolved| resolved.is_none()).count() > 50 {
            return Err(not_read(format!("the type `{name}` is nested too deeply")));
        }
        self.resolved.borrow_mut().insert(name.to_owned(), None);
        let resolved = self.resolve(evaluator, source, at);
        self.resolved.borrow_mut().insert(name.to_owned(), Some(resolved.clone()));
        resolved
    }

    fn resolve(&self, evaluator: &Evaluator<'_, '_>, source: &TypeSource, at: &At) -> Result<Type, Reason> {
        match source {
            TypeSource::Named(name) => self.named_type(evaluator, name, at),
            TypeSource::Enumeration => Ok(Type::Integer(crate::integer::IntegerType::INT)),
            TypeSource::Pointer => Ok(Type::Pointer),
            TypeSource::Unknown(why) => Err(not_read(*why)),
            TypeSource::Array(of, count) => {
                let of = self.resolve(evaluator, of, at)?;
                let place = count.ok_or_else(|| not_read("an array without a length has no size"))?;
                match evaluator.evaluate_place(place, at).value {
                    Ok(Value::Integer(count)) => {
                        let count =
                            u64::try_from(count.value).map_err(|_| not_read("an array has a negative length"))?;
                        Ok(Type::Array(Rc::new(of), count))
                    }
                    Ok(Value::Guid(_)) => Err(not_read("the length of an array is no number")),
                    Err(unknown) => {
                        let because = format!("the length of an array is not known: {}", unknown.because);
                        Err(Reason::new(unknown.cause, because))
                    }
                }
            }
            TypeSource::Record { name, is_union, fields } => {
                let mut members = Vec::new();
                for (field, of) in fields {
                    members.push((field.iter().cloned().collect(), self.resolve(evaluator, of, at)?));
                }
                let record = Record::layout(name, *is_union, members, evaluator.pointer_bytes);
                let record = record.ok_or_else(|| not_read(format!("the type `{name}` is too large")))?;
                Ok(Type::Record(Rc::new(record)))
            }
        }
    }
}

fn not_read(because: impl Into<String>) -> Reason {
    Reason::new(Cause::NotRead, because)
}
