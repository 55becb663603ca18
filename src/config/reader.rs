//! Reading variables one by one, and keeping what is wrong with them.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use super::certificates::Certificates;
use super::environment::Environment;
use super::misspelt::{self, UnknownVariable};
use super::{Config, ConfigError};
use crate::secret::{Secret, SecretSource};

/// What is wrong with one variable.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) variable: Cow<'static, str>,
    pub(super) what: String,
}

/// A problem that has been reported to the reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

/// Collects problems while it reads.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Problem>,
    /// Variables that look like ours and are none.
    pub(super) unknown: Vec<UnknownVariable>,
    pub(super) certificates: Certificates,
}

impl Reader {
    /// Takes our variables out of `vars`. envy panics on one that is not UTF-8 and stumbles over an
    /// empty one, so neither reaches it.
    pub(super) fn environment(
        &mut self,
        vars: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Environment, Reported> {
        let ours = Config::variables();
        let mut texts = Vec::new();
        for (name, value) in vars {
            let Some(name) = name.to_str() else {
                continue;
            };
            self.certificates.take(name, &value);
            let Some((name, _)) = ours.iter().find(|(known, _)| known == name) else {
                self.unknown.extend(misspelt::unknown(name, &ours));
                continue;
            };
            match value.into_string() {
                Ok(value) if value.trim().is_empty() => {}
                Ok(value) => texts.push((name.clone(), value)),
                Err(_) => drop(self.problem(name.clone(), "is not UTF-8")),
            }
        }
        // Every field is an optional text, so envy finds nothing to object to.
        envy::from_iter(texts).map_err(|error| self.problem("environment", error.to_string()))
    }

    /// Reads a variable.
    pub(super) fn read<T, E: fmt::Display>(
        &mut self,
        variable: &'static str,
        text: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Reported> {
        let text = text.ok_or_else(|| self.problem(variable, "must be set"))?;
        parse(text.trim()).map_err(|error| self.problem(variable, error.to_string()))
    }

    /// Reads a variable that may stay unset.
    pub(super) fn read_optional<T, E: fmt::Display>(
        &mut self,
        variable: &'static str,
        text: Option<&String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Reported> {
        match text {
            None => Ok(None),
            text => self.read(variable, text, parse).map(Some),
        }
    }

    /// Reads a secret from its variable, or from the file that `NAME_FILE` names. It may stay
    /// unset.
    pub(super) fn secret(
        &mut self,
        variable: &'static str,
        value: Option<String>,
        file: Option<String>,
    ) -> Result<Option<SecretSource>, Reported> {
        match (value, file) {
            (None, None) => Ok(None),
            (Some(value), None) => Ok(Some(Secret::new(value).into())),
            (Some(_), Some(_)) => {
                Err(self.problem(variable, format!("is set twice, also by {variable}_FILE")))
            }
            (None, Some(file)) => {
                let source = SecretSource::file(&file);
                match source.read() {
                    Ok(_) => Ok(Some(source)),
                    Err(error) => {
                        Err(self
                            .problem(variable, format!("the file {file} cannot be used: {error}")))
                    }
                }
            }
        }
    }

    /// Keeps a problem.
    pub(super) fn problem(
        &mut self,
        variable: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
    ) -> Reported {
        self.problems.push(Problem {
            variable: variable.into(),
            what: what.into(),
        });
        Reported
    }

    /// The value, if nothing was wrong on the way to it.
    pub(super) fn finish<T>(self, value: Result<T, Reported>) -> Result<T, ConfigError> {
        match value {
            Ok(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ConfigError {
                problems: self.problems,
                unknown: self.unknown,
            }),
        }
    }
}

/// `5s`, `1h 30m`; not zero.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or("not a duration, such as 5s or 1h")
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
