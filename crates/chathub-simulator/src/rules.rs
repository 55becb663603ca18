//! The simulator's switches: everything that ChatHub's documents leave open.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How this ChatHub behaves.
#[derive(Args, Clone, Debug)]
pub struct Rules {
    /// The company's login
    #[arg(long, default_value = "demo")]
    pub login: String,

    /// The company's password. It opens nothing but this simulator
    #[arg(long, default_value = "demo-password")]
    pub password: String,

    /// The profile key that stands in for a company token
    #[arg(long, default_value = "demo-profile-key")]
    pub profile_key: String,

    /// How many active operators there are, from id 101 on
    #[arg(long, default_value_t = 2)]
    pub operators: u64,

    /// How many more organizations there are, from id 1001 on
    #[arg(long, default_value_t = 0)]
    pub organizations: u64,

    /// How many active operators each of those has, from id 1000001 on, all with different names
    #[arg(long, default_value_t = 10)]
    pub operators_each: u64,

    /// How long every answer takes
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub latency: Duration,

    /// How long a company token lives
    #[arg(long, default_value = "12h", value_parser = humantime::parse_duration)]
    pub company_token_ttl: Duration,

    /// Each login ends the company token before it
    #[arg(long)]
    pub one_company_token: bool,

    /// How a token is written in an answer
    #[arg(long, value_enum, default_value_t = TokenForm::String)]
    pub token_form: TokenForm,

    /// Which body validate-token takes
    #[arg(long, value_enum, default_value_t = ValidateBody::Any)]
    pub validate_body: ValidateBody,

    /// The status that answers a wrong login: 400 or 401
    #[arg(long, default_value_t = 401)]
    pub wrong_login: u16,

    /// The status for a token asked for more than 24 hours ahead
    #[arg(long, default_value_t = 400)]
    pub too_far_ahead: u16,

    /// The status for a token of an operator that does not exist
    #[arg(long, default_value_t = 404)]
    pub unknown_operator: u16,

    /// The status for a token of an inactive or deleted operator
    #[arg(long, default_value_t = 403)]
    pub inactive_operator: u16,

    /// Sends lists as `text/plain` instead of `application/json`
    #[arg(long)]
    pub plain_text: bool,

    /// How far ahead of this machine's clock ChatHub's is, in seconds (negative: behind)
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    pub clock_ahead: i64,
}

impl Default for Rules {
    /// The same as the command line's defaults.
    fn default() -> Self {
        Self {
            login: "demo".into(),
            password: "demo-password".into(),
            profile_key: "demo-profile-key".into(),
            operators: 2,
            organizations: 0,
            operators_each: 10,
            latency: Duration::ZERO,
            company_token_ttl: Duration::from_hours(12),
            one_company_token: false,
            token_form: TokenForm::String,
            validate_body: ValidateBody::Any,
            wrong_login: 401,
            too_far_ahead: 400,
            unknown_operator: 404,
            inactive_operator: 403,
            plain_text: false,
            clock_ahead: 0,
        }
    }
}

/// The forms of a token answer that have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenForm {
    /// `"eyJ…"`, as documented
    String,
    /// `eyJ…`, without quotes
    Bare,
    /// `{"token":"eyJ…"}`
    Object,
    /// `{"token":"eyJ…","expiration":"…"}`
    ObjectWithExpiration,
}

/// The bodies of validate-token that are documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ValidateBody {
    /// Either of the two
    Any,
    /// Only `"eyJ…"`
    String,
    /// Only `{"token":"eyJ…"}`
    Object,
}
