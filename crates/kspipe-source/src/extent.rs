//! How far what begins at a token reaches, by its parentheses and separators: without a grammar, because what is looked at
//! may stand in a macro's body.

use crate::lexer::Token;

/// Parts between commas outside of parentheses and braces.
pub(crate) fn split<'s>(tokens: &[Token<'s>]) -> Vec<Vec<Token<'s>>> {
    let mut parts = vec![Vec::new()];
    let mut depth = 0usize;
    for token in tokens {
        if token.is("(") || token.is("{") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("}") || token.is("]") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 && token.is(",") {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(token.clone());
        }
    }
    parts
}

/// How many tokens `( ... )` or `{ ... }` at the start takes.
pub(crate) fn parenthesised_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        if token.is("(") || token.is("{") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("}") || token.is("]") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

/// A name, with its arguments where some follow.
pub(crate) fn invocation_length(tokens: &[Token<'_>]) -> usize {
    if tokens.get(1).is_some_and(|token| token.is("(")) { 1 + parenthesised_length(&tokens[1..]) } else { 1 }
}

/// Up to the comma or semicolon that ends a value.
pub(crate) fn value_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate() {
        if token.is("(") || token.is("{") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("}") || token.is("]") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && (token.is(",") || token.is(";")) {
            return index;
        }
    }
    tokens.len()
}

/// Up to and with the semicolon that ends a declaration; what has none ends where a body or list would begin again.
pub(crate) fn declaration_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0usize;
    let mut assigned = false;
    for (index, token) in tokens.iter().enumerate() {
        if token.is("(") || token.is("{") || token.is("[") {
            assigned |= depth == 0 && token.is("{");
            depth += 1;
        } else if token.is(")") || token.is("}") || token.is("]") {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                // The end of what the type stands in: a parameter, a cast.
                None => return index,
            }
        } else if depth == 0 && token.is("=") {
            assigned = true;
        } else if depth == 0 && token.is(";") {
            return index + 1;
        }
        // A type alone, without a value, is looked at no further than it can matter.
        if !assigned && index > 64 && depth == 0 {
            return index;
        }
    }
    tokens.len()
}
