//! What another site's page can do in an agent's browser, which is logged in: it may open chats, as
//! a CRM does, and it locks no agent out.

use chathub_simulator::{Endpoint, Fault};
use reqwest::{RequestBuilder, Response};
use rstest::rstest;
use serde_json::json;
use tokio::task::JoinSet;

use crate::device;
use crate::harness::{PANEL, Problem, Service, eventually, file, header, log_line, rules};
use crate::redis::{Redis, replica};

const PATH: &str = "/open-chat?phone=0501234567";
const IDENTITY: &str = "X-Auth-Request-Email";

/// Few clicks, and no new ones while a test runs.
const LIMITS: [(&str, &str); 2] = [("RATE_LIMIT_OPERATOR", "3/h"), ("RATE_LIMIT_CLIENT", "3/h")];

/// The variables of a service behind a proxy that logs Ann and Bob in.
fn sso(map: &str) -> [(&str, &str); 4] {
    [
        ("ACCESS", "sso"),
        ("SSO_HEADER", IDENTITY),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OPERATOR_MAP_FILE", map),
    ]
}

fn map() -> String {
    let path = file(
        "other-sites.toml",
        "\"ann@example.com\" = 101\n\"bob@example.com\" = 102\n",
    );
    path.to_str().unwrap().to_owned()
}

async fn service(variables: &[(&str, &str)]) -> Service {
    let map = map();
    Service::start_with(rules(), &[&sso(&map), variables].concat()).await
}

/// What the agent's browser shows with each load: a header's name and value.
type Shown<'a> = (&'a str, &'a str);

const ANN: Shown<'_> = (IDENTITY, "ann@example.com");

/// What the agent's browser sends for a page that has come from a site.
fn navigation(request: RequestBuilder, site: &str, (name, value): Shown<'_>) -> RequestBuilder {
    request
        .header(name, value)
        .header("Accept", "text/html")
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Site", site)
}

async fn click(service: &Service, site: &str, shown: Shown<'_>) -> Response {
    let request = navigation(service.request(PATH), site, shown);
    request.send().await.unwrap()
}

/// The button of the confirmation page, as the agent's browser presses it.
async fn press(service: &Service, shown: Shown<'_>) -> Response {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let post = client
        .post(format!("{}{PATH}", service.url()))
        .header("Content-Length", "0");
    navigation(post, "same-origin", shown).send().await.unwrap()
}

