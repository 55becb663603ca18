//! The keys of paired browsers: each line of `DEVICE_SECRET` has one for invitations and one for
//! cookies. The first line signs what is new, all lines verify.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

use super::Pairing;
use crate::access::{UnusableFile, derived_key};
use crate::reload::{Files, Reloadable};
use crate::secret::{Secret, SecretSource};

const VARIABLE: &str = "DEVICE_SECRET";

/// The minimum length of a line, in bytes: that of the hash that is used.
const MIN_LENGTH: usize = 32;

/// The maximum number of lines: what no line has signed is tried with each.
const MAX_LINES: usize = 16;

/// The longest signed text that is verified, in bytes: several times what this service signs.
const MAX_TEXT: usize = 1024;

/// What a key signs. None of them is ever taken for another, nor for a pass or a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invitation,
    Cookie,
}

impl Kind {
    /// Separates the key from others that are derived from the same line.
    const fn purpose(self) -> &'static str {
        match self {
            Self::Invitation => "open-chat device invitation 1",
            Self::Cookie => "open-chat device cookie 1",
        }
    }
}

/// The keys in force, the first line's first.
pub(in crate::access) struct DeviceKeys {
    lines: Vec<Line>,
    validation: Validation,
}

struct Line {
    secret: Secret,
    invitation: Key,
    cookie: Key,
}

struct Key {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl DeviceKeys {
    /// Loads the keys of `DEVICE_SECRET`.
    pub(in crate::access) fn load(source: SecretSource) -> Result<Reloadable<Self>, UnusableFile> {
        Reloadable::load_keys(
            VARIABLE,
            move |files| Self::read(files, &source),
            |keys| {
                keys.lines
                    .is_empty()
                    .then(|| "there is no key in it".into())
            },
        )
        .map_err(|problem| UnusableFile {
            variable: VARIABLE,
            problem,
        })
    }

    fn read(files: &mut Files, source: &SecretSource) -> Result<Self, String> {
        match source {
            SecretSource::Text(secret) => Self::parse(secret.expose()),
            SecretSource::File(file) => Self::parse(&files.read(file.path())?),
        }
    }

    /// Reads the lines. The error is a sentence without a secret in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lines: Result<Vec<_>, _> = text
            .lines()
            .map(str::trim)
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, line)| {
                Line::new(line).map_err(|problem| format!("line {}: {problem}", index + 1))
            })
            .collect();
        let lines = lines?;
        if lines.len() > MAX_LINES {
            return Err(format!(
                "has over {MAX_LINES} lines, each of which is a key"
            ));
        }
        Ok(Self {
            lines,
            validation: validation(),
        })
    }

    /// Whether one of the lines is this secret.
    pub(in crate::access) fn contain(&self, other: &Secret) -> bool {
        let other = Secret::new(other.expose().trim());
        self.lines.iter().any(|line| line.secret == other)
    }

    /// The lines.
    pub(in crate::access) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.lines.iter().map(|line| &line.secret)
    }

    /// Signs with the line of this number; 0 is the first.
    pub(super) fn sign(&self, kind: Kind, line: usize, pairing: &Pairing) -> Option<Secret> {
        let key = self.lines.get(line)?.key(kind);
        let header = Header::new(Algorithm::HS256);
        encode(&header, pairing, &key.encoding)
            .ok()
            .map(Secret::new)
    }

    /// What one of the lines has signed, and the number of that line.
    pub(super) fn verify(&self, kind: Kind, text: &[u8]) -> Option<(Pairing, usize)> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut lines = self.lines.iter().enumerate();
        lines.find_map(|(number, line)| {
            let decoded = decode(text, &line.key(kind).decoding, &self.validation).ok()?;
            Some((decoded.claims, number))
        })
    }
}

impl Line {
    fn new(text: &str) -> Result<Self, String> {
        if text.len() < MIN_LENGTH {
            return Err(format!("a key has at least {MIN_LENGTH} bytes"));
        }
        let secret = Secret::new(text);
        let key = |kind| Key::derive(kind, &secret).ok_or("no key can be made of it");
        Ok(Self {
            invitation: key(Kind::Invitation)?,
            cookie: key(Kind::Cookie)?,
            secret,
        })
    }

    const fn key(&self, kind: Kind) -> &Key {
        match kind {
            Kind::Invitation => &self.invitation,
            Kind::Cookie => &self.cookie,
        }
    }
}

impl Key {
    fn derive(kind: Kind, secret: &Secret) -> Option<Self> {
        let key = derived_key::derive(kind.purpose(), secret, &Secret::new(""))?;
        Some(Self {
            encoding: EncodingKey::from_secret(&key),
            decoding: DecodingKey::from_secret(&key),
        })
    }
}

/// What `jsonwebtoken` checks: the signature. The times are this service's to check.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LINE: &str = "canary-device-secret-of-32-bytes";

    #[rstest]
    #[case::one(LINE, 1)]
    #[case::blanks_around_it("  canary-device-secret-of-32-bytes\t\r\n", 1)]
    #[case::empty_lines_are_no_keys("\n\n canary-device-secret-of-32-bytes\n \n", 1)]
    #[case::nothing("\n \n", 0)]
    #[case::as_many_as_may_be(&format!("{LINE}\n").repeat(16), 16)]
    fn a_line_is_a_key(#[case] text: &str, #[case] keys: usize) {
        assert_eq!(DeviceKeys::parse(text).unwrap().lines.len(), keys);
    }

    #[rstest]
    #[case::short(format!("{LINE}\n\n{}", &LINE[1..]), "line 3: a key has at least 32 bytes")]
    #[case::short_without_blanks(format!("{}   ", &LINE[1..]), "line 1: a key has at least 32 bytes")]
    #[case::many(format!("{LINE}\n").repeat(17), "has over 16 lines, each of which is a key")]
    fn a_line_that_is_no_key_is_an_error(#[case] text: String, #[case] problem: &str) {
        assert_eq!(DeviceKeys::parse(&text).err().as_deref(), Some(problem));
    }

    #[test]
    fn blanks_make_no_other_key() {
        let keys = DeviceKeys::parse(LINE).unwrap();
        assert!(keys.contain(&Secret::new(format!(" {LINE}\n"))));
        assert!(!keys.contain(&Secret::new(&LINE[1..])));
    }
}
