//! Every code, with its explanation. KS001 to KS039 are said of plans, KS040 to KS079 and from KS100 on of framings and
//! graphs, KS080 to KS099 of drivers' sources. A code keeps its meaning for ever and is never used for another.

mod file;
mod framing;
mod graph;
mod plan;
mod references;
mod source;

pub use file::*;
pub use framing::*;
pub use graph::*;
pub use plan::*;
pub use source::*;

use super::Code;

/// Defines the codes of one part, and their list.
macro_rules! codes {
    ($list:ident; $($name:ident = $code:literal { $($field:ident: $value:expr),* $(,)? })*) => {
        $(
            #[doc = concat!("The code ", $code, ".")]
            // A code that leaves nothing out needs no update.
            #[allow(clippy::needless_update)]
            pub static $name: $crate::finding::Code =
                $crate::finding::Code { code: $code, $($field: $value,)* ..super::BLANK };
        )*
        /// The codes of this part, in order.
        pub(super) const $list: &[&$crate::finding::Code] = &[$(&$name),*];
    };
}
use codes;

/// What a definition leaves out.
const BLANK: Code = Code {
    code: "",
    name: "",
    severity: super::Severity::Warning,
    topic: super::Topic::Framing,
    title: "",
    explanation: "",
    example: "",
    fix: None,
    references: &[],
    ksproxy_differs: false,
};

const PARTS: [&[&Code]; 5] = [plan::PLAN, framing::FRAMING_CODES, graph::GRAPH, file::FILE, source::SOURCE];

const COUNT: usize = {
    let (mut sum, mut part) = (0, 0);
    while part < PARTS.len() {
        sum += PARTS[part].len();
        part += 1;
    }
    sum
};

static ALL: [&Code; COUNT] = {
    let mut all: [&Code; COUNT] = [&BLANK; COUNT];
    let (mut place, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut index = 0;
        while index < PARTS[part].len() {
            all[place] = PARTS[part][index];
            place += 1;
            index += 1;
        }
        part += 1;
    }
    sorted(all)
};

/// By their numbers.
const fn sorted(mut codes: [&'static Code; COUNT]) -> [&'static Code; COUNT] {
    let mut place = 1;
    while place < COUNT {
        let mut index = place;
        while index > 0 && is_before(codes[index].code, codes[index - 1].code) {
            let code = codes[index];
            codes[index] = codes[index - 1];
            codes[index - 1] = code;
            index -= 1;
        }
        place += 1;
    }
    codes
}

/// Of two codes of the same length.
const fn is_before(first: &str, second: &str) -> bool {
    let (first, second) = (first.as_bytes(), second.as_bytes());
    let mut place = 0;
    while place < first.len() && place < second.len() {
        if first[place] != second[place] {
            return first[place] < second[place];
        }
        place += 1;
    }
    false
}

/// Every code, in order.
pub static CODES: &[&Code] = &ALL;

/// The code written so, in either case, or with this name.
pub fn find_code(text: &str) -> Option<&'static Code> {
    CODES.iter().copied().find(|code| code.code.eq_ignore_ascii_case(text) || code.name == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        for code in CODES {
            let digits = code.code.strip_prefix("KS").expect("a code starts with KS");
            assert!(digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        }
    }

    #[test]
    fn every_code_is_whole() {
        for (place, code) in CODES.iter().enumerate() {
            let others = || CODES[..place].iter();
            assert!(others().all(|other| other.title != code.title && other.name != code.name), "{code}");
            assert!(
                !code.name.is_empty()
                    && code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit()),
                "{code}"
            );
            assert!(!code.title.is_empty() && !code.title.ends_with('.') && !code.title.contains('\n'), "{code}");
            assert!(code.explanation.len() > 80, "{code}: explain why it matters");
            assert!(!code.example.is_empty(), "{code}: show one");
            assert!(!code.references.is_empty(), "{code}: what does it rest on?");
        }
    }

    #[test]
    fn texts_are_plain_paragraphs() {
        for code in CODES {
            for text in [code.explanation, code.fix.unwrap_or("x"), code.title] {
                assert_eq!(text, text.trim(), "{code}");
                assert!(!text.contains("  "), "{code}: a line continued with two spaces");
            }
            for reference in code.references {
                assert!(
                    reference.address.is_none_or(|address| address.starts_with("https://") || address.ends_with(".md")),
                    "{code}"
                );
            }
        }
    }

    #[test]
    fn a_code_is_found_by_its_number_and_by_its_name() {
        for code in CODES {
            assert_eq!(find_code(code.code), Some(*code));
            assert_eq!(find_code(&code.code.to_lowercase()), Some(*code));
            assert_eq!(find_code(code.name), Some(*code));
        }
        assert_eq!(find_code("KS000"), None);
    }
}
