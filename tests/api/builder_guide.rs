//! The link builder's instructions for each CRM: what it shows is what an admin can do, and the
//! entries that it prints are what the service reads.

use std::io::Cursor;
use std::process::Command;

use chrono::Utc;
use crm_simulator::{bitrix24, hubspot, kommo, pipedrive, zendesk};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;
use zip::ZipArchive;

use crate::connect_zendesk::Key;
use crate::crm_guide::Facts;
use crate::device;
use crate::harness::{PANEL, Service, file, header, rules};
use crate::packages::certificate;
use crate::process;

const PUBLIC_URL: &str = "https://chat.example";
const PASS: &str = "canary-pass-secret-of-more-than-32-bytes";
const SECRET: &str = "canary-crm-secret-of-more-than-32-bytes";
const DEVICE: &str = "canary-device-secret-of-more-than-32-bytes";

/// A service with an address and these modes.
async fn service(access: &str) -> Service {
    let variables = [
        ("ACCESS", access),
        ("PASS_SECRET", PASS),
        ("DEVICE_SECRET", DEVICE),
        ("PUBLIC_URL", PUBLIC_URL),
    ];
    let needed = |name: &str| match name {
        "PASS_SECRET" => access.contains("pass"),
        "DEVICE_SECRET" => access.contains("device"),
        _ => true,
    };
    let variables: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| needed(name))
        .collect();
    Service::start_with(rules(), &variables).await
}

async fn page(service: &Service, crm: &str, language: &str) -> String {
    let request = service.request(&format!("/builder?crm={crm}"));
    let request = request.header("Accept-Language", language);
    request.send().await.unwrap().text().await.unwrap()
}

/// What is written between two marks, as a reader sees it.
fn between(page: &str, begin: &str, end: &str) -> Option<String> {
    let (_, rest) = page.split_once(begin)?;
    let text = rest.split_once(end)?.0;
    let marks = [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ];
    let read = |text: String, (mark, character)| text.replace(mark, character);
    Some(marks.into_iter().fold(text.to_owned(), read))
}

/// The text in a box of this id.
fn boxed(page: &str, id: &str) -> Option<String> {
    between(page, &format!("<pre id=\"{id}\">"), "</pre>")
}