fn limited(limit: &str) -> String {
    format!(r#"open_chat_rate_limited_total{{limit="{limit}"}}"#)
}

/// Many clicks at the same time, to one replica after another: how many chats opened. All others
/// got the page with the button.
async fn opened_at_once(services: &[Service], clicks: usize, shown: Shown<'_>) -> usize {
    let mut running = JoinSet::new();
    for service in services.iter().cycle().take(clicks) {
        running.spawn(navigation(service.request(PATH), "cross-site", shown).send());
    }
    let mut opened = 0;
    for response in running.join_all().await {
        let response = response.unwrap();
        match response.status().as_u16() {
            302 => opened += 1,
            status => {
                assert_eq!(status, 200);
                assert!(response.text().await.unwrap().contains("method=\"post\""));
            }
        }
    }
    opened
}

/// The agent clicks by herself as often as ever, and is told to wait only after that.
async fn the_agent_s_own_clicks_are_all_there(service: &Service, shown: Shown<'_>) {
    for _ in 0..2 {
        assert_eq!(click(service, "none", shown).await.status(), 302);
    }
    assert_eq!(press(service, shown).await.status(), 302);
    assert_eq!(click(service, "same-origin", shown).await.status(), 429);
    assert_eq!(press(service, shown).await.status(), 429);
    assert_eq!(service.metric(&limited("operator")).await, 2);
    assert_eq!(service.metric(&limited("client")).await, 0);
}

async fn a_storm_locks_no_agent_out(service: Service, shown: Shown<'_>) {
    let services = [service];
    assert_eq!(opened_at_once(&services, 40, shown).await, 3);
    let [service] = services;
    assert_eq!(service.metric(&limited("foreign")).await, 37);
    the_agent_s_own_clicks_are_all_there(&service, shown).await;
}

/// As a popup does that opens itself again and again.
#[tokio::test]
async fn another_site_s_storm_of_clicks_locks_no_agent_out() {
    let service = service(&LIMITS).await;
    a_storm_locks_no_agent_out(service, ANN).await;
}

/// Its cookie goes along with every such click (`SameSite=Lax`).
#[tokio::test]
async fn another_site_s_storm_of_clicks_locks_no_paired_browser_out() {
    let never = [("CONFIRM", "never")];
    let service = device::start(&[&LIMITS[..], &never].concat()).await;
    let cookie = format!("{}={}", device::NAME, device::cookie(&json!({})));
    a_storm_locks_no_agent_out(service, ("Cookie", &cookie)).await;
}

#[tokio::test]
async fn replicas_count_the_clicks_of_other_sites_together() {
    let (redis, map) = (Redis::start(), map());
    let variables = [&sso(&map)[..], &LIMITS].concat();
    let services = [
        replica(&redis, &variables).await,
        replica(&redis, &variables).await,
    ];
    assert_eq!(opened_at_once(&services, 40, ANN).await, 3);
    the_agent_s_own_clicks_are_all_there(&services[1], ANN).await;
    assert_eq!(click(&services[0], "none", ANN).await.status(), 429);
}

/// The button is there whatever `CONFIRM` says, and what it opens is the agent's own click.
#[rstest]
#[case("never")]
#[case("crawlers")]
#[tokio::test]
async fn over_the_limit_the_agent_is_asked_and_goes_on(#[case] confirm: &str) {
    let service = service(&[&LIMITS[..], &[("CONFIRM", confirm)]].concat()).await;
    for _ in 0..3 {
        assert_eq!(click(&service, "cross-site", ANN).await.status(), 302);
    }
    let calls = service.chathub.total_calls();
    let page = click(&service, "cross-site", ANN).await;
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, "retry-after"), "");
    let policy = header(&page, "content-security-policy");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    let line = log_line(&header(&page, "x-request-id")).await;
    assert_eq!(line["outcome"], "confirmation");
    assert_eq!(line.get("token"), None);
    assert_eq!(service.chathub.total_calls(), calls);
    for _ in 0..3 {
        let opened = press(&service, ANN).await;
        assert_eq!(opened.status(), 302);
        let location = header(&opened, "location");
        assert!(location.starts_with(&format!("{PANEL}?phone=%2B380501234567&token=")));
    }
    assert_eq!(press(&service, ANN).await.status(), 429);
}

/// A CRM on another host is another site, and its button is an agent's everyday click.
#[tokio::test]
async fn a_crm_s_button_works_up_to_the_whole_quota() {
    let limits = [
        ("RATE_LIMIT_OPERATOR", "30/h"),
        ("RATE_LIMIT_CLIENT", "600/h"),
    ];
    let service = service(&limits).await;
    for _ in 0..30 {
        assert_eq!(click(&service, "cross-site", ANN).await.status(), 302);
    }
    assert_eq!(click(&service, "cross-site", ANN).await.status(), 200);
    // A colleague's are not held up.
    let of_bob = service
        .request(PATH)
        .header(IDENTITY, "bob@example.com")
        .header("Sec-Fetch-Site", "cross-site");
    assert_eq!(of_bob.send().await.unwrap().status(), 302);
}

/// Whose quota a click takes from, by what the browser says of where it comes from.
#[rstest]
#[case::a_bookmark(&["none"], 429)]
#[case::a_page_of_ours(&["same-origin"], 429)]
#[case::nothing_is_said(&[], 429)]
#[case::another_site(&["cross-site"], 200)]
#[case::a_sibling_host(&["same-site"], 200)]
#[case::an_unknown_word(&["something-new"], 200)]
#[case::shouted(&["NONE"], 200)]
#[case::nothing(&[""], 200)]
#[case::two(&["none", "cross-site"], 200)]
#[tokio::test]
async fn only_the_agent_and_our_own_pages_count_as_the_agent(
    #[case] sites: &[&str],
    #[case] over_the_limit: u16,
) {
    let service = service(&[("RATE_LIMIT_OPERATOR", "1/h")]).await;
    let send = async || {
        let mut request = service
            .request(PATH)
            .header(IDENTITY, "ann@example.com")
            .header("Sec-Fetch-Dest", "document");
        for site in sites {
            request = request.header("Sec-Fetch-Site", *site);
        }
        request.send().await.unwrap().status()
    };
    assert_eq!(send().await, 302);
    assert_eq!(send().await, over_the_limit);
}

