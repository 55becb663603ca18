//! Checks ChatHub: connection, credentials, clock, and an operator token.

use std::time::Duration;

use chrono::TimeDelta;

use super::findings::Findings;
use crate::cli::{Company, advice, sanitized};
use crate::config::{ChatHubConfig, Config};
use chathub::{BadAnswer, ErrorKind, Operator, OperatorStatus, Unreachable};

/// A smaller difference between the clocks comes from the network, and is harmless.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

impl Findings {
    /// Checks ChatHub with its own settings, whatever else is wrong in the environment.
    pub(super) async fn chathub(&mut self, config: Option<&Config>) {
        const ALL: [&str; 5] = ["chathub", "clock", "organizations", "operators", "token"];
        let Ok(chathub) = ChatHubConfig::from_env() else {
            return self.skip(&ALL);
        };
        match Company::new(chathub) {
            Ok(company) => self.company(&company, config).await,
            Err(error) => {
                self.error(ALL[0], error.kind());
                self.skip(&ALL[1..]);
            }
        }
    }

    async fn company(&mut self, company: &Company, config: Option<&Config>) {
        if let Err(error) = company.chathub.log_in().await {
            self.login_failed(error.kind(), &company.chathub.address());
            return self.skip(&["clock", "organizations", "operators", "token"]);
        }
        self.ok("chathub", "it answers, and accepts the credentials");
        self.clock(company.chathub.clock_skew());
        let Some((operators, is_complete)) = self.operators(company).await else {
            return;
        };
        if let Some(config) = config {
            self.operator_map(&config.access.authenticator, &operators, is_complete);
        }
        let ttl = config.and_then(|config| TimeDelta::from_std(config.tokens.ttl).ok());
        let ttl = ttl.unwrap_or(TimeDelta::hours(1));
        let is_active = |operator: &&Operator| operator.status == OperatorStatus::Active;
        match operators.iter().find(is_active) {
            Some(operator) => self.token(company, operator, ttl).await,
            None => self.fail(
                "token",
                "no organization has an active operator to make a token for",
                "`open-chat operators add --organization ID NAME` adds one.",
            ),
        }
    }

    fn login_failed(&mut self, error: &ErrorKind, address: &str) {
        let message = match error {
            ErrorKind::Unavailable(Unreachable::NoConnection(_)) | ErrorKind::TimedOut => {
                format!("{error} ({address})")
            }
            _ => error.to_string(),
        };
        self.fail("chathub", message, advice(error));
    }

    /// Tokens follow ChatHub's clock and are right in any case, so a difference is a warning.
    fn clock(&mut self, skew: TimeDelta) {
        if skew.abs() < MAX_CLOCK_SKEW {
            return self.ok("clock", "it agrees with ChatHub's");
        }
        let whose = if skew > TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        let seconds = Duration::from_secs(skew.num_seconds().unsigned_abs());
        self.warn(
            "clock",
            format!("this machine is {} {whose} ChatHub", humantime::format_duration(seconds)),
            "Set the clock by NTP (timedatectl). Operator tokens come out right all the same, but passes are judged by this clock: from a minute on, those of a CRM \
             with a right clock are refused or live too long.",
        );
    }

    /// Mints a token as a click does, and has ChatHub validate it as the panel does.
    async fn token(&mut self, company: &Company, operator: &Operator, ttl: TimeDelta) {
        let chathub = &company.chathub;
        let check = async {
            let token = chathub
                .mint_operator_token(operator.id, chathub.now() + ttl)
                .await?;
            let check = chathub.validate_operator_token(&token.secret).await?;
            if check.is_for_another(operator.id) {
                return Err(ErrorKind::BadAnswer(BadAnswer::OtherOperator));
            }
            Ok(check)
        };
        let whose = format!("operator {} {}", operator.id, sanitized(&operator.name));
        match check.await {
            Ok(check) if check.is_valid => {
                self.ok("token", format!("minted for {whose}, and valid"));
            }
            Ok(check) => {
                let why = sanitized(&check.error.unwrap_or_default());
                let message = format!("minted for {whose}, but ChatHub does not take it: {why}");
                self.fail("token", message, "Tell SMSBAT's support.");
            }
            Err(error) => self.fail("token", format!("{whose}: {error}"), advice(&error)),
        }
    }
}
