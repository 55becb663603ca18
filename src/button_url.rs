//! Builds the URL behind a button: the address of `/open-chat` and its query.

use url::Url;
use url::form_urlencoded::Serializer;

use crate::access::PassConstraints;
use crate::secret::Secret;
use chathub::HttpsUrl;

/// A link with a pass, which fixes the operator and the constraints.
pub fn with_pass(public: &HttpsUrl, pass: &str) -> String {
    let mut url = open_chat(public);
    url.query_pairs_mut().append_pair("pass", pass);
    url.into()
}

/// The address at which an invitation pairs a browser. It is a secret until it was used.
pub fn with_invitation(public: &HttpsUrl, invitation: &Secret) -> Secret {
    let mut url = at(public, "pair");
    url.query_pairs_mut()
        .append_pair("invitation", invitation.expose());
    Secret::new(url)
}

/// A link with plain parameters, for `ACCESS=open` or SSO.
pub fn plain(public: &HttpsUrl, operator: &str, constraints: &PassConstraints) -> String {
    let mut url = open_chat(public);
    url.set_query(Some(&query(operator, constraints)));
    url.into()
}

/// The query of a plain link.
pub fn query(operator: &str, constraints: &PassConstraints) -> String {
    let parameters = [
        ("phone", &constraints.phone),
        ("chat_raw_id", &constraints.chat_raw_id),
        ("from", &constraints.from),
        ("source", &constraints.source),
    ];
    let mut query = Serializer::new(String::new());
    query.append_pair("operator", operator);
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// The address without a query. The service may have a path prefix.
pub fn open_chat(public: &HttpsUrl) -> Url {
    at(public, "open-chat")
}

/// The address of Bitrix24's button, which gets along what all of its chats have in common.
pub fn bitrix24_button(public: &HttpsUrl, constraints: &PassConstraints) -> String {
    let mut url = at(public, "connect/bitrix24");
    let parameters = [("source", &constraints.source), ("from", &constraints.from)];
    for (name, value) in parameters {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url.into()
}

/// The address of a page of the service.
pub fn at(public: &HttpsUrl, page: &str) -> Url {
    let mut url = public.as_url().clone();
    url.set_query(None);
    url.set_path(&format!("{}/{page}", url.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_path_prefix_of_the_service() {
        let constraints = PassConstraints {
            phone: Some("+38 050 123 45 67".into()),
            source: Some("viber".into()),
            ..PassConstraints::default()
        };
        let public = HttpsUrl::parse("https://chat.example/desk/?x=1").unwrap();
        assert_eq!(
            plain(&public, "ann@example.com", &constraints),
            "https://chat.example/desk/open-chat?operator=ann%40example.com&phone=%2B38+050+123+45+67&source=viber"
        );
        let public = HttpsUrl::parse("https://chat.example").unwrap();
        assert_eq!(
            with_pass(&public, "eyJh.eyJv.c2ln"),
            "https://chat.example/open-chat?pass=eyJh.eyJv.c2ln"
        );
        let invitation = Secret::new("eyJh.eyJv.c2ln");
        assert_eq!(
            with_invitation(&public, &invitation).expose(),
            "https://chat.example/pair?invitation=eyJh.eyJv.c2ln"
        );
    }
}
