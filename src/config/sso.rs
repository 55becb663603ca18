//! Single sign-on: the header in which a proxy names the agent, and the secret of the proxy.

use reqwest::header::HeaderName;

use super::{EnvParser, Reported, Variable};
use crate::access::{AuthConfig, Mode};

pub(super) const VARIABLES: &[Variable] = &[
    // Some proxies name agents by what the agents have typed themselves.
    Variable::with_default("SSO_BY_NAME", "off"),
    Variable::without_default("SSO_HEADER"),
    Variable::secret("SSO_PROXY_SECRET"),
];

/// Headers with another meaning, to this service or in HTTP, in lower case.
const RESERVED: [&str; 30] = [
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

/// Prefixes of more such headers.
const RESERVED_PREFIXES: [&str; 14] = [
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

/// Headers with such a prefix that name a user: oauth2-proxy and Traefik send them.
const USER_HEADERS: [&str; 3] = [
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
];

/// A single address identifies the proxy. In a network any machine could name agents, so a secret
/// must identify the proxy.
pub(super) fn check(parser: &mut EnvParser, settings: &AuthConfig) -> Result<(), Reported> {
    if let Some(network) = settings.trusted_proxies.widest()
        && settings.modes.contains(&Mode::Sso)
        && settings.sso_proxy_secret.is_none()
    {
        let problem = format!(
            "must be set, with 16 characters or more, where TRUSTED_PROXIES has a network ({network}) and ACCESS has sso: every \
             machine in it could name any agent. Or name the proxies' single addresses in TRUSTED_PROXIES"
        );
        return Err(parser.problem("SSO_PROXY_SECRET", problem));
    }
    Ok(())
}

/// Parses the name of a header that names the agent and has no other meaning.
pub(super) fn header(text: &str) -> Result<String, &'static str> {
    let name = HeaderName::from_bytes(text.as_bytes());
    let name = name.map_err(|_| "not a header's name, such as X-Auth-Request-Email")?;
    let name = name.as_str();
    let has_prefix = RESERVED_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix));
    let means_something_else =
        RESERVED.contains(&name) || has_prefix && !USER_HEADERS.contains(&name);
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
    fn headers_with_another_meaning(#[case] text: &str) {
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
    fn invalid_header_names(#[case] text: &str) {
        assert!(header(text).unwrap_err().starts_with("not a header's name"));
    }
}
