//! What is said of a driver's source, beside its framings.

use super::codes;
use super::references::*;
use crate::finding::{Severity, Topic};

codes! { SOURCE;
    NOT_EVALUATED = "KS080" {
        name: "not-evaluated", severity: Severity::Note, topic: Topic::Source,
        title: "a member's value is not known from the sources",
        explanation: "The expression uses a name that none of the files defines, calls a function, or reads a variable: a compiler, or the \
            running driver, knows its value, and this check does not. The member is left out of every check; it is not taken as 0. \
            The rest of the framing is checked. The message says which of these it is, and the help what can be done about it.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, MemoryType, Flags, FRAMES_OF_A_HEADER, 0, Size, Size);",
        fix: Some("Give the file that defines the name as well, or the directory of the header with --include."),
        references: &[SOURCES],
    }
    OVERFLOW = "KS081" {
        name: "overflow", severity: Severity::Error, topic: Topic::Source,
        title: "a constant has more bits than its type",
        explanation: "C computes with int, 32 bits on Windows, unless an operand is wider, and every member of a framing is 32 bits wide. \
            What is over that is cut off without an error, so that a size of 4 GiB and 100 bytes becomes 100 bytes.",
        example: "Item.FramingRange.Range.MinFrameSize = 32768 * 32768 * 4;  // 0",
        fix: Some("Write a size that fits 32 bits."),
        references: &[FRAMING_RANGE, SOURCES],
    }
    NOT_UNDERSTOOD = "KS082" {
        name: "not-understood", severity: Severity::Warning, topic: Topic::Source,
        title: "a declaration of a framing cannot be read, or not all of it",
        explanation: "A brace or parenthesis is missing, DECLARE_SIMPLE_FRAMING_EX has too many or too few arguments, an initialiser names a \
            member that does not exist, or has more values than the structure has members. A compiler would most likely refuse it. What \
            stands before and behind is read all the same.",
        example: "DECLARE_SIMPLE_FRAMING_EX(Framing, MemoryType, Flags, 4, 0, Size);  // one argument is missing",
        fix: None,
        references: &[FRAMING_EX, SOURCES],
    }
    NEVER_USED = "KS083" {
        name: "never-used", severity: Severity::Warning, topic: Topic::Source,
        title: "a framing is declared and never used",
        explanation: "Only its own file can name this framing, and nothing there does: no pin's descriptor has it, no function edits it. The \
            pin it is meant for answers no framing property, or another one, and its allocator is sized by whoever decides then.",
        example: "static DECLARE_SIMPLE_FRAMING_EX(CaptureFraming, ...);  // and NULL in the descriptor of the pin",
        fix: Some("Put its address into AllocatorFraming of the pin's KSPIN_DESCRIPTOR_EX, or remove it."),
        references: &[PIN_DESCRIPTOR_EX],
    }
    SEVERAL_WAYS = "KS084" {
        name: "several-ways", severity: Severity::Note, topic: Topic::Source,
        title: "a declaration is compiled in several ways",
        explanation: "There is a conditional of the preprocessor inside it. Every way is read as a framing of its own, so that a finding may \
            concern only one of them; its message says which.",
        example: "KSALLOCATOR_FRAMING Framing = { 2, NonPagedPool,\n#ifdef _WIN64\n8,\n#else\n4,\n#endif\n8192, 0, 0 };",
        fix: None,
        references: &[SOURCES],
    }
    ITEM_COUNT = "KS085" {
        name: "item-count", severity: Severity::Error, topic: Topic::Source,
        title: "CountItems is not the number of framing items",
        explanation: "The structure is 24 bytes and 88 for each of CountItems. Where fewer items are there, AVStream and KSProxy read what lies \
            behind the structure; where more are, the last ones are never seen.",
        example: "const KSALLOCATOR_FRAMING_EX Framing = { 2, 0, { 1, 1, 0 }, 0, { { Item } } };",
        fix: Some("Count the items that are there."),
        references: &[FRAMING_EX],
    }
    NO_VALUE = "KS086" {
        name: "no-value", severity: Severity::Error, topic: Topic::Source,
        title: "a member's expression has no value",
        explanation: "The expression is wrong in itself, whatever other files define: it divides by 0, shifts by fewer than 0 or by all bits of \
            its type, has a GUID or a text where a number should be, a number that no type holds, or a constant that is made of itself. A \
            compiler refuses it, or makes of it what it likes. The member is left out of every other check.",
        example: "#define BUFFERS_A_SECOND 0\nDECLARE_SIMPLE_FRAMING_EX(Framing, MemoryType, Flags, 2, 0, RATE / BUFFERS_A_SECOND, Size);",
        fix: Some("Write an expression that a compiler can compute."),
        references: &[FRAMING_EX, SOURCES],
    }
}
