//! `open-chat check`: the checklist of a new installation.

mod around;
mod findings;

use chathub::{BadAnswer, ChatHub, ErrorKind, Operator, OperatorStatus, Unreachable};
use chrono::TimeDelta;
use clap::Args;

use self::findings::{Findings, Outcome};
use super::advice::advice;
use super::company::{Company, organization_name};
use super::exit::{Exit, block_on};
use super::output::{Form, shown};
use crate::app::Room;
use crate::config::{ChatHubConfig, Config, ConfigError};

/// A smaller difference between the clocks is the way's, and does nobody any harm.
const CLOCKS_AGREE: TimeDelta = TimeDelta::seconds(5);

#[derive(Args)]
#[command(
    after_help = "Reads the same environment as `serve`, and changes nothing. Example: open-chat check --json | jq '.checks[] | select(.outcome == \"failed\")'"
)]
pub(super) struct Check {
    #[command(flatten)]
    form: Form,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let mut findings = Findings::default();
        findings.quotes();
        let config = findings.configuration(Config::from_env());
        block_on(async {
            if let Some(config) = &config {
                findings.redis(config).await;
            }
            findings.company(config.as_ref()).await;
            anyhow::Ok(())
        })?;
        findings.print(self.form)
    }
}

impl Findings {
    /// Everything that `serve` reads, given back where it is good.
    fn configuration(&mut self, config: Result<Config, ConfigError>) -> Option<Config> {
        const CHECK: &str = "configuration";
        let unknown = match &config {
            Ok(config) => &config.unknown_variables[..],
            Err(error) => error.unknown_variables(),
        };
        for unknown in unknown {
            let message = format!("{} {}", unknown.name, unknown.what());
            let advice = "Correct the name, or remove the variable.";
            self.advise(CHECK, Outcome::Warning, message, advice);
        }
        match config {
            Ok(config) => {
                if let Some(reliance) = config.access.reliance() {
                    let advice =
                        "Set SSO_PROXY_SECRET, and have the proxy send it in X-Proxy-Secret.";
                    self.advise(CHECK, Outcome::Warning, reliance, advice);
                }
                self.note(CHECK, Outcome::Ok, "every setting is good");
                self.connections(&Room::of(&config.server));
                self.links(&config);
                Some(config)
            }
            Err(error) => {
                for problem in error.problems() {
                    let advice = concat!(
                        env!("CARGO_PKG_REPOSITORY"),
                        "/docs/operations.md#settings has every setting"
                    );
                    self.advise(CHECK, Outcome::Failed, problem, advice);
                }
                None
            }
        }
    }

    /// The limit of this shell, which may not be the service's.
    fn connections(&mut self, room: &Room) {
        if let (false, Some(descriptors)) = (room.is_enough(), room.descriptors) {
            self.advise(
                "connections",
                Outcome::Warning,
                format!(
                    "MAX_CONNECTIONS is {}, but {descriptors} file descriptors leave room for {}",
                    room.wanted, room.clicks
                ),
                "Raise the hard limit where the service runs (LimitNOFILE= of a systemd unit, ulimits of a container, ulimit -n of a shell), or lower MAX_CONNECTIONS.",
            );
        }
    }

    /// What can be seen of ChatHub alone, whatever else is wrong.
    async fn company(&mut self, config: Option<&Config>) {
        const ALL: [&str; 5] = ["chathub", "clock", "organizations", "operators", "token"];
        let Ok(chathub) = ChatHubConfig::from_env() else {
            return self.skip(&ALL);
        };
        match ChatHub::new(chathub.client) {
            Ok(client) => {
                let company = Company {
                    chathub: client,
                    default_region: chathub.default_region,
                };
                self.chathub(&company, config).await;
            }
            Err(error) => {
                self.fail(ALL[0], error.kind());
                self.skip(&ALL[1..]);
            }
        }
    }

    async fn chathub(&mut self, company: &Company, config: Option<&Config>) {
        if let Err(error) = company.chathub.log_in().await {
            self.no_login(error.kind(), &company.chathub.address());
            return self.skip(&["clock", "organizations", "operators", "token"]);
        }
        self.note(
            "chathub",
            Outcome::Ok,
            "it answers, and accepts the credentials",
        );
        self.clock(company.chathub.clock_skew());
        let Some((operators, is_complete)) = self.operators(company).await else {
            return;
        };
        if let Some(config) = config {
            self.operator_map(&config.access.authenticator, &operators, is_complete);
        }
        let ttl = config.and_then(|config| TimeDelta::from_std(config.tokens.ttl).ok());
        let ttl = ttl.unwrap_or(TimeDelta::hours(1));
        match operators
            .iter()
            .find(|operator| operator.status == OperatorStatus::Active)
        {
            Some(operator) => self.token(company, operator, ttl).await,
            None => self.advise(
                "token",
                Outcome::Failed,
                "no organization has an active operator to make a token for",
                "`open-chat operators add --organization ID NAME` adds one.",
            ),
        }
    }

