//! The link builder: what it shows is what a click would do, and nothing that is filled in becomes
//! markup.

use chathub_simulator::{Endpoint, Fault};
use rstest::rstest;

use crate::crm_guide::Facts;
use crate::harness::{Problem, Service, file, header, raw, rules};

/// What a page may weigh, in bytes: one packet train on a slow line.
const MAX_PAGE: usize = 30_000;

async fn page(service: &Service, query: &str) -> String {
    let response = service
        .request(&format!("/builder?{query}"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200, "{query}");
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    let page = response.text().await.unwrap();
    assert!(page.len() < MAX_PAGE, "{} bytes", page.len());
    page
}

/// The text of the element with this id, as it is written.
fn text<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page
        .split_once(&format!("id=\"{id}\""))
        .unwrap_or_else(|| panic!("no {id} in {page}"));
    let rest = rest.split_once('>').unwrap().1;
    rest.split("</pre>")
        .next()
        .unwrap()
        .split("</p>")
        .next()
        .unwrap()
}

#[rstest]
#[case(
    "operator=101&chat_raw_id=65a1f0c2",
    "Format 1",
    "?chat_raw_id=65a1f0c2"
)]
#[case("operator=101&phone=0501234567", "Format 2", "?phone=%2B380501234567")]
#[case(
    "operator=101&phone=0501234567&source=viber",
    "Format 2",
    "?phone=%2B380501234567"
)]
#[case(
    "operator=101&phone=0501234567&from=Acme",
    "Format 3",
    "?from=Acme&#38;phone=%2B380501234567"
)]
#[case(
    "operator=101&phone=0501234567&source=whatsapp",
    "Format 4",
    "?source=3&#38;from=380671112233&#38;phone=%2B380501234567"
)]
#[case("operator=&phone=0501234567", "400 operator-missing", "")]
#[case("operator=101&phone=12345", "400 phone-invalid", "")]
#[case("operator=101&phone=", "400 target-missing", "")]
#[case("operator=101&phone={{phone}}", "400 placeholder-unfilled", "")]
#[case("operator=101&phone=0501234567&source=fax", "400 source-invalid", "")]
#[tokio::test]
async fn it_says_what_a_click_would_do(
    #[case] query: &str,
    #[case] verdict: &str,
    #[case] leads_to: &str,
) {
    let service = Service::start_with(rules(), &[("SENDERS", "whatsapp=380671112233")]).await;
    let calls = service.chathub.total_calls();
    let page = page(&service, query).await;
    assert!(text(&page, "verdict").contains(verdict), "{page}");
    if leads_to.is_empty() {
        assert!(!page.contains("id=\"leads-to\""), "{page}");
    } else {
        assert_eq!(
            text(&page, "leads-to"),
            format!("https://chat.smsbat.com/{leads_to}")
        );
    }
    assert_eq!(service.chathub.total_calls(), calls, "it asks nobody");
}

/// The sample is a link as good as any: a click on it does what the builder says.
#[tokio::test]
async fn the_sample_is_a_link() {
    let service = Service::start().await;
    let page = page(
        &service,
        "operator=101&phone=%2B38 (050) 123-45-67&from=A%26B",
    )
    .await;
    let sample = text(&page, "sample").replace("&#38;", "&");
    let query = sample.split_once('?').unwrap().1;
    assert_eq!(
        service.destination(query).await,
        "https://chat.smsbat.com/?from=A%26B&phone=%2B380501234567&token="
    );
    assert!(page.contains(&format!(
        "href=\"open-chat?{}\"",
        query.replace('&', "&#38;")
    )));
}

