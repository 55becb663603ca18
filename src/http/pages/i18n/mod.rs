//! What pages and problems say, in each language: a TOML file a language, compiled in.
//!
//! It does not know when a request is refused, nor what a page looks like. A new language takes a
//! file, a variant of [`Language`], and an arm of [`Language::texts`].

mod details;
mod texts;

use std::borrow::Cow;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header as _, LanguageTag, Preference, Quality};

pub(crate) use self::details::fill;
pub(crate) use self::texts::{
    Advice, BuilderTexts, CrmPageWords, DemoTexts, ExtensionTexts, GuideTexts, HandlerTexts,
    OpenapiTexts, PairingWords, Words,
};
use self::texts::{Explanation, Texts};
use crate::http::problem::{Detail, Kind};
pub(crate) use crate::language::Language;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::read(include_str!("en.toml")));
static UKRAINIAN: LazyLock<Texts> = LazyLock::new(|| Texts::read(include_str!("uk.toml")));

impl Words {
    /// When another try may succeed.
    pub(crate) fn wait(&self, seconds: u64) -> String {
        fill(self.wait, &[("seconds", &seconds)]).into_owned()
    }
}

impl Language {
    /// The visitor's first choice, if it is one of ours. Else Ukrainian where it is further down
    /// the list, and `default` where it is not: browsers add English to most lists by themselves.
    pub(crate) fn of(request: &HttpRequest, default: Self) -> Self {
        let Ok(AcceptLanguage(mut accepted)) = AcceptLanguage::parse(request) else {
            return default;
        };
        accepted.retain(|range| range.quality > Quality::ZERO);
        let ranked = AcceptLanguage(accepted).ranked();
        let mut languages = ranked.iter().map(Self::matching);
        if let Some(Some(first)) = languages.next() {
            return first;
        }
        let is_further_down = languages
            .flatten()
            .any(|language| language == Self::Ukrainian);
        if is_further_down {
            Self::Ukrainian
        } else {
            default
        }
    }

    fn matching(range: &Preference<LanguageTag>) -> Option<Self> {
        let Preference::Specific(tag) = range else {
            return None;
        };
        Self::parse(tag.primary_language())
    }

    fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Ukrainian => &UKRAINIAN,
        }
    }

    pub(crate) fn words(self) -> &'static Words {
        &self.texts().words
    }

    /// What the page about phone links says.
    pub(crate) fn handler(self) -> &'static HandlerTexts {
        &self.texts().handler
    }

    pub(crate) fn pairing_words(self) -> &'static PairingWords {
        &self.texts().pairing
    }

    /// What the page in a CRM's frame says.
    pub(crate) fn crm_page_words(self) -> &'static CrmPageWords {
        &self.texts().crm_page
    }

    /// What the demo's CRM says.
    pub(crate) fn demo(self) -> &'static DemoTexts {
        &self.texts().demo
    }

    /// What the page about the service's interface says, beside the document.
    pub(crate) fn openapi(self) -> &'static OpenapiTexts {
        &self.texts().openapi
    }

    /// What the link builder says, less its instructions for a CRM.
    pub(crate) fn builder(self) -> &'static BuilderTexts {
        &self.texts().builder
    }

    /// What the link builder says around the instructions for a CRM.
    pub(crate) fn guide(self) -> &'static GuideTexts {
        &self.texts().guide
    }

    /// What the link builder says of the browser extension.
    pub(crate) fn extension(self) -> &'static ExtensionTexts {
        &self.texts().extension
    }

    /// What a page says to the agent: by the kind, unless the detail says that something else is
    /// wrong.
    pub(crate) fn advice(self, kind: Kind, detail: &Detail) -> Advice {
        let mut advice = self.kind(kind);
        if let Some(Explanation { happened, to_do }) = self.texts().exceptions.of(detail) {
            (advice.happened, advice.to_do) = (happened, to_do);
        }
        advice.to_do = self.texts().step(advice.to_do);
        advice
    }

    /// A few words, the same for every refusal of the kind.
    pub(crate) fn title(self, kind: Kind) -> &'static str {
        self.kind(kind).title
    }

    fn kind(self, kind: Kind) -> Advice {
        let advice = self.texts().kinds.get(kind.name());
        advice.copied().unwrap_or_default()
    }

    /// The detail in this language.
    pub(crate) fn detail(self, detail: &Detail) -> Cow<'_, str> {
        self.texts().detail(detail)
    }

    /// The language that the detail is in: what is meant for programs is in English only.
    pub(crate) const fn of_detail(self, detail: &Detail) -> Self {
        match detail {
            Detail::English(_) => Self::English,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::net::{IpAddr, Ipv4Addr};

    use actix_web::http::header::ACCEPT_LANGUAGE;
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use chathub::BadAnswer;

    use super::*;
    use chrono::DateTime;

    use crate::access::{Denied, DeviceId};
    use crate::connect::Unproven;
    use crate::http::problem::{ShownIdentity, example};
    use crate::integrations::{CrmOriginError, CrmOriginFault};
    use crate::phone::{LinkKind, PhoneError, Region};
    use crate::source::{ChatSource, UnknownSource};

    #[rstest]
    #[case::nothing("", Language::English)]
    #[case::ukrainian("uk", Language::Ukrainian)]
    #[case::with_a_region("uk-UA,uk;q=0.9,en-US;q=0.8,en;q=0.7", Language::Ukrainian)]
    #[case::any_case("UK-ua", Language::Ukrainian)]
    #[case::english_first("en-GB,uk;q=0.9", Language::English)]
    #[case::order_does_not_matter("en;q=0.5, uk;q=0.8", Language::Ukrainian)]
    #[case::of_two_liked_alike_the_first("uk, en", Language::Ukrainian)]
    #[case::a_stranger_first("pl,uk;q=0.5", Language::Ukrainian)]
    #[case::a_stranger_alone("fr-CH, de;q=0.9", Language::English)]
    #[case::anything("*", Language::English)]
    #[case::refused("uk;q=0, en;q=0.1", Language::English)]
    #[case::both_refused("uk;q=0, en;q=0", Language::English)]
    #[case::no_weight("uk;q=x", Language::English)]
    #[case::not_a_number("uk;q=NaN", Language::English)]
    #[case::a_longer_word("ukr", Language::English)]
    fn the_visitor_s_language(#[case] accept: &str, #[case] expected: Language) {
        assert_eq!(of(accept, Language::English), expected);
    }

    /// Where `DEFAULT_LANGUAGE` is Ukrainian.
    #[rstest]
    #[case::nothing("", Language::Ukrainian)]
    #[case::anything("*", Language::Ukrainian)]
    #[case::as_common_browsers_send("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", Language::Ukrainian)]
    #[case::english_chosen("en-US,en;q=0.9,ru;q=0.8", Language::English)]
    #[case::english_before_ukrainian("en, uk;q=0.9", Language::English)]
    #[case::a_stranger("pl", Language::Ukrainian)]
    fn a_company_s_language(#[case] accept: &str, #[case] expected: Language) {
        assert_eq!(of(accept, Language::Ukrainian), expected);
    }

    fn of(accept: &str, default: Language) -> Language {
        let request = TestRequest::default()
            .insert_header((ACCEPT_LANGUAGE, accept))
            .to_http_request();
        Language::of(&request, default)
    }

    /// In the order of [`Language::ALL`].
    const FILES: [&str; 2] = [include_str!("en.toml"), include_str!("uk.toml")];

    /// Every text of a file, by its key.
    fn texts(file: &str) -> BTreeMap<String, String> {
        fn collect(key: &str, value: &toml::Value, texts: &mut BTreeMap<String, String>) {
            match value {
                toml::Value::Table(table) => table
                    .iter()
                    .for_each(|(name, value)| collect(&format!("{key}.{name}"), value, texts)),
                text => {
                    texts.insert(key.to_owned(), text.as_str().unwrap().to_owned());
                }
            }
        }
        let mut texts = BTreeMap::new();
        collect("", &toml::Value::Table(file.parse().unwrap()), &mut texts);
        texts
    }

    /// Code spans, placeholders and names of settings: what no language translates.
    fn names(text: &str) -> Vec<&str> {
        let spans = text.split('`').skip(1).step_by(2);
        let placeholders = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next());
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        let settings = words.filter(|word| word.contains('_'));
        let mut names: Vec<_> = spans.chain(placeholders).chain(settings).collect();
        names.sort_unstable();
        names
    }

    fn is_ukrainian(text: &str) -> bool {
        let prose: String = text.split('`').step_by(2).collect();
        prose.chars().any(|c| ('а'..='я').contains(&c))
            && !prose.chars().any(|c| "ыэъё".contains(c))
    }

    /// A missing or an unknown key is an error of the file's.
    #[test]
    fn each_language_has_all_texts_and_no_others() {
        let kinds = Kind::ALL.map(Kind::name);
        for file in FILES {
            let texts: Result<Texts, _> = toml::from_str(file);
            let texts = texts.map_err(|error| error.message().to_owned()).unwrap();
            let named: BTreeSet<_> = texts.kinds.into_keys().collect();
            assert_eq!(named, kinds.into());
        }
    }

    #[test]
    fn each_language_has_words_of_its_own_and_the_same_names() {
        let [english, ukrainian] = FILES.map(texts);
        assert!(english.keys().eq(ukrainian.keys()));
        for (key, en) in &english {
            let uk = &ukrainian[key];
            assert!(!en.is_empty() && en.is_ascii(), "{en}");
            let is_a_step = en.starts_with('{');
            let is_a_format = key == ".words.time";
            assert!(is_a_step || is_a_format || is_ukrainian(uk), "{uk}");
            assert_eq!(names(en), names(uk), "{key}");
        }
    }

    /// `STYLE.md`: one word for one thing, and the apostrophe that is written.
    #[test]
    fn ukrainian_has_one_word_for_one_thing() {
        let words = ["агент", "джерел", "перепуст", "прив’яз", "клік", "хвилинк"];
        for (key, text) in texts(FILES[1]) {
            let text = text.to_lowercase();
            for word in words {
                let mut before = text.match_indices(word).map(|(at, _)| &text[..at]);
                let begins = before.any(|before| !before.ends_with(char::is_alphabetic));
                assert!(!begins, "{key}: {word}");
            }
            let prose: String = text.split('`').step_by(2).collect();
            assert!(!prose.contains(['\'', 'ʼ']), "{key}: {text}");
        }
    }

    fn device() -> DeviceId {
        serde_json::from_str("\"7f3a0c5e41d24b4f8f3a1c2d3e4f5a6b\"").unwrap()
    }

    /// A detail for each text with placeholders, and the values that belong there.
    fn filled() -> Vec<(Detail, Vec<&'static str>)> {
        let long = "z".repeat(200);
        [
            (
                Detail::NetworkNotAllowed(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                vec!["`127.0.0.1`"],
            ),
            (
                Detail::IdentityUnknown(ShownIdentity::of("{line}")),
                vec!["`{line}`", "`\"{line}\" = 101`"],
            ),
            (
                Detail::IdentityUnknown(ShownIdentity::of(&long)),
                vec!["zzz…`"],
            ),
            (
                Detail::AgentUnknown(ShownIdentity::of("{line}")),
                vec!["`{line}`", "`\"{line}\" = 101`"],
            ),
            (
                Detail::AgentUnknown(ShownIdentity::of(&long)),
                vec!["zzz…`"],
            ),
            (
                Detail::PortalUnknown(ShownIdentity::of("acme.example")),
                vec!["`acme.example`", "`portals = [\"acme.example\"]`"],
            ),
            (Detail::NumberUnknown(54321), vec!["`54321`"]),
            (Detail::NoSender(ChatSource::Viber), vec![" viber "]),
            (Detail::Repeated("from"), vec!["`from`"]),
            (Detail::Unfilled("from"), vec!["`from`"]),
            (Detail::EncodedTwice("from"), vec!["`from`"]),
            (Detail::Control("from"), vec!["`from`"]),
            (Detail::NotEncoded(Some("from")), vec!["`from`"]),
            (Detail::NotUtf8(Some("from")), vec!["`from`"]),
            (Detail::Phone(PhoneError::Invalid(Region::UA)), vec!["UA"]),
            (
                Detail::Phone(PhoneError::NotInLink(LinkKind::TelegramMe)),
                vec!["`https://t.me/`"],
            ),
            (
                Detail::Phone(PhoneError::InvalidInLink(LinkKind::Tel, Region::UA)),
                vec!["`tel:`", "UA"],
            ),
            (
                Detail::InvitationUsed(DateTime::UNIX_EPOCH, device()),
                vec![
                    "1970",
                    " 00:00:00 UTC",
                    "`7f3a0c5e41d24b4f8f3a1c2d3e4f5a6b`",
                ],
            ),
            (Detail::NoIntegration, vec![" browser-extension"]),
        ]
        .into_iter()
        .chain(ORIGIN_FAULTS.map(|fault| (origin(fault), vec!["`https://*`"])))
        .collect()
    }

    const ORIGIN_FAULTS: [CrmOriginFault; 5] = [
        CrmOriginFault::NotAnAddress,
        CrmOriginFault::Scheme,
        CrmOriginFault::Host,
        CrmOriginFault::NotAlone,
        CrmOriginFault::TooMany,
    ];

    fn origin(fault: CrmOriginFault) -> Detail {
        let text = "https://*".into();
        Detail::CrmOrigin(CrmOriginError { text, fault })
    }

    #[test]
    fn every_placeholder_is_filled() {
        let has_value = |(key, text): &(String, String)| {
            let is_filled_elsewhere = key == ".words.wait" || key.starts_with(".builder.");
            text.contains('{') && !text.starts_with('{') && !is_filled_elsewhere
        };
        for (language, file) in Language::ALL.into_iter().zip(FILES) {
            let details = filled();
            assert_eq!(
                texts(file).into_iter().filter(has_value).count(),
                details.len()
            );
            for (detail, values) in details {
                let text = language.detail(&detail).replace("{line}", "LINE");
                assert!(!text.contains(['{', '}']), "{text}");
                for value in values {
                    assert!(text.contains(&value.replace("{line}", "LINE")), "{text}");
                }
            }
            assert!(language.words().wait(7).contains(" 7 "));
            for kind in Kind::ALL {
                let to_do = language.advice(kind, &example(kind)).to_do;
                assert!(!to_do.contains('{'), "{to_do}");
            }
            for exception in [
                Detail::Phone(PhoneError::EncodedTwice),
                Detail::PhoneIsAWord,
                Detail::Phone(PhoneError::UnknownLink),
                Detail::Denied(Denied::AutoIsOff),
                Detail::AgentUnknown(ShownIdentity::of("kommo-5")),
                Detail::ClientHidden,
                Detail::Unproven(Unproven::Scope),
                Detail::Unproven(Unproven::PageTooOld),
                Detail::DirectoryUnread,
                Detail::OnceUnknown,
                Detail::ChatHub(chathub::ErrorKind::BadAnswer(BadAnswer::Clocks)),
            ] {
                let advice = language.advice(Kind::PhoneInvalid, &exception);
                let kind = language.kind(Kind::PhoneInvalid);
                assert_ne!(advice.happened, kind.happened, "{exception:?}");
                assert!(!advice.to_do.contains('{'), "{exception:?}");
            }
        }
    }

    /// The command line shows these errors as they are.
    #[test]
    fn errors_say_the_same_as_their_details() {
        let detail = |detail: Detail| Language::English.detail(&detail).into_owned();
        assert_eq!(detail(Detail::Source), UnknownSource.to_string());
        for error in [
            PhoneError::EncodedTwice,
            PhoneError::Letters,
            PhoneError::TooLong,
            PhoneError::Extension,
            PhoneError::Invalid(Region::UA),
            PhoneError::NotInLink(LinkKind::WaMe),
            PhoneError::InvalidInLink(LinkKind::Sip, Region::UA),
            PhoneError::UnknownLink,
        ] {
            assert_eq!(detail(Detail::Phone(error)), error.to_string());
        }
        for fault in ORIGIN_FAULTS {
            let says = detail(origin(fault));
            assert_eq!(says, format!("`https://*` {fault}"));
        }
    }
}
