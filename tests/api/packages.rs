//! What is installed in CRMs that sign for themselves: each package's own code, as `open-chat
//! connector` writes it, with the entry that it prints for `PASS_KEYS_FILE`. Where the code runs in
//! the vendor's cloud alone, a pass of the same shape stands for it.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rstest::rstest;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::harness::{PANEL, Service, file, header, rules};
use crate::process::{self, open_chat, run_with_input};

const PUBLIC_URL: &str = "https://chat.example/desk";

const SECRET: &str = "canary-crm-secret-of-more-than-32-bytes";

const CRMS: [&str; 8] = [
    "kommo",
    "hubspot",
    "odoo",
    "salesforce",
    "suitecrm",
    "zendesk",
    "zoho",
    "1c",
];

/// The package that the command writes, and the settings that it prints.
fn connector(name: &str, public_url: &str) -> (Vec<u8>, String) {
    let out = file(&format!("{name}.zip"), "");
    let arguments = ["connector", name, "--out", out.to_str().unwrap()];
    let ended = run_with_input(
        &mut open_chat(&arguments, &[("PUBLIC_URL", public_url)]),
        "",
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    (std::fs::read(out).unwrap(), ended.stdout)
}

/// The folder of a package, unpacked.
fn unpacked(name: &str, public_url: &str) -> PathBuf {
    let folder = file(&format!("{name}.folder"), "").with_extension("unpacked");
    let (package, _) = connector(name, public_url);
    ZipArchive::new(Cursor::new(package))
        .unwrap()
        .extract(&folder)
        .unwrap();
    folder
}

/// The service with the entry that the command prints, a secret or a key in its file, and operator
/// 101 for this agent.
async fn service(name: &str, key: &Path, agent: &str) -> Service {
    let (_, settings) = connector(name, PUBLIC_URL);
    let ending = if name == "salesforce" { ".crt" } else { "" };
    let named = format!("\"/run/secrets/{name}{ending}\"");
    assert!(settings.contains(&named), "{settings}");
    let entry = settings.replace(&named, &format!("\"{}\"", key.display()));
    let keys = file(&format!("{name}-keys.toml"), &entry);
    let map = file(
        &format!("{name}-map.toml"),
        &format!("\"{name}-{agent}\" = 101\n"),
    );
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    Service::start_with(rules(), &variables).await
}

/// The query of an address that a package's code has made.
fn query(address: &str) -> &str {
    let query = address
        .trim()
        .strip_prefix("https://chat.example/desk/open-chat?");
    query.unwrap_or_else(|| panic!("no address of a chat: {address}"))
}

/// Opens the chat of this client, and of no other.
async fn opens(service: &Service, query: &str) {
    let other = service.refusal(&format!("{query}&phone=0671234567")).await;
    assert_eq!(other.kind, "pass-mismatch");
    let click = service.click(query).await;
    assert_eq!(click.status(), 302);
    let expected = format!("{PANEL}?phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&expected));
}

async fn opens_once(service: &Service, query: &str) {
    opens(service, query).await;
    assert_eq!(service.refusal(query).await.kind, "pass-used");
}

/// What a program prints that signs with [`SECRET`].
fn printed(command: &mut Command) -> String {
    let (code, text) = process::run(command.env("PASS_SECRET", SECRET));
    assert_eq!(code, Some(0), "{text}");
    text
}

#[tokio::test]
async fn the_builder_hands_out_what_the_command_writes() {
    let service = Service::start_with(rules(), &[("PUBLIC_URL", PUBLIC_URL)]).await;
    for name in CRMS {
        let (written, settings) = connector(name, PUBLIC_URL);
        let request = service.request(&format!("/builder/connectors/{name}"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            header(&response, "content-disposition"),
            format!("attachment; filename=\"open-chat-{name}.zip\"")
        );
        assert_eq!(response.bytes().await.unwrap(), written, "{name}");
        let goes_into = if ["kommo", "hubspot", "zendesk"].contains(&name) {
            "# CONNECTORS_FILE."
        } else {
            "# PASS_KEYS_FILE."
        };
        assert!(settings.starts_with(goes_into), "{settings}");
    }
}

/// What a click in Odoo leads to, with a stand-in for Odoo, `tests/support/odoo.py`: for a user of
/// this number and group, on a contact with these phones.
fn odoo(addons: &Path, user: &str, group: &str, phones: [&str; 2]) -> String {
    let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/odoo.py");
    let mut python = Command::new("python3");
    python
        .args(["-B", stand_in])
        .arg(addons)
        .args([user, group]);
    printed(python.args(phones).env("SERVICE", PUBLIC_URL))
}

#[tokio::test(flavor = "multi_thread")]
async fn odoo_signs_a_pass_for_its_internal_users() {
    let addons = unpacked("odoo", PUBLIC_URL);
    let (internal, phones) = ("base.group_user", ["+380501234567", ""]);
    let service = service("odoo", &file("odoo", SECRET), "17").await;
    opens_once(&service, query(&odoo(&addons, "17", internal, phones))).await;
    // The mobile goes first.
    let both = odoo(&addons, "17", internal, ["0671234567", "0501234567"]);
    opens_once(&service, query(&both)).await;
    // User 101 of Odoo is not operator 101 of ChatHub.
    let stranger = odoo(&addons, "101", internal, phones);
    let stranger = service.refusal(query(&stranger)).await;
    assert_eq!(stranger.kind, "operator-unknown");
    for (group, phones, words) in [
        (
            "base.group_portal",
            phones,
            "Only internal users can open chats.\n",
        ),
        (
            internal,
            ["", ""],
            "There is no phone here to open a chat with.\n",
        ),
    ] {
        assert_eq!(odoo(&addons, "17", group, phones), words);
    }
}

/// With a stand-in for SuiteCRM's records, `tests/support/suitecrm.php`.
fn suitecrm(folder: &Path, module: &str, id: &str) -> String {
    let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/suitecrm.php");
    let mut php = Command::new("php");
    printed(php.arg(stand_in).arg(folder).args([module, id]))
}

#[tokio::test(flavor = "multi_thread")]
async fn suitecrm_signs_a_pass_for_what_its_user_may_see() {
    let folder = unpacked("suitecrm", PUBLIC_URL);
    let service = service("suitecrm", &file("suitecrm", SECRET), "c0ffee").await;
    opens_once(&service, query(&suitecrm(&folder, "Contacts", "client"))).await;
    for (module, id, words) in [
        (
            "Contacts",
            "hidden",
            "There is no such record, or you may not see it.",
        ),
        (
            "Contacts",
            "absent",
            "There is no such record, or you may not see it.",
        ),
        (
            "Contacts",
            "phoneless",
            "There is no phone here to open a chat with.",
        ),
        (
            "Contacts",
            "",
            "Open chat is for a record of: Contacts, Leads, Prospects, Accounts.",
        ),
        (
            "Users",
            "client",
            "Open chat is for a record of: Contacts, Leads, Prospects, Accounts.",
        ),
    ] {
        assert_eq!(suitecrm(&folder, module, id), words, "{module} {id}");
    }
}

/// Salesforce's certificate, as it hands it out, and the key that stays there.
pub fn certificate() -> (PathBuf, EncodingKey) {
    let (certificate, key) = (file("salesforce.crt", ""), file("salesforce.key", ""));
    let (code, text) = process::run(
        Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=OpenChat",
            ])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate),
    );
    assert_eq!(code, Some(0), "{text}");
    let key = EncodingKey::from_rsa_pem(&std::fs::read(key).unwrap()).unwrap();
    (certificate, key)
}

