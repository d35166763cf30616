//! What is said of a file that cannot be read as what it is.

use super::codes;
use super::references::*;
use crate::finding::{Severity, Topic};

codes! { FILE;
    NOT_READABLE = "KS079" {
        name: "not-readable", severity: Severity::Error, topic: Topic::File,
        title: "the file is not a graph, or not a framing",
        explanation: "A graph file has a key nobody knows, a value of the wrong type or out of range, a connection to a pin that \
            is not there; or a framing blob has more or fewer bytes than its CountItems says, 24 and 88 for each item. Everything \
            else waits until the file can be read.",
        example: "CountItems is 2 in a blob of 112 bytes, which has room for one item",
        fix: Some("The message names the place, what was expected there and, where there is one, the nearest known name."),
        references: &[GRAPH_FILE, FRAMING_EX],
    }
}
