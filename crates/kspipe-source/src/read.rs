//! From files to framings.

use crate::assigned::{Assembly, assemblies};
use crate::evaluate::{Evaluator, Overflow};
use crate::facts::Facts;
use crate::find::{Declarations, Found, find, structure_of};
use crate::framing::{Form, Member, MemberValue, SourceFraming, Structure, members};
use crate::lexer::Token;
use crate::pins::{edits, pins};
use crate::preprocess::{Includes, Unit, included_names};
use crate::problem::{Problem, ProblemKind};
use crate::slots::Slots;
use crate::text::{LARGEST_SOURCE, Language, Place, SourceFile};
use crate::types::Type;
use crate::unknown::Cause;
use crate::walk;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A file to read.
#[derive(Clone, Copy, Debug)]
pub struct Input<'i> {
    /// Its name: what messages call it, and its ending says whether it is C (`.c`) or C++.
    pub name: &'i str,
    /// Its bytes, in whatever encoding.
    pub bytes: &'i [u8],
}

impl<'i> Input<'i> {
    /// A file with this name and text.
    pub fn new(name: &'i str, text: &'i (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { name, bytes: text.as_ref() }
    }
}

/// How sources are read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of a pointer, 4 or 8: `sizeof` of structures with pointers depends on it.
    pub pointer_bytes: u32,
}

impl Default for Options {
    /// A driver for 64 bits.
    fn default() -> Self {
        Self { pointer_bytes: 8 }
    }
}

/// What sources say.
#[derive(Clone, Debug, Default)]
pub struct DriverSource {
    /// The files that were read: the given ones, then those they include.
    pub files: Vec<SourceFile>,
    /// The framings, in the order of the files.
    pub framings: Vec<SourceFraming>,
    /// What else there is to say, in the order of the files.
    pub problems: Vec<Problem>,
}

impl DriverSource {
    /// The file, line and column of a place, the last two from 1.
    pub fn position(&self, place: Place) -> (&str, usize, usize) {
        match self.files.get(place.file) {
            Some(file) => {
                let (line, column) = file.position(place.start);
                (file.name(), line, column)
            }
            None => ("", 1, 1),
        }
    }

    /// The text of a place.
    pub fn text(&self, place: Place) -> &str {
        self.files.get(place.file).and_then(|file| file.text().get(place.start..place.end)).unwrap_or("")
    }
}

/// More files than any driver has headers of its own.
const LARGEST_NUMBER_OF_FILES: usize = 1024;

