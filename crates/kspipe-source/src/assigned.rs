//! Members assigned one by one: framings that a function puts together, and edits of framings that a pin has.

use crate::evaluate::{Evaluator, Overflow, Value};
use crate::extent::split;
use crate::facts::Assignment;
use crate::find::Declarations;
use crate::framing::Structure;
use crate::integer::IntegerType;
use crate::lexer::{Token, TokenKind, tokens};
use crate::preprocess::At;
use crate::slots::Slots;
use crate::text::Place;
use crate::types::{Type, framing_type};
use crate::unknown::{Cause, Unknown};
use std::collections::BTreeMap;

/// A member that is assigned.
pub(crate) struct Step {
    offset: u64,
    of: Type,
    value: Result<Value, Unknown>,
    overflows: Vec<Overflow>,
    place: Place,
    right: Place,
    blocks: Vec<usize>,
}

/// All assignments to one object in one function.
pub(crate) struct Assembly {
    pub(crate) function: usize,
    /// The object or pointer, as written.
    pub(crate) base: String,
    pub(crate) structure: Structure,
    pub(crate) steps: Vec<Step>,
    /// The base is what a pin has already, not something new.
    pub(crate) is_edit: bool,
}

/// One way through the branches of the function.
pub(crate) struct Way {
    pub(crate) slots: Slots,
    pub(crate) label: Option<String>,
    pub(crate) overflows: Vec<Overflow>,
}

/// More ways than anybody reads.
const LARGEST_NUMBER_OF_WAYS: usize = 32;