/// The panel stands in a CRM's frame, so another site may open it; what it uses up is not the
/// agent's.
#[tokio::test]
async fn frames_of_the_widget_lock_no_agent_out() {
    let service = service(&LIMITS).await;
    let widget = async |site: &str| {
        let request = service
            .request("/widget")
            .header(IDENTITY, "ann@example.com")
            .header("Sec-Fetch-Dest", "iframe")
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Site", site);
        request.send().await.unwrap()
    };
    for _ in 0..3 {
        assert_eq!(widget("cross-site").await.status(), 200);
    }
    let problem = Problem::read(widget("cross-site").await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (429, "rate-limited")
    );
    assert!(problem.retry_after.is_some());
    assert!(
        problem.detail.starts_with("Pages of other sites"),
        "{problem:?}"
    );
    // The page's own script, which renews its token.
    let next = service
        .request("/widget/token")
        .header(IDENTITY, "ann@example.com")
        .header("Sec-Fetch-Dest", "empty")
        .header("Sec-Fetch-Mode", "cors")
        .header("Sec-Fetch-Site", "same-origin");
    assert_eq!(next.send().await.unwrap().status(), 200);
    assert_eq!(widget("same-origin").await.status(), 200);
    assert_eq!(click(&service, "none", ANN).await.status(), 302);
    assert_eq!(click(&service, "none", ANN).await.status(), 429);
}

/// A page can ask for what needs no login as often as it likes, and uses up no click by it.
#[rstest]
#[case::a_download("/builder/connectors/browser-extension?crm=https://crm.example")]
#[case::the_page_that_pairs("/pair")]
#[tokio::test]
async fn what_another_site_loads_besides_uses_up_no_click(#[case] path: &str) {
    let public = [("PUBLIC_URL", "https://chat.example")];
    let service = service(&[&LIMITS[..], &public].concat()).await;
    for status in [200, 200, 200, 429] {
        let load = navigation(service.request(path), "cross-site", ANN);
        assert_eq!(load.send().await.unwrap().status(), status);
    }
    for _ in 0..3 {
        assert_eq!(click(&service, "none", ANN).await.status(), 302);
    }
    assert_eq!(click(&service, "none", ANN).await.status(), 429);
}

/// No site that an agent visits can show a pass that it does not have, and `open` names no agent.
#[tokio::test]
async fn without_a_login_a_click_counts_wherever_it_comes_from() {
    let service = Service::start_with(rules(), &LIMITS).await;
    let click = async |site| {
        let request = service.request(&format!("{PATH}&operator=101"));
        let response = request.header("Sec-Fetch-Site", site).send().await.unwrap();
        response.status()
    };
    for site in ["cross-site", "none", "cross-site"] {
        assert_eq!(click(site).await, 302);
    }
    assert_eq!(click("cross-site").await, 429);
    assert_eq!(service.metric(&limited("foreign")).await, 0);
}

/// While ChatHub's list is away no operator is known; the login's name is, and a click counts for
/// that: not for the office's address.
#[tokio::test]
async fn what_another_site_clicks_counts_for_the_login_where_no_operator_is_known() {
    let map = file("other-sites.toml", "\"ann@example.com\" = \"John Smith\"\n");
    let mut variables = sso(map.to_str().unwrap()).to_vec();
    variables.extend(LIMITS);
    variables.push(("FALLBACK", "login"));
    let lists = [Endpoint::Organizations, Endpoint::Operators];
    let faults = lists.map(|list| (list, Fault::Status(500)));
    let service = Service::start_broken(rules(), &variables, &faults);
    eventually("the login is through", async || {
        service.ops("/readyz").await.status() == 200
    })
    .await;
    for _ in 0..3 {
        assert_eq!(click(&service, "cross-site", ANN).await.status(), 302);
    }
    assert_eq!(click(&service, "cross-site", ANN).await.status(), 200);
    assert_eq!(click(&service, "none", ANN).await.status(), 302);
    assert_eq!(service.metric(&limited("client")).await, 0);
}

