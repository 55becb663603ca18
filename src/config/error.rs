//! What is wrong with the environment.

use std::fmt;

use thiserror::Error;

use super::UnknownVariable;

/// What is wrong with the environment: every problem, each with its variable's name.
#[derive(Debug, Error)]
pub struct ConfigError {
    /// `VARIABLE: what is wrong with it`.
    problems: Vec<String>,
    /// Perhaps the reason why a variable counts as unset.
    unknown: Vec<UnknownVariable>,
}

impl ConfigError {
    pub(super) const fn new(problems: Vec<String>, unknown: Vec<UnknownVariable>) -> Self {
        Self { problems, unknown }
    }

    /// One problem, which only a command has with the variable.
    pub(crate) fn of(variable: &str, what: impl fmt::Display) -> Self {
        Self::new(vec![format!("{variable}: {what}")], Vec::new())
    }

    /// Each problem by itself, as a line of `Display`.
    pub fn problems(&self) -> impl Iterator<Item = &String> {
        self.problems.iter()
    }

    /// Variables that look like settings and are none.
    pub fn unknown_variables(&self) -> &[UnknownVariable] {
        &self.unknown
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.problems.clone();
        let unknown = self.unknown.iter();
        lines.extend(unknown.map(|unknown| format!("{}: {}", unknown.name, unknown.what())));
        f.write_str(&lines.join("\n"))
    }
}
