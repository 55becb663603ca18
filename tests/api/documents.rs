//! What the documentation says of the program is what the program does.

use std::collections::BTreeSet;

use open_chat::config::Config;
use open_chat::http::Kind;
use open_chat::metrics::Metrics;

use crate::monitoring::alert_names;
use crate::promises::faults_of_tests;

pub fn document(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the table under a heading: the text of their cells, less the code marks around it.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let mut rows = raw_table(document, heading);
    for cell in rows.iter_mut().flatten() {
        *cell = cell.trim_matches('`').to_owned();
    }
    rows
}

/// The same, as it is written.
pub fn raw_table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let section = format!("\n{document}");
    let section = section
        .split(&format!("\n{heading}\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("no {heading}"));
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|row| {
            let row = row.trim_matches('|').replace(r"\|", "\0");
            row.split('|')
                .map(|cell| cell.trim().replace('\0', r"\|"))
                .collect()
        })
        .collect()
}

#[test]
fn every_variable_stands_in_the_table_with_its_default() {
    let settings = document("docs/settings.md");
    let mut documented: Vec<(String, Option<String>)> = table(&settings, "## Variables")
        .into_iter()
        .map(|row| {
            let default = Some(row[1].clone()).filter(|default| !default.is_empty());
            (row[0].clone(), default)
        })
        .collect();
    // That a secret can come from `NAME_FILE` is said once, above the table.
    let variables = Config::variables();
    let is_secret_file = |name: &str| {
        let secret = name.strip_suffix("_FILE");
        variables
            .iter()
            .any(|(other, _)| Some(other.as_str()) == secret)
    };
    let mut real: Vec<_> = variables
        .iter()
        .filter(|(name, _)| !is_secret_file(name))
        .cloned()
        .collect();
    documented.sort();
    real.sort();
    assert_eq!(documented, real);
}

#[test]
fn every_refusal_stands_in_the_table() {
    let refusals = document("docs/refusals.md");
    let documented: Vec<_> = table(&refusals, "# Refusals")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].parse().unwrap()))
        .collect();
    let real: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| (kind.name().to_owned(), kind.status()))
        .collect();
    assert_eq!(documented, real);
}

#[test]
fn every_metric_stands_in_the_table() {
    let monitoring = document("docs/monitoring.md");
    let documented: BTreeSet<_> = table(&monitoring, "## Metrics")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let real: BTreeSet<_> = Metrics::names()
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(documented, real);
}

/// A defence whose test is gone, or was never there, is a promise.
#[test]
fn every_threat_has_a_test_that_exists() {
    let threats = raw_table(&document("docs/security.md"), "## Threats");
    let mut faults = Vec::new();
    for row in &threats {
        for fault in faults_of_tests(&row[2]) {
            faults.push(format!("{}: {fault}", row[0]));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(threats.len() >= 20, "{}", threats.len());
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = document("CHANGELOG.md");
    assert!(changelog.contains(concat!("\n## [", env!("CARGO_PKG_VERSION"), "] - 20")));
}

/// A placeholder until the source has a public address; then it is replaced everywhere.
#[test]
fn packages_and_image_name_the_address_of_the_source() {
    let address = "https://open-chat.example";
    let host = "open-chat.example";
    assert_eq!(env!("CARGO_PKG_REPOSITORY"), address);
    for (file, text) in [
        ("Cargo.toml", format!("maintainers@{host}>")),
        ("Dockerfile", format!("image.source=\"{address}\"")),
        ("SECURITY.md", format!("`security@{host}`")),
        ("helm/open-chat/Chart.yaml", format!("home: {address}\n")),
        ("packaging/copyright", format!("Source: {address}\n")),
        (
            "packaging/open-chat.service",
            format!("man:open-chat(1) {address}\n"),
        ),
    ] {
        assert!(document(file).contains(&text), "{file}: {text}");
    }
}

/// The text outside of code blocks.
fn prose(document: &str) -> String {
    document.split("```").step_by(2).collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(document: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(document).lines().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let heading = heading.replace(' ', "-");
        let kept = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
        let anchor: String = heading.chars().filter(kept).collect();
        let others = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone())
            .chain(others)
            .find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

#[test]
fn every_link_leads_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "",
        "docs",
        "docs/decisions",
        "docs/proxies",
        "integrations/browser-extension",
    ];
    let pages = folders.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    let mut count = 0;
    for page in pages.filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in prose(&text).split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let target = std::fs::read_to_string(target).unwrap();
                let is_there = anchors(&target).contains(anchor);
                assert!(is_there, "{}: {link}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn there_is_one_version_of_rust() {
    let toolchain = document("rust-toolchain.toml");
    let version = toolchain.split("channel = \"").nth(1).unwrap();
    let version = version.split('"').next().unwrap();
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    assert!(version.starts_with(&format!("{oldest}.")), "{version}");
    for (file, line) in [
        (
            "Dockerfile",
            format!("\nFROM rust:{version}-slim-bookworm AS build\n"),
        ),
        (
            ".github/workflows/ci.yml",
            format!(" image: rust:{version}-bookworm\n"),
        ),
    ] {
        assert!(document(file).contains(&line), "{file}: {version}");
    }
}

#[test]
fn every_alert_has_its_part_in_the_runbook() {
    let runbook = document("docs/runbook.md");
    let parts: BTreeSet<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(parts, alert_names().into_iter().collect());
    // What the alerts and the dashboard refer to is there.
    let files = ["rules.yaml", "rules-working-hours.yaml", "dashboard.json"]
        .map(|name| document(&format!("helm/open-chat/files/{name}")))
        .concat();
    let anchors: BTreeSet<_> = parts.iter().map(|part| part.to_lowercase()).collect();
    let mut count = 0;
    for reference in files.split("docs/runbook.md#").skip(1) {
        let anchor: String = reference
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        assert!(anchors.contains(&anchor), "{anchor}");
        count += 1;
    }
    assert!(count > 20, "{count}");
    // By whole addresses: whoever reads an alert at night has no copy of the source.
    let home = env!("CARGO_PKG_REPOSITORY");
    assert_eq!(
        files.matches(&format!("{home}/docs/runbook.md#")).count(),
        count
    );
    assert_eq!(files.matches("runbook_url: ").count(), parts.len());
    let chart = document("helm/open-chat/Chart.yaml");
    assert!(chart.contains(&format!("\nhome: {home}\n")), "{home}");
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_exist() {
    let files = ["rules.yaml", "rules-working-hours.yaml", "dashboard.json"]
        .map(|name| document(&format!("helm/open-chat/files/{name}")))
        .concat();
    let mut asked = BTreeSet::new();
    for word in files.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')) {
        let is_metric = ["http_re", "open_chat_", "chathub_", "process_"]
            .iter()
            .any(|prefix| word.starts_with(prefix));
        if is_metric {
            let name = word.trim_end_matches("_bucket").trim_end_matches("_count");
            asked.insert(name.to_owned());
        }
    }
    let mut real: BTreeSet<_> = Metrics::names().map(ToOwned::to_owned).into();
    // The process's own are the library's.
    real.extend(
        [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
        ]
        .map(ToOwned::to_owned),
    );
    // Whoever adds a metric adds it to the dashboard, or says here why not.
    let shown_otherwise = ["http_requests_in_flight"];
    let missing: Vec<_> = asked.difference(&real).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let unseen: Vec<_> = real
        .difference(&asked)
        .filter(|name| !shown_otherwise.contains(&name.as_str()))
        .collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
