//! Phones as links: the URIs that CRMs write around a number, `tel:`, `sms:`, `viber://chat?…`.
//!
//! It takes the number out of a link. Whether it is a valid one is decided as for any other text.

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

use percent_encoding::percent_decode_str;

use super::PhoneError;
use crate::source::ChatSource;

named_enum! {
    /// A kind of phone link, by what it begins with.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum LinkKind {
        /// RFC 3966
        Tel = "tel:",
        /// Skype and older telephone programs
        Callto = "callto:",
        /// RFC 5724
        Sms = "sms:",
        /// The same, on Android
        Smsto = "smsto:",
        /// RFC 3261
        Sip = "sip:",
        /// The same, encrypted
        Sips = "sips:",
        /// `skype:+380501234567?call`
        Skype = "skype:",
        /// `viber://chat?number=`
        Viber = "viber:",
        /// `whatsapp://send?phone=`
        Whatsapp = "whatsapp:",
        /// `tg://resolve?phone=`
        Telegram = "tg:",
        /// `https://wa.me/380501234567`
        WaMe = "https://wa.me/",
        /// `https://api.whatsapp.com/send?phone=`
        WhatsappSend = "https://api.whatsapp.com/send",
        /// `https://t.me/+380501234567`
        TelegramMe = "https://t.me/",
    }
}

/// The messengers' web addresses.
const HOSTS: [(&str, LinkKind); 5] = [
    ("wa.me", LinkKind::WaMe),
    ("api.whatsapp.com", LinkKind::WhatsappSend),
    ("web.whatsapp.com", LinkKind::WhatsappSend),
    ("t.me", LinkKind::TelegramMe),
    ("telegram.me", LinkKind::TelegramMe),
];

impl LinkKind {
    /// The channel of the messenger whose link it is.
    pub const fn source(self) -> Option<ChatSource> {
        match self {
            Self::Viber => Some(ChatSource::Viber),
            Self::Whatsapp | Self::WaMe | Self::WhatsappSend => Some(ChatSource::Whatsapp),
            Self::Telegram | Self::TelegramMe => Some(ChatSource::TelegramBot),
            _ => None,
        }
    }

    const fn is_sip(self) -> bool {
        matches!(self, Self::Sip | Self::Sips)
    }

    /// The refusal of a link that has no number in it.
    pub(super) const fn without_number(self) -> PhoneError {
        PhoneError::NotInLink(self)
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a text is a link with a phone, as far as can be told from its beginning. What stands in
/// such a link may be percent-encoded.
pub fn is_link(text: &str) -> bool {
    PhoneLink::find(text).is_some()
}

/// What stands behind the scheme of a phone link, which is not encoded itself.
pub fn behind_scheme(text: &str) -> Option<&str> {
    scheme(text.trim_start()).map(|(_, rest)| rest)
}

/// A link with a phone, less its beginning.
pub(super) struct PhoneLink<'a> {
    pub(super) kind: LinkKind,
    /// What stands behind the scheme or the host. It is still percent-encoded, as in any URI.
    rest: Cow<'a, str>,
}

impl<'a> PhoneLink<'a> {
    /// The link that a text is.
    pub(super) fn find(text: &'a str) -> Option<Self> {
        if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        let text = text.trim_start();
        let (kind, rest) = if let Some((kind, rest)) = beginning(text) {
            (kind, Cow::Borrowed(rest))
        } else {
            let decoded = decode(text).filter(|_| has_encoded_scheme(text))?;
            let (kind, rest) = beginning(&decoded)?;
            (kind, Cow::Owned(rest.to_owned()))
        };
        Some(Self { kind, rest })
    }

    /// The number as the link writes it, without its extension.
    pub(super) fn number(&self) -> Result<String, PhoneError> {
        let number = match self.kind {
            LinkKind::Viber => self.value_of("number").map(international),
            LinkKind::Whatsapp | LinkKind::Telegram | LinkKind::WhatsappSend => {
                self.value_of("phone").map(international)
            }
            LinkKind::WaMe => self.segment().map(international),
            // Without the `+` it is a name.
            LinkKind::TelegramMe => self.segment().filter(|text| text.starts_with(['+', ' '])),
            _ => return self.dialled(),
        };
        number.ok_or(self.kind.without_number())
    }

