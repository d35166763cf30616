//! Types as syntax trees declare them: structures, their members, what a declarator makes of a type.

use crate::facts::TypeSource;
use crate::walk::Walk;
use tree_sitter::Node;

impl Walk<'_> {
    pub(crate) fn record_source(&self, node: Node<'_>, depth: usize) -> TypeSource {
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

    pub(crate) fn type_source(&self, of: Node<'_>, depth: usize) -> TypeSource {
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
    pub(crate) fn declared_type(&self, declarator: Node<'_>, of: TypeSource) -> Option<TypeSource> {
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
}
