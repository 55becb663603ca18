//! Who wants a page, and who reads better as a machine.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

/// Whether the visitor prefers a page: it names `text/html`, and likes nothing that a machine would
/// read better.
pub(super) fn prefers_html(request: &HttpRequest) -> bool {
    let (mut page, mut json) = (0.0, 0.0);
    let named = request
        .headers()
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for range in named {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight: f32 = parts
            .find_map(|part| part.strip_prefix("q="))
            .and_then(|q| q.parse().ok())
            .unwrap_or(1.0);
        match kind.as_str() {
            "text/html" | "application/xhtml+xml" => page = weight.max(page),
            "application/json" | "application/problem+json" => json = weight.max(json),
            _ => {}
        }
    }
    page > 0.0 && page >= json
}

#[cfg(test)]
mod tests {
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
    #[case::no_page("text/html;q=0", false)]
    #[case::nothing("", false)]
    fn who_wants_a_page(#[case] accept: &str, #[case] expected: bool) {
        let request = TestRequest::default()
            .insert_header((ACCEPT, accept))
            .to_http_request();
        assert_eq!(prefers_html(&request), expected);
    }
}
