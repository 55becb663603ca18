//! Phones as links: what a protocol handler, an extension or a CRM's field brings, from the request
//! line to the deep link.

use chathub_simulator::Endpoint;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rstest::rstest;
use serde_json::json;

use crate::harness::{PANEL, Service, file, header, rules};
use crate::process::{open_chat, run_with_input};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

/// `printf %s canary-api-key | sha256sum`
const API_KEY_SHA256: &str = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";

const SENDERS: (&str, &str) = ("SENDERS", "viber=Acme,telegrambot=AcmeBot");

/// The deep link's query without its token.
async fn opened(service: &Service, query: &str) -> String {
    let location = service.destination(query).await;
    let query = location.strip_prefix(&format!("{PANEL}?")).unwrap();
    query.split("&token=").next().unwrap().to_owned()
}

/// As a browser's protocol handler, a form and a careless template put it into the request line.
#[rstest]
#[case::handler("tel%3A%2B380501234567")]
#[case::handler_of_an_encoded_link("tel%3A%252B380501234567")]
#[case::zammad("tel%3A%2F%2F%2F%252B380501234567")]
#[case::berlicrm("tel%3A%2B38%252005%2520012%252034%2520567")]
#[case::handler_of_spaces("tel%3A%2B38%2005%20012%2034%20567")]
#[case::encoded_twice("tel%253A%252B380501234567")]
#[case::not_encoded("tel:+380501234567")]
#[case::extension("tel%3A%2B380501234567%3Bext%3D12")]
#[case::context("tel%3A0501234567%3Bphone-context%3D%2B38")]
#[case::context_not_encoded("tel:0501234567;phone-context=+38")]
#[case::sms("sms%3A%2B380501234567%3Fbody%3DHi")]
#[case::sip("sip%3A%2B380501234567%40pbx.example")]
#[tokio::test]
async fn a_link_to_dial_opens_by_phone(#[case] phone: &str) {
    let service = Service::start_with(rules(), &[SENDERS]).await;
    let query = format!("operator=101&phone={phone}");
    assert_eq!(opened(&service, &query).await, "phone=%2B380501234567");
}

#[rstest]
#[case(
    "viber%3A%2F%2Fchat%3Fnumber%3D%252B380501234567",
    "source=0&from=Acme&"
)]
#[case("viber://chat/?number=+380501234567", "source=0&from=Acme&")]
#[case("tg%3A%2F%2Fresolve%3Fphone%3D380501234567", "source=2&from=AcmeBot&")]
#[case("https%3A%2F%2Ft.me%2F%2B380501234567", "source=2&from=AcmeBot&")]
// No sender is set for it.
#[case("https%3A%2F%2Fwa.me%2F%2B380501234567%2F%3Ftext%3DHi", "")]
#[case("https://api.whatsapp.com/send?phone=380501234567&text=Hi", "")]
#[tokio::test]
async fn a_messenger_s_link_opens_its_channel(#[case] phone: &str, #[case] channel: &str) {
    let service = Service::start_with(rules(), &[SENDERS]).await;
    let query = format!("operator=101&phone={phone}");
    let expected = format!("{channel}phone=%2B380501234567");
    assert_eq!(opened(&service, &query).await, expected);
}

#[rstest]
#[case::on("on", "", "source=0&from=Acme&phone=%2B380501234567", "viber")]
#[case::off("off", "", "phone=%2B380501234567", "none")]
#[case::the_link_s_own_wins(
    "on",
    "&source=telegrambot",
    "source=2&from=AcmeBot&phone=%2B380501234567",
    "telegrambot"
)]
#[case::a_sender_is_kept(
    "on",
    "&from=Beta",
    "source=0&from=Beta&phone=%2B380501234567",
    "viber"
)]
#[case::off_with_a_sender("off", "&from=Beta", "from=Beta&phone=%2B380501234567", "none")]
#[tokio::test]
async fn the_source_is_a_setting_s_to_take(
    #[case] setting: &str,
    #[case] rest: &str,
    #[case] expected: &str,
    #[case] counted: &str,
) {
    let variables = [SENDERS, ("SOURCE_FROM_LINK", setting)];
    let service = Service::start_with(rules(), &variables).await;
    let query = format!("operator=101&phone=viber://chat?number%3D380501234567{rest}");
    assert_eq!(opened(&service, &query).await, expected);
    let formats = [1, 2, 3, 4].map(|format| {
        format!("open_chat_redirects_total{{format=\"{format}\",source=\"{counted}\"}}")
    });
    let mut redirects = 0;
    for series in formats {
        redirects += service.metric(&series).await;
    }
    assert_eq!(redirects, 1, "{counted}");
}

