//! Who may know whom: the `use crate::` lines of `src/`, held against the house as it is meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each module and all that it may know. What is not listed knows no other, and may not exist.
const HOUSE: [(&str, &[&str]); 27] = [
    ("invisible", &[]),
    ("parameter", &["invisible"]),
    ("phone", &["invisible"]),
    ("source", &[]),
    ("files", &[]),
    ("secret", &["files"]),
    ("https_url", &[]),
    ("no_connection", &[]),
    ("single_flight", &[]),
    ("reload", &["files", "secret"]),
    ("unreserved", &[]),
    ("printable", &["invisible"]),
    ("metrics", &[]),
    ("telemetry", &["printable"]),
    ("simulator", &[]),
    (
        "chathub",
        &["single_flight", "secret", "https_url", "no_connection"],
    ),
    ("deep_link", &["phone", "source", "https_url", "unreserved"]),
    ("tokens", &["chathub", "single_flight", "metrics", "secret"]),
    ("operators", &["chathub"]),
    ("button_url", &["access", "https_url"]),
    ("redis_store", &["no_connection", "reload", "secret"]),
    ("rate_limit", &["chathub", "metrics", "redis_store"]),
    (
        "access",
        &["chathub", "operators", "parameter", "reload", "secret"],
    ),
    (
        "config",
        &[
            "access",
            "chathub",
            "deep_link",
            "files",
            "https_url",
            "operators",
            "phone",
            "rate_limit",
            "secret",
            "redis_store",
            "source",
            "telemetry",
            "tokens",
        ],
    ),
    (
        "http",
        &[
            "access",
            "button_url",
            "chathub",
            "config",
            "deep_link",
            "https_url",
            "invisible",
            "metrics",
            "operators",
            "parameter",
            "phone",
            "rate_limit",
            "secret",
            "redis_store",
            "source",
            "telemetry",
            "tokens",
            "unreserved",
        ],
    ),
    (
        "app",
        &[
            "access",
            "chathub",
            "config",
            "http",
            "metrics",
            "operators",
            "phone",
            "rate_limit",
            "reload",
            "secret",
            "redis_store",
            "telemetry",
            "tokens",
        ],
    ),
    (
        "cli",
        &[
            "access",
            "app",
            "button_url",
            "chathub",
            "config",
            "http",
            "https_url",
            "operators",
            "phone",
            "printable",
            "secret",
            "redis_store",
            "simulator",
            "telemetry",
        ],
    ),
];

/// Crates that only these modules may name.
const KEPT_BEHIND: [(&str, &[&str]); 15] = [
    ("rustls", &["config", "no_connection"]),
    ("rustls_native_certs", &["config"]),
    ("reqwest", &["chathub"]),
    ("rlibphonenumber", &["phone"]),
    ("actix_http", &["app"]),
    ("actix_service", &["app"]),
    ("actix_web", &["app", "http", "simulator"]),
    ("envy", &["config"]),
    ("strsim", &["cli", "config"]),
    ("clap_complete", &["cli"]),
    ("comfy_table", &["cli"]),
    ("csv", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["app", "cli"]),
    (
        "tokio",
        &[
            "app",
            "chathub",
            "cli",
            "single_flight",
            "operators",
            "redis_store",
            "simulator",
            "tokens",
        ],
    ),
];

fn source_files(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                source_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The module that a file belongs to, and its code without comments and unit tests.
fn modules() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    source_files(&src)
        .into_iter()
        .map(|path| {
            let module = path
                .strip_prefix(&src)
                .unwrap()
                .components()
                .next()
                .unwrap();
            let module = module.as_os_str().to_str().unwrap().trim_end_matches(".rs");
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<_> = text
                .lines()
                .take_while(|line| *line != "#[cfg(test)]")
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            (module.to_owned(), code.join("\n"))
        })
        .filter(|(module, _)| !["lib", "main"].contains(&module.as_str()))
        .collect()
}

#[test]
fn a_module_knows_only_those_that_stand_before_it() {
    let modules = modules();
    for (module, code) in &modules {
        let (_, may_know) = HOUSE
            .iter()
            .find(|(name, _)| name == module)
            .unwrap_or_else(|| panic!("{module} has no place in the house"));
        let known: BTreeSet<&str> = code
            .match_indices("crate::")
            .map(|(at, prefix)| &code[at + prefix.len()..])
            .filter_map(|rest| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
            })
            .filter(|known| known != module)
            .collect();
        for known in known {
            assert!(may_know.contains(&known), "{module} must not know {known}");
        }
    }
    for (name, _) in HOUSE {
        assert!(
            modules.iter().any(|(module, _)| module == name),
            "{name} is gone"
        );
    }
}

#[test]
fn a_foreign_crate_stays_behind_its_module() {
    for (module, code) in modules() {
        for (foreign, keepers) in KEPT_BEHIND {
            assert!(
                keepers.contains(&module.as_str()) || !code.contains(&format!("{foreign}::")),
                "{module} must not name {foreign}"
            );
        }
    }
}

/// Middlewares, extractors and problems know no handler, and handlers do not know each other.
#[test]
fn only_the_route_table_names_handlers() {
    let http = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    for path in source_files(&http) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let may_name = path == http.join("mod.rs") || !code.contains("handlers::");
        assert!(may_name, "{} names a handler", path.display());
    }
}