#[rstest]
#[case("salesforce", "operator={!$User.Email}&#38;phone={!Contact.Phone}")]
#[case(
    "odoo",
    "operator=odoo-{user.id}&#38;phone={record.phone or &#39;&#39;}"
)]
#[case(
    "freshsales",
    "operator=freshsales-${loggedInUser.id}&#38;phone=${encodeURIComponent(phone)}"
)]
#[case("zoho", "operator={operator}&#38;phone=${Leads.Phone}")]
#[case("pipedrive", "operator={operator}&#38;phone=[number]")]
#[case("no-such-crm", "operator={operator}&#38;phone={phone}")]
#[case(
    "creatio",
    "operator=${encodeURIComponent(operator)}&#38;phone=${encodeURIComponent(phone)}"
)]
#[tokio::test]
async fn each_crm_has_its_own_placeholders(#[case] crm: &str, #[case] query: &str) {
    let service = Service::start().await;
    let page = page(&service, &format!("crm={crm}")).await;
    assert_eq!(
        text(&page, "template"),
        format!("{}/open-chat?{query}", service.url())
    );
    assert_eq!(
        page.contains("id=\"phone-unknown\""),
        query.contains("={phone}"),
        "{page}"
    );
}

/// A chat belongs to one client: in the button of every client it would open that one's.
#[tokio::test]
async fn a_chat_id_is_only_a_sample() {
    let service = Service::start().await;
    let with_chat = page(
        &service,
        "crm=salesforce&operator=101&phone=0501234567&chat_raw_id=65a1f0c2",
    )
    .await;
    let template = text(&with_chat, "template");
    assert!(
        template.ends_with("&#38;phone={!Contact.Phone}&#38;chat_raw_id={chat_raw_id}"),
        "{template}"
    );
    assert!(with_chat.contains("id=\"chat-unknown\""), "{with_chat}");
    let sample = text(&with_chat, "sample");
    assert!(sample.ends_with("&#38;chat_raw_id=65a1f0c2"), "{sample}");
    let without = page(&service, "crm=salesforce&operator=101&phone=0501234567").await;
    assert!(!without.contains("id=\"chat-unknown\""), "{without}");
}

#[tokio::test]
async fn a_number_of_the_crm_is_asked_for_with_a_prefix() {
    let service = Service::start().await;
    for crm in ["bitrix24", "pipedrive"] {
        let page = page(&service, &format!("crm={crm}")).await;
        let note = text(&page, "agent-unknown");
        assert!(note.contains(&format!("<code>{crm}-5</code>")), "{note}");
    }
}

/// In a template literal of JavaScript `{pass}` stays what it is, and in Python `pass` is no name.
#[rstest]
#[case(
    "creatio",
    "pass=${encodeURIComponent(pass)}&#38;phone=${encodeURIComponent(phone)}",
    true
)]
#[case(
    "dynamics",
    "pass=${encodeURIComponent(pass)}&#38;phone=${encodeURIComponent(phone)}",
    true
)]
#[case(
    "freshsales",
    "pass=${encodeURIComponent(pass)}&#38;phone=${encodeURIComponent(phone)}",
    true
)]
#[case(
    "odoo",
    "pass={signed_pass}&#38;phone={record.phone or &#39;&#39;}",
    false
)]
#[case("salesforce", "pass={pass}&#38;phone={!Contact.Phone}", false)]
#[tokio::test]
async fn a_pass_stands_where_the_crm_s_code_puts_it(
    #[case] crm: &str,
    #[case] query: &str,
    #[case] is_javascript: bool,
) {
    let secret = "canary-pass-secret-of-more-than-32-bytes";
    let variables = [("ACCESS", "pass"), ("PASS_SECRET", secret)];
    let service = Service::start_with(rules(), &variables).await;
    let page = page(&service, &format!("crm={crm}&chat_raw_id=1")).await;
    let template = text(&page, "template");
    let chat = if is_javascript {
        "${encodeURIComponent(chat_raw_id)}"
    } else {
        "{chat_raw_id}"
    };
    let expected = format!("{}/open-chat?{query}&#38;chat_raw_id={chat}", service.url());
    assert_eq!(template, expected);
    assert_eq!(
        page.contains("id=\"in-code\""),
        is_javascript || crm == "odoo"
    );
    assert!(page.contains("id=\"chat-unknown\""), "{page}");
    let note = "must sign a pass for each link, in place of <code>";
    let (_, placeholder) = page.split_once(note).expect("a note");
    let placeholder = placeholder.split_once('<').unwrap().0;
    assert!(
        template.contains(&format!("pass={placeholder}")),
        "{placeholder}"
    );
}