/// Reads sources. `include` is asked for each file an `#include` names, with the name of the file it stands in; it gives
/// the included file's name and bytes, or `None` for one that is not there (the headers of Windows, which are known).
///
/// Files over [`LARGEST_SOURCE`] are read up to there. Nothing that stands in a file is an error: what could not be read
/// is a [`Problem`].
pub fn read(
    inputs: &[Input<'_>],
    options: &Options,
    mut include: impl FnMut(&str, &str) -> Option<(String, Vec<u8>)>,
) -> DriverSource {
    let (files, includes) = load(inputs, &mut include);
    let facts = walk::facts(&files);
    let pointer_bytes = if options.pointer_bytes == 4 { 4 } else { 8 };
    let mut reading =
        Reading { files: &files, facts: &facts, framings: Vec::new(), problems: Vec::new(), edits: Vec::new() };
    let mut uses = HashMap::new();
    for root in 0..inputs.len().min(files.len()) {
        let unit = Unit::read(&files, &includes, root);
        let evaluator = Evaluator::new(&unit, &files, &facts, pointer_bytes);
        reading.unit(&evaluator);
        for token in &unit.tokens {
            if let Some(word) = token.identifier() {
                uses.entry(word.to_owned()).or_insert_with(Vec::new).push(token.place);
            }
        }
    }
    reading.finish(&uses);
    let Reading { framings, problems, .. } = reading;
    DriverSource { framings, problems, files }
}

fn load(
    inputs: &[Input<'_>],
    include: &mut impl FnMut(&str, &str) -> Option<(String, Vec<u8>)>,
) -> (Vec<SourceFile>, Includes) {
    let cut = |bytes: &'_ [u8]| bytes.get(..LARGEST_SOURCE).unwrap_or(bytes).to_vec();
    let mut files: Vec<SourceFile> =
        inputs.iter().map(|input| SourceFile::new(input.name, &cut(input.bytes), false)).collect();
    let mut by_name: HashMap<String, usize> =
        files.iter().enumerate().rev().map(|(index, file)| (file.name().to_owned(), index)).collect();
    let mut includes = Includes::new();
    let mut next = 0;
    while let Some(file) = files.get(next) {
        let (name, wanted) = (file.name().to_owned(), included_names(file.text()));
        for path in wanted {
            if includes.contains_key(&(next, path.clone())) {
                continue;
            }
            let Some((found, bytes)) = include(&name, &path) else { continue };
            let index = match by_name.get(&found) {
                Some(index) => *index,
                None if files.len() >= LARGEST_NUMBER_OF_FILES => continue,
                None => {
                    files.push(SourceFile::new(&found, &cut(&bytes), true));
                    by_name.insert(found, files.len() - 1);
                    files.len() - 1
                }
            };
            includes.insert((next, path), index);
        }
        next += 1;
    }
    (files, includes)
}

struct Reading<'r> {
    files: &'r [SourceFile],
    facts: &'r Facts,
    framings: Vec<SourceFraming>,
    problems: Vec<Problem>,
    /// What edits the framing of some pin.
    edits: Vec<Place>,
}

impl Reading<'_> {
    fn unit(&mut self, evaluator: &Evaluator<'_, '_>) {
        let mut declarations = find(evaluator);
        let assemblies = assemblies(evaluator, &declarations);
        self.edits.extend(edits(evaluator.unit));
        let pins = pins(evaluator.unit);
        let mut overflows = std::mem::take(&mut declarations.overflows);
        let mut framings = Vec::new();
        let mut taken = HashSet::new();
        for assembly in &assemblies {
            if assembly.is_edit {
                self.edits.push(assembly.first_place());
            }
            framings.extend(self.assembled(evaluator, &declarations, assembly, &mut taken, &mut overflows));
        }
        for (index, found) in declarations.found.iter().enumerate().filter(|(index, _)| !taken.contains(index)) {
            let _ = index;
            self.declared(found, &mut framings);
        }
        for framing in &mut framings {
            let own = variable(&framing.name).to_owned();
            framing.pins = pins.iter().filter(|(name, _)| *name == own).map(|(_, used)| used.clone()).collect();
        }
        self.framings.append(&mut framings);
        self.tell(&declarations, &overflows);
    }

    /// A framing that a function puts together member by member.
    fn assembled(
        &self,
        evaluator: &Evaluator<'_, '_>,
        declarations: &Declarations,
        assembly: &Assembly,
        taken: &mut HashSet<usize>,
        overflows: &mut Vec<Overflow>,
    ) -> Vec<SourceFraming> {
        let Some(function) = self.facts.functions.get(assembly.function) else { return Vec::new() };
        let declared = declarations.found.iter().position(|found| {
            function.place.contains(found.place) && found.name == assembly.base && found.variant.is_none()
        });
        if assembly.is_edit || (declared.is_none() && !assembly.is_whole()) {
            return Vec::new();
        }
        // A local one of which other functions' assignments are no concern; one of the file is edited here.
        let is_of_file = declared.is_none() && declarations.found.iter().any(|found| found.name == assembly.base);
        if is_of_file {
            return Vec::new();
        }
        taken.extend(declared);
        let cleared = declared.is_none() && is_cleared(evaluator, function.place, &assembly.base);
        let size = if assembly.structure == Structure::Old { 24 } else { 112 };
        let declaration = declared.and_then(|index| declarations.found.get(index));
        let filled = declaration.is_some_and(|found| is_handed_on(evaluator, found, assembly.first_place()));
        let start = match declaration {
            Some(found) if !filled => found.slots.clone(),
            None if cleared => Slots::zero(size, assembly.place()),
            _ => Slots::default(),
        };
        let otherwise = match (declaration.is_some(), filled || !cleared) {
            (true, _) if filled => Some("what is called with its address before may fill it"),
            (false, true) => Some("nothing in this function assigns it"),
            _ => None,
        };
        let mut framings = Vec::new();
        for way in assembly.ways(evaluator, &start) {
            overflows.extend(way.overflows);
            let place = assembly.place();
            let base = assembly.base.trim_matches(['(', ')', '*', '&']);
            framings.push(SourceFraming {
                name: format!("{}/{base}", function.name),
                structure: assembly.structure,
                form: Form::Assignments,
                variant: way.label,
                place,
                name_place: assembly.first_place(),
                members: members(assembly.structure, &way.slots, 0, 1024, place, otherwise),
                edited: Some(assembly.first_place()),
                used: Some(assembly.first_place()),
                is_local_to_file: false,
                pins: Vec::new(),
            });
        }
        framings
    }

    /// The framings in a variable that is initialised.
    fn declared(&self, found: &Found, framings: &mut Vec<SourceFraming>) {
        let mut name = found.name.clone();
        let mut scopes: Vec<_> = self.facts.scopes.iter().filter(|(place, _)| place.contains(found.place)).collect();
        scopes.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
        for (_, scope) in scopes {
            name = format!("{scope}::{name}");
        }
        if let Some(function) = self.facts.functions.iter().find(|function| function.place.contains(found.place)) {
            name = format!("{}/{name}", function.name);
        }
        let language = self.files.get(found.place.file);
        let is_header = language.is_some_and(|file| file.was_included() || is_header(file.name()));
        let is_const_of_cpp =
            language.is_some_and(|file| file.language() == Language::Cpp) && !found.name.contains("::");
        let mut leaves = Vec::new();
        embedded(&found.of, 0, &name, 0, &mut leaves);
        for (name, structure, offset, room) in leaves {
            framings.push(SourceFraming {
                name,
                structure,
                form: found.form,
                variant: found.variant.clone(),
                place: found.place,
                name_place: found.name_place,
                members: members(structure, &found.slots, offset, room, found.place, None),
                edited: None,
                used: None,
                is_local_to_file: !is_header && (found.is_static || is_const_of_cpp && found.form == Form::SimpleMacro),
                pins: Vec::new(),
            });
        }
    }

    /// What the declarations of a unit leave to say.
    fn tell(&mut self, declarations: &Declarations, overflows: &[Overflow]) {
        for overflow in overflows {
            let (exact, bits) = (overflow.exact, overflow.bits);
            let value =
                if exact == i128::MAX { "a number of more than 127 bits".to_owned() } else { exact.to_string() };
            self.problem(
                ProblemKind::Overflow,
                overflow.place,
                format!("this overflows {bits} bits: the exact value is {value}"),
                "the compiler takes the low bits; write a smaller number, or compute in a wider type and check it",
            );
        }
        for unknown in &declarations.problems {
            let message = unknown.because.clone();
            self.problem(
                ProblemKind::NotUnderstood,
                unknown.place,
                message,
                "what could be read is checked all the same",
            );
        }
        for place in &declarations.conditional {
            let message = "this declaration has `#if` in it; each way of compiling it was read by itself".to_owned();
            self.problem(ProblemKind::Conditional, *place, message, "findings may concern one of the ways only");
        }
        for file in &self.facts.unparsed {
            let place = Place { file: *file, start: 0, end: 0 };
            let message = "the parser gave up on this file; only declarations with initialisers were read".to_owned();
            self.problem(ProblemKind::NotUnderstood, place, message, "split the file");
        }
    }

    fn problem(&mut self, kind: ProblemKind, place: Place, message: String, help: &str) {
        self.problems.push(Problem {
            kind,
            place,
            framing: None,
            item: None,
            member: None,
            message,
            help: help.to_owned(),
        });
    }

    /// Brings together what several files say of one framing.
    fn finish(&mut self, uses: &HashMap<String, Vec<Place>>) {
        // A header is read once for each file that includes it: what is known best counts.
        let mut best: BTreeMap<(Place, String, Option<String>), SourceFraming> = BTreeMap::new();
        for framing in self.framings.drain(..) {
            let key = (framing.place, framing.name.clone(), framing.variant.clone());
            match best.get_mut(&key) {
                Some(known) => {
                    let pins: Vec<_> = framing.pins.iter().filter(|pin| !known.pins.contains(pin)).cloned().collect();
                    if framing.unknown().count() < known.unknown().count() {
                        known.members.clone_from(&framing.members);
                    }
                    known.pins.extend(pins);
                }
                None => {
                    best.insert(key, framing);
                }
            }
        }
        self.framings = best.into_values().collect();
        let any_edit = self.edits.iter().min().copied();
        let mut problems = Vec::new();
        for framing in &mut self.framings {
            let own = variable(&framing.name);
            let elsewhere = uses.get(own).into_iter().flatten().filter(|place| !framing.place.contains(**place)).min();
            framing.used = framing.used.or(elsewhere.copied()).or(framing.pins.first().map(|pin| pin.place));
            // A use in a function may hand its address to what writes it.
            let in_function = uses.get(own).into_iter().flatten().find(|place| {
                !framing.place.contains(**place)
                    && self.facts.functions.iter().any(|function| function.place.contains(**place))
            });
            framing.edited = framing.edited.or(in_function.copied()).or(any_edit);
            problems.extend(of_framing(framing));
        }
        self.problems.append(&mut problems);
        self.problems.sort_by(|a, b| (a.place, a.kind, &a.message).cmp(&(b.place, b.kind, &b.message)));
        self.problems.dedup();
    }
}

