//! The click that succeeds.

use rstest::rstest;

use crate::harness::{PANEL, Service, header, rules};

/// A query, and the deep link's own query that it leads to, token aside.
const LINKS: [(&str, &str); 34] = [
    // 1: a chat id is known; source and phone do not matter to the link.
    ("chat_raw_id=65a1&source=0", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=1", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=2", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=3", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=4", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=5", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=6", "chat_raw_id=65a1&token="),
    ("chat_raw_id=65a1&source=7", "chat_raw_id=65a1&token="),
    // 2: phone alone, or a source that has no sender; 0 and 3 have one.
    ("phone=0501234567&source=1", "phone=%2B380501234567&token="),
    ("phone=0501234567&source=2", "phone=%2B380501234567&token="),
    ("phone=0501234567&source=4", "phone=%2B380501234567&token="),
    ("phone=0501234567&source=5", "phone=%2B380501234567&token="),
    ("phone=0501234567&source=6", "phone=%2B380501234567&token="),
    ("phone=0501234567&source=7", "phone=%2B380501234567&token="),
    ("phone=0501234567", "phone=%2B380501234567&token="),
    // 3: a sender without a source.
    (
        "phone=0501234567&from=Acme",
        "from=Acme&phone=%2B380501234567&token=",
    ),
    // 4: a source with the link's sender, by number and by name, ...
    (
        "phone=0501234567&from=Shop&source=0",
        "source=0&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=1",
        "source=1&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=2",
        "source=2&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=3",
        "source=3&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=4",
        "source=4&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=5",
        "source=5&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=6",
        "source=6&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=7",
        "source=7&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=viber",
        "source=0&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=ViberBot",
        "source=1&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=TelegramBot",
        "source=2&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=WHATSAPP",
        "source=3&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=widget",
        "source=4&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=rozetka",
        "source=5&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=Facebook",
        "source=6&from=Shop&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&from=Shop&source=instagram",
        "source=7&from=Shop&phone=%2B380501234567&token=",
    ),
    // ... or with the one that SENDERS gives.
    (
        "phone=0501234567&source=0",
        "source=0&from=Acme&phone=%2B380501234567&token=",
    ),
    (
        "phone=0501234567&source=whatsapp",
        "source=3&from=380671112233&phone=%2B380501234567&token=",
    ),
];
/// Every format with every source, exactly as the agent's browser is sent there (token aside).
#[tokio::test]
async fn four_formats_of_eight_sources_lead_to_these_urls() {
    let service =
        Service::start_with(rules(), &[("SENDERS", "viber=Acme, whatsapp=380671112233")]).await;

    for (query, link) in LINKS {
        let destination = service.destination(&format!("operator=101&{query}")).await;
        assert_eq!(
            destination,
            format!("https://chat.smsbat.com/?{link}"),
            "{query}"
        );
    }
}

#[rstest]
#[case::raw_plus("+380501234567")]
#[case::encoded_plus("%2B380501234567")]
#[case::separators("+38%20(050)%20123-45-67")]
#[case::separators_and_pluses("+38+(050)+123-45-67")]
#[case::international_prefix("00380501234567")]
#[case::national("0501234567")]
#[case::no_plus("380501234567")]
#[tokio::test]
async fn the_phone_may_be_written_as_the_crm_likes(#[case] phone: &str) {
    let service = Service::start().await;
    assert_eq!(
        service
            .destination(&format!("operator=101&phone={phone}"))
            .await,
        "https://chat.smsbat.com/?phone=%2B380501234567&token="
    );
}

#[tokio::test]
async fn the_default_region_reads_national_numbers() {
    let service = Service::start_with(rules(), &[("DEFAULT_REGION", "PL")]).await;
    assert_eq!(
        service.destination("operator=101&phone=512345678").await,
        "https://chat.smsbat.com/?phone=%2B48512345678&token="
    );
}

#[tokio::test]
async fn a_chat_id_wins_over_a_phone_however_bad_that_is() {
    let service = Service::start().await;
    assert_eq!(
        service
            .destination("operator=101&chat_raw_id=a%2Fb%26c&phone=12345")
            .await,
        "https://chat.smsbat.com/?chat_raw_id=a%2Fb%26c&token="
    );
}

#[tokio::test]
async fn empty_and_foreign_parameters_change_nothing() {
    let service = Service::start().await;
    let query = "utm_source=crm&operator=101&chat_raw_id=&phone=0501234567&from=&source=&pass=&token=evil&utm_source=again&=&";
    assert_eq!(
        service.destination(query).await,
        "https://chat.smsbat.com/?phone=%2B380501234567&token="
    );
}

#[tokio::test]
async fn the_token_is_one_that_chathub_takes() {
    let service = Service::start().await;
    let response = service.click("operator=102&phone=0501234567").await;
    let location = header(&response, "location");
    assert!(location.starts_with(PANEL));
    let token = location.split_once("token=").unwrap().1;

    let panel = format!(
        "{}?phone=%2B380501234567&token={token}",
        service.chathub.url()
    );
    let page = reqwest::get(panel).await.unwrap().text().await.unwrap();
    assert!(
        page.contains(r#"<dd id="operator">102 · Sarah Johnson</dd>"#),
        "{page}"
    );
    assert!(
        page.contains(r#"<dd id="phone">+380501234567</dd>"#),
        "{page}"
    );
}

#[tokio::test]
async fn the_token_lives_as_long_as_configured() {
    let service = Service::start_with(rules(), &[("TOKEN_TTL", "10m")]).await;
    let response = service.click("operator=101&phone=0501234567").await;
    let location = header(&response, "location");
    let token = location.split_once("token=").unwrap().1;
    let panel = format!("{}?token={token}", service.chathub.url());
    let shown = || async { reqwest::get(&panel).await.unwrap().text().await.unwrap() };

    service.chathub.store().pass_time(9 * 60);
    assert!(shown().await.contains(r#"<main id="chat">"#));
    service.chathub.store().pass_time(2 * 60);
    assert!(shown().await.contains(r#"<main id="login">"#));
}

#[tokio::test]
async fn a_profile_key_needs_no_login() {
    let variables = [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", crate::harness::PROFILE_KEY),
    ];
    let service = Service::start_with(rules(), &variables).await;
    assert_eq!(
        service.destination("operator=101&phone=0501234567").await,
        "https://chat.smsbat.com/?phone=%2B380501234567&token="
    );
    assert_eq!(
        service
            .chathub
            .calls(chathub_simulator::Endpoint::CompanyToken),
        0
    );
}

/// Each part of the address is kept, and the link's query is put behind its own.
#[tokio::test]
async fn the_chat_panel_is_where_the_setting_says() {
    let panel = [("CHAT_PANEL_URL", "https://chat.example.test/panel")];
    let service = Service::start_with(rules(), &panel).await;
    assert_eq!(
        service.destination("operator=101&phone=0501234567").await,
        "https://chat.example.test/panel?phone=%2B380501234567&token="
    );
}
