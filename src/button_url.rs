//! The URL behind a button: where `/open-chat` is, and what it is asked.

use chathub::HttpsUrl;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::access::PassConstraints;

/// A link that carries a pass, and with it everything that the pass fixes.
pub fn with_pass(public: &HttpsUrl, pass: &str) -> String {
    let mut url = open_chat(public);
    url.query_pairs_mut().append_pair("pass", pass);
    url.into()
}

/// A link that says in the open what it wants, for `ACCESS=open` or a login in front.
pub fn plain(public: &HttpsUrl, operator: &str, constraints: &PassConstraints) -> String {
    let mut url = open_chat(public);
    url.set_query(Some(&query(operator, constraints)));
    url.into()
}

/// The query of such a link.
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

/// The address without a query. The service may live below a path of its own.
pub fn open_chat(public: &HttpsUrl) -> Url {
    let mut url = public.as_url().clone();
    url.set_query(None);
    url.set_path(&format!("{}/open-chat", url.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_open_chat_wherever_it_lives() {
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
    }
}
