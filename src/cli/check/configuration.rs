//! Checks the environment: every setting, and what settings mean for each other.

use chrono::{SecondsFormat, Utc};

use super::findings::Findings;
use crate::app::{MaxConnections, foreign_nss_modules};
use crate::config::{Config, ConfigError, UnknownVariable, doubtful_secrets};

const CHECK: &str = "configuration";

const SHARED_STORE: &str = "Set REDIS_URL where several replicas run; a single one that is seldom restarted can do without.";

impl Findings {
    /// Whether this program may die of the machine's modules for host names.
    pub(super) fn foreign_nss_modules(&mut self) -> bool {
        let Some(danger) = foreign_nss_modules() else {
            return false;
        };
        let advice = concat!(
            "Run the container image, or take the program for hosts of a release: ",
            env!("CARGO_PKG_REPOSITORY"),
            "/docs/install.md"
        );
        self.fail("program", danger, advice);
        true
    }

    /// Names secrets with something around them that was hardly meant, such as quotation marks.
    pub(super) fn doubtful_secrets(&mut self) {
        for problem in doubtful_secrets(std::env::vars_os()) {
            self.warn(
                CHECK,
                problem,
                "If that is not meant, write the value without it: a shell takes quotation marks away, `docker run --env-file` does not, and a secret's file neither.",
            );
        }
    }

    /// Reads everything that `serve` reads, and returns it where it is valid.
    pub(super) fn configuration(&mut self, config: Result<Config, ConfigError>) -> Option<Config> {
        match config {
            Ok(config) => {
                self.unknown_variables(&config.unknown_variables);
                if let Some(reliance) = config.access.reliance() {
                    let advice =
                        "Set SSO_PROXY_SECRET, and have the proxy send it in X-Proxy-Secret.";
                    self.warn(CHECK, reliance, advice);
                }
                self.ok(CHECK, "every setting is good");
                self.connections(&MaxConnections::of(&config.server));
                self.links(&config);
                self.devices(&config);
                self.connectors(&config);
                Some(config)
            }
            Err(error) => {
                self.unknown_variables(error.unknown_variables());
                self.problems(&error);
                None
            }
        }
    }

    fn unknown_variables(&mut self, variables: &[UnknownVariable]) {
        for unknown in variables {
            let message = format!("{} {}", unknown.name, unknown.what());
            let advice = "Correct the name, or remove the variable.";
            self.warn(CHECK, message, advice);
        }
    }

    fn problems(&mut self, error: &ConfigError) {
        for problem in error.problems() {
            let advice = concat!(
                env!("CARGO_PKG_REPOSITORY"),
                "/docs/settings.md has every setting"
            );
            self.fail(CHECK, problem, advice);
        }
    }

    /// Checks the limit on file descriptors of this shell, which may differ from the service's.
    fn connections(&mut self, limits: &MaxConnections) {
        if let (false, Some(descriptors)) = (limits.is_sufficient(), limits.descriptors) {
            self.warn(
                "connections",
                format!(
                    "MAX_CONNECTIONS is {}, but {descriptors} file descriptors leave room for {}",
                    limits.requested, limits.clicks
                ),
                "Raise the hard limit where the service runs (LimitNOFILE= of a systemd unit, ulimits of a container, ulimit -n of a shell), or lower MAX_CONNECTIONS.",
            );
        }
    }

    /// Checks that `POST /links` can make links that open a chat.
    fn links(&mut self, config: &Config) {
        match config.trouble_with_links() {
            Some(trouble) => self.warn(
                "links",
                trouble,
                "docs/programmers.md says what ready links take; where no back end asks for any, take `key` out of ACCESS.",
            ),
            None if config.access.authenticator.accepts_api_keys() => {
                self.ok("links", "POST /links can make them");
            }
            None => {}
        }
    }

    /// Names the CRMs whose requests count, and what is doubtful about who their agents are.
    fn connectors(&mut self, config: &Config) {
        const CHECK: &str = "connectors";
        let Some(connectors) = &config.connectors else {
            return;
        };
        let connectors = connectors.get();
        let named = connectors
            .sections()
            .map(|section| format!("{} {}", section.connector.name(), section.installation));
        let named: Vec<_> = named.collect();
        self.ok(CHECK, format!("requests count of {}", named.join(", ")));
        for (section, name) in connectors.sections().zip(&named) {
            if section.by_email {
                let advice = "Where users edit their own addresses, name agents by id in OPERATOR_MAP_FILE, and take `by_email` out.";
                let doubt = format!("{name}: agents are known by e-mail address too");
                self.warn(CHECK, doubt, advice);
            } else if !config
                .access
                .authenticator
                .has_aliases_with(&section.prefix)
            {
                let example = format!("Add a line for each agent: \"{}5\" = 101", section.prefix);
                let lack = format!("{name}: OPERATOR_MAP_FILE has none of its agents");
                self.warn(CHECK, lack, &example);
            }
        }
        if let Some(neighbours) = config.connectors_below_a_path() {
            self.warn(CHECK, neighbours, "Give this service a host of its own.");
        }
        if let Some(meaning) = config.proofs_without_redis() {
            self.warn(CHECK, meaning, SHARED_STORE);
        }
    }

    /// Says where browsers are paired, how often an invitation is good, and which entry of the file
    /// that ends pairings ends new ones too.
    fn devices(&mut self, config: &Config) {
        const CHECK: &str = "devices";
        let public = config.server.public_url.as_ref();
        let public = public.filter(|_| config.access.authenticator.accepts_devices());
        if let Some(public) = public {
            let origin = public.as_url().origin().ascii_serialization();
            self.ok(CHECK, format!("browsers are paired at {origin}/pair"));
        }
        if let Some(meaning) = config.invitations_without_redis() {
            self.warn(CHECK, meaning, SHARED_STORE);
        }
        for before in config.access.authenticator.revocations_ahead(Utc::now()) {
            let before = before.to_rfc3339_opts(SecondsFormat::Secs, true);
            self.warn(
                CHECK,
                format!("DEVICES_REVOKED_FILE has `before = {before}`, which lies ahead: until then it ends each new pairing as well"),
                "Correct the time; UTC ends in Z.",
            );
        }
    }
}
