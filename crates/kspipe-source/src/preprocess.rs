//! Directives: which macros a file defines, what it includes, and what stands in which branch of a conditional.
//!
//! A driver is compiled in several ways, so both branches of a conditional are read, and every token and definition
//! knows the branches it stands in. Only what no compiler sees (`#if 0`) is left out.

use crate::condition::{Name, Names, is_met};
use crate::lexer::{Token, TokenKind, tokens};
use crate::macros::VARIADIC;
use crate::text::{Language, Place, SourceFile};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// One arm of a conditional: `#if` is 0, each `#elif` and `#else` one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Branch {
    pub(crate) conditional: usize,
    pub(crate) arm: usize,
}

/// The branches something stands in, outermost first.
pub(crate) type Branches = Rc<[Branch]>;

/// A point in the order in which a compiler sees the files.
#[derive(Clone, Debug)]
pub(crate) struct At {
    /// How many tokens stand before it.
    pub(crate) order: usize,
    pub(crate) branches: Branches,
}

/// `#define`, or `#undef` (no body).
#[derive(Clone, Debug)]
pub(crate) struct Definition<'s> {
    /// `None`: a macro without parentheses.
    pub(crate) parameters: Option<Vec<String>>,
    /// `None`: the name is no macro any more.
    pub(crate) body: Option<Vec<Token<'s>>>,
    pub(crate) place: Place,
    /// `#ifndef` stands before it, so that the command line may say something else.
    is_default: bool,
    at: At,
}

/// What a name stands for at a point.
pub(crate) enum Lookup<'u, 's> {
    NoMacro,
    One(&'u Definition<'s>),
    /// It depends on conditions.
    Several(Vec<&'u Definition<'s>>),
}

/// A conditional's arms, as far as they are known when it has ended.
#[derive(Clone, Copy, Debug, Default)]
struct Conditional {
    arms: usize,
    has_else: bool,
}

/// A file with all it includes, after the directives.
pub(crate) struct Unit<'s> {
    pub(crate) tokens: Vec<Token<'s>>,
    /// The branches of each token.
    branches: Vec<Branches>,
    /// Where each token begins.
    places: HashMap<(usize, usize), usize>,
    definitions: HashMap<String, Vec<Definition<'s>>>,
    conditionals: Vec<Conditional>,
    /// `#include` lines of which no file was found.
    pub(crate) missing: Vec<(String, Place)>,
}

/// Which file an `#include` in which file means.
pub(crate) type Includes = HashMap<(usize, String), usize>;

/// The text between the quotes or brackets of each `#include` of a file.
pub(crate) fn included_names(text: &str) -> Vec<String> {
    let tokens = tokens(text, 0, 0);
    let mut names = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.starts_line && token.is("#") && tokens.get(index + 1).is_some_and(|next| next.text == "include") {
            names.extend(include_name(&line(&tokens[index..])[2..], text, 0));
        }
    }
    names
}

/// The tokens up to the end of the line that the first one begins.
fn line<'t, 's>(tokens: &'t [Token<'s>]) -> &'t [Token<'s>] {
    let end = tokens.iter().skip(1).position(|token| token.starts_line).map_or(tokens.len(), |more| more + 1);
    &tokens[..end]
}