    fn no_login(&mut self, error: &ErrorKind, address: &str) {
        let message = match error {
            ErrorKind::Unavailable(Unreachable::NoConnection(_)) | ErrorKind::TimedOut => {
                format!("{error} ({address})")
            }
            _ => error.to_string(),
        };
        self.advise("chathub", Outcome::Failed, message, advice(error));
    }

    /// Tokens are made by ChatHub's clock and come out right all the same, so this is no failure.
    fn clock(&mut self, skew: TimeDelta) {
        if skew.abs() < CLOCKS_AGREE {
            return self.note("clock", Outcome::Ok, "it agrees with ChatHub's");
        }
        let whose = if skew > TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        let seconds = std::time::Duration::from_secs(skew.num_seconds().unsigned_abs());
        self.advise(
            "clock",
            Outcome::Warning,
            format!("this machine is {} {whose} ChatHub", humantime::format_duration(seconds)),
            "Set the clock by NTP (timedatectl). Operator tokens come out right all the same, but passes are judged by this clock: from a minute on, those of a CRM \
             with a right clock are refused or live too long.",
        );
    }

    /// Organizations and their operators, and whether those are all; nothing where there are none
    /// to go on with.
    async fn operators(&mut self, company: &Company) -> Option<(Vec<Operator>, bool)> {
        let organizations = match company.chathub.list_organizations().await {
            Ok(organizations) => organizations,
            Err(error) => {
                self.fail("organizations", error.kind());
                self.skip(&["operators", "token"]);
                return None;
            }
        };
        if organizations.is_empty() {
            self.advise(
                "organizations",
                Outcome::Failed,
                "the company has none",
                "Create one in ChatHub's dashboard, or ask SMSBAT's support.",
            );
            self.skip(&["operators", "token"]);
            return None;
        }
        self.note(
            "organizations",
            Outcome::Ok,
            format!("{}", organizations.len()),
        );
        let (mut all, mut is_known) = (Vec::new(), true);
        for organization in organizations {
            let name = organization_name(&organization);
            match company.chathub.list_operators(organization.id).await {
                Ok(operators) => {
                    self.organization(&name, organization.id.0, &operators);
                    all.extend(operators);
                }
                Err(error) => {
                    let message = format!("{name}: {error}");
                    self.advise("operators", Outcome::Failed, message, advice(error.kind()));
                    is_known = false;
                }
            }
        }
        if all.is_empty() && !is_known {
            self.skip(&["token"]);
            return None;
        }
        Some((all, is_known))
    }

    fn organization(&mut self, name: &str, id: u64, operators: &[Operator]) {
        let active = operators
            .iter()
            .filter(|operator| operator.status == OperatorStatus::Active)
            .count();
        if operators.is_empty() {
            self.advise(
                "operators",
                Outcome::Warning,
                format!("{name} has no operators"),
                format!("`open-chat operators add --organization {id} NAME…` adds them, `open-chat operators import` many."),
            );
        } else if active == 0 {
            self.advise(
                "operators",
                Outcome::Warning,
                format!("{name}: none of {} is active", operators.len()),
                format!("`open-chat operators list --organization {id}` shows them, `open-chat operators status ID --set active` activates one."),
            );
        } else {
            self.note(
                "operators",
                Outcome::Ok,
                format!("{name}: {active} of {} active", operators.len()),
            );
        }
    }

    /// A token as a click gets it, shown to ChatHub as the panel does.
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
        let whose = format!("operator {} {}", operator.id, shown(&operator.name));
        match check.await {
            Ok(check) if check.is_valid => {
                self.note(
                    "token",
                    Outcome::Ok,
                    format!("minted for {whose}, and valid"),
                );
            }
            Ok(check) => {
                let why = check.error.unwrap_or_default();
                self.advise(
                    "token",
                    Outcome::Failed,
                    format!(
                        "minted for {whose}, but ChatHub does not take it: {}",
                        shown(&why)
                    ),
                    "Tell SMSBAT's support.",
                );
            }
            Err(error) => self.advise(
                "token",
                Outcome::Failed,
                format!("{whose}: {error}"),
                advice(&error),
            ),
        }
    }
}