    /// The number of `tel:` and the like: `+380501234567;ext=5`, `+380501234567@host`.
    fn dialled(&self) -> Result<String, PhoneError> {
        let decoded = decode(&self.rest).ok_or(self.kind.without_number())?;
        let mut text = &*decoded;
        // `callto:tel:+380501234567`
        while let Some((_, inner)) = scheme(text) {
            text = inner;
        }
        let text = before(text, ['?', '&', '#']);
        let (user, has_host) = match text.split_once('@') {
            Some((user, _)) => (user, true),
            None => (text, false),
        };
        let (number, parameters) = user.split_once(';').unwrap_or((user, ""));
        let number = match self.kind {
            kind if kind.is_sip() => before(number, [':']),
            LinkKind::Callto | LinkKind::Skype => without_word(number),
            _ => number,
        };
        if self.kind.is_sip() && !has_host && number.parse::<Ipv4Addr>().is_ok() {
            return Err(self.kind.without_number());
        }
        completed(without_pause(number), parameters)
    }

    /// The value of a parameter, which is given once. Its name may be encoded, like its value:
    /// messengers decode both.
    fn value_of(&self, name: &str) -> Option<String> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let (_, query) = before(&self.rest, ['#']).split_once('?')?;
        let mut values = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(known, _)| decode(known).is_some_and(|known| is(&known)))
            .map(|(_, value)| value);
        let value = values.next().filter(|value| !value.is_empty())?;
        let is_only_one = values.next().is_none();
        decode(value).filter(|_| is_only_one).map(Cow::into_owned)
    }

    /// The path, which is one segment.
    fn segment(&self) -> Option<String> {
        let path = before(&self.rest, ['?', '#']).trim_matches('/');
        decode(path)
            .filter(|path| !path.is_empty() && !path.contains('/'))
            .map(Cow::into_owned)
    }
}

/// The kind of a link that is not encoded as a whole, and what follows.
fn beginning(text: &str) -> Option<(LinkKind, &str)> {
    scheme(text).or_else(|| {
        let address = ["https:", "http:"]
            .into_iter()
            .find_map(|scheme| strip(text, scheme))
            .map_or(text, |rest| rest.trim_start_matches('/'));
        let address = strip(address, "www.").unwrap_or(address);
        let host = before(address, ['/', '?', '#']);
        let (_, kind) = HOSTS
            .into_iter()
            .find(|(known, _)| host.eq_ignore_ascii_case(known))?;
        Some((kind, &address[host.len()..]))
    })
}

/// The kind of a link by its name, and what stands behind it and slashes.
fn scheme(text: &str) -> Option<(LinkKind, &str)> {
    LinkKind::ALL
        .into_iter()
        .find_map(|kind| Some((kind, strip(text, kind.name())?.trim_start_matches('/'))))
}

/// Whether the first colon of a URI is encoded, as where a handler gets an encoded link.
fn has_encoded_scheme(text: &str) -> bool {
    let (scheme, rest) = text.split_at(text.find('%').unwrap_or(text.len()));
    strip(rest, "%3a").is_some() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Percent-decodes a part of a URI. What is not UTF-8, and control characters, are in no phone.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text)
        .decode_utf8()
        .ok()
        .filter(|decoded| !decoded.contains(char::is_control))
}

/// The rest of a text behind a prefix in any case.
fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What stands before the first of these characters.
fn before<const N: usize>(text: &str, ends: [char; N]) -> &str {
    text.split(ends).next().unwrap_or(text)
}

/// Messengers' links have the number with its country code, mostly without a `+`. No country code
/// begins with 0.
fn international(number: String) -> String {
    if number.starts_with(|c: char| ('1'..='9').contains(&c)) {
        format!("+{number}")
    } else {
        number
    }
}

