//! From syntax trees to facts.

use crate::facts::{Assignment, Block, Constant, Facts, Function, TypeSource};
use crate::lexer::{TokenKind, tokens};
use crate::text::{Language, Place, SourceFile};
use std::ops::ControlFlow;
use tree_sitter::{Node, ParseOptions, Parser, Tree};

/// Parses the files.
pub(crate) fn facts(files: &[SourceFile]) -> Facts {
    let mut facts = Facts::default();
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

/// The names of parameters: what stands before a comma, a bracket or the end.
fn parameters(declarator: &str) -> Vec<String> {
    let all = tokens(declarator, 0, 0);
    let names = all.windows(2).filter(|pair| [",", ")", "[", "="].iter().any(|end| pair[1].is(end)));
    names.filter_map(|pair| pair[0].identifier().map(str::to_owned)).collect()
}

/// The function the walk is in.
fn function(inside: &[Inside]) -> Option<usize> {
    inside.iter().find_map(|outer| match outer {
        Inside::Function(function, _) => Some(*function),
        Inside::Block(..) => None,
    })
}

/// What decides whether a block is entered: of the blocks of one `switch` or `if` one is.
fn choice(node: Node<'_>) -> usize {
    let parent =
        node.parent().filter(|parent| node.kind() == "case_statement" || matches!(parent.kind(), "if_statement"));
    parent.unwrap_or(node).id()
}

/// The value that initialises a number: `3`, `{ 3 }` or `(3)`; `None` for a list.
fn single(value: Node<'_>) -> Option<Node<'_>> {
    if !matches!(value.kind(), "initializer_list" | "argument_list") {
        return Some(value);
    }
    let mut cursor = value.walk();
    let mut values = value.named_children(&mut cursor).filter(|child| child.kind() != "comment");
    let first = values.next().filter(|first| first.kind() != "initializer_list");
    if values.next().is_some() { None } else { first }
}

/// A walk through the tree of one file.
pub(crate) struct Walk<'w> {
    facts: &'w mut Facts,
    text: &'w str,
    file: usize,
    /// Where the file begins to say how structures are packed.
    pub(crate) packed_from: usize,
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

    pub(crate) fn place(&self, node: Node<'_>) -> Place {
        Place { file: self.file, start: node.start_byte(), end: node.end_byte() }
    }

    pub(crate) fn text_of(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    fn node(&mut self, node: Node<'_>, field: Option<&str>, depth: usize, inside: &mut Vec<Inside>) {
        if node.is_error() || node.is_missing() {
            self.facts.errors.push(self.place(node));
        }
        let is_block = matches!(node.kind(), "compound_statement" | "case_statement" | "else_clause")
            || (field == Some("consequence") && node.is_named());
        if is_block && matches!(inside.first(), Some(Inside::Function(..))) && inside.len() < DEEPEST_BLOCK {
            let block = Block { label: self.label(node), choice: choice(node) };
            self.facts.blocks.push(block);
            inside.push(Inside::Block(self.facts.blocks.len() - 1, depth));
        }
        match node.kind() {
            "function_definition" => {
                let declarator = node.child_by_field_name("declarator");
                let name = declarator.and_then(|declarator| self.declared_name(declarator)).unwrap_or_default();
                let parameters = declarator.map_or_else(Vec::new, |declarator| parameters(self.text_of(declarator)));
                let function = Function { name, parameters, place: self.place(node) };
                self.facts.functions.push(function);
                inside.push(Inside::Function(self.facts.functions.len() - 1, depth));
            }
            "enumerator_list" => self.enumerators(node, function(inside)),
            "struct_specifier" | "union_specifier" | "class_specifier" => self.record(node),
            "namespace_definition" => self.scope(node),
            "type_definition" => self.type_definition(node),
            "declaration" => self.declaration(node, function(inside)),
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
    pub(crate) fn declared_name(&self, declarator: Node<'_>) -> Option<String> {
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

    fn enumerators(&mut self, list: Node<'_>, function: Option<usize>) {
        let (mut expression, mut more) = (None, 0);
        let mut cursor = list.walk();
        for enumerator in list.named_children(&mut cursor).filter(|child| child.kind() == "enumerator") {
            let Some(name) = enumerator.child_by_field_name("name") else { continue };
            if let Some(value) = enumerator.child_by_field_name("value") {
                (expression, more) = (Some(self.place(value)), 0);
            }
            let name = self.text_of(name).to_owned();
            let constant = Constant { expression, more, of: None, function };
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
    fn declaration(&mut self, node: Node<'_>, function: Option<usize>) {
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
            } else if is_constant && let Some(value) = single(value) {
                let constant =
                    Constant { expression: Some(self.place(value)), more: 0, of: Some(of.clone()), function };
                self.facts.constants.entry(name).or_default().push(constant);
            }
        }
    }

    fn assignment(&mut self, node: Node<'_>, inside: &[Inside]) {
        let function = function(inside);
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
