//! `open-chat pass mint` and `open-chat link`: a pass, and a button's URL, from a shell.

use std::time::Duration;

use chathub::HttpsUrl;
use clap::{Args, Subcommand};

use super::exit::Usage;
use super::output::say;
use super::pass_operator::check_operator;
use crate::access::{MintError, NewPass, PassConstraints};
use crate::button_url;
use crate::config::{ConfigError, SigningConfig};
use crate::http::check_link;

/// A link lives as long as it takes to show a page and click.
const TTL: Duration = Duration::from_mins(10);

/// What is said beside a link that nobody has signed.
pub(super) const UNSIGNED: &str = "unsigned: works with ACCESS=open or sso only";

#[derive(Subcommand)]
pub(super) enum Pass {
    /// Sign a pass with PASS_SECRET, or the first plain HS key of PASS_KEYS_FILE
    #[command(after_help = "Example: open-chat pass mint --operator 101 --ttl 8h")]
    Mint(Wanted),
}

/// What a pass or a link is to say.
#[derive(Args)]
pub(super) struct Wanted {
    /// Whose panel opens: a ChatHub operator id, or an alias of the operator map
    #[arg(long)]
    operator: String,

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

/// Reads `--ttl`.
pub(super) fn ttl(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text)
        .ok()
        .filter(|ttl| !ttl.is_zero())
        .ok_or("not a duration, such as 10m or 8h")
}

impl Wanted {
    /// What is said of an operator alone: the CRM's button adds the client.
    pub(super) const fn for_operator(operator: String, ttl: Option<Duration>) -> Self {
        Self {
            operator,
            phone: None,
            source: None,
            from: None,
            chat_raw_id: None,
            ttl,
            once: false,
        }
    }

    /// The same as a click on a link that says it would read it, or why that would be refused.
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

    /// A pass that says it.
    pub(super) fn pass(&self, config: &SigningConfig) -> anyhow::Result<String> {
        let (operator, constraints) = self.checked(config)?;
        let minted = config.authenticator.mint(&NewPass {
            operator,
            constraints,
            ttl: self.ttl.unwrap_or(TTL),
            once: self.once,
        });
        match minted {
            Ok((pass, _)) => Ok(pass),
            Err(error @ MintError::NoKey) => {
                Err(ConfigError::of("PASS_SECRET", error.to_string()).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A button's URL that says it: signed where a key can sign, plain for `ACCESS=open` or a login
    /// in front.
    pub(super) fn url(&self, config: &SigningConfig) -> anyhow::Result<String> {
        let public_url = public_url(config)?;
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

fn public_url(config: &SigningConfig) -> Result<&HttpsUrl, ConfigError> {
    config.public_url.as_ref().ok_or_else(|| {
        ConfigError::of(
            "PUBLIC_URL",
            "must be set: where open-chat is to its callers",
        )
    })
}

impl Pass {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Mint(wanted) = self;
        let config = SigningConfig::from_env()?;
        let pass = wanted.pass(&config)?;
        check_operator(&wanted.operator, &config)?;
        println!("{pass}");
        Ok(())
    }
}

/// Prints a button's URL.
pub(super) fn link(wanted: &Wanted) -> anyhow::Result<()> {
    let config = SigningConfig::from_env()?;
    let url = wanted.url(&config)?;
    check_operator(&wanted.operator, &config)?;
    if !config.authenticator.can_sign() {
        say(UNSIGNED);
    }
    println!("{url}");
    Ok(())
}
