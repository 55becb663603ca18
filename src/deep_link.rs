//! Builds deep links into the chat panel, in ChatHub's four formats.
//!
//! It works on text alone, and does not decide what a visitor may open. The formats and the order
//! of their parameters come from ChatHub's page on deep links.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::phone::PhoneNumber;
use crate::source::ChatSource;
use crate::unreserved::is_unreserved;
use chathub::HttpsUrl;

/// Everything but RFC 3986's unreserved characters is escaped, so a value cannot end its parameter.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Which chat opens in the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeepLink<'a> {
    /// Format 1: the chat with an id.
    Chat {
        /// ChatHub's own id of the chat.
        chat_raw_id: &'a str,
    },
    /// Format 2: any chat with a phone.
    Phone {
        /// The client's phone.
        phone: PhoneNumber,
    },
    /// Format 3: the chat with a phone under one of the company's alpha names.
    Sender {
        /// The alpha name, ChatHub's `bm_id`.
        sender: &'a str,
        /// The client's phone.
        phone: PhoneNumber,
    },
    /// Format 4: the same in one channel.
    Source {
        /// The channel.
        source: ChatSource,
        /// The alpha name, ChatHub's `bm_id`.
        sender: &'a str,
        /// The client's phone.
        phone: PhoneNumber,
    },
}

impl DeepLink<'_> {
    /// The format's number in ChatHub's documents, 1 to 4.
    pub const fn format(&self) -> u8 {
        match self {
            Self::Chat { .. } => 1,
            Self::Phone { .. } => 2,
            Self::Sender { .. } => 3,
            Self::Source { .. } => 4,
        }
    }

    /// The phone, in the formats that have one.
    pub const fn phone(&self) -> Option<PhoneNumber> {
        match self {
            Self::Chat { .. } => None,
            Self::Phone { phone } | Self::Sender { phone, .. } | Self::Source { phone, .. } => {
                Some(*phone)
            }
        }
    }

    /// The URL that opens the chat as the operator of the token. Without a token the panel shows
    /// its login page.
    pub fn url(&self, panel: &PanelUrl, token: Option<&str>) -> String {
        // Twice a typical link without its token, so that the string does not grow.
        let mut url = String::with_capacity(panel.prefix.len() + 160 + token.map_or(0, str::len));
        url.push_str(&panel.prefix);
        match self {
            Self::Chat { chat_raw_id } => {
                append(&mut url, "chat_raw_id=", chat_raw_id);
            }
            Self::Phone { phone } => append_phone(&mut url, "phone=", phone),
            Self::Sender { sender, phone } => {
                append(&mut url, "from=", sender);
                append_phone(&mut url, "&phone=", phone);
            }
            Self::Source {
                source,
                sender,
                phone,
            } => {
                url.push_str("source=");
                url.push(char::from(b'0' + source.number()));
                append(&mut url, "&from=", sender);
                append_phone(&mut url, "&phone=", phone);
            }
        }
        if let Some(token) = token {
            append(&mut url, "&token=", token);
        }
        url
    }
}

/// Only the `+` of a phone needs escaping.
fn append_phone(url: &mut String, parameter: &str, phone: &PhoneNumber) {
    url.push_str(parameter);
    url.push_str("%2B");
    url.push_str(phone.digits());
}

fn append(url: &mut String, parameter: &str, value: &str) {
    url.push_str(parameter);
    if is_unreserved(value) {
        url.push_str(value);
    } else {
        // Writing into a String cannot fail.
        let _ = write!(url, "{}", utf8_percent_encode(value, VALUE));
    }
}

/// The address of the chat panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelUrl {
    /// Ends in `?` or `&`, ready for a parameter.
    prefix: String,
    origin: String,
}

impl PanelUrl {
    /// The address may have a path and a query.
    pub fn new(address: &HttpsUrl) -> Self {
        let url = address.as_url();
        let mut prefix = String::from(url.as_str());
        match url.query() {
            None => prefix.push('?'),
            Some("") => {}
            Some(_) => prefix.push('&'),
        }
        Self {
            prefix,
            origin: url.origin().ascii_serialization(),
        }
    }

    /// `https://chat.smsbat.com`
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::phone::Region;

    fn phone() -> PhoneNumber {
        PhoneNumber::parse("+380501234567", Region::UA).unwrap()
    }

    fn panel(address: &str) -> PanelUrl {
        PanelUrl::new(&HttpsUrl::parse(address).unwrap())
    }

