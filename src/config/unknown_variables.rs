//! Finds variables that look like settings and are none: a misspelt `TOKEN_TLL` would silently have
//! no effect.

/// A variable that the service does not read, and the setting that was perhaps meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name. Its value may be a secret, and is not kept.
    pub name: String,
    /// The setting whose name is nearest.
    pub meant: Option<String>,
}

impl UnknownVariable {
    /// One sentence without the name.
    pub fn what(&self) -> String {
        match &self.meant {
            Some(meant) => format!("is no setting and changes nothing; {meant} is one"),
            None => "is no setting and changes nothing".into(),
        }
    }
}

/// Prefixes that only settings of this service have.
const PREFIXES: [&str; 11] = [
    "CHATHUB_",
    "CHAT_PANEL_",
    "DEVICES_",
    "DEVICE_",
    "DIRECTORY_",
    "OPERATOR_",
    "PASS_KEYS_",
    "RATE_LIMIT_",
    "SSO_",
    "TOKEN_",
    "WIDGET_",
];

/// Returns the variable, if it looks like a setting and is none.
pub(super) fn check(name: &str, settings: &[(String, Option<String>)]) -> Option<UnknownVariable> {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    if settings.iter().any(|(known, _)| known == name)
        || !name.bytes().all(is_name)
        || is_service_link(name)
    {
        return None;
    }
    let in_capitals = name.to_ascii_uppercase();
    let meant = nearest(&in_capitals, settings);
    let has_prefix = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (meant.is_some() || has_prefix).then(|| UnknownVariable {
        name: name.to_owned(),
        meant,
    })
}

/// The setting within one or two typing errors of this name, or the one that has no `…_FILE`.
fn nearest(name: &str, settings: &[(String, Option<String>)]) -> Option<String> {
    let without_file = name.strip_suffix("_FILE").unwrap_or(name);
    let distance = |known: &str| strsim::osa_distance(name, known);
    settings
        .iter()
        .map(|(known, _)| known)
        .filter(|known| {
            // Two errors turn any short name into any other.
            let allowed = if known.len() < 9 { 1 } else { 2 };
            distance(known) <= allowed || known.as_str() == without_file
        })
        .min_by_key(|known| distance(known))
        .cloned()
}

/// Whether Kubernetes or Docker sets the variable for a service of any name beside the container:
/// `TOKEN_SERVICE_HOST`, `OPERATOR_PORT_8080_TCP_ADDR`.
fn is_service_link(name: &str) -> bool {
    let ends = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT", "_NAME"];
    ends.iter().any(|end| name.ends_with(end))
        || name.contains("_SERVICE_PORT_")
        || name.match_indices("_PORT_").any(|(at, found)| {
            let rest = &name[at + found.len()..];
            rest.starts_with(|c: char| c.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn found(name: &str) -> Option<UnknownVariable> {
        check(name, &Config::variables())
    }

    #[test]
    fn what_looks_like_a_setting_is_found() {
        for (name, setting) in [
            ("TOKEN_TLL", "TOKEN_TTL"),
            ("CHATHUB_MAX_RTE", "CHATHUB_MAX_RATE"),
            ("PASS_KEY_FILE", "PASS_KEYS_FILE"),
            ("ACESS", "ACCESS"),
            ("chathub_url", "CHATHUB_URL"),
            ("SENDERS_FILE", "SENDERS"),
            ("CHATHUB_PASWORD_FILE", "CHATHUB_PASSWORD_FILE"),
        ] {
            let meant = found(name).and_then(|unknown| unknown.meant);
            assert_eq!(meant.as_deref(), Some(setting), "{name}");
        }
        let unlike_any = found("CHATHUB_TIMEOUT_SECONDS");
        assert_eq!(unlike_any.and_then(|unknown| unknown.meant), None);
        assert!(found("CHATHUB_TIMEOUT_SECONDS").is_some());
    }

    #[test]
    fn what_belongs_to_others_is_not() {
        for name in [
            "PATH",
            "HOME",
            "HOSTNAME",
            "HTTPS_PROXY",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "RUST_BACKTRACE",
            "OTEL_SERVICE_NAME",
            "OTEL_EXPORTER_OTLP_HEADERS",
            "LISTEN_FDS",
            "LOG_LEVEL",
            "KUBERNETES_SERVICE_HOST",
            "OPEN_CHAT_PORT_8080_TCP",
            "OPEN_CHAT_PORT_8080_TCP_ADDR",
            "OPEN_CHAT_SERVICE_PORT_HTTP",
            "CHATHUB_SIMULATOR_SERVICE_HOST",
            "CHATHUB_SIMULATOR_PORT",
            "CHATHUB_PORT_9000_TCP_PROTO",
            "REDIS_HOST",
            "REDIS_PORT",
            "TOKEN_TTL",
            "CHATHUB_PASSWORD_FILE",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
    }
}
