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
    UP_TO_A_BRIDGE = "KS020", "frames of a pin that must allocate are copied at a bridge";
    OTHER_ITEM = "KS021", "an item that asks to allocate is not the one used";
    NOT_ON_WINDOWS = "KS022", "a pin allocates where Windows would not call its allocator";
    UPSTREAM_MAY_IGNORE = "KS023", "a user-mode filter upstream may ignore a pin's size and alignment";
    MORE_OUTSTANDING = "KS024", "a pipe has more than twice the frames a driver says it can have outstanding";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_unique_and_titles_differ() {
        for (place, code) in CODES.iter().enumerate() {
            assert!(code.code.len() == 5 && code.code.starts_with("KS") && code.code[2..].parse::<u16>().is_ok());
            let before = &CODES[..place];
            assert!(before.iter().all(|other| other.code < code.code && other.title != code.title), "{}", code.code);
        }
    }
}
