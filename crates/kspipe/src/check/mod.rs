//! The linter: what is wrong, or odd, in graphs and framings, found before anything runs.
//!
//! [`check_framing`] looks at one framing, as it is written, in what is known of its pin's [`Circumstances`];
//! [`check_blob`] reads the framing from a pin's binary answer; [`check_graph_file`] looks at every pin of a graph file, at
//! how they fit each other, and at the plan that negotiation makes of it. What they find has codes of
//! [`CODES`](crate::finding::CODES); `docs/checks.md` tells each.
//!
//! What is not known raises no finding, and a sound framing has none that is an error.

mod alternative;
mod blob;
mod declared;
mod graph;
mod lints;
mod media;
mod member;
mod places;

pub use blob::check_blob;
pub use declared::{DeclaredFraming, Origin};
pub use graph::{check_graph, check_graph_file, graph_file_findings};
pub use media::MediaFrame;
pub use member::{Member, Structure};

use crate::finding::Finding;
use crate::graph::{Direction, Mode};
use alternative::Subjected;

/// What is known of the pin a framing belongs to. Each thing that is not known is `None`, and nothing is found that would
/// rest on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Which way frames pass the pin.
    pub direction: Option<Direction>,
    /// The side its filter runs on.
    pub mode: Option<Mode>,
    /// What one frame of the connected format takes.
    pub media: Option<MediaFrame>,
    /// The pin belongs to a filter that makes new frames of those it gets: an encoder or a decoder.
    pub is_codec: Option<bool>,
    /// The driver changes the framing when the pin is made or its format set.
    pub edited: Option<bool>,
    /// The driver touches the bytes of frames at DISPATCH_LEVEL.
    pub writes_at_dispatch_level: Option<bool>,
}

/// What there is to say of one framing: in the order of its items and members. `name` is the pin's, or that of the
/// variable; findings have it as their subject, and no place.
///
/// [`DeclaredFraming`] has an example.
pub fn check_framing(name: &str, framing: &DeclaredFraming, circumstances: &Circumstances) -> Vec<Finding> {
    let mut subjected = Subjected { name, framing, found: Vec::new() };
    for lint in lints::LINTS {
        lint(&mut subjected, circumstances);
    }
    let mut found = subjected.found;
    found.sort_by(|a, b| (&a.subject.item, place_of(a), a.code.code).cmp(&(&b.subject.item, place_of(b), b.code.code)));
    found
}

fn place_of(finding: &Finding) -> Option<Member> {
    finding.subject.member.and_then(Member::named)
}
