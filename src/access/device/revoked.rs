//! Which pairings the company has ended (`DEVICES_REVOKED_FILE`, TOML): by device, by operator, by
//! the API key that has invited, or by the time of the invitation.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::value::Datetime;

use super::{DeviceId, Pairing};
use crate::access::{Authenticator, UnusableFile};
use crate::reload::{Files, Reloadable};
use chathub::OperatorId;

const VARIABLE: &str = "DEVICES_REVOKED_FILE";

/// The entries of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::access) struct Revocations {
    #[serde(default)]
    revoked: Vec<Revocation>,
}

/// An entry. All that is given must fit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    device: Option<DeviceId>,
    operator: Option<OperatorId>,
    /// The name of the API key that has invited.
    key: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    before: Option<DateTime<Utc>>,
}

impl Revocations {
    /// Loads a file.
    pub(in crate::access) fn load(path: PathBuf) -> Result<Reloadable<Self>, UnusableFile> {
        Reloadable::load(VARIABLE, move |files| Self::read(files, &path)).map_err(|problem| {
            UnusableFile {
                variable: VARIABLE,
                problem,
            }
        })
    }

    fn read(files: &mut Files, path: &Path) -> Result<Self, String> {
        let text = files.read(path)?;
        Self::parse(&text).map_err(|problem| format!("the file {}: {problem}", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let revocations: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            format!("see line {line}: {}", error.message())
        })?;
        let mut entries = revocations.revoked.iter();
        if let Some(index) = entries.position(Revocation::is_empty) {
            return Err(format!(
                "entry {} says nothing: give it device, operator, key or before",
                index + 1
            ));
        }
        Ok(revocations)
    }

    /// Whether an entry ends this pairing.
    pub(super) fn contain(&self, pairing: &Pairing) -> bool {
        self.revoked.iter().any(|entry| entry.fits(pairing))
    }
}

impl Revocation {
    const fn is_empty(&self) -> bool {
        self.device.is_none()
            && self.operator.is_none()
            && self.key.is_none()
            && self.before.is_none()
    }

    fn fits(&self, pairing: &Pairing) -> bool {
        self.device.is_none_or(|device| device == pairing.device)
            && self
                .operator
                .is_none_or(|operator| operator == pairing.operator)
            && (self.key.is_none() || self.key == pairing.key)
            && self
                .before
                .is_none_or(|before| pairing.invited_at() < before)
    }
}

impl Authenticator {
    /// The moments in `DEVICES_REVOKED_FILE` that lie ahead of `now`: until then they end each new
    /// pairing as well.
    pub fn revocations_ahead(&self, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let Some(revocations) = &self.revoked_devices else {
            return Vec::new();
        };
        let revocations = revocations.get();
        let moments = revocations.revoked.iter().filter_map(|entry| entry.before);
        moments.filter(|before| *before > now).collect()
    }
}

/// A moment, as TOML writes it or in quotation marks. It must have a time zone.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Moment {
        Bare(Datetime),
        Quoted(String),
    }
    let text = match Moment::deserialize(deserializer)? {
        Moment::Bare(moment) => moment.to_string(),
        Moment::Quoted(text) => text,
    };
    DateTime::parse_from_rfc3339(&text)
        .map(|moment| Some(moment.to_utc()))
        .map_err(|_| D::Error::custom("a moment has a time zone, as 2026-11-25T00:00:00Z has"))
}
