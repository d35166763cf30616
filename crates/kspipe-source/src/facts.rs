//! What the syntax trees of the files say: constants, types, functions, assignments, and where they stand.

use crate::evaluate::{Evaluator, Value};
use crate::known;
use crate::lexer::{TokenKind, tokens};
use crate::preprocess::At;
use crate::text::{Language, Place, SourceFile};
use crate::types::{Record, Type};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;
use tree_sitter::{Node, ParseOptions, Parser, Tree};

/// An enumerator, or a `const` of a number.
#[derive(Clone, Debug)]
pub(crate) struct Constant {
    /// `None`: 0.
    pub(crate) expression: Option<Place>,
    /// What is added to it: an enumerator without a value is one more than the one before.
    pub(crate) more: i128,
    /// Its type, where it is no enumerator.
    pub(crate) of: Option<String>,
}

/// A type as the source has it.
#[derive(Clone, Debug)]
enum TypeSource {
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

/// What the syntax trees say.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) constants: HashMap<String, Vec<Constant>>,
    /// The numbers, or the text, of GUIDs the files define.
    pub(crate) guids: HashMap<String, Place>,
    pub(crate) functions: Vec<Function>,
    pub(crate) assignments: Vec<Assignment>,
    /// When each block is entered: `case 2`, `if (x)`, or nothing.
    pub(crate) blocks: Vec<String>,
    /// Namespaces and classes.
    pub(crate) scopes: Vec<(Place, String)>,
    /// What the parser could not understand.
    pub(crate) errors: Vec<Place>,
    /// Files the parser gave up on.
    pub(crate) unparsed: Vec<usize>,
    types: HashMap<String, TypeSource>,
    resolved: RefCell<HashMap<String, Option<Result<Type, String>>>>,
}

impl Facts {
    /// Parses the files.
    pub(crate) fn read(files: &[SourceFile]) -> Self {
        let mut facts = Self::default();
        for (index, file) in files.iter().enumerate() {
            match parse(file) {
                Some(tree) => {
                    let text = file.text();
                    let packed_from = text.find("#pragma pack").unwrap_or(usize::MAX);
                    Walk { facts: &mut facts, text, file: index, packed_from }.tree(&tree);
                }
                None => facts.unparsed.push(index),
            }
        }
        facts
    }

    /// Whether the files define a type of this name.
    pub(crate) fn is_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// The names of the types the files define.
    pub(crate) fn type_names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The type of a name; the error says what of it is not known.
    pub(crate) fn named_type(&self, evaluator: &Evaluator<'_, '_>, name: &str, at: &At) -> Result<Type, String> {
        let Some(source) = self.types.get(name) else {
            let words: Vec<&str> =
                name.split_whitespace().filter(|word| !matches!(*word, "const" | "volatile")).collect();
            let known = known::keyword_type(&words);
            let known =
                known.or_else(|| known::header_type(words.last().copied().unwrap_or(name), evaluator.pointer_bytes));
            return known.ok_or_else(|| format!("the type `{name}` is not known"));
        };
        let seen = self.resolved.borrow().get(name).cloned();
        match seen {
            Some(Some(resolved)) => return resolved,
            Some(None) => return Err(format!("the type `{name}` is made of itself")),
            None => {}
        }
        if self.resolved.borrow().values().filter(|resolved| resolved.is_none()).count() > 50 {
            return Err(format!("the type `{name}` is nested too deeply"));
        }
        self.resolved.borrow_mut().insert(name.to_owned(), None);
        let resolved = self.resolve(evaluator, source, at);
        self.resolved.borrow_mut().insert(name.to_owned(), Some(resolved.clone()));
        resolved
    }

