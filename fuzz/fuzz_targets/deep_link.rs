//! A deep link of four lines (sender or chat id, phone, source, token) and, in a fifth, the panel's
//! address: it leads to the panel, has one of the four shapes, and says what went in.
#![no_main]

use chathub::HttpsUrl;
use libfuzzer_sys::fuzz_target;
use open_chat::deep_link::{DeepLink, PanelUrl};
use open_chat::phone::{PhoneNumber, Region};
use open_chat::source::ChatSource;
use percent_encoding::percent_decode_str;
use url::Url;

const PANEL: &str = "https://chat.smsbat.com/";

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (text, phone, source, token, address) = (line(), line(), line(), line(), line());
    let phone = PhoneNumber::parse(phone, Region::UA)
        .or_else(|_| PhoneNumber::parse("+380501234567", Region::UA))
        .unwrap();
    let source = ChatSource::parse(source).ok();
    let address = HttpsUrl::parse(address).unwrap_or_else(|_| HttpsUrl::parse(PANEL).unwrap());
    let token = (!token.is_empty()).then_some(token);

    let e164 = phone.as_str().to_owned();
    let number = source.map(|source| source.number().to_string());
    let sender = text;
    check(
        &address,
        token,
        &DeepLink::Chat { chat_raw_id: text },
        &[("chat_raw_id", text)],
    );
    check(
        &address,
        token,
        &DeepLink::Phone { phone },
        &[("phone", &e164)],
    );
    let link = DeepLink::Sender { sender, phone };
    check(
        &address,
        token,
        &link,
        &[("from", sender), ("phone", &e164)],
    );
    if let (Some(source), Some(number)) = (source, &number) {
        let link = DeepLink::Source {
            source,
            sender,
            phone,
        };
        let said = [
            ("source", number.as_str()),
            ("from", sender),
            ("phone", &e164),
        ];
        check(&address, token, &link, &said);
    }
});

fn check(address: &HttpsUrl, token: Option<&str>, link: &DeepLink<'_>, said: &[(&str, &str)]) {
    let panel = address.as_url();
    let url = link.url(&PanelUrl::new(address), token);

    // The address comes from the configuration alone.
    let read = Url::parse(&url).expect("a URL");
    assert_eq!(read.origin(), panel.origin());
    assert_eq!(read.path(), panel.path());
    assert_eq!(
        (read.username(), read.password(), read.fragment()),
        ("", None, None)
    );
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
    let own = panel.query().unwrap_or_default();
    let query = read.query().unwrap_or_default();
    let query = query.strip_prefix(own).expect("the panel's own query");
    let query = if own.is_empty() { query } else { &query[1..] };

    // One of the four shapes: these parameters, in this order, each with what went in.
    let said: Vec<_> = said
        .iter()
        .copied()
        .chain(token.map(|token| ("token", token)))
        .collect();
    let written: Vec<_> = query.split('&').collect();
    assert_eq!(written.len(), said.len(), "{query}");
    for (pair, (name, value)) in written.into_iter().zip(said) {
        let (written_name, written) = pair.split_once('=').expect("a name and a value");
        assert_eq!(written_name, name);
        assert!(
            written
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)),
            "{written}"
        );
        assert_eq!(
            percent_decode_str(written).decode_utf8().as_deref(),
            Ok(value)
        );
    }
}
