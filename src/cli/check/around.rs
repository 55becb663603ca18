//! What stands beside ChatHub: ready links, Redis, the operator map. Each of them can be wrong
//! while every setting is well-formed.

use std::time::Duration;

use chathub::Operator;

use super::findings::{Findings, Outcome};
use crate::access::Authenticator;
use crate::cli::output::shown;
use crate::config::{Config, quoted_secrets};
use crate::operators::{DeadAlias, DirectorySnapshot};
use crate::redis_store::RedisStore;

/// Of a long list in a message only so many are named.
const SHOWN: usize = 20;

/// A checklist waits longer for Redis than a click.
const PATIENCE: Duration = Duration::from_secs(5);

impl Findings {
    /// Docker's `--env-file` takes quotation marks as a part of the value.
    pub(super) fn quotes(&mut self) {
        for problem in quoted_secrets(std::env::vars_os()) {
            self.advise(
                "configuration",
                Outcome::Warning,
                problem,
                "If they are not meant, write the value without them: a shell takes quotation marks away, `docker run --env-file` does not.",
            );
        }
    }

    /// Whether `POST /links` can do what it is for.
    pub(super) fn links(&mut self, config: &Config) {
        match config.trouble_with_links() {
            Some(trouble) => self.advise(
                "links",
                Outcome::Warning,
                trouble,
                "docs/crm.md says what ready links take; where no back end asks for any, take `key` out of ACCESS.",
            ),
            None if config.access.authenticator.takes_keys() => {
                self.note("links", Outcome::Ok, "POST /links can make them");
            }
            None => {}
        }
    }

    /// Asks Redis what a click asks.
    pub(super) async fn redis(&mut self, config: &Config) {
        let Some(url) = &config.redis_url else {
            return;
        };
        match RedisStore::check(url.clone(), PATIENCE).await {
            Ok(()) => self.note("redis", Outcome::Ok, "it answers what a click asks"),
            Err(trouble) => self.advise(
                "redis",
                Outcome::Failed,
                format!("it does not answer what a click asks: {trouble}"),
                "Check REDIS_URL, from this very machine: the name, the port, the firewall, the password, and that it is no read-only copy. Until it answers, \
                 each replica counts limits for itself, and one-time links are refused.",
            ),
        }
    }

    /// Aliases that lead nowhere would be found out by whoever clicks.
    pub(super) fn operator_map(
        &mut self,
        door: &Authenticator,
        operators: &[Operator],
        is_complete: bool,
    ) {
        const CHECK: &str = "operator map";
        let (aliases, dead) = door.check_aliases(&DirectorySnapshot::of(operators, is_complete));
        if aliases == 0 {
            return;
        }
        let counted = if aliases == 1 {
            "1 alias".to_owned()
        } else {
            format!("{aliases} aliases")
        };
        if dead.is_empty() {
            return self.note(
                CHECK,
                Outcome::Ok,
                format!("{counted}, each leads to an operator"),
            );
        }
        self.advise(
            CHECK,
            Outcome::Failed,
            format!(
                "{counted}, {} lead to nobody who can open a chat: {}",
                dead.len(),
                named(&dead)
            ),
            "Correct these lines of OPERATOR_MAP_FILE; `open-chat operators list` shows ids and names.",
        );
    }
}

fn named(dead: &[DeadAlias]) -> String {
    let name = |dead: &DeadAlias| {
        let DeadAlias {
            alias,
            stands_for,
            why,
        } = dead;
        format!("`{}` = {} ({why})", shown(alias), shown(stands_for))
    };
    let mut names: Vec<_> = dead.iter().take(SHOWN).map(name).collect();
    if dead.len() > SHOWN {
        names.push(format!("and {} more", dead.len() - SHOWN));
    }
    names.join(", ")
}
