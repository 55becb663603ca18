//! What a pass or a button's URL is to contain, as the command line gives it.

use std::time::Duration;

use clap::Args;

use crate::access::{MintError, NewPass, PassConstraints};
use crate::button_url;
use crate::cli::Usage;
use crate::config::{ConfigError, SigningConfig};
use crate::http::check_link;

/// A link lives as long as it takes to show a page and click.
const TTL: Duration = Duration::from_mins(10);

/// The operator, the client and the lifetime of a pass or a link.
#[derive(Args, Default)]
pub(in crate::cli) struct PassRequest {
    /// Whose panel opens: a ChatHub operator id, or an alias of the operator map
    #[arg(long)]
    pub(in crate::cli) operator: String,

    /// The client's phone; left out, the link's `phone=` says it
    #[arg(long, allow_hyphen_values = true)]
    phone: Option<String>,

    /// The channel: 0 to 7, or its name
    #[arg(long)]
    source: Option<String>,

    /// The alpha name
    #[arg(long)]
    from: Option<String>,

    /// The chat's id, instead of a phone
    #[arg(long)]
    chat_raw_id: Option<String>,

    /// How long it is good for; 10m, where nothing is said. Takes a key that can sign
    #[arg(long, value_parser = ttl)]
    ttl: Option<Duration>,

    /// It opens a panel once only. Takes a key that can sign
    #[arg(long)]
    once: bool,
}

/// Parses `--ttl`.
pub(in crate::cli) fn ttl(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text)
        .ok()
        .filter(|ttl| !ttl.is_zero())
        .ok_or("not a duration, such as 10m or 8h")
}

impl PassRequest {
    /// A request that names the operator only: the CRM's button adds the client.
    pub(in crate::cli) fn for_operator(operator: String, ttl: Option<Duration>) -> Self {
        Self {
            operator,
            ttl,
            ..Self::default()
        }
    }

    /// Reads the request as a click on the link would, and refuses what a click would refuse.
    fn checked(&self, config: &SigningConfig) -> anyhow::Result<(String, PassConstraints)> {
        let constraints = PassConstraints {
            phone: self.phone.clone(),
            source: self.source.clone(),
            from: self.from.clone(),
            chat_raw_id: self.chat_raw_id.clone(),
        };
        let query = button_url::query(&self.operator, &constraints);
        check_link(&query, &config.links).map_err(|sentence| Usage(sentence).into())
    }

    /// Signs a pass for this request.
    pub(in crate::cli) fn pass(&self, config: &SigningConfig) -> anyhow::Result<String> {
        let (operator, constraints) = self.checked(config)?;
        let minted = config.authenticator.mint(&NewPass {
            operator,
            constraints,
            ttl: self.ttl.unwrap_or(TTL),
            one_time: self.once,
        });
        match minted {
            Ok((pass, _)) => Ok(pass),
            Err(error @ MintError::NoKey) => Err(ConfigError::of("PASS_SECRET", error).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The button's URL: with a pass where a key can sign, plain for `ACCESS=open` or SSO.
    pub(in crate::cli) fn url(&self, config: &SigningConfig) -> anyhow::Result<String> {
        let public_url = config.public_url.as_ref().ok_or_else(|| {
            let sentence = "must be set: where open-chat is to its callers";
            ConfigError::of("PUBLIC_URL", sentence)
        })?;
        if config.authenticator.can_sign() {
            return Ok(button_url::with_pass(public_url, &self.pass(config)?));
        }
        if self.once || self.ttl.is_some() {
            let sentence = "`--once` and `--ttl` are told by a signature: these need PASS_SECRET or a key that can sign in PASS_KEYS_FILE";
            return Err(Usage(sentence.into()).into());
        }
        let (operator, constraints) = self.checked(config)?;
        Ok(button_url::plain(public_url, &operator, &constraints))
    }
}
