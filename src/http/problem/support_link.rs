//! The link to the company's support on a page, with what support asks for first.

use super::kind::Kind;
use crate::config::Contact;

/// Where the contact's link leads. A mail has a subject already: the problem's kind and the
/// request's id, in the body where `SUPPORT_CONTACT` has a subject of its own.
pub(super) fn link(contact: Option<&Contact>, kind: Kind, request_id: &str) -> Option<String> {
    let Some(Contact::Link { href, .. }) = contact else {
        return None;
    };
    let mut href = href.clone();
    if href.starts_with("mailto:") {
        add_topic(&mut href, kind, request_id);
    }
    Some(href)
}

/// A request's id needs no encoding: it has only letters, digits, `.`, `_` and `-`.
fn add_topic(href: &mut String, kind: Kind, request_id: &str) {
    let fields = href.split_once('?').map(|(_, fields)| fields);
    let has = |wanted: &str| {
        let mut names = fields
            .into_iter()
            .flat_map(|fields| fields.split('&'))
            .map(|field| field.split('=').next().unwrap_or_default());
        names.any(|name| name.eq_ignore_ascii_case(wanted))
    };
    let field = ["subject", "body"].into_iter().find(|name| !has(name));
    let mark = if fields.is_some() { "&" } else { "?" };
    if let Some(field) = field {
        let topic = format!("open-chat:%20{},%20{request_id}", kind.name());
        href.extend([mark, field, "=", &topic]);
    }
}
