//! Who may know whom: the `use crate::` lines of `src/`, held against the house as it is meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each module and all that it may know. What is not listed knows no other, and may not exist.
const HOUSE: [(&str, &[&str]); 25] = [
    ("named_enum", &[]),
    ("invisible", &[]),
    ("parameter", &["invisible"]),
    ("phone", &["invisible"]),
    ("source", &[]),
    ("files", &[]),
    ("secret", &["files"]),
    ("single_flight", &[]),
    ("reload", &["files", "secret"]),
    ("unreserved", &[]),
    ("printable", &["invisible"]),
    ("metrics", &[]),
    ("telemetry", &["printable"]),
    ("repeats", &[]),
    ("deep_link", &["phone", "source", "unreserved"]),
    ("tokens", &["single_flight", "metrics", "secret"]),
    ("operators", &["repeats"]),
    ("button_url", &["access"]),
    ("redis_store", &["reload", "secret"]),
    ("rate_limit", &["metrics", "redis_store"]),
    ("access", &["operators", "parameter", "reload", "secret"]),
    (
        "config",
        &[
            "access",
            "deep_link",
            "files",
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
            "config",
            "deep_link",
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
            "config",
            "http",
            "metrics",
            "operators",
            "phone",
            "rate_limit",
            "reload",
            "repeats",
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
            "config",
            "http",
            "operators",
            "phone",
            "printable",
            "secret",
            "redis_store",
            "telemetry",
        ],
    ),
];

/// Crates that only these modules may name.
const KEPT_BEHIND: [(&str, &[&str]); 17] = [
    ("chathub_simulator", &["cli"]),
    ("connect_error", &["redis_store"]),
    ("rustls", &["config"]),
    ("rustls_native_certs", &["config"]),
    ("reqwest", &["cli", "config"]),
    ("rlibphonenumber", &["phone"]),
    ("actix_http", &["app"]),
    ("actix_service", &["app"]),
    ("actix_web", &["app", "http"]),
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
            "cli",
            "single_flight",
            "operators",
            "redis_store",
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
