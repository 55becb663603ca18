//! Secrets: passwords, keys and tokens, which are never printed.
//!
//! Owns the one type for such a text, and where its text comes from. It knows nothing of what the
//! text opens.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use arc_swap::ArcSwapOption;
use arrayvec::ArrayString;
use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

use crate::files;

/// A secret text. `Debug` shows `[secret]`, there is no `Display`, and the memory is zeroed when it
/// is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Wraps a file's text, without the line break at its end. `None` where it is blank.
    pub fn from_file(text: &str) -> Option<Self> {
        let is_blank = text.trim().is_empty();
        (!is_blank).then(|| Self::new(text.trim_end_matches(['\r', '\n'])))
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The first 16 hex digits of the text's SHA-256: enough to recognise a token in two logs, too
    /// little to recover it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.expose())
    }
}

impl From<Secret> for SecretString {
    fn from(Secret(text): Secret) -> Self {
        text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl PartialEq for Secret {
    /// Compares in constant time, so that the duration tells nothing about the text.
    fn eq(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(
            self.expose().as_bytes(),
            other.expose().as_bytes(),
        )
        .is_ok()
    }
}

impl Eq for Secret {}

/// Where a secret comes from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Its text is fixed.
    Text(Secret),
    /// It is in a file, which may change while the service runs.
    File(SecretFile),
}

/// A file with a secret. Clones share the secret that was last read.
#[derive(Clone, Debug)]
pub struct SecretFile {
    path: PathBuf,
    last: Arc<ArcSwapOption<Secret>>,
}

impl SecretFile {
    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl SecretSource {
    /// A secret in this file, which is not read yet.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(SecretFile {
            path: path.into(),
            last: Arc::default(),
        })
    }

    /// Reads the secret, with a start's timeout.
    pub fn read(&self) -> io::Result<Secret> {
        let secret = match self {
            Self::Text(secret) => secret.clone(),
            Self::File(file) => {
                let text = files::read_in_time(&file.path, files::MAX_KEYS)?;
                Secret::from_file(&text)
                    .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty"))?
            }
        };
        self.replace(&secret);
        Ok(secret)
    }

    /// The secret that was last read. Never reads the file, so it never blocks.
    pub fn last(&self) -> Option<Secret> {
        match self {
            Self::Text(secret) => Some(secret.clone()),
            Self::File(file) => file.last.load().as_deref().cloned(),
        }
    }

    /// Replaces the secret that was last read.
    pub fn replace(&self, secret: &Secret) {
        if let Self::File(file) = self {
            file.last.store(Some(Arc::new(secret.clone())));
        }
    }
}

impl From<Secret> for SecretSource {
    fn from(secret: Secret) -> Self {
        Self::Text(secret)
    }
}

/// The head of a secret's SHA-256, safe to log. `Display` writes 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(ArrayString<16>);

impl Fingerprint {
    /// The fingerprint of a secret text.
    pub fn of(secret: &str) -> Self {
        let hash = digest(&SHA256, secret.as_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&hash.as_ref()[..8]);
        let mut text = ArrayString::new();
        // Writing sixteen digits into room for sixteen cannot fail.
        let _ = write!(text, "{:016x}", u64::from_be_bytes(head));
        Self(text)
    }

    /// 16 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }

    #[test]
    fn fingerprint_is_the_head_of_sha_256() {
        // `printf abc | sha256sum`
        assert_eq!(
            Secret::new("abc").fingerprint().to_string(),
            "ba7816bf8f01cfea"
        );
    }

    #[test]
    fn a_file_s_secret_ends_before_the_line_break() {
        let read = |text| Secret::from_file(text).map(|secret| secret.expose().to_owned());
        assert_eq!(read(" key \r\n\n").as_deref(), Some(" key "));
        for blank in ["", "\n", " \t\r\n"] {
            assert_eq!(read(blank), None, "{blank:?}");
        }
    }

    #[test]
    fn clones_share_the_secret_that_was_last_read() {
        let source = SecretSource::file("/nowhere");
        let clone = source.clone();
        assert!(source.last().is_none() && source.read().is_err());
        source.replace(&Secret::new("new"));
        assert_eq!(clone.last(), Some(Secret::new("new")));
        let text = SecretSource::from(Secret::new("text"));
        text.replace(&Secret::new("new"));
        assert_eq!(text.last(), Some(Secret::new("text")));
        assert!(!format!("{clone:?}{text:?}").contains("new"));
    }

    #[test]
    fn equality_is_of_the_text() {
        assert_eq!(Secret::new("a"), Secret::new("a"));
        assert_ne!(Secret::new("a"), Secret::new("b"));
        assert_ne!(Secret::new("a"), Secret::new("aa"));
    }
}