/// `POST /links` is offered where it would answer.
#[rstest]
#[case("pass", "", "needs <code>key</code> in ACCESS")]
#[case("pass,key", "", "needs PUBLIC_URL")]
#[case("pass,key", "https://chat.example", "or its back end asks")]
#[tokio::test]
async fn ready_links_are_offered_where_there_are_some(
    #[case] access: &str,
    #[case] public_url: &str,
    #[case] words: &str,
) {
    let keys = file(
        "keys.toml",
        &format!("[[key]]\nname = \"crm\"\nsha256 = \"{}\"\n", "0".repeat(64)),
    );
    let variables = [
        ("ACCESS", access),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PUBLIC_URL", public_url),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let page = page(&service, "").await;
    let all = [
        "needs <code>key</code> in ACCESS",
        "needs PUBLIC_URL",
        "or its back end asks",
    ];
    for other in all {
        assert_eq!(page.contains(other), other == words, "{other}: {page}");
    }
    assert_eq!(
        page.contains("id=\"public-url-unset\""),
        public_url.is_empty()
    );
}

const GOOD: &str = "class=\"good\"";

/// Where a click would be refused, or nobody can tell, nothing is green.
#[rstest]
#[case("operator=101&phone=0501234567", "Format 2", true)]
#[case("operator=john smith&phone=0501234567", "Format 2", true)]
#[case("operator=Ann@example.com&phone=0501234567", "Format 2", true)]
#[case("operator=Nobody Here&phone=0501234567", "404 operator-unknown", false)]
#[case("operator=999&phone=0501234567", "404 operator-unknown", false)]
#[case("operator=21&phone=0501234567", "403 operator-inactive", false)]
#[case(
    "operator=inactive ivan&phone=0501234567",
    "403 operator-inactive",
    false
)]
#[case(
    "operator=lost@example.com&phone=0501234567",
    "404 operator-unknown",
    false
)]
#[case("operator=auto:24&phone=0501234567", "403 operator-not-allowed", false)]
#[tokio::test]
async fn the_operator_is_looked_up_in_the_directory(
    #[case] query: &str,
    #[case] verdict: &str,
    #[case] is_good: bool,
) {
    let map = file(
        "map.toml",
        "\"ann@example.com\" = 101\n\"lost@example.com\" = \"No Such Name\"\n",
    );
    let variables = [("OPERATOR_MAP_FILE", map.to_str().unwrap())];
    let service = Service::start_with(rules(), &variables).await;
    let calls = service.chathub.total_calls();
    let page = page(&service, query).await;
    assert!(text(&page, "verdict").contains(verdict), "{page}");
    assert_eq!(page.contains(GOOD), is_good, "{page}");
    assert_eq!(service.chathub.total_calls(), calls, "it asks nobody");
    let click = service.click(&query.replace(' ', "%20")).await;
    assert_eq!(click.status() == 302, is_good);
}

