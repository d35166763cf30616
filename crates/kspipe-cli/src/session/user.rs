//! A user of the system, as typed.

use std::str::FromStr;

/// A user, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User(pub(crate) u32);

impl FromStr for User {
    type Err = String;

    /// A number, or a name that the system knows.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self(number));
        }
        match nix::unistd::User::from_name(text) {
            Ok(Some(user)) => Ok(Self(user.uid.as_raw())),
            Ok(None) => Err("the system knows no user of this name; expected a name or a number".to_owned()),
            Err(error) => Err(format!("the system does not say who that is: {error}")),
        }
    }
}

/// Whose processes are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// Those of the user who serves, and root's.
    Own,
    /// Those of a user.
    User(User),
}

impl FromStr for Trusted {
    type Err = String;

    /// A user, or two words that none can be called.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "own user" { Ok(Self::Own) } else { text.parse().map(Self::User) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_numbers_and_names() {
        assert_eq!("1000".parse(), Ok(User(1000)));
        assert_eq!("root".parse(), Ok(User(0)));
        for wrong in ["", "no such user", "-1", "4294967296"] {
            assert!(wrong.parse::<User>().is_err(), "{wrong}");
        }
    }
}
