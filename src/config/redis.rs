//! Redis, where all replicas share limits and used passes.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::{EnvParser, Reported, Variable};
use crate::redis_store::{self, RedisStore};
use crate::secret::{Secret, SecretSource};

pub(super) const VARIABLES: &[Variable] = &[Variable::secret("REDIS_URL")];

/// Where Redis is, and how long its answers may take.
pub struct RedisConfig {
    /// `None` where each replica is by itself.
    pub url: Option<SecretSource>,
    /// How long an answer may take. No variable sets it; tests do, on busy machines.
    pub timeout: Duration,
}

impl RedisConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let url = parser.secret("REDIS_URL")?;
        if let Some(url) = url.as_ref().and_then(|source| source.read().ok()) {
            RedisStore::check_url(&url).map_err(|problem| parser.problem("REDIS_URL", problem))?;
        }
        Ok(Self {
            url,
            timeout: redis_store::TIMEOUT,
        })
    }

    /// The password in the URL, where it has one.
    pub(super) fn password(&self) -> Option<Secret> {
        let url = Url::parse(self.url.as_ref()?.last()?.expose()).ok()?;
        let password = percent_decode_str(url.password()?).decode_utf8().ok()?;
        Some(Secret::new(password))
    }
}