/// Strangers do not learn here, uncounted, whom the company employs.
#[rstest]
#[case::a_stranger(&[("TRUSTED_PROXIES", "127.0.0.1")], "203.0.113.9", false)]
#[case::a_colleague(&[("TRUSTED_PROXIES", "127.0.0.1"), ("ALLOWED_NETWORKS", "203.0.113.0/24")], "203.0.113.9", true)]
#[case::behind_a_proxy_that_is_not_trusted(&[], "203.0.113.9", false)]
#[case::on_this_machine(&[], "", true)]
#[tokio::test]
async fn who_stands_behind_no_lock_is_told_that_the_operator_is_not_checked(
    #[case] variables: &[(&str, &str)],
    #[case] client: &str,
    #[case] is_checked: bool,
) {
    let service = Service::start_with(rules(), variables).await;
    let mut pages = Vec::new();
    for operator in ["101", "John%20Smith", "Nobody%20Here"] {
        let path = format!("/builder?operator={operator}&phone=0501234567");
        let mut request = service.request(&path);
        if !client.is_empty() {
            request = request.header("X-Forwarded-For", client);
        }
        pages.push(request.send().await.unwrap().text().await.unwrap());
    }
    let verdicts: Vec<_> = pages.iter().map(|page| text(page, "verdict")).collect();
    if is_checked {
        assert!(
            pages[0].contains(GOOD) && pages[1].contains(GOOD),
            "{verdicts:?}"
        );
        assert!(verdicts[2].contains("404 operator-unknown"), "{verdicts:?}");
    } else {
        assert_eq!(verdicts[0], verdicts[1]);
        assert_eq!(verdicts[0], verdicts[2]);
        assert!(
            verdicts[0].contains("the operator is not checked here"),
            "{verdicts:?}"
        );
        assert!(!pages[0].contains(GOOD), "{verdicts:?}");
    }
}

/// A name cannot be looked up in a directory that is not there.
#[tokio::test]
async fn an_operator_who_cannot_be_looked_up_is_not_called_good() {
    let faults = [
        (Endpoint::Organizations, Fault::Status(500)),
        (Endpoint::Operators, Fault::Status(500)),
    ];
    let service = Service::start_broken(rules(), &[], &faults);
    for operator in ["John%20Smith", "101"] {
        let page = page(&service, &format!("operator={operator}&phone=0501234567")).await;
        let verdict = text(&page, "verdict");
        assert!(verdict.contains("Format 2"), "{verdict}");
        assert!(
            verdict.contains("the operator is not checked here"),
            "{verdict}"
        );
        assert!(!page.contains(GOOD), "{verdict}");
    }
}