/// Without what Skype's links say of the number: `+skype`, `+type=phone`. The `+` may have become a
/// space.
fn without_word(number: &str) -> &str {
    let word = number.match_indices(['+', ' ']).find(|(at, _)| {
        let next = number[at + 1..].chars().next();
        next.is_some_and(char::is_alphabetic)
    });
    word.map_or(number, |(at, _)| &number[..at])
}

/// Without what is dialled after a pause, as in `0501234567,12`. More digits could be a second
/// number.
fn without_pause(number: &str) -> &str {
    const MOST: usize = 6;
    let is_extension = |text: &str| {
        let is_dialled = |c: char| c.is_ascii_digit() || matches!(c, ',' | '*' | ' ');
        text.chars().filter(char::is_ascii_digit).count() <= MOST && text.chars().all(is_dialled)
    };
    match number.split_once(',') {
        Some((number, rest)) if is_extension(rest) => number,
        _ => number,
    }
}

/// The number with the country code that its context gives. Other parameters, such as an extension,
/// are not the client's number; a parameter that has no name could be a second one.
fn completed(number: &str, parameters: &str) -> Result<String, PhoneError> {
    let mut context = "";
    for parameter in parameters.split(';').map(str::trim) {
        if parameter.starts_with(|c: char| !c.is_ascii_alphabetic()) {
            return Err(PhoneError::Extension);
        }
        context = strip(parameter, "phone-context=").unwrap_or(context);
    }
    let is_global = number.starts_with(['+', ' ']);
    match country_code(context).filter(|_| !is_global) {
        Some(code) => Ok(format!("+{code}{number}")),
        None => Ok(number.to_owned()),
    }
}