    fn resolve(&self, evaluator: &Evaluator<'_, '_>, source: &TypeSource, at: &At) -> Result<Type, String> {
        match source {
            TypeSource::Named(name) => self.named_type(evaluator, name, at),
            TypeSource::Enumeration => Ok(Type::Integer(crate::integer::IntegerType::INT)),
            TypeSource::Pointer => Ok(Type::Pointer),
            TypeSource::Unknown(why) => Err((*why).to_owned()),
            TypeSource::Array(of, count) => {
                let of = self.resolve(evaluator, of, at)?;
                let place = count.ok_or("an array without a length has no size")?;
                match evaluator.evaluate_place(place, at).value {
                    Ok(Value::Integer(count)) => {
                        let count = u64::try_from(count.value).map_err(|_| "an array has a negative length")?;
                        Ok(Type::Array(Rc::new(of), count))
                    }
                    Ok(Value::Guid(_)) => Err("the length of an array is no number".to_owned()),
                    Err(unknown) => Err(format!("the length of an array is not known: {}", unknown.because)),
                }
            }
            TypeSource::Record { name, is_union, fields } => {
                let mut members = Vec::new();
                for (field, of) in fields {
                    members.push((field.iter().cloned().collect(), self.resolve(evaluator, of, at)?));
                }
                let record = Record::layout(name, *is_union, members, evaluator.pointer_bytes);
                let record = record.ok_or_else(|| format!("the type `{name}` is too large"))?;
                Ok(Type::Record(Rc::new(record)))
            }
        }
    }
}

/// The parser asks now and then whether to go on; a file of 8 MiB is done long before this.
const LARGEST_NUMBER_OF_STEPS: usize = 2_000_000;

fn parse(file: &SourceFile) -> Option<Tree> {
    let language = match file.language() {
        Language::C => tree_sitter_c::LANGUAGE,
        Language::Cpp => tree_sitter_cpp::LANGUAGE,
    };
    let mut parser = Parser::new();
    parser.set_language(&language.into()).ok()?;
    let text = without_annotations(file.text());
    let mut steps = 0;
    let mut go_on = |_: &tree_sitter::ParseState| {
        steps += 1;
        if steps > LARGEST_NUMBER_OF_STEPS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut go_on);
    parser.parse_with_options(&mut |offset, _| text.get(offset..).unwrap_or(&[]), None, Some(options))
}

/// The text with blanks for the words that say something about parameters to other tools, so that the grammar, which
/// does not know them, finds what they stand before.
fn without_annotations(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for token in tokens(text, 0, 0) {
        let is_annotation = token.kind == TokenKind::Identifier
            && (matches!(
                token.text.as_ref(),
                "IN" | "OUT"
                    | "OPTIONAL"
                    | "CONST"
                    | "NTAPI"
                    | "STDMETHODCALLTYPE"
                    | "FAR"
                    | "NEAR"
                    | "PASCAL"
                    | "__in"
                    | "__out"
                    | "__inout"
                    | "__in_opt"
                    | "__out_opt"
                    | "__inout_opt"
                    | "_In_"
                    | "_Out_"
                    | "_Inout_"
                    | "_In_opt_"
                    | "_Out_opt_"
                    | "_Inout_opt_"
                    | "_Use_decl_annotations_"
                    | "__drv_aliasesMem"
            ));
        if is_annotation && let Some(word) = bytes.get_mut(token.place.start..token.place.end) {
            word.fill(b' ');
        }
    }
    bytes
}

struct Walk<'w> {
    facts: &'w mut Facts,
    text: &'w str,
    file: usize,
    /// Where the file begins to say how structures are packed.
    packed_from: usize,
}

/// What the walk is in, with the depth of its node.
enum Inside {
    Function(usize, usize),
    Block(usize, usize),
}

impl Inside {
    fn depth(&self) -> usize {
        match self {
            Inside::Function(_, depth) | Inside::Block(_, depth) => *depth,
        }
    }
}

/// Blocks in blocks; deeper ones count as the one around them.
const DEEPEST_BLOCK: usize = 64;