/// The sample has no pass, so a click on it is refused. A login may lead to the right operator,
/// which this page does not look at: it might be reached without one.
#[rstest]
#[case("pass", "", "operator=101&phone=0501234567", "401 pass-missing", 401)]
#[case("pass", "", "operator=101&phone=12345", "400 phone-invalid", 401)]
#[case("sso", "", "phone=0501234567&operator=", "401 identity-missing", 401)]
#[case(
    "sso",
    "ann@example.com",
    "phone=0501234567&operator=",
    "401 identity-missing",
    302
)]
#[case(
    "sso",
    "ann@example.com",
    "phone=0501234567&operator=101",
    "401 identity-missing",
    302
)]
#[case(
    "sso",
    "ann@example.com",
    "phone=0501234567&operator=102",
    "401 identity-missing",
    403
)]
#[case(
    "sso",
    "eve@example.com",
    "phone=0501234567&operator=",
    "401 identity-missing",
    403
)]
#[case(
    "sso",
    "ann@example.com",
    "operator=&phone=12345",
    "400 phone-invalid",
    400
)]
#[case("key", "", "operator=101&phone=0501234567", "401 api-key-invalid", 401)]
#[tokio::test]
async fn nothing_is_green_without_the_pass_or_the_login_that_a_click_needs(
    #[case] access: &str,
    #[case] identity: &str,
    #[case] query: &str,
    #[case] verdict: &str,
    #[case] click_status: u16,
) {
    let map = file("map.toml", "\"ann@example.com\" = 101\n");
    let keys = file(
        "keys.toml",
        &format!("[[key]]\nname = \"crm\"\nsha256 = \"{}\"\n", "0".repeat(64)),
    );
    let variables = [
        ("ACCESS", access),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("SSO_HEADER", "X-Agent"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let ask = async |path: &str| {
        let mut request = service.request(path);
        if !identity.is_empty() {
            request = request.header("X-Agent", identity);
        }
        request.send().await.unwrap()
    };
    let page = ask(&format!("/builder?{query}")).await;
    let page = page.text().await.unwrap();
    assert!(text(&page, "verdict").contains(verdict), "{page}");
    assert!(!page.contains(GOOD), "{page}");
    let click = ask(&format!("/open-chat?{query}")).await;
    assert_eq!(click.status(), click_status);
}

/// A key that is shown to the builder is not looked at: it is no place to guess at.
#[tokio::test]
async fn the_builder_looks_at_no_credential_of_its_visitor() {
    let keys = file(
        "keys.toml",
        "[[key]]\nname = \"crm\"\nsha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n",
    );
    let variables = [("ACCESS", "key"), ("API_KEYS_FILE", keys.to_str().unwrap())];
    let service = Service::start_with(rules(), &variables).await;
    let page = async |key: &str| {
        let request = service.request("/builder?operator=101&phone=0501234567");
        let request = request.header("Authorization", format!("Bearer {key}"));
        request.send().await.unwrap().text().await.unwrap()
    };
    let (right, wrong) = (page("test").await, page("wrong").await);
    assert_eq!(text(&right, "verdict"), text(&wrong, "verdict"));
    assert!(
        text(&right, "verdict").contains("401 api-key-invalid"),
        "{right}"
    );
}

#[tokio::test]
async fn what_is_not_known_is_called_unknown() {
    let service = Service::start().await;
    let creatio = page(&service, "crm=creatio").await;
    assert_eq!(creatio.matches(">unknown</span>").count(), 3);
    assert!(creatio.contains("(likely, not confirmed)"));
}

#[rstest]
#[case("open", &[], "?operator=odoo-{user.id}&#38;phone=", "any operator&#39;s panel")]
#[case("pass", &[("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes")], "?pass={signed_pass}&#38;phone=", "must sign a pass")]
#[case("sso", &[("SSO_HEADER", "X-Agent"), ("TRUSTED_PROXIES", "192.0.2.7")], "?phone=", "a proxy logs the agent in")]
#[tokio::test]
async fn the_access_mode_decides_what_the_link_needs(
    #[case] access: &str,
    #[case] variables: &[(&str, &str)],
    #[case] query: &str,
    #[case] note: &str,
) {
    let mut all = vec![("ACCESS", access)];
    all.extend(variables);
    let service = Service::start_with(rules(), &all).await;
    let page = page(&service, "crm=odoo").await;
    assert!(text(&page, "template").contains(query), "{page}");
    assert!(page.contains(note), "{page}");
    assert!(text(&page, "verdict").contains("Format 2"), "{page}");
    assert!(!page.contains("canary"), "a secret");
}

#[tokio::test]
async fn nothing_that_is_filled_in_becomes_markup() {
    let service = Service::start().await;
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
        "</pre></textarea><svg/onload=alert(1)>",
        "`<b>`",
        "javascript:alert(1)",
        "{{1337*1337}}",
        "%3Cscript%3E",
        "\u{202e}\u{0}",
    ];
    for payload in payloads {
        let value: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        for name in [
            "crm",
            "operator",
            "phone",
            "source",
            "from",
            "chat_raw_id",
            "fixed",
            "x",
        ] {
            let page = page(&service, &format!("{name}={value}&fixed=on&operator=101")).await;
            let scripts = page.matches("<script").count();
            assert_eq!(scripts, 1, "{name}={payload}: {page}");
            for markup in [
                "<img",
                "<svg",
                "<b>",
                "onerror=alert(1)>",
                "\"><",
                "href=\"javascript",
            ] {
                let innocent = page.matches(markup).count();
                let plain = if markup == "\"><" { innocent } else { 0 };
                assert_eq!(innocent, plain, "{name}={payload}: {page}");
            }
            assert!(!page.contains("1787569"), "{name}={payload}");
        }
    }
}

#[rstest]
#[case("evil.example\"><script>alert(1)</script>", false)]
#[case("evil.example/x?", false)]
#[case("a b", false)]
#[case("user@evil.example", false)]
#[case("chat.lan:8080", true)]
#[case("[::1]:8080", true)]
#[tokio::test]
async fn the_host_is_taken_only_where_it_is_one(#[case] host: &str, #[case] is_taken: bool) {
    let service = Service::start().await;
    let request = format!("GET /builder HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = raw(&service, &request).await;
    // What is no host at all may be refused on a lower floor.
    if answer.starts_with("HTTP/1.1 200 ") {
        let expected = if is_taken {
            format!("http://{host}/open-chat?")
        } else {
            "/open-chat?".into()
        };
        assert!(text(&answer, "template").starts_with(&expected), "{answer}");
    } else {
        assert!(!is_taken && answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn urls_begin_where_the_service_is_for_its_callers() {
    let service =
        Service::start_with(rules(), &[("PUBLIC_URL", "https://chat.example/desk/")]).await;
    let page = page(&service, "crm=salesforce").await;
    for id in ["template", "sample"] {
        assert!(
            text(&page, id).starts_with("https://chat.example/desk/open-chat?"),
            "{page}"
        );
    }
    assert!(
        page.contains("href=\"open-chat?"),
        "to wherever the page came from"
    );
}

/// Only from a proxy that is trusted: else anybody could write the header.
#[tokio::test]
async fn https_is_believed_of_a_trusted_proxy() {
    for (variables, scheme) in [
        (&[][..], "http"),
        (&[("TRUSTED_PROXIES", "127.0.0.1")][..], "https"),
    ] {
        let service = Service::start_with(rules(), variables).await;
        let request = service
            .request("/builder")
            .header("X-Forwarded-Proto", "https");
        let page = request.send().await.unwrap().text().await.unwrap();
        assert!(
            text(&page, "template").starts_with(&format!("{scheme}://127.0.0.1:")),
            "{page}"
        );
    }
}

/// In Ukrainian too, whose letters take two bytes each.
#[tokio::test]
async fn the_longest_values_make_no_long_page() {
    let service = Service::start_with(rules(), &[("PUBLIC_URL", "https://chat.example")]).await;
    for crm in Facts::read().crms() {
        let crm = crm.fact("id").unwrap();
        for (letter, count) in [("%F0%9F%92%A9", 20), ("%D1%8F", 40), ("'", 70), ("a", 210)] {
            let long = letter.repeat(count);
            let values = format!(
                "/builder?crm={crm}&operator={long}&phone={long}&from={long}&chat_raw_id={long}&fixed=on"
            );
            let request = service.request(&values).header("Accept-Language", "uk");
            let page = request.send().await.unwrap().text().await.unwrap();
            assert!(page.contains("id=\"guide\""), "{page}");
            assert!(
                page.len() < MAX_PAGE,
                "{crm}, {letter}: {} bytes",
                page.len()
            );
        }
    }
}

#[tokio::test]
async fn it_can_be_removed_and_kept_from_strangers() {
    let service = Service::start().await;
    let root = service.request("/").send().await.unwrap();
    assert_eq!(
        (root.status().as_u16(), header(&root, "location")),
        (302, "builder".into())
    );

    let service = Service::start_with(rules(), &[("LINK_BUILDER", "off")]).await;
    for path in ["/", "/builder"] {
        let gone = Problem::read(service.request(path).send().await.unwrap()).await;
        assert_eq!((gone.status, gone.kind.as_str()), (404, "not-found"));
    }

    let service = Service::start_with(rules(), &[("ALLOWED_NETWORKS", "192.0.2.0/24")]).await;
    let far = Problem::read(service.request("/builder").send().await.unwrap()).await;
    assert_eq!(
        (far.status, far.kind.as_str()),
        (403, "network-not-allowed")
    );
}

#[tokio::test]
async fn it_is_not_among_the_routes_for_machines() {
    let service = Service::start_with(rules(), &[("OPS_LISTEN", "127.0.0.1:0")]).await;
    assert_eq!(service.ops("/builder").await.status(), 404);
    assert_eq!(service.ops("/").await.status(), 404);
}
