//! What a visitor is by its own word, the `User-Agent`: a person's browser, or a program that
//! follows links by itself. A program that does not name itself is not found here; `CONFIRM=always`
//! is for those.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use aho_corasick::AhoCorasick;

use super::headers;

/// What a visitor says it is, the one that is believed first at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Parts of user agents, in lower case.
const CRAWLERS: [&str; 24] = [
    "applebot",
    "baiduspider",
    "bingbot",
    "bingpreview",
    "discordbot",
    "duckduckbot",
    "embedly",
    "facebookexternalhit",
    "facebot",
    "googlebot",
    "linkedinbot",
    "mattermost-bot",
    "odnoklassniki",
    "petalbot",
    "pinterestbot",
    "redditbot",
    "semrushbot",
    "skypeuripreview",
    "slackbot",
    "telegrambot",
    "twitterbot",
    "vkshare",
    "whatsapp/",
    "yandexbot",
];

/// Word and Excel ask twice or three times for a link that is clicked in a document, as
/// `Microsoft Office Excel 2014` and as `MSIE 7.0; … ms-office`, and only then the browser does.
const OFFICE: [&str; 14] = [
    " excel/",
    " powerpoint/",
    " word/",
    "libreoffice",
    "microsoft data access",
    "microsoft excel",
    "microsoft office",
    "microsoft-webdav",
    "ms-office",
    "msoffice",
    "onenote",
    "openoffice",
    "outlook",
    "thunderbird",
];

/// Words of robots and of mail gateways, known or not. A few phones are called so too, which is why
/// such a visitor is asked and not refused.
const SUSPECTS: [&str; 13] = [
    "barracuda",
    "bot",
    "crawl",
    "linkcheck",
    "mimecast",
    "preview",
    "proofpoint",
    "scan",
    "slurp",
    "spider",
    "unfurl",
    "urlcheck",
    "virustotal",
];

/// All words in one automaton, because each click is looked at. Only of far more words could it not
/// be made.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = CRAWLERS.iter().chain(&OFFICE).chain(&SUSPECTS);
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words);
    finder.ok()
});

impl Visitor {
    /// What the request's `User-Agent` says.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let agent = headers::text(request.headers(), &USER_AGENT);
        agent.map_or(Self::Person, Self::called)
    }

    fn called(agent: &str) -> Self {
        let words = WORDS.as_ref().map(|words| {
            // `bot` is in `googlebot`.
            words.find_overlapping_iter(agent)
        });
        let visitors = words.into_iter().flatten().map(|word| {
            let number = word.pattern().as_usize();
            if number < CRAWLERS.len() {
                Self::Crawler
            } else if number < CRAWLERS.len() + OFFICE.len() {
                Self::Office
            } else {
                Self::Suspect
            }
        });
        visitors.min().unwrap_or(Self::Person)
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