/// Collects the assignments to framings of the unit's files.
pub(crate) fn assemblies(evaluator: &Evaluator<'_, '_>, declarations: &Declarations) -> Vec<Assembly> {
    let mut all: BTreeMap<(usize, String, Structure), Assembly> = BTreeMap::new();
    for assignment in &evaluator.facts.assignments {
        if let Some((base, structure, step)) = step(evaluator, declarations, assignment) {
            let key = (assignment.function, base.clone(), structure);
            let assembly = all.entry(key).or_insert_with(|| Assembly {
                function: assignment.function,
                is_edit: is_edit(evaluator, assignment.function, &base),
                base,
                structure,
                steps: Vec::new(),
            });
            assembly.steps.push(step);
        }
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.extend(macro_calls(evaluator));
    all
}

impl Assembly {
    pub(crate) fn place(&self) -> Place {
        let first = self.steps.iter().map(|step| step.place).min();
        let last = self.steps.iter().map(|step| step.right).max();
        match (first, last) {
            (Some(first), Some(last)) => first.to(last),
            _ => Place { file: 0, start: 0, end: 0 },
        }
    }

    pub(crate) fn first_place(&self) -> Place {
        self.steps.iter().map(|step| step.place).min().unwrap_or(Place { file: 0, start: 0, end: 0 })
    }

    /// Whether so much is assigned that it is a framing, and not a correction of one.
    pub(crate) fn is_whole(&self) -> bool {
        let assigns = |offsets: &[u64]| self.steps.iter().any(|step| offsets.contains(&step.offset));
        match self.structure {
            Structure::Old => assigns(&[8]) && assigns(&[12]) && assigns(&[0, 4]),
            Structure::Extended => assigns(&[0]) && assigns(&[24, 64, 68]),
        }
    }

    /// The ways through the function: each innermost branch that assigns something, with all around it.
    pub(crate) fn ways(&self, evaluator: &Evaluator<'_, '_>, start: &Slots) -> Vec<Way> {
        let mut paths: Vec<&[usize]> = self.steps.iter().map(|step| step.blocks.as_slice()).collect();
        paths.sort_unstable();
        paths.dedup();
        let is_inner = |path: &&[usize]| !paths.iter().any(|other| other.len() > path.len() && other.starts_with(path));
        let inner: Vec<&[usize]> =
            paths.iter().copied().filter(|path| is_inner(path)).take(LARGEST_NUMBER_OF_WAYS).collect();
        let several = inner.len() > 1;
        let way = |path: &[usize]| {
            let mut slots = start.clone();
            let mut overflows = Vec::new();
            for step in &self.steps {
                let value = match met(evaluator, path, &step.blocks) {
                    Met::Always => step.value.clone(),
                    Met::Never => continue,
                    Met::Maybe => {
                        let because = "whether this is assigned is known only when the driver runs";
                        Err(Unknown::new(Cause::AtRunTime, step.right, because))
                    }
                };
                slots.clear(step.offset, step.of.size(8));
                slots.set(step.offset, step.of.size(8), value, step.right);
                overflows.extend(step.overflows.iter().cloned());
            }
            let labels = path.iter().rev().filter_map(|block| evaluator.facts.blocks.get(*block));
            let label = labels.map(|block| &block.label).find(|label| !label.is_empty()).cloned();
            Way { slots, label: label.filter(|_| several), overflows }
        };
        inner.into_iter().map(way).collect()
    }
}

/// Whether a way through a function comes to a block.
enum Met {
    Always,
    Maybe,
    Never,
}

fn met(evaluator: &Evaluator<'_, '_>, path: &[usize], blocks: &[usize]) -> Met {
    if path.starts_with(blocks) {
        return Met::Always;
    }
    let choice = |block: &usize| evaluator.facts.blocks.get(*block).map(|block| block.choice);
    let parted = path.iter().zip(blocks).find(|(ours, theirs)| ours != theirs);
    match parted {
        Some((ours, theirs)) if choice(ours) == choice(theirs) => Met::Never,
        _ => Met::Maybe,
    }
}

/// An assignment to a member of a framing: to which object, which member, what.
fn step(
    evaluator: &Evaluator<'_, '_>,
    declarations: &Declarations,
    assignment: &Assignment,
) -> Option<(String, Structure, Step)> {
    let file = evaluator.files.get(assignment.left.file)?;
    let left = tokens(
        file.text().get(assignment.left.start..assignment.left.end)?,
        assignment.left.file,
        assignment.left.start,
    );
    let at = evaluator.unit.at_place(assignment.left)?;
    let (base, structure, offset, of) = member(evaluator, declarations, &left, &at)?;
    let mut overflows = Vec::new();
    let value = if assignment.operator == "=" {
        let right = file.text().get(assignment.right.start..assignment.right.end)?;
        let right = tokens(right, assignment.right.file, assignment.right.start);
        // `a = b = 2` gives both what stands last.
        let last = right.iter().rposition(|token| token.is("=")).map_or(0, |equals| equals + 1);
        let evaluated = evaluator.evaluate(&right[last..], &at);
        overflows = evaluated.overflows;
        let value = match (evaluated.value, parameter(evaluator, assignment, &right[last..])) {
            (Err(unknown), _) if unknown.cause != Cause::Undefined => Err(unknown),
            (_, Some(unknown)) => Err(unknown),
            (value, None) => value,
        };
        value.and_then(|value| match (value, &of) {
            (Value::Integer(integer), Type::Integer(of)) => {
                let stored = integer.cast(*of);
                if let Some(exact) = stored.overflow {
                    overflows.push(Overflow { place: assignment.right, exact, bits: of.bits });
                }
                Ok(Value::Integer(stored.integer))
            }
            (guid @ Value::Guid(_), Type::Guid) => Ok(guid),
            _ => Err(Unknown::new(Cause::Wrong, assignment.right, "it is not of the member's type")),
        })
    } else {
        Err(Unknown::new(
            Cause::AtRunTime,
            assignment.right,
            format!("`{}` changes it when the driver runs", assignment.operator),
        ))
    };
    let step = Step {
        offset,
        of,
        value,
        overflows,
        place: assignment.left,
        right: assignment.right,
        blocks: assignment.blocks.clone(),
    };
    Some((base, structure, step))
}

/// The parameter of the function that an expression rests on: a constant of the same name is not meant.
fn parameter(evaluator: &Evaluator<'_, '_>, assignment: &Assignment, right: &[Token<'_>]) -> Option<Unknown> {
    let parameters = &evaluator.facts.functions.get(assignment.function)?.parameters;
    let is_member = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| right.get(before));
        before.is_some_and(|before| [".", "->", "::"].iter().any(|operator| before.is(operator)))
    };
    let (_, token) = right.iter().enumerate().find(|(index, token)| {
        !is_member(*index) && token.identifier().is_some_and(|word| parameters.iter().any(|name| name == word))
    })?;
    let because = format!("`{}` is known only when the driver runs", token.text);
    Some(Unknown::new(Cause::AtRunTime, token.place, because))
}

