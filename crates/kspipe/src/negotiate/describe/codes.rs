//! The codes of the warnings a plan can carry. They are stable: a code keeps its meaning and is never used again.

/// A code and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `KS001` and so on.
    pub code: &'static str,
    /// What it stands for, in one line.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal;)*) => {
        $(pub(super) const $name: Code = Code { code: $code, title: $title };)*
        /// Every code, in order.
        pub const CODES: &[Code] = &[$($name),*];
    };
}

codes! {
    PREFERRED_MEMORY = "KS001", "a preferred memory type is not had";
    PREFERRED_SIZE = "KS002", "frames are smaller than a pin prefers";
    PREFERRED_FRAMES = "KS003", "there are fewer frames than a pin prefers";
    PREFERRED_ALLOCATOR = "KS004", "a pin that prefers to allocate does not";
    NOT_CONNECTED = "KS005", "a pin is not connected";
    OLD_DEVICE_MEMORY = "KS006", "an old framing asks for device memory";
    PREFERRED_MAXIMUM = "KS007", "frames are larger than a pin's preferred physical maximum";
    PREFERRED_STEPPING = "KS008", "the frame size is not on a pin's preferred stepping";
    OPTIMAL_MAXIMUM = "KS009", "frames are larger than a pin's optimal maximum";
    IN_PIN_RANGE = "KS010", "the physical range of an in pin decided, which KSProxy ignores";
    COM_LIMITS = "KS011", "a pipe's numbers do not fit a COM allocator";
    UNDECLARED_MEMORY = "KS012", "a memory type is not declared";
    IDLE_COMPRESSION = "KS013", "a compression is stated where it has no effect";
    LOCKED_USER_MEMORY = "KS014", "locked user memory stands in for kernel memory";
    STALLS = "KS030", "the graph stalls";
    MAY_STALL = "KS031", "the graph stalls where filters keep and send frames as late as they may";
    NOT_PROVEN_TO_MOVE = "KS032", "it is not proven that the graph always moves";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_unique_and_titles_differ() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        for (place, code) in CODES.iter().enumerate() {
            assert!(code.code.len() == 5 && code.code.starts_with("KS"));
            assert!(CODES[..place].iter().all(|other| other.title != code.title));
        }
    }
}