/// The digits of a context, unless it is a domain. Its `+` may have become a space.
fn country_code(context: &str) -> Option<&str> {
    let code = context.strip_prefix(['+', ' '])?;
    let is_digits = code
        .chars()
        .all(|c| c.is_ascii_digit() || "-.() ".contains(c));
    (is_digits && !code.is_empty()).then_some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use proptest::test_runner::RngSeed;
    use rstest::rstest;

    use super::super::{PhoneNumber, Region};
    use super::*;

    fn read(text: &str) -> Result<(String, Option<ChatSource>), PhoneError> {
        let read = PhoneNumber::parse_with_source(text, Region::UA);
        read.map(|(phone, source)| (phone.as_str().to_owned(), source))
    }

    #[rstest]
    #[case::rfc_3966("tel:+380501234567")]
    #[case::separators("tel:+38-050-123-45-67")]
    #[case::visual_separators("tel:+38(050)123.45.67")]
    #[case::capitals("TEL:+380501234567")]
    #[case::slashes("tel://+380501234567")]
    #[case::zammad("tel:///%2B380501234567")]
    #[case::berlicrm("tel:+38%20050%20123%2045%2067")]
    #[case::international_prefix("tel:00380501234567")]
    #[case::national("tel:0501234567")]
    #[case::no_plus("tel:380501234567")]
    #[case::plus_read_as_space("tel: 380501234567")]
    #[case::a_space_of_people("Tel: 050 123 45 67")]
    #[case::a_no_break_space("tel:+38\u{a0}050\u{a0}1234567")]
    #[case::an_encoded_no_break_space("tel:+38%C2%A0050%C2%A01234567")]
    #[case::marks_around("\u{202a}tel:+380501234567\u{202c}")]
    #[case::extension("tel:+380501234567;ext=5")]
    #[case::an_encoded_extension("tel:+380501234567%3Bext%3D5")]
    #[case::parameters("tel:+380501234567;isub=1;Ext=12;x-note=a")]
    #[case::pause("tel:+380501234567,12")]
    #[case::six_digits_after_a_pause("tel:+380501234567,123456")]
    #[case::pauses("tel:0501234567,,12,3")]
    #[case::fragment("tel:+380501234567#12")]
    #[case::context("tel:0501234567;phone-context=+38")]
    #[case::context_of_a_country("tel:501234567;phone-context=+380")]
    #[case::encoded_context("tel:0501234567;phone-context=%2B38")]
    #[case::context_whose_plus_is_a_space("tel:0501234567;ext=1;phone-context= 38")]
    #[case::context_in_capitals("tel:0501234567;PHONE-CONTEXT=+38")]
    #[case::context_is_a_domain("tel:0501234567;phone-context=example.com")]
    #[case::context_beside_a_global_number("tel:+380501234567;phone-context=+49")]
    #[case::scheme_in_a_field_with_one("tel:tel:+380501234567")]
    #[case::encoded_whole("tel%3A%2B380501234567")]
    #[case::encoded_whole_and_once_more("tel%3a%252B380501234567")]
    #[case::callto("callto:+380501234567")]
    #[case::callto_slashes("callto://+380501234567/")]
    #[case::callto_skype("callto:+380501234567+skype")]
    #[case::callto_type("callto:0501234567 type=phone")]
    #[case::callto_call("callto:+380501234567?call")]
    #[case::callto_tel("callto:tel:+380501234567")]
    #[case::sms("sms:+380501234567")]
    #[case::sms_body("sms:+380501234567?body=Hi%20050")]
    #[case::sms_body_of_ios("sms:+380501234567&body=Hi")]
    #[case::smsto("smsto:+380501234567")]
    #[case::sip("sip:+380501234567@pbx.example;user=phone")]
    #[case::sip_alone("sip:380501234567")]
    #[case::sip_port("sip:0501234567@192.0.2.1:5060;transport=udp")]
    #[case::sip_password("sip:+380501234567:1234@pbx.example")]
    #[case::sip_context("sip:0501234567;phone-context=+38@pbx.example")]
    #[case::sip_encoded_host("sip:%2B380501234567%40pbx.example")]
    #[case::sips("sips:+380501234567@pbx.example")]
    #[case::skype("skype:+380501234567")]
    #[case::skype_call("skype:+380501234567?call")]
    #[case::skype_chat("SKYPE:380501234567?chat&topic=1")]
    fn a_link_to_dial(#[case] text: &str) {
        assert_eq!(read(text), Ok(("+380501234567".into(), None)));
    }

    #[rstest]
    #[case("viber://chat?number=%2B380501234567", ChatSource::Viber)]
    #[case("viber://chat/?number=+380501234567", ChatSource::Viber)]
    #[case("viber://chat?number=380501234567", ChatSource::Viber)]
    #[case("viber://chat?number=0501234567", ChatSource::Viber)]
    #[case("viber://add?number=380501234567", ChatSource::Viber)]
    #[case("viber://chat?n%75mber=380501234567", ChatSource::Viber)]
    #[case("Viber://Chat?Number= 380501234567&draft=Hi", ChatSource::Viber)]
    #[case("viber%3A%2F%2Fchat%3Fnumber%3D%252B380501234567", ChatSource::Viber)]
    #[case("whatsapp://send?phone=380501234567", ChatSource::Whatsapp)]
    #[case(
        "whatsapp://send/?text=050&phone=%2B380501234567&abid=1",
        ChatSource::Whatsapp
    )]
    #[case("whatsapp:/send?phone=+38-050-123-45-67", ChatSource::Whatsapp)]
    #[case("https://wa.me/380501234567", ChatSource::Whatsapp)]
    #[case("https://wa.me/+380501234567", ChatSource::Whatsapp)]
    #[case("https://wa.me/%2B380501234567?text=Hi", ChatSource::Whatsapp)]
    #[case("https://wa.me/+380501234567/?text=Hi%20%D1%97", ChatSource::Whatsapp)]
    #[case("https://wa.me/0501234567", ChatSource::Whatsapp)]
    #[case("http://WA.ME/380501234567#x", ChatSource::Whatsapp)]
    #[case("wa.me/380501234567", ChatSource::Whatsapp)]
    #[case("https%3A%2F%2Fwa.me%2F380501234567", ChatSource::Whatsapp)]
    #[case(
        "https://api.whatsapp.com/send?phone=380501234567&text=Hi",
        ChatSource::Whatsapp
    )]
    #[case(
        "https://api.whatsapp.com/send/?phone=%2B380501234567",
        ChatSource::Whatsapp
    )]
    #[case(
        "http://api.whatsapp.com/send?text=a&phone=380501234567",
        ChatSource::Whatsapp
    )]
    #[case(
        "https://web.whatsapp.com/send?phone=380501234567",
        ChatSource::Whatsapp
    )]
    #[case("tg://resolve?phone=380501234567", ChatSource::TelegramBot)]
    #[case("tg:resolve?phone=%2B380501234567", ChatSource::TelegramBot)]
    #[case("https://t.me/+380501234567", ChatSource::TelegramBot)]
    #[case("https://t.me/%2B380501234567", ChatSource::TelegramBot)]
    #[case("https://t.me/ 380501234567?text=Hi", ChatSource::TelegramBot)]
    #[case("http://www.telegram.me/+380501234567/", ChatSource::TelegramBot)]
    fn a_messenger_s_link_gives_the_source(#[case] text: &str, #[case] source: ChatSource) {
        assert_eq!(read(text), Ok(("+380501234567".into(), Some(source))));
    }

    /// A messenger has its numbers with a country code; a telephone takes those of its region.
    #[test]
    fn a_number_without_a_plus_is_international_in_a_messenger_s_link() {
        let poland = Region::parse("PL").unwrap();
        let read = |text| PhoneNumber::parse(text, poland).map(|phone| phone.as_str().to_owned());
        assert_eq!(
            read("https://wa.me/380501234567"),
            Ok("+380501234567".into())
        );
        assert_eq!(read("tel:512345678"), Ok("+48512345678".into()));
        assert_eq!(
            read("tel:380501234567"),
            Err(PhoneError::InvalidInLink(LinkKind::Tel, poland))
        );
    }

    #[rstest]
    #[case("https://t.me/name", LinkKind::TelegramMe)]
    #[case("https://t.me/380501234567", LinkKind::TelegramMe)]
    #[case("https://t.me/+AbCdEf123456", LinkKind::TelegramMe)]
    #[case("https://t.me/c/1234567890/12", LinkKind::TelegramMe)]
    #[case("tg://resolve?domain=name", LinkKind::Telegram)]
    #[case("https://wa.me/message/ABCDEF", LinkKind::WaMe)]
    #[case("https://wa.me/message/0501234567", LinkKind::WaMe)]
    #[case("https://wa.me/050/1234567", LinkKind::WaMe)]
    #[case("https://wa.me/?text=0501234567", LinkKind::WaMe)]
    #[case("https://wa.me", LinkKind::WaMe)]
    #[case("https://api.whatsapp.com/message/ABC", LinkKind::WhatsappSend)]
    #[case("whatsapp://send?text=0501234567", LinkKind::Whatsapp)]
    #[case(
        "whatsapp://send?phone=380501234567&phone=380671234567",
        LinkKind::Whatsapp
    )]
    #[case("viber://pa?chatURI=shop", LinkKind::Viber)]
    #[case("viber://chat?number=", LinkKind::Viber)]
    #[case("viber://chat?number=%FF", LinkKind::Viber)]
    #[case(
        "viber://chat?number=380501234567&n%75mber=380671234567",
        LinkKind::Viber
    )]
    #[case("tel:", LinkKind::Tel)]
    #[case("tel:undefined", LinkKind::Tel)]
    #[case("tel:1-800-FLOWERS", LinkKind::Tel)]
    #[case("tel:+380%0A501234567", LinkKind::Tel)]
    #[case("tel:https://example.com", LinkKind::Tel)]
    #[case("skype:live:john?chat", LinkKind::Skype)]
    #[case("sip:john@pbx.example", LinkKind::Sip)]
    #[case("sip:192.168.1.15:5060", LinkKind::Sip)]
    fn a_link_without_a_number(#[case] text: &str, #[case] kind: LinkKind) {
        assert_eq!(read(text), Err(PhoneError::NotInLink(kind)));
    }

    #[rstest]
    #[case("tel:*21#", PhoneError::InvalidInLink(LinkKind::Tel, Region::UA))]
    #[case("tel:112", PhoneError::InvalidInLink(LinkKind::Tel, Region::UA))]
    #[case(
        "sip:101@pbx.example",
        PhoneError::InvalidInLink(LinkKind::Sip, Region::UA)
    )]
    #[case("sms:+380501234567,+380671234567", PhoneError::TooLong)]
    #[case("tel:0501234567;0671234567", PhoneError::Extension)]
    #[case("tel:0501234567,1234567", PhoneError::Extension)]
    #[case("tel:%252B380501234567", PhoneError::EncodedTwice)]
    #[case("https://example.com/0501234567", PhoneError::UnknownLink)]
    #[case("https://notwa.me/0501234567", PhoneError::UnknownLink)]
    #[case("https://wa.me.evil.example/0501234567", PhoneError::UnknownLink)]
    #[case("whatsapp0501234567", PhoneError::Letters)]
    #[case("mailto:a0501234567", PhoneError::Letters)]
    fn what_is_refused_in_other_words(#[case] text: &str, #[case] error: PhoneError) {
        assert_eq!(read(text), Err(error));
    }

    /// What stands before a number in each kind of link, and behind it.
    const AROUND: [(&str, &str); 16] = [
        ("tel:", ""),
        ("Tel://", ";ext=12"),
        ("callto:", "+skype"),
        ("sms:", "?body=Hi 050 765 43 21"),
        ("smsto:", ""),
        ("sip:", "@pbx.example;user=phone"),
        ("sips:", "@192.0.2.1:5061"),
        ("skype:", "?call"),
        ("viber://chat?number=", ""),
        ("viber://add?number=", "&draft=0507654321"),
        ("whatsapp://send?phone=", "&text=0507654321"),
        ("tg://resolve?phone=", ""),
        ("https://wa.me/", "?text=0507654321"),
        ("http://wa.me/", "/"),
        ("https://api.whatsapp.com/send?phone=", ""),
        ("https://t.me/", ""),
    ];

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 1000,
            rng_seed: RngSeed::Fixed(380_501_234_567),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_link_gives_the_number_that_is_in_it(
            code in select(vec!["39", "50", "63", "67", "73", "99"]),
            rest in "[0-9]{7}",
            around in select(AROUND.to_vec()),
            spelling in select(vec!["+380{}{}", "%2B380{}{}", "+38 (0{}) {}", "+38-0{}-{}", "%2B38%20%280{}%29%20{}"]),
            is_encoded_whole in any::<bool>(),
        ) {
            let number = spelling.replacen("{}", code, 1).replacen("{}", &rest, 1);
            let mut link = format!("{}{number}{}", around.0, around.1);
            if is_encoded_whole {
                let all = percent_encoding::NON_ALPHANUMERIC;
                link = percent_encoding::utf8_percent_encode(&link, all).to_string();
            }
            let read = PhoneNumber::parse(&link, Region::UA).map(|phone| phone.as_str().to_owned());
            prop_assert_eq!(read, Ok(format!("+380{code}{rest}")), "{}", link);
        }

        #[test]
        fn no_link_gives_a_number_that_is_not_in_it(
            around in select(AROUND.to_vec()),
            inside in prop_oneof![
                "[-+ ()./0-9*#;,@?&:=%a-f]{0,24}",
                "[-+ (0-9;,%]{0,3}(380|0|%2B380)?(39|50|67)[0-9]{7}[-0-9;,#?@&%a-f= ]{0,9}",
            ],
        ) {
            let link = format!("{}{inside}{}", around.0, around.1);
            let Ok(phone) = PhoneNumber::parse(&link, Region::UA) else {
                return Ok(());
            };
            let digits: String = decode(&inside)
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            // A country code may be added at home, and a trunk prefix be left out.
            let (_, subscriber) = phone.digits().split_at(phone.digits().len() - 6);
            prop_assert!(digits.contains(subscriber), "{} of {}", phone.as_str(), link);
        }
    }
}