/// What the left side of an assignment is a member of, where that is a framing: the base, and the member's offset.
fn member(
    evaluator: &Evaluator<'_, '_>,
    declarations: &Declarations,
    left: &[Token<'_>],
    at: &At,
) -> Option<(String, Structure, u64, Type)> {
    // Each member that the expression goes through may be the first one inside the framing: the longest path counts.
    for (index, token) in left.iter().enumerate() {
        if index == 0 || !(token.is(".") || token.is("->")) {
            continue;
        }
        let base = &left[..index];
        let last = base.iter().rfind(|token| token.kind == TokenKind::Identifier)?.text.as_ref();
        let declared = declarations.variables.get(last).map(|variable| variable.structure);
        let cast = base.iter().filter_map(Token::identifier).find_map(|word| {
            crate::find::structure_of(word.strip_prefix("PC").or_else(|| word.strip_prefix('P')).unwrap_or(word))
        });
        let candidates: Vec<Structure> = match declared.or(cast) {
            Some(structure) => vec![structure],
            None if last == "AllocatorFraming" => vec![Structure::Extended],
            None if last.ends_with("AllocatorFraming") => vec![Structure::Extended, Structure::Old],
            None => continue,
        };
        for structure in candidates {
            let Some(of) = framing_type(structure.name()) else { continue };
            if let Some((offset, of)) = path(evaluator, &of, &left[index..], at)
                && !matches!(of, Type::Record(_) | Type::Array(..))
            {
                let base = base.iter().map(|token| token.text.as_ref()).collect::<String>();
                return Some((base, structure, offset, of));
            }
        }
    }
    None
}

/// Follows `.member[2].member` into a type.
fn path(evaluator: &Evaluator<'_, '_>, of: &Type, tokens: &[Token<'_>], at: &At) -> Option<(u64, Type)> {
    let (mut of, mut offset, mut next) = (of.clone(), 0u64, 0);
    while let Some(token) = tokens.get(next) {
        if token.is(".") || token.is("->") {
            let Type::Record(record) = &of else { return None };
            let (more, member) = record.member(tokens.get(next + 1)?.identifier()?)?;
            (of, offset, next) = (member, offset + more, next + 2);
        } else if token.is("[") {
            let close = tokens.get(next..)?.iter().position(|token| token.is("]"))?;
            let Type::Array(element, _) = &of else { return None };
            let element = element.as_ref().clone();
            let Token { place, .. } = tokens.get(next + 1)?;
            let whole = place.to(tokens.get(next + close - 1)?.place);
            let Value::Integer(index) = evaluator.evaluate_place(whole, at).value.ok()? else { return None };
            let index = u64::try_from(index.value).ok().filter(|index| *index < 1024)?;
            (offset, next) = (offset + index * element.size(8), next + close + 1);
            of = element;
        } else {
            return None;
        }
    }
    Some((offset, of))
}

/// Whether a base is the framing of a pin's descriptor: by its own words, or by what it was set to in the function.
fn is_edit(evaluator: &Evaluator<'_, '_>, function: usize, base: &str) -> bool {
    let names_a_pins = |text: &str| text.contains("Descriptor") || text.ends_with("->AllocatorFraming");
    if names_a_pins(base) {
        return true;
    }
    let Some(function) = evaluator.facts.functions.get(function) else { return false };
    let Some(text) = evaluator
        .files
        .get(function.place.file)
        .and_then(|file| file.text().get(function.place.start..function.place.end))
    else {
        return false;
    };
    let all = tokens(text, 0, 0);
    all.windows(2).enumerate().any(|(index, pair)| {
        pair[0].identifier() == Some(base)
            && pair[1].is("=")
            && all[index..]
                .iter()
                .take_while(|token| !token.is(";"))
                .any(|token| matches!(token.identifier(), Some("AllocatorFraming" | "Descriptor")))
    })
}

/// `INITIALIZE_SIMPLE_FRAMING_EX(pointer, MemoryType, Flags, Frames, Alignment, Min, Max)` in functions.
fn macro_calls(evaluator: &Evaluator<'_, '_>) -> Vec<Assembly> {
    let mut all = Vec::new();
    let tokens = &evaluator.unit.tokens;
    for (index, token) in tokens.iter().enumerate() {
        if token.identifier() != Some("INITIALIZE_SIMPLE_FRAMING_EX")
            || !tokens.get(index + 1).is_some_and(|next| next.is("("))
        {
            continue;
        }
        let length = crate::extent::parenthesised_length(&tokens[index + 1..]);
        let arguments = split(tokens.get(index + 2..index + length).unwrap_or(&[]));
        let function = evaluator.facts.functions.iter().position(|function| function.place.contains(token.place));
        let (Some(function), [pointer, memory, flags, frames, alignment, min, max]) = (function, arguments.as_slice())
        else {
            continue;
        };
        let at = evaluator.unit.at(index);
        let word = Type::Integer(IntegerType::UNSIGNED);
        let mut steps = Vec::new();
        let members: [(u64, &Type, &[Token<'_>]); 6] = [
            (24, &Type::Guid, memory),
            (64, &word, flags),
            (68, &word, frames),
            (72, &word, alignment),
            (92, &word, min),
            (96, &word, max),
        ];
        for (offset, of, argument) in members {
            let place =
                argument.first().zip(argument.last()).map_or(token.place, |(first, last)| first.place.to(last.place));
            let evaluated = evaluator.evaluate(argument, &at);
            let value = evaluated.value.and_then(|value| match (value, of) {
                (Value::Integer(integer), Type::Integer(of)) => Ok(Value::Integer(integer.cast(*of).integer)),
                (guid @ Value::Guid(_), Type::Guid) => Ok(guid),
                _ => Err(Unknown::new(Cause::Wrong, place, "it is not of the member's type")),
            });
            steps.push(Step {
                offset,
                of: of.clone(),
                value,
                overflows: evaluated.overflows,
                place: token.place,
                right: place,
                blocks: Vec::new(),
            });
        }
        let fixed = [
            (0, 1),
            (4, 0),
            (8, 1),
            (12, 1),
            (16, 0),
            (20, 0),
            (56, 0),
            (60, 0),
            (76, 0),
            (80, 0),
            (84, -1),
            (88, 1),
            (100, 1),
            (104, 0),
            (108, 0),
        ];
        for (offset, value) in fixed {
            let value = Ok(Value::Integer(crate::integer::Integer::new(value, IntegerType::UNSIGNED)));
            steps.push(Step {
                offset,
                of: word.clone(),
                value,
                overflows: Vec::new(),
                place: token.place,
                right: token.place,
                blocks: Vec::new(),
            });
        }
        let bus = Ok(Value::Guid(ks::Guid::NULL));
        steps.push(Step {
            offset: 40,
            of: Type::Guid,
            value: bus,
            overflows: Vec::new(),
            place: token.place,
            right: token.place,
            blocks: Vec::new(),
        });
        let base: String = pointer.iter().map(|token| token.text.as_ref()).collect();
        let is_edit = is_edit(evaluator, function, &base);
        all.push(Assembly {
            function,
            base: base.trim_start_matches('&').to_owned(),
            structure: Structure::Extended,
            steps,
            is_edit,
        });
    }
    all
}