/// The steps, with code between backticks.
fn steps(page: &str) -> Vec<String> {
    let list = between(page, "<ol>", "</ol>").unwrap();
    let list = list.replace("<code>", "`").replace("</code>", "`");
    let steps = list.split("<li>").skip(1);
    steps
        .map(|step| step.split("</li>").next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn each_crm_has_its_steps_in_both_languages() {
    let service = service("pass,device").await;
    for crm in Facts::read().crms() {
        let id = crm.fact("id").unwrap();
        let english = page(&service, id, "en").await;
        let expected: Vec<_> = crm.steps().map(ToOwned::to_owned).collect();
        assert_eq!(steps(&english), expected, "{id}");
        assert!((1..=6).contains(&expected.len()), "{id}");
        let ukrainian = page(&service, id, "uk").await;
        let translated = steps(&ukrainian);
        assert_eq!(translated.len(), expected.len(), "{id}");
        assert!(
            translated.iter().all(|step| !expected.contains(step)),
            "{id}"
        );
        for (page, language) in [(english, "en"), (ukrainian, "uk")] {
            let said = format!(" lang=\"{language}\"");
            assert!(page.contains(&said), "{id}");
        }
    }
}

#[tokio::test]
async fn kommo_s_steps_name_this_service() {
    let service = service("pass").await;
    let english = page(&service, "kommo", "en").await;
    assert_eq!(
        steps(&english)[0],
        "`Settings → Integrations → Create integration → Private`. `Redirect URL`: `https://chat.example`, and nothing after it. \
         Access: nothing but what the form demands. Upload the package."
    );
    let ukrainian = page(&service, "kommo", "uk").await;
    assert!(
        steps(&ukrainian)[0].contains("`Redirect URL`: `https://chat.example`"),
        "{ukrainian}"
    );
    assert!(ukrainian.contains("Завантажити пакет</a>"), "{ukrainian}");
}

/// Every address in a page is this service's: in texts, settings and code.
#[tokio::test]
async fn addresses_are_this_service_s_own() {
    let url = "https://desk.example:8443/it's/chat";
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", PASS),
        ("PUBLIC_URL", url),
    ];
    let service = Service::start_with(rules(), &variables).await;
    for crm in Facts::read().crms() {
        let id = crm.fact("id").unwrap();
        let page = page(&service, id, "en").await;
        assert!(!page.contains("https://chat.example"), "{id}: {page}");
    }
    let zendesk = page(&service, "zendesk", "en").await;
    let code = boxed(&zendesk, "snippet").unwrap();
    assert!(
        code.contains("\"https://desk.example:8443/it%27s/chat/connect/zendesk\""),
        "{code}"
    );
    let salesforce = page(&service, "salesforce", "en").await;
    let entry = boxed(&salesforce, "settings").unwrap();
    assert!(
        entry.contains("\naudience = \"https://desk.example:8443/it's/chat\"\n"),
        "{entry}"
    );
}

/// A package is offered where it can be made, and then it is there.
#[tokio::test]
async fn packages_are_offered_where_there_are_some() {
    let with = service("pass").await;
    let without = Service::start().await;
    let mut names = Vec::new();
    for crm in Facts::read().crms() {
        let id = crm.fact("id").unwrap();
        let shown = page(&with, id, "en").await;
        let link = between(&shown, "id=\"package\" href=\"", "\"");
        assert_eq!(
            link,
            crm.fact("package")
                .map(|name| format!("builder/connectors/{name}"))
        );
        if let Some(link) = link {
            let package = with.request(&format!("/{link}")).send().await.unwrap();
            assert_eq!(package.status(), 200, "{link}");
            assert_eq!(header(&package, "content-type"), "application/zip");
            names.push(id.to_owned());
        }
        let shown = page(&without, id, "en").await;
        assert!(!shown.contains("id=\"package\""), "{id}");
        assert!(shown.contains("First: PUBLIC_URL is not set here."), "{id}");
    }
    assert!(names.len() >= 8, "{names:?}");
}

#[rstest]
#[case("open", "odoo", Some("First: ACCESS has no <code>pass</code> here"))]
#[case("device", "kommo", Some("First: ACCESS has no <code>pass</code> here"))]
#[case("pass,device", "kommo", None)]
#[case("pass,device", "keycrm", None)]
#[case("open", "keycrm", None)]
#[case(
    "pass",
    "keycrm",
    Some("First: ACCESS has no <code>device</code> here")
)]
#[case(
    "pass",
    "sugarcrm",
    Some("First: ACCESS has no <code>device</code> here")
)]
#[tokio::test]
async fn what_this_service_lacks_is_said_first(
    #[case] access: &str,
    #[case] crm: &str,
    #[case] lacks: Option<&str>,
) {
    let service = service(access).await;
    let page = page(&service, crm, "en").await;
    let first = between(&page, "<p class=\"lacks\"><strong class=\"bad\">", ".");
    assert_eq!(first.is_some(), lacks.is_some(), "{page}");
    if let Some(lacks) = lacks {
        assert!(first.unwrap().starts_with(lacks));
    }
}

/// A URL that would not work as it is pasted has no button that copies it, and nothing is green.
#[rstest]
#[case("open", "salesforce", true)]
#[case("pass,device", "salesforce", true)]
#[case("pass,device", "pipedrive", true)]
#[case("pass,device", "other", true)]
#[case("pass", "salesforce", false)]
#[case("pass", "other", false)]
#[case("open", "kommo", false)]
#[case("open", "keycrm", false)]
#[case("open", "1c", false)]
#[case("open", "odoo", false)]
#[case("pass,device", "dynamics", false)]
#[tokio::test]
async fn what_cannot_be_pasted_says_so(
    #[case] access: &str,
    #[case] crm: &str,
    #[case] can_be_pasted: bool,
) {
    let service = service(access).await;
    let page = page(&service, crm, "en").await;
    let copy = "<p class=\"buttons\" id=\"copy-url\">";
    assert_eq!(page.contains(copy), can_be_pasted, "{page}");
    let hidden = "<p class=\"buttons\" id=\"copy-url\" hidden>";
    assert_eq!(page.contains(hidden), !can_be_pasted, "{page}");
    assert_eq!(page.contains("Nothing to paste."), !can_be_pasted, "{page}");
    let is_green = page.contains("class=\"good\"");
    assert_eq!(is_green, can_be_pasted && access == "open", "{page}");
    if can_be_pasted {
        let url = boxed(&page, "template").unwrap();
        assert!(!url.contains("pass="), "{url}");
    }
}

