//! What a visitor is by its own word, the `User-Agent`: a person's browser, or a program that
//! follows links by itself. A program that does not name itself is not found here; `CONFIRM=always`
//! is for those.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::headers;

/// What a visitor says it is, the one that is believed first at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Visitor {
    /// It fetches links to preview or to index them.
    Crawler,
    /// An office or mail program: it opens a link by itself before it hands it to the browser.
    Office,
    /// It may be a program of either kind.
    Suspect,
    /// Nothing speaks against a person.
    Person,
}

/// All words in one automaton, because each click is looked at.
struct Words {
    finder: AhoCorasick,
    /// Whose word it is, by the word's number.
    visitors: Vec<Visitor>,
}

/// Unset if the file could not be read, which a test would show.
static WORDS: LazyLock<Option<Words>> = LazyLock::new(|| {
    let words: BTreeMap<Visitor, Vec<&str>> = toml::from_str(include_str!("visitors.toml")).ok()?;
    let (visitors, words): (Vec<_>, Vec<_>) = words
        .iter()
        .flat_map(|(visitor, words)| words.iter().map(move |word| (*visitor, *word)))
        .unzip();
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words)
        .ok()?;
    Some(Words { finder, visitors })
});

impl Visitor {
    /// What the request's `User-Agent` says.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let agent = headers::text(request.headers(), &USER_AGENT);
        agent.map_or(Self::Person, Self::called)
    }

    fn called(agent: &str) -> Self {
        let Some(Words { finder, visitors }) = &*WORDS else {
            return Self::Person;
        };
        // Overlapping, because `bot` is in `googlebot`.
        let found = finder.find_overlapping_iter(agent);
        found
            .map(|word| visitors[word.pattern().as_usize()])
            .min()
            .unwrap_or(Self::Person)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::chromium(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        Visitor::Person
    )]
    #[case::firefox(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
        Visitor::Person
    )]
    #[case::safari(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        Visitor::Person
    )]
    #[case::internet_explorer(
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; rv:11.0) like Gecko",
        Visitor::Person
    )]
    #[case::teams(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0 Teams/25.1",
        Visitor::Person
    )]
    #[case::nothing("", Visitor::Person)]
    #[case::a_word_in_a_word("KeywordTool/1.0 PasswordHelper/2.0", Visitor::Person)]
    #[case::shouted("MS-OFFICE", Visitor::Office)]
    #[case::robot("AcmeMailScanner/3.1", Visitor::Suspect)]
    #[case::robot_in_office("Microsoft Office Scanner", Visitor::Office)]
    #[case::crawler("Mozilla/5.0 (compatible; Googlebot/2.1)", Visitor::Crawler)]
    #[case::crawler_and_more("TelegramBot (like TwitterBot) ms-office preview", Visitor::Crawler)]
    fn what_a_user_agent_says(#[case] agent: &str, #[case] expected: Visitor) {
        assert_eq!(Visitor::called(agent), expected);
    }
}