#[rstest]
#[case("https%3A%2F%2Ft.me%2Fname", "`https://t.me/`, without a phone number")]
#[case(
    "https%3A%2F%2Fwa.me%2Fmessage%2FABC",
    "`https://wa.me/`, without a phone number"
)]
#[case("tel%3A*21%23", "`tel:`, and the number in it is not valid")]
#[case("tel%3A", "`tel:`, without a phone number")]
#[case("tel%3Anull", "`tel:`, without a phone number")]
#[case(
    "viber%3A%2F%2Fpa%3FchatURI%3Dshop",
    "`viber:`, without a phone number"
)]
#[case("tel%3A%25252B380501234567", "percent-encoded twice")]
#[case(
    "https%3A%2F%2Fexample.com%2F380501234567",
    "of a kind that is not read"
)]
#[case("%252B380501234567", "percent-encoded twice")]
#[case("tel%3A0501234567%3B0671234567", "goes on after the number")]
#[case("0501234567%2C%200671234567", "too long: send one number")]
#[case("tel%3A0501234567%2C0671234567", "too long: send one number")]
#[case(
    "whatsapp%3A%2F%2Fsend%3Fphone%3D380501234567%26phone%3D380671234567",
    "`whatsapp:`, without"
)]
#[case(
    "https%3A%2F%2Fwa.me.evil.example%2F380501234567",
    "of a kind that is not read"
)]
#[tokio::test]
async fn a_link_without_a_phone_is_refused_by_its_kind(#[case] phone: &str, #[case] words: &str) {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    let problem = service
        .refusal(&format!("operator=101&phone={phone}"))
        .await;
    assert_eq!((problem.status, &*problem.kind), (400, "phone-invalid"));
    assert!(problem.detail.contains(words), "{}", problem.detail);
    assert_eq!(service.chathub.total_calls(), calls);
}

#[rstest]
#[case("phone=tel:%PHONE%")]
#[case("phone=tel%3A%7B%7Bphone%7D%7D")]
#[case("phone=sms:%2B%DEAL_PHONE%")]
#[tokio::test]
async fn a_template_in_a_link_is_a_template(#[case] query: &str) {
    let service = Service::start().await;
    let problem = service.refusal(&format!("operator=101&{query}")).await;
    assert_eq!(problem.kind, "placeholder-unfilled");
}

async fn locked() -> Service {
    let text = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\n");
    let keys = file("phone-links-api-keys.toml", &text);
    let variables = [
        ("ACCESS", "pass,key"),
        ("PASS_SECRET", SECRET),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PUBLIC_URL", "https://chat.example"),
        SENDERS,
    ];
    Service::start_with(rules(), &variables).await
}

/// Signs by the command line what a CRM would sign.
fn pass(arguments: &[&str]) -> String {
    let arguments = [&["pass", "mint", "--operator", "101"], arguments].concat();
    let ended = run_with_input(&mut open_chat(&arguments, &[("PASS_SECRET", SECRET)]), "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout.trim_end().to_owned()
}

#[rstest]
#[case::bound_as_a_link(
    &["--phone", "viber://chat?number=%2B380501234567"],
    "",
    "source=0&from=Acme&phone=%2B380501234567"
)]
#[case::bound_as_a_number_and_clicked_as_a_link(
    &["--phone", "0501234567"],
    "&phone=viber://chat?number%3D380501234567",
    "source=0&from=Acme&phone=%2B380501234567"
)]
#[case::bound_as_one_link_and_clicked_as_another(
    &["--phone", "tel:+380501234567"],
    "&phone=sms%3A0501234567",
    "phone=%2B380501234567"
)]
#[case::the_pass_s_source_wins(
    &["--phone", "0501234567", "--source", "telegrambot"],
    "&phone=viber://chat?number%3D380501234567",
    "source=2&from=AcmeBot&phone=%2B380501234567"
)]
#[case::the_pass_s_source_alone(
    &["--source", "telegrambot"],
    "&phone=viber://chat?number%3D380501234567",
    "source=2&from=AcmeBot&phone=%2B380501234567"
)]
#[tokio::test]
async fn a_pass_is_held_against_what_the_link_says(
    #[case] bound: &[&str],
    #[case] rest: &str,
    #[case] expected: &str,
) {
    let service = locked().await;
    let query = format!("pass={}{rest}", pass(bound));
    assert_eq!(opened(&service, &query).await, expected);
}

#[tokio::test]
async fn another_phone_in_a_link_is_a_mismatch() {
    let service = locked().await;
    let pass = pass(&["--phone", "tel:+380501234567"]);
    let query = format!("pass={pass}&phone=tel%3A%2B380671234567");
    assert_eq!(service.refusal(&query).await.kind, "pass-mismatch");
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 0);
}

#[tokio::test]
async fn a_back_end_may_send_a_link() {
    let service = locked().await;
    let body = json!({"operator": 101, "phone": "https://t.me/%2B380501234567"});
    let response = reqwest::Client::new()
        .post(format!("{}/links", service.url()))
        .bearer_auth("canary-api-key")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 201);
    let link: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let (_, query) = link["url"].as_str().unwrap().split_once('?').unwrap();
    let expected = "source=2&from=AcmeBot&phone=%2B380501234567";
    assert_eq!(opened(&service, query).await, expected);
}

#[test]
fn the_command_line_takes_a_link() {
    let run = |phone| {
        let arguments = ["link", "--operator", "101", "--phone", phone];
        let public_url = ("PUBLIC_URL", "https://chat.example");
        run_with_input(&mut open_chat(&arguments, &[public_url]), "")
    };
    assert_eq!(
        run("tel:+380501234567").stdout,
        "https://chat.example/open-chat?operator=101&phone=tel%3A%2B380501234567\n"
    );
    let refused = run("https://t.me/name");
    assert_eq!((refused.code, &*refused.stdout), (Some(2), ""));
    assert!(
        refused.stderr.contains("without a phone number"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_builder_says_where_the_source_comes_from() {
    let service = Service::start_with(rules(), &[SENDERS]).await;
    let phone = utf8_percent_encode("viber://chat?number=380501234567", NON_ALPHANUMERIC);
    let response = service
        .request(&format!("/builder?operator=101&phone={phone}"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    let page = response.text().await.unwrap();
    assert!(
        page.contains("the source comes from the phone, which is a messenger&#39;s link"),
        "{page}"
    );
}