/// What a framing leaves to say: values that are not known, items that are not there, and that nobody uses it.
fn of_framing(framing: &SourceFraming) -> Vec<Problem> {
    let mut problems = Vec::new();
    if framing.is_blank() {
        return problems;
    }
    let name = framing.full_name();
    let mut push = |kind, place, member: Option<&Member>, message: String, help: &str| {
        let (item, member) = member.map_or((None, None), |member| (member.item, Some(member.name)));
        let framing = Some(name.clone());
        problems.push(Problem { kind, place, framing, item, member, message, help: help.to_owned() });
    };
    // Of what is assigned nothing is missing that the function does not state.
    let stated = framing.unknown().filter(|(_, unknown)| unknown.place != framing.place);
    for (member, unknown) in stated {
        if unknown.cause == Cause::Wrong {
            let message = format!("it has no value: {}", unknown.because);
            push(ProblemKind::NoValue, member.place, Some(member), message, "write what a compiler can compute");
        } else {
            let message = format!("it is not checked: {}", unknown.because);
            push(ProblemKind::NotEvaluated, member.place, Some(member), message, help(unknown.cause));
        }
    }
    if framing.structure == Structure::Extended
        && let Some(count) = framing.member(None, "CountItems")
        && let Ok(MemberValue::Word(counted)) = count.value
        && counted as usize != framing.item_count()
    {
        let message = format!("CountItems is {counted}, but {} items are here", framing.item_count());
        push(ProblemKind::ItemCount, count.place, Some(count), message, "count the items that are there");
    }
    if framing.used.is_none() && framing.is_local_to_file {
        let message = "nothing in these sources uses it".to_owned();
        push(
            ProblemKind::NeverUsed,
            framing.name_place,
            None,
            message,
            "put it into the pin's descriptor, or remove it",
        );
    }
    problems
}

