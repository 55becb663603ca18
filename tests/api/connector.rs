//! Packages to install, by `open-chat connector` and by the link builder: the same bytes, with this
//! service's address in them, for the CRMs that are named and no others.

use std::io::Cursor;

use rstest::rstest;
use url::form_urlencoded::byte_serialize;
use zip::ZipArchive;

use crate::harness::{Problem, Service, file, header, raw, rules};
use crate::process::{self, open_chat};

const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://chat.example/desk");

const EXTENSION: &str = "/builder/connectors/browser-extension";

/// Runs the command: exit code, what it says, and the file that it wrote.
fn connector(arguments: &[&str], public_url: &str) -> (Option<i32>, String, Vec<u8>) {
    let out = file("package.zip", "");
    let all = [&["connector"], arguments, &["--out", out.to_str().unwrap()]].concat();
    let (code, text) = process::run(&mut open_chat(&all, &[("PUBLIC_URL", public_url)]));
    (code, text, std::fs::read(out).unwrap())
}

/// A file of a package, as text.
fn packed(package: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(Cursor::new(package)).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

async fn service() -> Service {
    Service::start_with(rules(), &[PUBLIC_URL]).await
}

#[tokio::test]
async fn the_builder_hands_out_what_the_command_writes() {
    let crm = [
        "--crm",
        "https://crm.example",
        "--crm",
        "https://second.example:8443",
    ];
    let service = service().await;
    for browser in ["chromium", "firefox"] {
        let arguments = [&["browser-extension", "--browser", browser], &crm[..]].concat();
        let (code, text, written) = connector(&arguments, PUBLIC_URL.1);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.ends_with(&format!("package.zip: {} bytes\n", written.len())),
            "{text}"
        );
        for query in [
            "crm=https://crm.example&crm=https://second.example:8443",
            "crm=https%3A%2F%2Fcrm.example%0D%0Ahttps%3A%2F%2Fsecond.example%3A8443%0D%0A",
        ] {
            let path = format!("{EXTENSION}?browser={browser}&{query}");
            let response = service.request(&path).send().await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(header(&response, "content-type"), "application/zip");
            assert_eq!(
                header(&response, "content-disposition"),
                format!("attachment; filename=\"open-chat-{browser}.zip\"")
            );
            assert_eq!(
                header(&response, "cross-origin-resource-policy"),
                "same-origin"
            );
            assert_eq!(response.bytes().await.unwrap(), written);
        }
        let config = packed(&written, "config.js");
        assert!(
            config.contains(r#""url":"https://chat.example/desk""#),
            "{config}"
        );
        let manifest = packed(&written, "manifest.json");
        let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
        assert!(manifest.contains(version), "{manifest}");
    }
}

#[test]
fn the_command_narrows_the_links() {
    let arguments = [
        "browser-extension",
        "--crm",
        "https://crm.example",
        "--schemes",
        "tel,wa.me",
    ];
    let (code, text, written) = connector(&arguments, PUBLIC_URL.1);
    assert_eq!(code, Some(0), "{text}");
    let config = packed(&written, "config.js");
    assert!(config.contains(r#""schemes":["tel","wa.me"]"#), "{config}");
}

/// What parses as an origin in a browser and reaches further, or is none.
const NO_ORIGINS: [(&str, &str); 8] = [
    (
        "https://*",
        "`https://*` has a host that is neither a plain name nor an IP address",
    ),
    (
        "https://*.com",
        "`https://*.com` has a host that is neither",
    ),
    (
        "https://a;b.com",
        "`https://a;b.com` has a host that is neither",
    ),
    (
        "https://ann@crm.example",
        "`https://ann@crm.example` must end after the host",
    ),
    (
        "https://crm.example/*",
        "`https://crm.example/*` must end after the host",
    ),
    (
        "https://crm.example?x",
        "`https://crm.example?x` must end after the host",
    ),
    (
        "file://crm.example",
        "`file://crm.example` must begin with https:// or http://",
    ),
    ("crm.example", "`crm.example` is not an address"),
];

#[tokio::test]
async fn an_address_that_reaches_further_is_refused_by_name() {
    let service = service().await;
    for (origin, words) in NO_ORIGINS {
        let arguments = [
            "browser-extension",
            "--crm",
            "https://crm.example",
            "--crm",
            origin,
        ];
        let (code, text, written) = connector(&arguments, PUBLIC_URL.1);
        assert_eq!((code, written.len()), (Some(2), 0), "{text}");
        assert!(text.contains(words), "{text}");

        let origin: String = byte_serialize(origin.as_bytes()).collect();
        let request = service.request(&format!("{EXTENSION}?crm=https://crm.example&crm={origin}"));
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!((problem.status, &*problem.kind), (400, "parameter-invalid"));
        assert!(problem.detail.contains(words), "{problem:?}");
    }
}

#[tokio::test]
async fn sixteen_crms_are_enough() {
    let service = service().await;
    let query = |count: usize| {
        let crms: Vec<_> = (1..=count)
            .map(|number| format!("crm=https://crm{number}.example"))
            .collect();
        format!("{EXTENSION}?{}", crms.join("&"))
    };
    let response = service.request(&query(16)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let problem = Problem::read(service.request(&query(17)).send().await.unwrap()).await;
    assert_eq!(
        problem.detail,
        "`https://crm17.example` is one CRM too many: at most 16 can be named."
    );
}

#[tokio::test]
async fn what_there_is_not_is_named() {
    let service = service().await;
    let path = "/builder/connectors/lotus-notes";
    let problem = Problem::read(service.request(path).send().await.unwrap()).await;
    assert_eq!((problem.status, &*problem.kind), (404, "not-found"));
    assert_eq!(
        problem.detail,
        "There is no connector of this name. There are: browser-extension, kommo, hubspot, odoo, salesforce, suitecrm, zendesk, zoho, 1c."
    );
    let path = format!("{EXTENSION}?browser=netscape");
    let problem = Problem::read(service.request(&path).send().await.unwrap()).await;
    assert_eq!((problem.status, &*problem.kind), (400, "parameter-invalid"));
    assert_eq!(problem.detail, "`browser` is chromium or firefox.");

    let (code, text, _) = connector(&["lotus-notes"], PUBLIC_URL.1);
    assert_eq!(code, Some(2), "{text}");
    let words = "There is no connector `lotus-notes`. There are: browser-extension, kommo, hubspot, odoo, salesforce, suitecrm, zendesk, zoho, 1c.";
    assert!(text.contains(words), "{text}");
}

/// An extension that knows no service, or one that a phone would reach in the clear, is none.
#[rstest]
#[case("", "PUBLIC_URL: must be set")]
#[case("http://chat.example", "PUBLIC_URL: must begin with https://")]
fn no_address_no_package(#[case] public_url: &str, #[case] words: &str) {
    let (code, text, written) = connector(&["browser-extension"], public_url);
    assert_eq!((code, written.len()), (Some(78), 0), "{text}");
    assert!(text.contains(words), "{text}");
}

#[tokio::test]
async fn the_builder_needs_the_address_too() {
    let service = Service::start().await;
    let problem = Problem::read(service.request(EXTENSION).send().await.unwrap()).await;
    assert_eq!((problem.status, &*problem.kind), (404, "not-found"));
    assert!(
        problem.detail.contains("PUBLIC_URL is not set"),
        "{problem:?}"
    );
}

/// Those who may see the builder, and no faster than their address may click.
#[tokio::test]
async fn a_package_is_for_those_who_may_see_the_builder() {
    let off = Service::start_with(rules(), &[PUBLIC_URL, ("LINK_BUILDER", "off")]).await;
    assert_eq!(off.request(EXTENSION).send().await.unwrap().status(), 404);

    let networks = [PUBLIC_URL, ("ALLOWED_NETWORKS", "192.0.2.0/24")];
    let elsewhere = Service::start_with(rules(), &networks).await;
    let problem = Problem::read(elsewhere.request(EXTENSION).send().await.unwrap()).await;
    assert_eq!(problem.kind, "network-not-allowed");

    let limited = Service::start_with(rules(), &[PUBLIC_URL, ("RATE_LIMIT_CLIENT", "2/h")]).await;
    for _ in 0..2 {
        assert_eq!(
            limited.request(EXTENSION).send().await.unwrap().status(),
            200
        );
    }
    let problem = Problem::read(limited.request(EXTENSION).send().await.unwrap()).await;
    assert_eq!((problem.status, &*problem.kind), (429, "rate-limited"));
    assert!(problem.retry_after.is_some());
}

/// A download manager asks first how much there is.
#[tokio::test]
async fn head_tells_the_length() {
    let request = format!("HEAD {EXTENSION} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let service = service().await;
    let answer = raw(&service, &request).await;
    let length = connector(&["browser-extension"], PUBLIC_URL.1).2.len();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let line = format!("content-length: {length}\r\n");
    assert!(answer.to_lowercase().contains(&line), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    let counted =
        r#"http_requests_total{method="HEAD",route="/builder/connectors/{name}",status="200"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

/// Its page speaks the visitor's language where the rest is for those who set buttons up.
#[rstest]
#[case("en", "Download the extension")]
#[case("uk", "Завантажити розширення")]
#[tokio::test]
async fn the_builder_offers_it(#[case] language: &str, #[case] button: &str) {
    let page = async |service: &Service| {
        let request = service
            .request("/builder")
            .header("Accept-Language", language);
        request.send().await.unwrap().text().await.unwrap()
    };
    let shown = page(&service().await).await;
    assert!(
        shown.contains(&format!("<button class=\"button\">{button}</button>")),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("id=\"extension\" lang=\"{language}\"")),
        "{shown}"
    );
    assert!(
        shown.contains("action=\"builder/connectors/browser-extension\""),
        "{shown}"
    );
    let without = page(&Service::start().await).await;
    assert!(without.contains("id=\"extension-needs\""), "{without}");
    assert!(!without.contains("builder/connectors"), "{without}");
}
