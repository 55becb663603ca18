//! Which callers get a page, and which problem+json.

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header as _, Quality};

/// Whether the caller prefers a page: its `Accept` names `text/html`, and no JSON that it likes
/// better.
pub(super) fn prefers_html(request: &HttpRequest) -> bool {
    let Ok(Accept(ranges)) = Accept::parse(request) else {
        return false;
    };
    let quality = |kinds: [&str; 2]| {
        let of_kind = ranges
            .iter()
            .filter(|range| kinds.contains(&range.item.essence_str()));
        of_kind.map(|range| range.quality).max()
    };
    let page = quality(["text/html", "application/xhtml+xml"]);
    let json = quality(["application/json", "application/problem+json"]);
    page > Some(Quality::ZERO) && page >= json
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::chromium(
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        true
    )]
    #[case::curl("*/*", false)]
    #[case::fetch("application/json", false)]
    #[case::problem("application/problem+json, text/html;q=0.5", false)]
    #[case::page_first("text/html, application/json;q=0.5", true)]
    #[case::any_case("Text/HTML", true)]
    #[case::no_page("text/html;q=0", false)]
    #[case::nothing("", false)]
    fn which_caller_prefers_a_page(#[case] accept: &str, #[case] expected: bool) {
        let request = TestRequest::default()
            .insert_header((ACCEPT, accept))
            .to_http_request();
        assert_eq!(prefers_html(&request), expected);
    }
}
