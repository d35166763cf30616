//! Checking a framing blob.

use super::{Circumstances, DeclaredFraming, Member, check_framing};
use crate::finding::{Finding, Span, Subject, codes};
use ks::FramingBlob;

/// What there is to say of a pin's binary answer: `KSALLOCATOR_FRAMING` or `KSALLOCATOR_FRAMING_EX`. `name` stands for the
/// pin; the findings' places are bytes of the blob.
///
/// ```
/// use kspipe::check::check_blob;
///
/// let findings = check_blob("capture", &[0; 25]);
/// assert_eq!(findings[0].code.code, "KS079");
/// ```
pub fn check_blob(name: &str, bytes: &[u8]) -> Vec<Finding> {
    let blob = match FramingBlob::parse(bytes) {
        Ok(blob) => blob,
        Err(error) => {
            let start = error.offset().min(bytes.len());
            let span = Span { start, end: start.saturating_add(4).min(bytes.len()) };
            let help = "a framing is KSALLOCATOR_FRAMING, 24 bytes, or KSALLOCATOR_FRAMING_EX, 24 bytes and 88 for each \
                        of its CountItems";
            let message = format!("not a framing: {error}");
            return vec![Finding::new(&codes::NOT_READABLE, Subject::default(), message, help).at(Some(span))];
        }
    };
    let framing = DeclaredFraming::of_blob(&blob);
    let mut findings = check_framing(name, &framing, &Circumstances::default());
    for finding in &mut findings {
        let member = finding.subject.member.and_then(Member::named);
        finding.span = member.and_then(|member| member.bytes(framing.structure(), finding.subject.item));
    }
    findings.sort_by_key(|finding| finding.span);
    findings
}