/// The code of a programmer has the composed URL in it.
#[rstest]
#[case(
    "odoo",
    "\"url\": f\"https://chat.example/open-chat?phone={record.phone or ''}\"}"
)]
#[case(
    "dynamics",
    "Xrm.Navigation.openUrl(`https://chat.example/open-chat?phone=${encodeURIComponent(phone)}`);"
)]
#[case(
    "hubspot",
    "hubspot.fetch(`https://chat.example/connect/hubspot?phone=${encodeURIComponent(phone)}`);"
)]
#[case("kommo", "url: \"https://chat.example/connect/kommo\"")]
#[case("1c", "\"https://chat.example/open-chat?pass=\" + Пропуск;")]
#[case("other", "curl \"https://chat.example/links\"")]
#[tokio::test]
async fn code_for_a_programmer_has_this_address_in_it(#[case] crm: &str, #[case] code: &str) {
    let service = service("device").await;
    let page = page(&service, crm, "en").await;
    let snippet = boxed(&page, "snippet").unwrap();
    assert!(snippet.contains(code), "{snippet}");
}

/// What the page made up, and what an admin has in its place.
type MadeUp<'a> = &'a [(&'a str, &'a str)];

/// The service with what the page says to put into it, and with what the admin has in the place of
/// what is made up there.
async fn set_up(crm: &str, made_up: MadeUp<'_>) -> Service {
    let service = service("pass").await;
    let page = page(&service, crm, "en").await;
    let mut settings = boxed(&page, "settings").unwrap();
    for (made_up, real) in made_up {
        assert!(settings.contains(made_up), "{made_up}: {settings}");
        settings = settings.replace(made_up, real);
    }
    let variable = settings.trim_start_matches("# ").split('.').next().unwrap();
    let variable = ["PASS_KEYS_FILE", "CONNECTORS_FILE"]
        .into_iter()
        .find(|name| *name == variable)
        .expect("the file that it belongs into");
    let settings = file(&format!("{crm}-settings.toml"), &settings);
    let map = file(&format!("{crm}-map.toml"), &boxed(&page, "map").unwrap());
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", PASS),
        ("PUBLIC_URL", PUBLIC_URL),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
        (variable, settings.to_str().unwrap()),
    ];
    Service::start_with(rules(), &variables).await
}

/// A file with a secret, as the entries name one.
fn secret(crm: &str, text: &str) -> String {
    let path = file(&format!("{crm}-secret"), text);
    path.to_str().unwrap().to_owned()
}

