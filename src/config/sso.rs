//! How a proxy that logs agents in names them: `SSO_HEADER`, `SSO_PROXY_SECRET`, `SSO_BY_NAME`.

use super::environment::Environment;
use super::reader::{Reader, Reported, on_or_off};
use crate::access::{AuthConfig, Mode};
use crate::secret::SecretSource;

/// Headers that mean something else already, to this service or to HTTP, in lower case.
const TAKEN: [&str; 30] = [
    "age",
    "authorization",
    "connection",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "from",
    "host",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "purpose",
    "range",
    "referer",
    "te",
    "trailer",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-http-method-override",
    "x-moz",
    "x-proxy-secret",
    "x-purpose",
    "x-widget-ticket",
];

/// The beginnings of others.
const TAKEN_FAMILIES: [&str; 14] = [
    "accept",
    "access-control-",
    "cache-",
    "content-",
    "if-",
    "proxy-",
    "sec-",
    "set-cookie",
    "trace",
    "transfer-",
    "x-forwarded-",
    "x-original-",
    "x-real-",
    "x-request-",
];

/// Of these families the headers that do name a user: oauth2-proxy and Traefik send them.
const USERS: [&str; 3] = [
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
];

/// The settings as far as each can be read.
pub(super) struct SsoSettings {
    pub(super) header: Result<Option<String>, Reported>,
    pub(super) secret: Result<Option<SecretSource>, Reported>,
    pub(super) by_name: Result<bool, Reported>,
}

impl SsoSettings {
    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Self {
        Self {
            header: reader.read_optional("SSO_HEADER", env.sso_header.as_ref(), header),
            secret: reader.secret(
                "SSO_PROXY_SECRET",
                env.sso_proxy_secret.clone(),
                env.sso_proxy_secret_file.clone(),
            ),
            by_name: reader.read("SSO_BY_NAME", env.sso_by_name.as_ref(), on_or_off),
        }
    }
}

/// An address says which machine sends; a network says that any machine in it may, and then a
/// secret must tell the proxy from the others.
pub(super) fn check(reader: &mut Reader, settings: &AuthConfig) -> Result<(), Reported> {
    let network = settings.trusted_proxies.widest();
    match network {
        Some(network)
            if settings.modes.contains(&Mode::Sso) && settings.sso_proxy_secret.is_none() =>
        {
            let problem = format!(
                "must be set, with 16 characters or more, where TRUSTED_PROXIES has a network ({network}) and ACCESS has sso: every \
                 machine in it could name any agent. Or name the proxies' single addresses in TRUSTED_PROXIES"
            );
            Err(reader.problem("SSO_PROXY_SECRET", problem))
        }
        _ => Ok(()),
    }
}

/// Reads the name of a header that can name an agent and nothing else.
fn header(text: &str) -> Result<String, &'static str> {
    // RFC 9110, 5.6.2.
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !is_name {
        return Err("not a header's name, such as X-Auth-Request-Email");
    }
    let name = text.to_ascii_lowercase();
    let means_something_else = TAKEN.contains(&&*name)
        || TAKEN_FAMILIES.iter().any(|family| name.starts_with(family)) && !USERS.contains(&&*name);
    if means_something_else {
        return Err(
            "means something else already: name the header in which the proxy puts the agent, such as X-Auth-Request-Email",
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("X-Auth-Request-Email")]
    #[case("X-User")]
    #[case("Remote-User")]
    #[case("REMOTE_USER")]
    #[case("X-Forwarded-User")]
    #[case("x-forwarded-email")]
    #[case("X-Forwarded-Preferred-Username")]
    #[case("OIDC_CLAIM_email")]
    #[case("Cf-Access-Authenticated-User-Email")]
    #[case("X-Goog-Authenticated-User-Email")]
    fn headers_that_name_an_agent(#[case] text: &str) {
        assert_eq!(header(text).as_deref(), Ok(text));
    }

    #[rstest]
    #[case("X-Proxy-Secret")]
    #[case("x-forwarded-for")]
    #[case("X-Forwarded-Host")]
    #[case("X-Forwarded-Proto")]
    #[case("X-Forwarded-Client-Cert")]
    #[case("Forwarded")]
    #[case("AUTHORIZATION")]
    #[case("Proxy-Authorization")]
    #[case("Proxy-Connection")]
    #[case("Cookie")]
    #[case("Set-Cookie")]
    #[case("Host")]
    #[case("Connection")]
    #[case("Keep-Alive")]
    #[case("Upgrade")]
    #[case("TE")]
    #[case("Trailer")]
    #[case("Content-Length")]
    #[case("Content-Type")]
    #[case("Transfer-Encoding")]
    #[case("Origin")]
    #[case("Referer")]
    #[case("Sec-Fetch-User")]
    #[case("Sec-Purpose")]
    #[case("Purpose")]
    #[case("X-Moz")]
    #[case("User-Agent")]
    #[case("Accept")]
    #[case("Accept-Language")]
    #[case("traceparent")]
    #[case("tracestate")]
    #[case("X-Request-Id")]
    #[case("X-Widget-Ticket")]
    #[case("X-Real-IP")]
    #[case("If-None-Match")]
    #[case("Cache-Control")]
    #[case("Via")]
    #[case("Date")]
    #[case("From")]
    fn headers_that_mean_something_else(#[case] text: &str) {
        assert!(
            header(text)
                .unwrap_err()
                .starts_with("means something else")
        );
    }

    #[rstest]
    #[case("")]
    #[case("X-Auth Request")]
    #[case("X-User:")]
    #[case("X-\u{43a}")]
    #[case("X-User\r\nX")]
    #[case("(X)")]
    fn what_is_no_header_s_name(#[case] text: &str) {
        assert!(header(text).unwrap_err().starts_with("not a header's name"));
    }
}
