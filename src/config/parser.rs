//! Parses variables one by one, and collects what is wrong with them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ConfigError, UnknownVariable, certificates, unknown_variables, variables};
use crate::files;
use crate::secret::{Secret, SecretSource};

/// Proof that the parser has a problem on its list, in the place of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

/// The service's variables, as far as they are set, and the problems so far. No problem repeats a
/// value, which may be a secret.
#[derive(Default)]
pub(super) struct EnvParser {
    /// By their names in lower case.
    values: HashMap<String, String>,
    problems: Vec<String>,
    /// Variables that look like settings and are none.
    pub(super) unknown: Vec<UnknownVariable>,
    /// The values of [`certificates::VARIABLES`].
    pub(super) certificates: HashMap<String, OsString>,
}

impl EnvParser {
    /// Takes the process's variables.
    pub(super) fn from_env() -> Self {
        Self::from_vars(std::env::vars_os())
    }

    /// Takes the service's variables out of `vars`. A blank one counts as unset.
    pub(super) fn from_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let documented = variables::documented();
        let mut parser = Self::default();
        let mut known = Vec::new();
        for (name, value) in vars {
            let Some(name) = name.to_str() else {
                continue;
            };
            if certificates::VARIABLES.contains(&name) {
                parser.certificates.insert(name.to_owned(), value);
                continue;
            }
            if !documented.iter().any(|(known, _)| known == name) {
                let unknown = unknown_variables::check(name, &documented);
                parser.unknown.extend(unknown);
                continue;
            }
            match value.into_string() {
                Ok(value) if value.trim().is_empty() => {}
                Ok(value) => known.push((name.to_owned(), value)),
                Err(_) => drop(parser.problem(name, "is not UTF-8")),
            }
        }
        // envy's keys are lower case. Texts into texts cannot fail.
        parser.values = envy::from_iter(known).unwrap_or_default();
        parser
    }

    /// The text of a variable, or its default.
    pub(super) fn text(&self, variable: &str) -> Option<&str> {
        let default = variables::default_of(variable);
        let value = self.values.get(&variable.to_ascii_lowercase());
        value.map(String::as_str).or(default)
    }

    /// The path that a variable holds.
    pub(super) fn path(&self, variable: &str) -> Option<PathBuf> {
        self.text(variable).map(|text| path_in(text).into())
    }

    /// Parses a variable that must be set, or has a default.
    pub(super) fn required<T, E: fmt::Display>(
        &mut self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Reported> {
        self.optional(variable, parse)?
            .ok_or_else(|| self.problem(variable, "must be set"))
    }

    /// Parses a variable that may stay unset.
    pub(super) fn optional<T, E: fmt::Display>(
        &mut self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Reported> {
        let parsed = self.text(variable).map(|text| parse(text.trim()));
        parsed
            .transpose()
            .map_err(|error| self.problem(variable, error))
    }

    /// Reads a secret from its variable, or from the file that `NAME_FILE` names. It may stay
    /// unset.
    pub(super) fn secret(
        &mut self,
        variable: &'static str,
    ) -> Result<Option<SecretSource>, Reported> {
        let file_variable = format!("{variable}_FILE");
        match (self.text(variable), self.path(&file_variable)) {
            (None, None) => Ok(None),
            (Some(value), None) => Ok(Some(Secret::new(value).into())),
            (Some(_), Some(_)) => {
                Err(self.problem(variable, format!("is set twice, also by {file_variable}")))
            }
            (None, Some(file)) => {
                let source = SecretSource::file(&file);
                match source.read() {
                    Ok(_) => Ok(Some(source)),
                    Err(why) => Err(self.problem(variable, files::unusable(&file, why))),
                }
            }
        }
    }

    /// Reports a problem.
    pub(super) fn problem(&mut self, variable: &str, what: impl fmt::Display) -> Reported {
        self.problems.push(format!("{variable}: {what}"));
        Reported
    }

    /// Parses with `parse`: the value, or all problems where there are any.
    pub(super) fn finish<T>(
        mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, Reported>,
    ) -> Result<T, ConfigError> {
        match parse(&mut self) {
            Ok(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ConfigError::new(self.problems, self.unknown)),
        }
    }
}

/// The path that a variable's text is. No path of ours ends in white space, and the lines of a file
/// that Windows has written do.
pub(super) fn path_in(text: &str) -> &Path {
    text.trim().as_ref()
}

/// The longest duration. A multiple of it can still be added to any moment, which panics with the
/// longest that can be written.
const MAX_DURATION: Duration = Duration::from_hours(100 * 366 * 24);

/// `5s`, `1h 30m`; not zero.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let duration = humantime::parse_duration(text)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or("not a duration, such as 5s or 1h")?;
    let is_allowed = duration <= MAX_DURATION;
    is_allowed
        .then_some(duration)
        .ok_or("longer than 100 years")
}

/// The same, or `0`.
pub(super) fn duration_or_zero(text: &str) -> Result<Duration, &'static str> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        text => duration(text),
    }
}

/// `on` or `off`.
pub(super) fn on_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("neither `on` nor `off`"),
    }
}