impl Walk<'_> {
    fn tree(&mut self, tree: &Tree) {
        let mut cursor = tree.walk();
        let mut inside: Vec<Inside> = Vec::new();
        let mut depth = 0;
        loop {
            let node = cursor.node();
            while inside.last().is_some_and(|outer| outer.depth() >= depth) {
                inside.pop();
            }
            self.node(node, cursor.field_name(), depth, &mut inside);
            if cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                depth -= 1;
            }
        }
    }

    fn place(&self, node: Node<'_>) -> Place {
        Place { file: self.file, start: node.start_byte(), end: node.end_byte() }
    }

    fn text_of(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    fn node(&mut self, node: Node<'_>, field: Option<&str>, depth: usize, inside: &mut Vec<Inside>) {
        if node.is_error() || node.is_missing() {
            self.facts.errors.push(self.place(node));
        }
        let is_block = matches!(node.kind(), "compound_statement" | "case_statement" | "else_clause")
            || (field == Some("consequence") && node.is_named());
        if is_block && matches!(inside.first(), Some(Inside::Function(..))) && inside.len() < DEEPEST_BLOCK {
            self.facts.blocks.push(self.label(node));
            inside.push(Inside::Block(self.facts.blocks.len() - 1, depth));
        }
        match node.kind() {
            "function_definition" => {
                let name = node.child_by_field_name("declarator").and_then(|declarator| self.declared_name(declarator));
                let function = Function { name: name.unwrap_or_default(), place: self.place(node) };
                self.facts.functions.push(function);
                inside.push(Inside::Function(self.facts.functions.len() - 1, depth));
            }
            "enumerator_list" => self.enumerators(node),
            "struct_specifier" | "union_specifier" | "class_specifier" => self.record(node),
            "namespace_definition" => self.scope(node),
            "type_definition" => self.type_definition(node),
            "declaration" => self.declaration(node),
            "assignment_expression" => self.assignment(node, inside),
            "call_expression" => self.guid_macro(node),
            _ => {}
        }
    }

    fn label(&self, node: Node<'_>) -> String {
        let short = |text: &str| {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if line.chars().count() > 60 { line.chars().take(57).chain("...".chars()).collect() } else { line }
        };
        if node.kind() == "case_statement" {
            let head = self.text_of(node).split(':').next().unwrap_or("");
            return short(head);
        }
        if node.kind() == "else_clause" {
            return "else".to_owned();
        }
        let condition = node.parent().filter(|parent| parent.kind() == "if_statement");
        let condition = condition.and_then(|parent| parent.child_by_field_name("condition"));
        condition.map_or_else(String::new, |condition| short(&format!("if {}", self.text_of(condition))))
    }

    /// The identifier in a declarator.
    fn declared_name(&self, declarator: Node<'_>) -> Option<String> {
        let mut node = declarator;
        for _ in 0..32 {
            match node.child_by_field_name("declarator") {
                Some(inner) => node = inner,
                None => break,
            }
        }
        let is_name = matches!(
            node.kind(),
            "identifier"
                | "field_identifier"
                | "type_identifier"
                | "qualified_identifier"
                | "destructor_name"
                | "operator_name"
        );
        is_name.then(|| self.text_of(node).to_owned())
    }

    fn scope(&mut self, node: Node<'_>) {
        if let Some(name) = node.child_by_field_name("name") {
            let scope = (self.place(node), self.text_of(name).to_owned());
            self.facts.scopes.push(scope);
        }
    }

    fn enumerators(&mut self, list: Node<'_>) {
        let (mut expression, mut more) = (None, 0);
        let mut cursor = list.walk();
        for enumerator in list.named_children(&mut cursor).filter(|child| child.kind() == "enumerator") {
            let Some(name) = enumerator.child_by_field_name("name") else { continue };
            if let Some(value) = enumerator.child_by_field_name("value") {
                (expression, more) = (Some(self.place(value)), 0);
            }
            let name = self.text_of(name).to_owned();
            let constant = Constant { expression, more, of: None };
            self.facts.constants.entry(name).or_default().push(constant);
            more += 1;
        }
    }

    fn record(&mut self, node: Node<'_>) {
        if node.child_by_field_name("body").is_none() {
            return;
        }
        self.scope(node);
        if let Some(name) = node.child_by_field_name("name") {
            let (name, source) = (self.text_of(name).to_owned(), self.record_source(node, 0));
            self.facts.types.entry(name).or_insert(source);
        }
    }

    fn record_source(&self, node: Node<'_>, depth: usize) -> TypeSource {
        let Some(body) = node.child_by_field_name("body") else {
            return TypeSource::Unknown("a structure without members has no size");
        };
        let name = node.child_by_field_name("name").map_or("", |name| self.text_of(name)).to_owned();
        if depth > 16 {
            return TypeSource::Unknown("a structure is nested too deeply");
        }
        if node.start_byte() > self.packed_from {
            return TypeSource::Unknown("the layout depends on `#pragma pack`");
        }
        let mut fields = Vec::new();
        let mut cursor = body.walk();
        for member in body.named_children(&mut cursor) {
            match member.kind() {
                "field_declaration" => {}
                "comment" | "access_specifier" | "friend_declaration" | "alias_declaration" | "using_declaration" => {
                    continue;
                }
                "function_definition" | "declaration" | "template_declaration"
                    if !self.text_of(member).contains("virtual") =>
                {
                    continue;
                }
                _ => return TypeSource::Unknown("a structure has members of which the layout is not known"),
            }
            self.field(member, depth, &mut fields);
        }
        let mut cursor = node.walk();
        if node.named_children(&mut cursor).any(|child| child.kind() == "base_class_clause") {
            return TypeSource::Unknown("a class with a base has a layout that is not known");
        }
        TypeSource::Record { name, is_union: node.kind() == "union_specifier", fields }
    }

    fn field(&self, member: Node<'_>, depth: usize, fields: &mut Vec<(Option<String>, TypeSource)>) {
        let text = self.text_of(member);
        let mut cursor = member.walk();
        if text.contains("virtual") || member.children(&mut cursor).any(|child| child.kind() == "bitfield_clause") {
            return fields
                .push((None, TypeSource::Unknown("a structure has members of which the layout is not known")));
        }
        let mut cursor = member.walk();
        if member
            .children(&mut cursor)
            .any(|child| child.kind() == "storage_class_specifier" && self.text_of(child) == "static")
        {
            return;
        }
        let Some(of) = member.child_by_field_name("type") else { return };
        let of = self.type_source(of, depth);
        let mut cursor = member.walk();
        let declarators: Vec<_> = member.children_by_field_name("declarator", &mut cursor).collect();
        if declarators.is_empty() {
            fields.push((None, of));
            return;
        }
        for declarator in declarators {
            if let Some(of) = self.declared_type(declarator, of.clone()) {
                fields.push((self.declared_name(declarator), of));
            }
        }
    }

    fn type_source(&self, of: Node<'_>, depth: usize) -> TypeSource {
        match of.kind() {
            "struct_specifier" | "union_specifier" | "class_specifier" if of.child_by_field_name("body").is_some() => {
                self.record_source(of, depth + 1)
            }
            "struct_specifier" | "union_specifier" | "class_specifier" => {
                let name = of.child_by_field_name("name");
                TypeSource::Named(name.map_or("", |name| self.text_of(name)).to_owned())
            }
            "enum_specifier" => TypeSource::Enumeration,
            _ => TypeSource::Named(self.text_of(of).to_owned()),
        }
    }

    /// The type of what a declarator declares; `None` for a function.
    fn declared_type(&self, declarator: Node<'_>, of: TypeSource) -> Option<TypeSource> {
        let mut node = declarator;
        let mut of = of;
        for _ in 0..32 {
            match node.kind() {
                "pointer_declarator" | "reference_declarator" => of = TypeSource::Pointer,
                "array_declarator" => {
                    let size = node.child_by_field_name("size").map(|size| self.place(size));
                    of = TypeSource::Array(Box::new(of), size);
                }
                "function_declarator" => {
                    let text = self.text_of(node);
                    return text
                        .contains("(*")
                        .then_some(TypeSource::Pointer)
                        .or_else(|| text.contains("( *").then_some(TypeSource::Pointer));
                }
                _ => {}
            }
            match node.child_by_field_name("declarator") {
                Some(inner) => node = inner,
                None => break,
            }
        }
        Some(of)
    }

    fn type_definition(&mut self, node: Node<'_>) {
        let Some(of) = node.child_by_field_name("type") else { return };
        let of = self.type_source(of, 0);
        let mut cursor = node.walk();
        let declarators: Vec<_> = node.children_by_field_name("declarator", &mut cursor).collect();
        for declarator in declarators {
            let (name, of) = (self.declared_name(declarator), self.declared_type(declarator, of.clone()));
            let Some((name, of)) = name.zip(of) else { continue };
            // `typedef struct S S;` says nothing about S.
            if !matches!(&of, TypeSource::Named(same) if *same == name) {
                self.facts.types.entry(name).or_insert(of);
            }
        }
    }

    /// `const ULONG X = 2;` and `const GUID X = { ... };`.
    fn declaration(&mut self, node: Node<'_>) {
        let Some(of) = node.child_by_field_name("type") else { return };
        let of = self.text_of(of).to_owned();
        let mut cursor = node.walk();
        let is_constant = node.children(&mut cursor).any(|child| {
            child.kind() == "type_qualifier" && matches!(self.text_of(child), "const" | "constexpr" | "CONST")
        });
        let mut cursor = node.walk();
        let initialised: Vec<_> = node.children_by_field_name("declarator", &mut cursor).collect();
        for declarator in initialised.into_iter().filter(|declarator| declarator.kind() == "init_declarator") {
            let Some(value) = declarator.child_by_field_name("value") else { continue };
            let Some(name) = declarator.child_by_field_name("declarator") else { continue };
            if !matches!(name.kind(), "identifier" | "qualified_identifier") {
                continue;
            }
            let name = self.text_of(name).rsplit("::").next().unwrap_or("").trim().to_owned();
            if matches!(of.as_str(), "GUID" | "IID" | "CLSID") {
                let place = self.place(value);
                self.facts.guids.entry(name).or_insert(place);
            } else if is_constant && value.kind() != "initializer_list" {
                let constant = Constant { expression: Some(self.place(value)), more: 0, of: Some(of.clone()) };
                self.facts.constants.entry(name).or_default().push(constant);
            }
        }
    }

    fn assignment(&mut self, node: Node<'_>, inside: &[Inside]) {
        let function = inside.iter().find_map(|outer| match outer {
            Inside::Function(function, _) => Some(*function),
            Inside::Block(..) => None,
        });
        let parts = (node.child_by_field_name("left"), node.child_by_field_name("right"));
        let (Some(function), (Some(left), Some(right))) = (function, parts) else { return };
        let operator = node.child_by_field_name("operator").map_or("=", |operator| self.text_of(operator)).to_owned();
        let blocks = inside.iter().filter_map(|outer| match outer {
            Inside::Block(block, _) => Some(*block),
            Inside::Function(..) => None,
        });
        let assignment = Assignment {
            left: self.place(left),
            right: self.place(right),
            operator,
            function,
            blocks: blocks.collect(),
        };
        self.facts.assignments.push(assignment);
    }

    /// `DEFINE_GUID(NAME, numbers)` and `DEFINE_GUIDSTRUCT("text", NAME)`.
    fn guid_macro(&mut self, node: Node<'_>) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let Some(arguments) = node.child_by_field_name("arguments") else { return };
        let name = self.text_of(function);
        if !matches!(name, "DEFINE_GUID" | "DEFINE_GUIDSTRUCT") {
            return;
        }
        let mut cursor = arguments.walk();
        let all: Vec<_> = arguments.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect();
        let (name, numbers) = match (name, all.as_slice()) {
            ("DEFINE_GUID", [name, first, .., last]) => (*name, self.place(*first).to(self.place(*last))),
            ("DEFINE_GUIDSTRUCT", [text, name]) => (*name, self.place(*text)),
            _ => return,
        };
        let name = self.text_of(name).to_owned();
        self.facts.guids.entry(name).or_insert(numbers);
    }
}
