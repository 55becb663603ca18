//! What pages say, in each language. A language that lacks a sentence does not compile.

mod en;
mod uk;

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;

use super::problem::detail::{Detail, Exception};
use super::problem::kind::Kind;

/// A language that pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    /// Also where the visitor understands neither.
    #[default]
    English,
    Ukrainian,
}

/// What a page about one kind of refusal says to the agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advice {
    /// A few words.
    pub(super) title: &'static str,
    /// What went wrong, without a technical word.
    pub(super) happened: &'static str,
    /// What to do next.
    pub(super) to_do: &'static str,
}

/// The words that pages have in common.
#[derive(Debug)]
pub(super) struct Words {
    /// The language's tag in HTML.
    pub(super) lang: &'static str,
    pub(super) what_to_do: &'static str,
    /// Before the identity of the visitor.
    pub(super) logged_in_as: &'static str,
    pub(super) for_the_administrator: &'static str,
    pub(super) problem: &'static str,
    pub(super) request: &'static str,
    pub(super) quote: &'static str,
    pub(super) help: &'static str,
    pub(super) try_again: &'static str,
    /// What to do where only time helps, and nobody knows how much.
    pub(super) wait_a_moment: &'static str,
    /// The same where it is known, with the number of seconds at `{}`.
    pub(super) wait: &'static str,
    pub(super) back_to_crm: &'static str,
    pub(super) by_hand: &'static str,
    pub(super) by_hand_note: &'static str,
    pub(super) crawler_title: &'static str,
    pub(super) crawler: &'static str,
    pub(super) confirm_title: &'static str,
    pub(super) confirm: &'static str,
    pub(super) confirm_button: &'static str,
}

impl Words {
    /// When another try may succeed.
    pub(super) fn wait(&self, seconds: u64) -> String {
        self.wait.replace("{}", &seconds.to_string())
    }
}

impl Language {
    /// The one of ours that the visitor likes best.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let liked = request
            .headers()
            .get_all(ACCEPT_LANGUAGE)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(range)
            .filter(|(_, weight)| *weight > 0.0)
            // Of two that are liked alike the first one counts.
            .fold(
                None,
                |best: Option<(Self, f32)>, (language, weight)| match best {
                    Some((_, most)) if most >= weight => best,
                    _ => Some((language, weight)),
                },
            );
        liked.map_or_else(Self::default, |(language, _)| language)
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::Ukrainian => &uk::WORDS,
        }
    }

    /// What a page says to the agent: by the kind, unless the detail says that something else is
    /// wrong.
    pub(super) const fn advice(self, kind: Kind, detail: &Detail) -> Advice {
        let advice = match self {
            Self::English => en::advice(kind),
            Self::Ukrainian => uk::advice(kind),
        };
        let Some(exception) = detail.exception() else {
            return advice;
        };
        let (happened, to_do) = self.of_exception(exception);
        Advice {
            title: advice.title,
            happened,
            to_do,
        }
    }

    /// What happened, and what to do.
    const fn of_exception(self, exception: Exception) -> (&'static str, &'static str) {
        match self {
            Self::English => en::of_exception(exception),
            Self::Ukrainian => uk::of_exception(exception),
        }
    }

    /// The detail's words.
    pub(super) fn detail(self, detail: &Detail) -> Cow<'_, str> {
        match self {
            Self::English => en::details::detail(detail),
            Self::Ukrainian => uk::details::detail(detail),
        }
    }

    /// The language that the detail's words are in: what is meant for programs has English ones
    /// only.
    pub(super) const fn of_detail(self, detail: &Detail) -> Self {
        match detail {
            Detail::English(_) => Self::English,
            _ => self,
        }
    }
}

/// `uk-UA;q=0.8`: a language of ours, and how much it is liked.
fn range(text: &str) -> Option<(Language, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?;
    let primary = tag.split('-').next()?;
    let language = match primary.to_ascii_lowercase().as_str() {
        "uk" => Language::Ukrainian,
        "en" | "*" => Language::English,
        _ => return None,
    };
    let weight = parts
        .find_map(|part| part.strip_prefix("q="))
        .map_or(Some(1.0), |q| q.parse().ok())?;
    Some((language, weight))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::super::demo_refusals::example;
    use super::*;

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
        let request = TestRequest::default()
            .insert_header((ACCEPT_LANGUAGE, accept))
            .to_http_request();
        assert_eq!(Language::of(&request), expected);
    }

    fn is_ukrainian(text: &str) -> bool {
        let prose: String = text.split('`').step_by(2).collect();
        prose.chars().any(|c| ('а'..='я').contains(&c))
            && !prose.chars().any(|c| "ыэъё".contains(c))
    }

    #[test]
    fn each_language_speaks_of_each_kind_in_its_own_words() {
        for kind in Kind::ALL {
            let (en, uk) = (en::advice(kind), uk::advice(kind));
            assert_eq!(en.title, kind.title());
            for (en, uk) in [
                (en.title, uk.title),
                (en.happened, uk.happened),
                (en.to_do, uk.to_do),
            ] {
                assert!(!en.is_empty() && en.is_ascii(), "{en}");
                assert!(is_ukrainian(uk), "{uk}");
            }
        }
    }

    #[test]
    fn each_language_has_its_own_words_for_each_exception() {
        for exception in Exception::ALL {
            let (happened, to_do) = Language::English.of_exception(exception);
            assert!(happened.is_ascii() && to_do.is_ascii(), "{to_do}");
            let (happened, to_do) = Language::Ukrainian.of_exception(exception);
            assert!(is_ukrainian(happened) && is_ukrainian(to_do), "{to_do}");
        }
    }

    /// What stands between code marks is written in links and settings: it is the same in every
    /// language.
    #[test]
    fn names_are_never_translated() {
        let more = [
            Detail::PhoneIsAWord,
            Detail::NetworkNotAllowed(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        for detail in Kind::ALL.map(example).into_iter().chain(more) {
            let (en, uk) = (
                Language::English.detail(&detail),
                Language::Ukrainian.detail(&detail),
            );
            assert!(is_ukrainian(&uk), "{uk}");
            let names = |text: &str| -> Vec<String> {
                let mut names: Vec<_> = text
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .map(ToOwned::to_owned)
                    .collect();
                names.sort();
                names
            };
            assert_eq!(names(&en), names(&uk), "{en}\n{uk}");
        }
    }
}