    fn url(link: DeepLink<'_>) -> String {
        link.url(&panel("https://chat.smsbat.com/"), Some("eyJh.eyJv.c2ln"))
    }

    #[test]
    fn format_1_is_a_chat() {
        let link = DeepLink::Chat {
            chat_raw_id: "65a1",
        };
        assert_eq!(
            url(link),
            "https://chat.smsbat.com/?chat_raw_id=65a1&token=eyJh.eyJv.c2ln"
        );
    }

    #[test]
    fn format_2_is_a_phone() {
        assert_eq!(
            url(DeepLink::Phone { phone: phone() }),
            "https://chat.smsbat.com/?phone=%2B380501234567&token=eyJh.eyJv.c2ln"
        );
    }

    #[test]
    fn format_3_is_a_sender() {
        let link = DeepLink::Sender {
            sender: "Acme",
            phone: phone(),
        };
        assert_eq!(
            url(link),
            "https://chat.smsbat.com/?from=Acme&phone=%2B380501234567&token=eyJh.eyJv.c2ln"
        );
    }

    #[rstest]
    #[case(ChatSource::Viber, "source=0")]
    #[case(ChatSource::ViberBot, "source=1")]
    #[case(ChatSource::TelegramBot, "source=2")]
    #[case(ChatSource::Whatsapp, "source=3")]
    #[case(ChatSource::Widget, "source=4")]
    #[case(ChatSource::Rozetka, "source=5")]
    #[case(ChatSource::Facebook, "source=6")]
    #[case(ChatSource::Instagram, "source=7")]
    fn format_4_is_a_source(#[case] source: ChatSource, #[case] parameter: &str) {
        let link = DeepLink::Source {
            source,
            sender: "Acme",
            phone: phone(),
        };
        let expected = "&from=Acme&phone=%2B380501234567&token=eyJh.eyJv.c2ln";
        assert_eq!(
            url(link),
            format!("https://chat.smsbat.com/?{parameter}{expected}")
        );
    }

    #[test]
    fn a_value_cannot_leave_its_parameter() {
        let link = DeepLink::Sender {
            sender: "A&B=C #?/\\\"<>+%\u{456}~[{@:",
            phone: phone(),
        };
        assert_eq!(
            url(link),
            "https://chat.smsbat.com/?from=A%26B%3DC%20%23%3F%2F%5C%22%3C%3E%2B%25%D1%96~%5B%7B%40%3A&phone=%2B380501234567\
             &token=eyJh.eyJv.c2ln"
        );
    }

    #[test]
    fn each_format_says_which_it_is_and_whose_chat() {
        let (sender, source) = ("Acme", ChatSource::Viber);
        let (chat_raw_id, phone) = ("65a1", phone());
        let links = [
            DeepLink::Chat { chat_raw_id },
            DeepLink::Phone { phone },
            DeepLink::Sender { sender, phone },
            DeepLink::Source {
                source,
                sender,
                phone,
            },
        ];
        assert_eq!(links.map(|link| link.format()), [1, 2, 3, 4]);
        let phones = links.map(|link| link.phone());
        assert_eq!(phones, [None, Some(phone), Some(phone), Some(phone)]);
    }

    #[test]
    fn the_origin_is_for_security_policies() {
        let panel = panel("https://chat.example:8443/desk?theme=dark");
        assert_eq!(panel.origin(), "https://chat.example:8443");
    }

    #[test]
    fn without_a_token_the_panel_asks_for_a_login() {
        let panel = panel("https://chat.smsbat.com");
        assert_eq!(
            DeepLink::Phone { phone: phone() }.url(&panel, None),
            "https://chat.smsbat.com/?phone=%2B380501234567"
        );
    }

    #[rstest]
    #[case(
        "https://chat.example/desk?theme=dark",
        "https://chat.example/desk?theme=dark&phone="
    )]
    #[case("https://chat.example/desk?", "https://chat.example/desk?phone=")]
    #[case("http://127.0.0.1:9000/", "http://127.0.0.1:9000/?phone=")]
    #[case("http://[::1]:9000", "http://[::1]:9000/?phone=")]
    #[case("http://localhost:9000", "http://localhost:9000/?phone=")]
    fn the_panel_may_have_a_path_and_a_query(#[case] address: &str, #[case] head: &str) {
        let link = DeepLink::Phone { phone: phone() }.url(&panel(address), None);
        assert_eq!(link, format!("{head}%2B380501234567"));
    }
}
