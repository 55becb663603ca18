//! What is wrong with the environment.

use std::fmt;

use thiserror::Error;

use super::parser::Problem;
use super::unknown_variables::UnknownVariable;

/// What is wrong with the environment: every problem, each with its variable's name.
#[derive(Debug, Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
    /// Perhaps the reason why a variable counts as unset.
    unknown: Vec<UnknownVariable>,
}

impl ConfigError {
    pub(super) const fn new(problems: Vec<Problem>, unknown: Vec<UnknownVariable>) -> Self {
        Self { problems, unknown }
    }

    /// One problem, which only a command has with the variable.
    pub(crate) fn of(variable: &'static str, what: impl Into<String>) -> Self {
        let problem = Problem {
            variable: variable.into(),
            what: what.into(),
        };
        Self::new(vec![problem], Vec::new())
    }

    /// Each problem by itself, as a line of `Display`.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.problems
            .iter()
            .map(|Problem { variable, what }| format!("{variable}: {what}"))
    }

    /// Variables that look like settings and are none.
    pub fn unknown_variables(&self) -> &[UnknownVariable] {
        &self.unknown
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = self.unknown.iter();
        let unknown = unknown.map(|unknown| format!("{}: {}", unknown.name, unknown.what()));
        let lines: Vec<_> = self.problems().chain(unknown).collect();
        f.write_str(&lines.join("\n"))
    }
}
