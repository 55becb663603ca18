//! The address of this service as agents' browsers reach it.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use super::extract::{headers, scheme};
use super::state::AppState;
use crate::button_url;

/// The address of `/open-chat`: by the configuration, else by this request's `Host`; without
/// either, the path alone.
pub(super) fn of_open_chat(request: &HttpRequest, state: &AppState) -> String {
    if let Some(public) = &state.public_url {
        return button_url::open_chat(public).into();
    }
    let host = headers::text(request.headers(), &HOST).filter(|host| is_host(host));
    match host {
        Some(host) => format!("{}://{host}/open-chat", scheme(request, state)),
        None => "/open-chat".into(),
    }
}

/// Whether a text can be nothing but a host with an optional port: a visitor chooses it.
fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}