const COOP: &str = "cross-origin-opener-policy";

/// What keeps a page's opener and its frames away, of a page that is asked for as `destination`.
async fn fences(service: &Service, path: &str, destination: &str) -> (String, Option<String>) {
    let request = service.request(path).header("Accept", "text/html");
    let request = request.header("Sec-Fetch-Dest", destination);
    let response = request.send().await.unwrap();
    assert!(header(&response, "content-type").starts_with("text/html"));
    let policy = header(&response, "content-security-policy");
    let mut directives = policy.split("; ");
    let ancestors = directives.find_map(|part| part.strip_prefix("frame-ancestors "));
    (header(&response, COOP), ancestors.map(ToOwned::to_owned))
}

/// A vendor's script in a frame of ours has our origin: it must not reach into a page of ours that
/// it opens. And a page with a button stands in no frame.
#[rstest]
#[case::builder("/builder", Some("'none'"))]
#[case::interface("/openapi", Some("'none'"))]
#[case::confirmation("/open-chat?operator=101&phone=0501234567", Some("'none'"))]
#[case::pairing("/pair", Some("'none'"))]
#[case::handler("/handler", Some("'none'"))]
#[case::refusal("/open-chat?operator=101&phone=12345", None)]
#[case::nothing_there("/nothing", None)]
#[case::widget("/widget?operator=101", Some("'self'"))]
#[tokio::test]
async fn no_opener_reaches_into_our_pages_and_no_frame_has_their_buttons(
    #[case] path: &str,
    #[case] ancestors: Option<&str>,
) {
    let service = Service::start_with(rules(), &[("CONFIRM", "always")]).await;
    let ancestors = ancestors.map(ToOwned::to_owned);
    let in_a_tab = fences(&service, path, "document").await;
    assert_eq!(in_a_tab, ("same-origin".to_owned(), ancestors.clone()));
    let in_a_frame = fences(&service, path, "iframe").await;
    assert_eq!(in_a_frame, (String::new(), ancestors));
}

/// A CRM keeps the window that it opens a chat in.
#[tokio::test]
async fn a_redirect_leaves_the_crm_its_window() {
    let service = Service::start().await;
    let response = service.click("operator=101&phone=0501234567").await;
    assert_eq!(response.status(), 302);
    assert_eq!(header(&response, COOP), "");
}

/// A path that asks for no login may bring any name, as long as the proxy does not take it away.
#[tokio::test]
async fn an_identity_counts_for_a_click_and_the_widget_alone() {
    let keys = file(
        "keys.toml",
        &format!("[[key]]\nname = \"crm\"\nsha256 = \"{}\"\n", "0".repeat(64)),
    );
    let variables = [
        ("ACCESS", "sso,key,pass"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("PUBLIC_URL", "https://chat.example"),
    ];
    let service = service(&variables).await;
    let caller = async |request: RequestBuilder| {
        let response = request.header(IDENTITY, "ann@example.com").send().await;
        let line = log_line(&header(&response.unwrap(), "x-request-id")).await;
        line.get("caller")
            .map(|caller| caller.as_str().unwrap().to_owned())
    };
    for path in [PATH, "/widget", "/widget/token"] {
        let ann = caller(service.request(path)).await;
        assert_eq!(ann.as_deref(), Some("sso:ann@example.com"), "{path}");
    }
    for path in [
        "/builder?operator=101&phone=0501234567",
        "/builder/connectors/browser-extension?crm=https://crm.example",
        "/pair",
        "/handler",
        "/manifest.webmanifest",
        "/",
        "/openapi.json",
    ] {
        assert_eq!(caller(service.request(path)).await, None, "{path}");
    }
    let link = reqwest::Client::new()
        .post(format!("{}/links", service.url()))
        .header(IDENTITY, "ann@example.com")
        .body(r#"{"operator": 101, "phone": "+380501234567"}"#);
    assert_eq!(
        Problem::read(link.send().await.unwrap()).await.kind,
        "api-key-invalid"
    );
}
