//! `CONNECTORS_FILE`, in which each `~` stands for a secret, and `@` for the path of a public key:
//! read as it says, or refused in a sentence that has no secret in it.
#![no_main]

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use open_chat::connect::Connectors;
use open_chat_fuzz::DIRECTORY;
use url::{Host, Url};

const CANARY: &str = "canary-of-more-than-thirty-two-bytes";

/// The names of what is secret.
const SECRETS: [&str; 5] = [
    "api_token",
    "application_token",
    "client_secret",
    "jwt_secret",
    "secret",
];

/// Prefixes of keys for passes.
const TAKEN: [&str; 2] = ["crm-", "Odoo:"];

static PUBLIC_KEY: LazyLock<PathBuf> = LazyLock::new(|| file("key.pem", include_str!("rs256.pem")));

fn file(name: &str, text: &str) -> PathBuf {
    let file = DIRECTORY.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

fuzz_target!(|input: &str| {
    let path = PUBLIC_KEY.to_str().unwrap();
    let secret = file("secret", &format!("{CANARY}\n"));
    let lines = input.split('\n').map(|line| {
        // No file of this machine's is read but these. A path is no secret.
        let line = if line.contains("file") {
            line.replace(['/', '\\', '~'], "")
        } else {
            line.replace('~', CANARY)
        };
        line.replace('@', path)
            .replace('^', secret.to_str().unwrap())
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let written = file("connectors.toml", &text);
    let taken = TAKEN.map(String::from).to_vec();
    match Connectors::load(written, taken) {
        Ok(read) => {
            let read = read.get();
            assert!(!is_secret_each(input) || !format!("{read:?}").contains(CANARY));
            check(&read);
        }
        Err(problem) => {
            assert!(!problem.contains(CANARY), "{problem}");
            assert!(problem.contains("connectors.toml"), "{problem}");
            // What is quoted of the file: a name, a prefix, a host.
            assert!(problem.len() < 500 + text.len(), "{problem}");
        }
    }
});

/// Whether each `~` is in a value that is secret. A host or a list of operators may have one, too,
/// and they may be shown.
fn is_secret_each(input: &str) -> bool {
    let quoted = |value: &str| {
        let inner = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        inner.is_some_and(|inner| !inner.contains('"'))
    };
    let mut lines = input.split('\n').filter(|line| line.contains('~'));
    !["\"\"\"", "'''"].iter().any(|long| input.contains(long))
        && lines.all(|line| {
            line.split_once(" = ")
                .is_some_and(|(name, value)| SECRETS.contains(&name) && quoted(value))
        })
}

fn check(read: &Connectors) {
    let (mut prefixes, mut places) = (HashSet::new(), HashSet::new());
    for section in read.sections() {
        let prefix = section.prefix.to_ascii_lowercase();
        // `1` behind `2` would be agent 12 of another.
        assert!(!prefix.ends_with(char::is_numeric) && !prefix.trim().is_empty());
        assert!(
            TAKEN
                .iter()
                .all(|taken| !taken.eq_ignore_ascii_case(&prefix))
        );
        assert!(prefixes.insert(prefix), "one prefix of two sections");
        let name = section.connector.name();
        assert!(places.insert((name, section.installation.clone())));
        let found = read.section(section.connector, &section.installation);
        assert_eq!(found.map(|found| &found.prefix), Some(&section.prefix));
        if let Some(origin) = &section.origin {
            check_origin(origin);
            let found = read.by_origin(section.connector, origin);
            assert!(found.is_some());
        }
    }
    assert!(!prefixes.is_empty(), "a file without a section is none");
    let secrets = read.kommo.iter().map(|account| &account.secret);
    let secrets = secrets.chain(read.hubspot.iter().map(|portal| &portal.client_secret));
    let secrets = secrets.chain(read.pipedrive.iter().map(|company| &company.api_token));
    for secret in secrets {
        assert!(secret.expose().trim().len() >= 16);
    }
    for company in &read.pipedrive {
        assert!(company.jwt_secret.expose().trim().len() >= 32);
    }
}

/// An origin is one, as a browser writes it, and nothing secret goes over a network in the clear.
fn check_origin(origin: &str) {
    let url = Url::parse(origin).unwrap();
    assert_eq!(url.origin().ascii_serialization(), origin);
    let is_this_machine = match url.host().unwrap() {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    assert!(url.scheme() == "https" || is_this_machine, "{origin}");
}
