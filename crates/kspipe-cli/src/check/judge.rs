//! Which findings are shown, and how bad each is taken to be.

use crate::arguments::CheckArguments;
use crate::failure::Failure;
use kspipe::finding::{Code, Severity, find_code};

/// What `--only`, `--allow` and `--deny` say.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    only: Vec<&'static Code>,
    allowed: Vec<&'static Code>,
    denied: Vec<&'static Code>,
    /// The least severity that counts as an error, by a word instead of a code.
    denied_from: Option<Severity>,
}

impl Verdicts {
    pub(super) fn of(arguments: &CheckArguments) -> Result<Self, Failure> {
        let mut verdicts = Verdicts::default();
        for word in &arguments.only {
            verdicts.only.push(code(word)?);
        }
        for word in &arguments.allow {
            verdicts.allowed.push(code(word)?);
        }
        for word in &arguments.deny {
            let from = match word.as_str() {
                "warnings" => Severity::Warning,
                "notes" => Severity::Note,
                _ => {
                    verdicts.denied.push(code(word)?);
                    continue;
                }
            };
            verdicts.denied_from = Some(verdicts.denied_from.map_or(from, |already| already.min(from)));
        }
        Ok(verdicts)
    }

    /// How bad a finding of this kind is; `None`: it is not shown.
    pub(super) fn severity(&self, code: &'static Code) -> Option<Severity> {
        let shown = (self.only.is_empty() || self.only.contains(&code)) && !self.allowed.contains(&code);
        let denied = self.denied.contains(&code) || self.denied_from.is_some_and(|from| code.severity >= from);
        shown.then_some(if denied { Severity::Error } else { code.severity })
    }
}

/// The code that is meant by a word.
pub(super) fn code(word: &str) -> Result<&'static Code, Failure> {
    find_code(word).ok_or_else(|| {
        Failure::usage(format!("there is no code `{word}`"), "kspipe check --list shows every code and its name")
    })
}