fn include_name(rest: &[Token<'_>], text: &str, offset: usize) -> Option<String> {
    let first = rest.first()?;
    if first.kind == TokenKind::Text {
        return Some(first.text.trim_matches('"').to_owned());
    }
    let close = rest.iter().find(|token| token.is(">"))?;
    let (start, end) = (first.place.end.checked_sub(offset)?, close.place.start.checked_sub(offset)?);
    first.is("<").then(|| text.get(start..end)).flatten().map(str::to_owned)
}

impl<'s> Unit<'s> {
    /// Reads the file `root` and what it includes.
    pub(crate) fn read(files: &'s [SourceFile], includes: &Includes, root: usize) -> Self {
        let unit = Unit {
            tokens: Vec::new(),
            branches: Vec::new(),
            places: HashMap::new(),
            definitions: HashMap::new(),
            conditionals: Vec::new(),
            missing: Vec::new(),
        };
        let language = files.get(root).map_or(Language::Cpp, SourceFile::language);
        let mut reader = Reader { unit, files, includes, seen: HashSet::new(), language, open: Vec::new() };
        reader.file(root);
        reader.unit
    }

    /// Where in the order a token is.
    pub(crate) fn at(&self, token: usize) -> At {
        At { order: token, branches: self.branches.get(token).cloned().unwrap_or_default() }
    }

    /// Where in the order the token that begins at a place is; none where no compiler sees it.
    pub(crate) fn at_place(&self, place: Place) -> Option<At> {
        self.places.get(&(place.file, place.start)).map(|token| self.at(*token))
    }

    /// What a name is at a point: the last definition before it, unless that stands in a branch that the point does not
    /// stand in; then what was before it is possible too. Where nothing but one conditional definition is known, that is
    /// what the author means.
    pub(crate) fn lookup(&self, name: &str, at: &At) -> Lookup<'_, 's> {
        let mut possible: Vec<&Definition<'s>> = Vec::new();
        for definition in self.definitions.get(name).into_iter().flatten().rev() {
            let branches = &definition.at.branches;
            let contradicts = branches.iter().any(|branch| {
                at.branches.iter().any(|other| other.conditional == branch.conditional && other.arm != branch.arm)
            });
            if definition.at.order > at.order || contradicts {
                continue;
            }
            possible.push(definition);
            if branches.iter().all(|branch| at.branches.contains(branch)) {
                break;
            }
        }
        let spelling = |definition: &Definition<'_>| {
            let body = definition
                .body
                .as_ref()
                .map(|body| body.iter().map(|token| token.text.to_string()).collect::<Vec<_>>());
            (definition.parameters.clone(), body)
        };
        match possible.as_slice() {
            [] => Lookup::NoMacro,
            [first, rest @ ..] if rest.iter().all(|other| spelling(other) == spelling(first)) => {
                if first.body.is_some() { Lookup::One(first) } else { Lookup::NoMacro }
            }
            _ => Lookup::Several(possible),
        }
    }

    /// Every macro, with each of its definitions.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = (&str, &[Definition<'s>])> {
        self.definitions.iter().map(|(name, all)| (name.as_str(), all.as_slice()))
    }

    /// The ways in which a compiler can see the tokens of this range: one where no conditional is in it.
    pub(crate) fn variants(&self, range: std::ops::Range<usize>) -> Vec<Vec<usize>> {
        let outside = self.at(range.start).branches;
        let inner = |token: &usize| self.branches[*token].iter().filter(|branch| !outside.contains(branch)).copied();
        let tokens: Vec<usize> = range.filter(|token| *token < self.tokens.len()).collect();
        let conditionals: HashSet<usize> = tokens.iter().flat_map(inner).map(|branch| branch.conditional).collect();
        let ways = |conditional: &usize| {
            let Conditional { arms, has_else } = self.conditionals[*conditional];
            arms + usize::from(!has_else)
        };
        let count = conditionals.iter().map(ways).max().unwrap_or(1).clamp(1, LARGEST_NUMBER_OF_VARIANTS);
        let seen = |way: usize, token: &usize| {
            inner(token).all(|branch| branch.arm == way.min(ways(&branch.conditional).saturating_sub(1)))
        };
        (0..count).map(|way| tokens.iter().filter(|token| seen(way, token)).copied().collect()).collect()
    }
}

/// Of an initialiser with more conditionals than anybody reads, the rest is not looked at.
const LARGEST_NUMBER_OF_VARIANTS: usize = 8;

/// Conditionals in conditionals; deeper ones are not told apart.
const DEEPEST: usize = 64;

/// A conditional while its `#endif` has not come.
struct Open {
    conditional: usize,
    arm: usize,
    /// What of the branch's tokens is known.
    now: Liveness,
    /// No arm after this one can be taken.
    taken: bool,
    /// An arm before this one may be taken instead.
    maybe_before: bool,
    /// It is `#ifndef` of this name, which nothing defines before.
    default_of: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Liveness {
    /// Every compiler sees it.
    Always,
    /// Some do.
    Sometimes,
    /// None does.
    Never,
}

struct Reader<'s, 'i> {
    unit: Unit<'s>,
    files: &'s [SourceFile],
    includes: &'i Includes,
    seen: HashSet<usize>,
    language: Language,
    open: Vec<Open>,
}

impl<'s> Reader<'s, '_> {
    fn file(&mut self, index: usize) {
        let Some(file) = self.files.get(index) else { return };
        if !self.seen.insert(index) {
            return;
        }
        let outside = self.open.len();
        let all = tokens(file.text(), index, 0);
        let mut branches = self.branches();
        let mut next = 0;
        while let Some(token) = all.get(next) {
            if token.starts_line && token.is("#") {
                let directive = line(&all[next..]);
                next += directive.len();
                let following = all.get(next..).unwrap_or(&[]);
                self.directive(index, file, &directive[1..], following, outside);
                branches = self.branches();
                continue;
            }
            if !self.is_dead() {
                self.unit.places.insert((index, token.place.start), self.unit.tokens.len());
                self.unit.tokens.push(token.clone());
                self.unit.branches.push(Rc::clone(&branches));
            }
            next += 1;
        }
        // What a file leaves open ends with it.
        while self.open.len() > outside {
            self.close();
        }
    }

    fn is_dead(&self) -> bool {
        self.open.iter().take(DEEPEST).any(|open| open.now == Liveness::Never)
    }

    fn branches(&self) -> Branches {
        let open = self.open.iter().take(DEEPEST).filter(|open| open.now == Liveness::Sometimes);
        open.map(|open| Branch { conditional: open.conditional, arm: open.arm }).collect()
    }

    fn at(&self) -> At {
        At { order: self.unit.tokens.len(), branches: self.branches() }
    }