/// What `Auth.JWS` makes of what `OpenChat.cls` sets, as Salesforce documents both.
#[tokio::test]
async fn a_token_of_salesforce_s_certificate_is_a_pass() {
    let (certificate, key) = certificate();
    let service = service("salesforce", &certificate, "005000000000001AAA").await;
    let now = Utc::now().timestamp();
    let claims = |audience: &str, organization: &str, jti: &str| {
        json!({
            "iss": organization, "sub": "005000000000001AAA", "aud": audience, "iat": now, "nbf": now, "exp": now + 60,
            "phone": "+380501234567", "jti": jti,
        })
    };
    let pass = |claims: &Value| {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = None;
        format!("pass={}", encode(&header, claims, &key).unwrap())
    };
    let (ours, org) = ("https://chat.example/desk", "00D000000000000EAA");
    opens_once(&service, &pass(&claims(ours, org, "1"))).await;
    for other in [
        claims("https://other.example", org, "2"),
        claims(ours, "00D000000000009EAA", "3"),
    ] {
        assert_eq!(service.refusal(&pass(&other)).await.kind, "pass-invalid");
    }
}

/// What `open_chat.dg` does, step by step.
fn deluge(claims: &Value) -> String {
    let of_urls = |text: String| text.replace('+', "-").replace('/', "_").replace('=', "");
    let encoded = |text: &str| STANDARD.encode(text);
    let signed = format!(
        "{}.{}",
        encoded(r#"{"alg":"HS256","typ":"JWT"}"#),
        encoded(&claims.to_string())
    );
    let signed = of_urls(signed);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = of_urls(STANDARD.encode(hmac::sign(&key, signed.as_bytes())));
    format!("pass={signed}.{signature}")
}

#[tokio::test]
async fn a_pass_as_zoho_s_function_writes_it_opens_the_chat() {
    let service = service("zoho", &file("zoho", SECRET), "ann@example.com").await;
    let exp = Utc::now().timestamp() + 60;
    let claims = json!({"sub": "ann@example.com", "phone": "+380501234567", "exp": exp, "jti": "1795000000000-123456789"});
    opens_once(&service, &deluge(&claims)).await;
}

/// The same claims as sign.bsl's, for the id of a user.
#[tokio::test]
async fn a_pass_as_1c_s_form_writes_it_opens_the_chat() {
    let user = "c0ffee00-0000-4000-8000-000000000001";
    let service = service("1c", &file("1c", SECRET), user).await;
    let exp = Utc::now().timestamp() + 60;
    opens(
        &service,
        &deluge(&json!({"sub": user, "exp": exp, "phone": "+380501234567"})),
    )
    .await;
}

/// A quote in the address ends no string: neither of PHP nor of XML.
#[test]
fn an_odd_address_stays_an_address() {
    let odd = "https://chat.example/a&b'c";
    let folder = unpacked("suitecrm", odd);
    let program = "require $argv[1] . '/custom/openchat/click.php'; echo OPEN_CHAT_URL;";
    let mut php = Command::new("php");
    assert_eq!(printed(php.args(["-r", program]).arg(folder)), odd);

    let value = "import sys, xml.etree.ElementTree as tree; print([node.text for node in tree.parse(sys.argv[1]).iter() if node.text and 'http' in node.text][0], end='')";
    for (name, path) in [
        ("odoo", "open_chat/data/ir_config_parameter.xml"),
        (
            "salesforce",
            "force-app/main/default/customMetadata/OpenChat_Setting.Default.md-meta.xml",
        ),
    ] {
        let file = unpacked(name, odd).join(path);
        let mut python = Command::new("python3");
        assert_eq!(printed(python.args(["-c", value]).arg(file)), odd, "{name}");
    }
}

/// Without an address there is nothing to write.
#[rstest]
#[case("", "PUBLIC_URL: must be set")]
#[case("http://chat.example", "PUBLIC_URL: must begin with https://")]
fn no_address_no_package(#[case] public_url: &str, #[case] words: &str) {
    let out = file("none.zip", "");
    let arguments = ["connector", "odoo", "--out", out.to_str().unwrap()];
    let (code, text) = process::run(&mut open_chat(&arguments, &[("PUBLIC_URL", public_url)]));
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains(words), "{text}");
    assert!(std::fs::read(out).unwrap().is_empty());
}
