//! Requests that are no click: they must never mint a token.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{
    CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING, USER_AGENT,
};
use aho_corasick::AhoCorasick;

use super::detail::Detail;
use super::kind::Kind;
use super::refusal::Refusal;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Headers in which a browser says that it only looks ahead.
const PREFETCH: [HeaderName; 3] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
];

/// What a link can be loaded as. `empty` is a script's own request.
const NAVIGATIONS: [&str; 4] = ["document", "iframe", "frame", "empty"];

/// What a page that stands in another page, or alone, is loaded as.
const PAGES: [&str; 3] = ["document", "iframe", "frame"];

/// What a script's own request is loaded as.
const SCRIPTS: [&str; 1] = ["empty"];

/// Finds any of some words in one pass, in any case. Only of far more words could it not be made.
type Words = LazyLock<Option<AhoCorasick>>;

fn any_of(words: &[&str]) -> Option<AhoCorasick> {
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words);
    finder.ok()
}

/// Parts of the user agents, in lower case, that fetch links to show a preview of them or to index them.
static CRAWLERS: Words = LazyLock::new(|| {
    any_of(&[
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
    ])
});

/// Words in the user agents of programs that follow links and name themselves, known or not. A few phones are called so too, which is why
/// they are asked and not refused.
static SUSPECTS: Words = LazyLock::new(|| {
    any_of(&[
        "bot", "crawl", "preview", "scan", "slurp", "spider", "unfurl",
    ])
});

/// Refuses what is no navigation.
pub(super) fn check(request: &HttpRequest) -> Result<(), Refusal> {
    check_destination(request, &NAVIGATIONS)
}

/// Refuses what does not open a page, and those who would only look at it.
pub(super) fn check_page(request: &HttpRequest) -> Result<(), Refusal> {
    check_destination(request, &PAGES)?;
    if is_crawler(request) {
        return Err(Refusal::new(
            Kind::NotANavigation,
            "This page is an operator's chat panel; there is nothing to preview.",
        ));
    }
    Ok(())
}

/// Refuses what is not the request of a script on a page of this service. Browsers say so over https and
/// on loopback. Elsewhere a page of another origin may ask, and cannot read the answer; one that DNS
/// has led to this origin could, which is for `host::check` to refuse.
pub(super) fn check_own_script(request: &HttpRequest) -> Result<(), Refusal> {
    check_destination(request, &SCRIPTS)?;
    let site = text(request.headers(), &SEC_FETCH_SITE);
    if site.is_some_and(|site| site != "same-origin") {
        return Err(Refusal::new(
            Kind::NotANavigation,
            "Tokens are renewed by the widget's own page only.",
        ));
    }
    Ok(())
}

fn check_destination(request: &HttpRequest, destinations: &[&str]) -> Result<(), Refusal> {
    let headers = request.headers();
    if has_body(headers) {
        return Err(Refusal::new(Kind::ParameterInvalid, Detail::HasBody));
    }
    let looks_ahead = PREFETCH
        .iter()
        .filter_map(|name| text(headers, name))
        .any(|purpose| purpose.to_ascii_lowercase().contains("prefetch"));
    let is_wanted = text(headers, &SEC_FETCH_DEST)
        .is_none_or(|destination| destinations.contains(&destination));
    if looks_ahead || !is_wanted {
        return Err(Refusal::new(Kind::NotANavigation, Detail::NotAClick));
    }
    Ok(())
}

/// Whether the visitor is known to fetch links on behalf of nobody.
pub(super) fn is_crawler(request: &HttpRequest) -> bool {
    calls_itself(request, &CRAWLERS)
}

/// Whether the visitor may be a program that fetches links on behalf of nobody.
pub(super) fn is_suspect(request: &HttpRequest) -> bool {
    calls_itself(request, &SUSPECTS)
}

fn calls_itself(request: &HttpRequest, words: &Words) -> bool {
    text(request.headers(), &USER_AGENT).is_some_and(|agent| {
        let finder = words.as_ref();
        finder.is_some_and(|finder| finder.is_match(agent))
    })
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || text(headers, &CONTENT_LENGTH).is_some_and(|length| length.trim() != "0")
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