/// What can be done about a value that is not known.
fn help(cause: Cause) -> &'static str {
    match cause {
        Cause::Undefined => "give the file that defines it as well, or a directory to look for includes in",
        Cause::Ambiguous => "give only files that are compiled together; of a conditional, check each way by hand",
        Cause::AtRunTime => "check what the driver answers too: `kspipe check` reads the blob of the property",
        Cause::NotRead => "write a whole number here to have it checked; the rest of the framing is",
        Cause::Wrong => "write what a compiler can compute",
    }
}

/// The variable of a framing's name: without its scopes, and what in it the framing is.
fn variable(name: &str) -> &str {
    let own = name.rsplit(['/', ':']).next().unwrap_or(name);
    own.split(['[', '.']).next().unwrap_or(own)
}

fn is_header(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["h", "hpp", "hxx", "hh", "inl"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The framings in a type: name, structure, offset, and how many items there is room for.
fn embedded(of: &Type, offset: u64, name: &str, depth: usize, leaves: &mut Vec<(String, Structure, u64, usize)>) {
    if depth > 16 || leaves.len() >= 4096 {
        return;
    }
    match of {
        Type::Record(record) => {
            if let Some(structure) = structure_of(&record.name) {
                return leaves.push((name.to_owned(), structure, offset, 1));
            }
            let mut fields = record.fields.iter().peekable();
            while let Some(field) = fields.next() {
                let inner = match field.names.first() {
                    Some(field) => format!("{name}.{field}"),
                    None => name.to_owned(),
                };
                let before = leaves.len();
                embedded(&field.of, offset + field.offset, &inner, depth + 1, leaves);
                // More items behind the one of the header, in one structure with it.
                let more = fields.peek().and_then(|next| match &next.of {
                    Type::Array(item, count) if is_item(item) => usize::try_from(*count).ok(),
                    item if is_item(item) => Some(1),
                    _ => None,
                });
                if let (Some(more), [leaf]) = (more, &mut leaves[before..])
                    && leaf.1 == Structure::Extended
                    && leaf.2 == offset + field.offset
                {
                    leaf.3 = leaf.3.saturating_add(more);
                    if before == 0 && record.fields.len() == 2 {
                        leaf.0 = name.to_owned();
                    }
                }
            }
        }
        Type::Array(element, count) if crate::find::has_framing(element, 0) => {
            for index in 0..(*count).min(4096) {
                let at = offset.saturating_add(element.size(8).saturating_mul(index));
                embedded(element, at, &format!("{name}[{index}]"), depth + 1, leaves);
            }
        }
        _ => {}
    }
}

fn is_item(of: &Type) -> bool {
    matches!(of, Type::Record(record) if record.name == "KS_FRAMING_ITEM")
}

/// What sets memory to one value.
const CLEARING: [&str; 5] = ["RtlZeroMemory", "memset", "ZeroMemory", "RtlFillMemory", "sizeof"];

/// Whether the address of a variable is given to something between its declaration and this place, other than to be
/// cleared or measured.
fn is_handed_on(evaluator: &Evaluator<'_, '_>, found: &Found, before: Place) -> bool {
    let tokens = &evaluator.unit.tokens;
    let is_between =
        |place: Place| place.file == before.file && found.place.end <= place.start && place.end <= before.start;
    tokens.iter().enumerate().filter(|(_, token)| is_between(token.place)).any(|(index, token)| {
        let address = index.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.is("&"));
        let words = tokens[index.saturating_sub(3)..index].iter().filter_map(Token::identifier);
        address && token.identifier() == Some(&found.name) && !words.into_iter().any(|word| CLEARING.contains(&word))
    })
}

/// Whether a function clears an object before it assigns members.
fn is_cleared(evaluator: &Evaluator<'_, '_>, function: Place, base: &str) -> bool {
    let base = base.trim_matches(['(', ')', '*', '&']);
    let tokens = &evaluator.unit.tokens;
    tokens.iter().enumerate().filter(|(_, token)| function.contains(token.place)).any(|(index, token)| {
        token.identifier().is_some_and(|word| word != "sizeof" && CLEARING.contains(&word))
            && tokens.iter().skip(index + 1).take(4).any(|argument| argument.identifier() == Some(base))
    })
}