    fn directive(
        &mut self,
        index: usize,
        file: &SourceFile,
        line: &[Token<'s>],
        following: &[Token<'s>],
        outside: usize,
    ) {
        let Some((word, rest)) = line.split_first() else { return };
        match word.text.as_ref() {
            "if" => self.begin(is_met(self, rest)),
            "ifdef" | "ifndef" => {
                let name = rest.first().and_then(Token::identifier).unwrap_or("");
                let wanted = word.text == "ifdef";
                let known = self.is_defined(name).or_else(|| (!wanted && defines(following, name)).then_some(false));
                let is_default = !wanted && self.is_defined(name).is_none();
                self.begin(known.map(|defined| defined == wanted));
                if let Some(open) = self.open.last_mut().filter(|_| is_default) {
                    open.default_of = Some(name.to_owned());
                }
            }
            "elif" if self.open.len() > outside => self.arm(is_met(self, rest)),
            "elifdef" | "elifndef" if self.open.len() > outside => self.arm(None),
            "else" if self.open.len() > outside => self.arm(Some(true)),
            "endif" if self.open.len() > outside => self.close(),
            _ if self.is_dead() => {}
            "define" => self.define(rest),
            "undef" => {
                if let Some(name) = rest.first() {
                    self.add(name, None, None);
                }
            }
            "include" => {
                let Some(name) = include_name(rest, file.text(), 0) else { return };
                match self.includes.get(&(index, name.clone())) {
                    Some(included) => self.file(*included),
                    None => self.unit.missing.push((name, word.place)),
                }
            }
            _ => {}
        }
    }

    /// The definition that surely counts here.
    fn surely(&self, name: &str) -> Option<&Definition<'s>> {
        let at = self.at();
        let last = self.unit.definitions.get(name)?.last()?;
        last.at.branches.iter().all(|branch| at.branches.contains(branch)).then_some(last)
    }

    fn begin(&mut self, known: Option<bool>) {
        let conditional = self.unit.conditionals.len();
        self.unit.conditionals.push(Conditional::default());
        let open =
            Open { conditional, arm: 0, now: Liveness::Never, taken: false, maybe_before: false, default_of: None };
        self.open.push(open);
        self.arm(known);
    }

    fn arm(&mut self, known: Option<bool>) {
        let Some(open) = self.open.last_mut() else { return };
        let conditional = &mut self.unit.conditionals[open.conditional];
        open.now = match known {
            _ if open.taken => Liveness::Never,
            Some(false) => Liveness::Never,
            Some(true) if !open.maybe_before => Liveness::Always,
            _ => Liveness::Sometimes,
        };
        open.taken |= known == Some(true);
        if open.now == Liveness::Sometimes {
            open.maybe_before = true;
            open.arm = conditional.arms;
            conditional.arms += 1;
            // An arm that is taken where no other is: `#else`.
            conditional.has_else |= open.taken;
        }
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn define(&mut self, rest: &[Token<'s>]) {
        let Some((name, rest)) = rest.split_first() else { return };
        // Only a parenthesis that touches the name begins parameters.
        let touches = rest.first().is_some_and(|next| next.is("(") && next.place.start == name.place.end);
        if !touches {
            return self.add(name, None, Some(rest.to_vec()));
        }
        let Some(close) = rest.iter().position(|token| token.is(")")) else { return };
        let parameters = rest[1..close].iter().filter(|token| !token.is(","));
        let parameters = parameters
            .map(|token| if token.is("...") { VARIADIC.to_owned() } else { token.text.to_string() })
            .collect();
        self.add(name, Some(parameters), Some(rest[close + 1..].to_vec()));
    }

    fn add(&mut self, name: &Token<'s>, parameters: Option<Vec<String>>, body: Option<Vec<Token<'s>>>) {
        let Some(text) = name.identifier() else { return };
        let is_default = self.open.iter().any(|open| open.default_of.as_deref() == Some(text));
        let definition = Definition { parameters, body, place: name.place, is_default, at: self.at() };
        self.unit.definitions.entry(text.to_owned()).or_default().push(definition);
    }
}

impl<'s> Names<'s> for Reader<'s, '_> {
    fn name(&self, name: &str) -> Name<'_, 's> {
        let definition =
            self.surely(name).filter(|definition| !definition.is_default && definition.parameters.is_none());
        definition.and_then(|definition| definition.body.as_deref()).map_or(Name::Unknown, Name::Is)
    }

    fn is_defined(&self, name: &str) -> Option<bool> {
        if name == "__cplusplus" {
            return Some(self.language == Language::Cpp);
        }
        self.surely(name).map(|definition| definition.body.is_some())
    }
}

/// `#ifndef NAME` with `#define NAME` behind it: a default, or a header's guard. The definition counts.
fn defines(following: &[Token<'_>], name: &str) -> bool {
    match following {
        [hash, define, defined, ..] => {
            hash.starts_line && hash.is("#") && define.text == "define" && defined.identifier() == Some(name)
        }
        _ => false,
    }
}