async fn opens(service: &Service, query: &str) {
    let click = service.click(query).await;
    assert_eq!(click.status(), 302);
    let expected = format!("{PANEL}?phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&expected));
}

/// What a CRM or its page posts, as a browser does.
async fn post(service: &Service, path: &str, destination: &str, body: &[(&str, &str)]) -> Response {
    let is_frame = destination == "iframe";
    let site = if is_frame {
        "cross-site"
    } else {
        "same-origin"
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    let body = Serializer::new(String::new()).extend_pairs(body).finish();
    let request = client
        .build()
        .unwrap()
        .post(format!("{}{path}", service.url()));
    let request = request
        .header("Sec-Fetch-Site", site)
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", destination)
        .header("Content-Type", "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap()
}

/// Presses the button of the page in the CRM's frame, and opens what it leads to.
async fn press(service: &Service, crm: &str, shown: Response) {
    assert_eq!(shown.status(), 200);
    let page = shown.text().await.unwrap();
    let ticket = between(&page, "name=\"ticket\" value=\"", "\"").unwrap();
    let form = [("ticket", ticket.as_str()), ("phone", "+380501234567")];
    let path = format!("/connect/{crm}/open");
    let opened = post(service, &path, "document", &form).await;
    assert_eq!(opened.status(), 303);
    let link = header(&opened, "location");
    opens(service, link.split_once('?').unwrap().1).await;
}

/// The link in the answer to a script.
async fn follow(service: &Service, answer: Response) {
    assert_eq!(answer.status(), 200);
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let link = answer["url"].as_str().unwrap();
    opens(service, link.split_once('?').unwrap().1).await;
}

/// The entries alone are enough for what each package signs.
#[rstest]
#[case("1c", "c0ffee00-0000-4000-8000-000000000000")]
#[case("odoo", "17")]
#[case("suitecrm", "c0ffee00-0000-4000-8000-000000000000")]
#[case("zoho", "ann@example.com")]
#[tokio::test]
async fn an_admin_who_follows_the_page_gets_chats(#[case] crm: &str, #[case] agent: &str) {
    let made_up = format!("/run/secrets/{crm}");
    let service = set_up(crm, &[(&made_up, &secret(crm, SECRET))]).await;
    let claims = json!({"sub": agent, "phone": "+380501234567", "exp": Utc::now().timestamp() + 60, "jti": "1"});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let pass = encode(&Header::default(), &claims, &key).unwrap();
    opens(&service, &format!("pass={pass}")).await;
    let again = service.refusal(&format!("pass={pass}")).await;
    assert_eq!(again.kind, "pass-used");
}

#[tokio::test]
async fn an_admin_who_follows_salesforce_s_lines_gets_chats() {
    let (certificate, key) = certificate();
    let path = certificate.to_str().unwrap();
    let service = set_up("salesforce", &[("/run/secrets/salesforce.crt", path)]).await;
    let claims = json!({
        "iss": "00D000000000000EAA", "aud": PUBLIC_URL, "sub": "005000000000001AAA", "phone": "+380501234567",
        "exp": Utc::now().timestamp() + 60, "jti": "1",
    });
    let pass = encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap();
    opens(&service, &format!("pass={pass}")).await;
}

#[tokio::test]
async fn an_admin_who_follows_kommo_s_lines_gets_chats() {
    let path = secret("kommo", SECRET);
    let service = set_up("kommo", &[("/run/secrets/kommo", &path)]).await;
    let claims = kommo::claims("https://acme.kommo.com", PUBLIC_URL, 5, "1");
    let request = service.request("/connect/kommo?phone=0501234567");
    let request = request
        .header("Origin", "https://acme.kommo.com")
        .header("X-Auth-Token", kommo::token(&claims, SECRET));
    follow(&service, request.send().await.unwrap()).await;
}

#[tokio::test]
async fn an_admin_who_follows_hubspot_s_lines_gets_chats() {
    let path = secret("hubspot", SECRET);
    let service = set_up("hubspot", &[("/run/secrets/hubspot", &path)]).await;
    let user = hubspot::User {
        id: 5,
        portal: 12345,
        email: "ann@example.com",
        app: 9,
    };
    let address = user.address(&format!("{PUBLIC_URL}/connect/hubspot?phone=0501234567"));
    let mut request = service.request(address.strip_prefix(PUBLIC_URL).unwrap());
    for (name, value) in hubspot::signed_now(&address, SECRET) {
        request = request.header(name, value);
    }
    follow(&service, request.send().await.unwrap()).await;
}

#[tokio::test]
async fn an_admin_who_follows_zendesk_s_lines_gets_chats() {
    let key = Key::new();
    let path = secret("zendesk", &key.public);
    let service = set_up("zendesk", &[("/run/secrets/zendesk.pem", &path)]).await;
    let claims = zendesk::claims("https://acme.zendesk.com", 7, 5, "1");
    let token = zendesk::token(&claims, &key.private);
    let path = "/connect/zendesk?origin=https%3A%2F%2Facme.zendesk.com&app_guid=4f0d9b1e";
    let shown = post(&service, path, "iframe", &[("token", &token)]).await;
    press(&service, "zendesk", shown).await;
}

/// The installation, and then the button that it has put there.
#[tokio::test]
async fn an_admin_who_follows_bitrix24_s_lines_gets_chats() {
    let portal = bitrix24::Portal::start().unwrap();
    let token = "canary-7c3a7166007e9c94001e30ba00000001f0f10716";
    portal.token(token, "local.64d1000000000.00000000", 17, bitrix24::SCOPES);
    portal.contact(43, &["050 123 45 67"]);
    let origin = portal.origin();
    let service = set_up("bitrix24", &[("acme.bitrix24.com", &origin)]).await;
    let installation = portal.installation(token).to_string();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let installed = client.post(format!("{}/connect/bitrix24/install", service.url()));
    let installed = installed.body(installation).send().await.unwrap();
    assert_eq!(installed.status(), 200);
    let button = "CRM_CONTACT_DETAIL_TOOLBAR";
    let handler = &portal.bound(button).unwrap()["HANDLER"];
    assert_eq!(handler, "https://chat.example/connect/bitrix24");
    let form = portal.form(token, button, "43");
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let path = format!("/connect/bitrix24?{}", portal.query());
    press(
        &service,
        "bitrix24",
        post(&service, &path, "iframe", &form).await,
    )
    .await;
}

#[tokio::test]
async fn an_admin_who_follows_pipedrive_s_lines_gets_chats() {
    let api_token = "canary-pipedrive-api-token-0123456789";
    let company = pipedrive::Company::start(api_token).unwrap();
    company.person(3, &["050 123 45 67"], &[17]);
    let origin = company.origin();
    let made_up = [
        ("acme.pipedrive.com", origin.as_str()),
        (
            "/run/secrets/pipedrive-api",
            &secret("pipedrive-api", api_token),
        ),
        (
            "/run/secrets/pipedrive\"",
            &(secret("pipedrive", SECRET) + "\""),
        ),
    ];
    let service = set_up("pipedrive", &made_up).await;
    let token = pipedrive::token(&pipedrive::claims(123, 17, 0), SECRET);
    let query = pipedrive::query(&token, 123, 17, "person", 3);
    let request = service.request(&format!("/connect/pipedrive?{query}"));
    let request = request
        .header("Sec-Fetch-Dest", "iframe")
        .header("Sec-Fetch-Mode", "navigate");
    press(&service, "pipedrive", request.send().await.unwrap()).await;
}

/// The URL as it is pasted, in a browser that is paired with operator 101.
#[rstest]
#[case("bitrix24", "[phone]")]
#[case("pipedrive", "[number]")]
#[case("salesforce", "{!Contact.Phone}")]
#[case("sugarcrm", "{phone_work}")]
#[case("suitecrm", "{phone_work}")]
#[case("zoho", "${Leads.Phone}")]
#[case("other", "{phone}")]
#[tokio::test]
async fn an_admin_who_pastes_the_url_gets_chats(#[case] crm: &str, #[case] placeholder: &str) {
    let service = device::start(&[]).await;
    let page = page(&service, crm, "en").await;
    let url = boxed(&page, "template").unwrap();
    let expected = format!("https://chat.example/open-chat?phone={placeholder}");
    assert_eq!(url, expected);
    let path = url.strip_prefix(PUBLIC_URL).unwrap();
    let unfilled = device::click_with(&service, path, &device::cookie(&json!({}))).await;
    assert_eq!(unfilled.status(), 400, "the CRM has to fill it in");
    paired_browser_opens(&service, &path.replace(placeholder, "+38 (050) 123-45-67")).await;
}

async fn paired_browser_opens(service: &Service, path: &str) {
    let click = device::click_with(service, path, &device::cookie(&json!({}))).await;
    assert_eq!(click.status(), 302, "{path}");
    let expected = format!("{PANEL}?phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&expected));
}

/// What a CRM has around the code, as far as it needs it, and where the code leads to.
const CREATIO: [&str; 2] = [
    "const request = {$context: {Phone: Promise.resolve('+38 (050) 123-45-67')}}; const window = {open: (url) => console.log(url)}; \
     (async () => {",
    "})();",
];
const DYNAMICS: [&str; 2] = [
    "const Xrm = {Navigation: {openUrl: (url) => console.log(url)}};",
    "openChat({getAttribute: (name) => ({getValue: () => name === 'telephone1' && '+38 (050) 123-45-67'})});",
];
const FRESHSALES: [&str; 2] = [
    "const data = {contact: {contact: {mobile_number: null, work_number: '+38 (050) 123-45-67'}}, loggedInUser: {loggedInUser: {id: 5}}}; \
     const app = {initialized: async () => ({data: {get: async (name) => data[name]}})}; \
     const window = {open: (url) => console.log(url)}; (async () => {",
    "})();",
];

/// The code for programmers, run where it can be, in a paired browser.
#[rstest]
#[case("creatio", CREATIO)]
#[case("dynamics", DYNAMICS)]
#[case("freshsales", FRESHSALES)]
#[tokio::test(flavor = "multi_thread")]
async fn javascript_for_a_programmer_runs(#[case] crm: &str, #[case] around: [&str; 2]) {
    let service = device::start(&[]).await;
    let code = boxed(&page(&service, crm, "en").await, "snippet").unwrap();
    let code = format!("{}\n{code}\n{}", around[0], around[1]);
    let (status, url) = process::run(Command::new("node").args(["-e", &code]));
    assert_eq!(status, Some(0), "{url}");
    paired_browser_opens(&service, url.trim().strip_prefix(PUBLIC_URL).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_for_a_programmer_runs() {
    let service = device::start(&[]).await;
    let code = boxed(&page(&service, "odoo", "en").await, "snippet").unwrap();
    let code = format!(
        "from types import SimpleNamespace\nrecord = SimpleNamespace(phone='+38 (050) 123-45-67')\n{code}\nprint(action['url'])"
    );
    let (status, url) = process::run(Command::new("python3").args(["-c", &code]));
    assert_eq!(status, Some(0), "{url}");
    // A browser encodes what Python left as it was.
    let url = url.trim().replace(' ', "%20");
    paired_browser_opens(&service, url.strip_prefix(PUBLIC_URL).unwrap()).await;
}

/// Where there is no button: the extension that the page makes, and what it opens for a link of the
/// CRM's or for a number that is selected. For 1C it is the handler.
#[rstest]
#[case("creatio", "+38 (050) 123-45-67")]
#[case("dynamics", "callto:+380501234567")]
#[case("freshsales", "050 123 45 67")]
#[case("keycrm", "viber://chat?number=%2B380501234567")]
#[case("other", "https://wa.me/380501234567")]
#[case("1c", "tel:+380501234567")]
#[tokio::test]
async fn an_admin_without_a_button_gets_chats(#[case] crm: &str, #[case] clicked: &str) {
    let service = device::start(&[]).await;
    let steps = steps(&page(&service, crm, "en").await).join("\n");
    assert!(steps.contains("`open-chat pair --operator 101`"), "{steps}");
    if crm == "1c" {
        assert!(steps.contains("`https://chat.example/handler`"), "{steps}");
    } else {
        assert!(
            steps.contains("extension at the end of `/builder`"),
            "{steps}"
        );
        let origin = format!("https://acme.{crm}.example");
        let request = service.request(&format!(
            "/builder/connectors/browser-extension?crm={origin}"
        ));
        let archive = request.send().await.unwrap().bytes().await.unwrap();
        let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
        let config = std::io::read_to_string(archive.by_name("config.js").unwrap()).unwrap();
        assert!(
            config.contains(&format!("\"crm_origins\":[\"{origin}\"]")),
            "{config}"
        );
        assert!(
            config.contains("\"url\":\"https://chat.example\"}"),
            "{config}"
        );
    }
    let query = Serializer::new(String::new())
        .append_pair("phone", clicked)
        .finish();
    paired_browser_opens(&service, &format!("/open-chat?{query}")).await;
}
