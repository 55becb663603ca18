//! The way in for `fuzz/`, which cannot see what is private here. Built with `--cfg fuzzing` alone.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::answer;
use crate::error::ErrorKind;
use crate::jwt;
use secrecy::SecretString;

/// Reads documented JSON.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorKind> {
    answer::json(body)
}

/// Reads a token.
pub fn token(body: &[u8]) -> Result<SecretString, ErrorKind> {
    answer::token(body)
}

/// When a token ends, as it says itself.
pub fn expiry(token: &SecretString) -> Option<DateTime<Utc>> {
    jwt::expiry(token)
}
