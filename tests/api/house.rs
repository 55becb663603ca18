//! Borders inside the service that the compiler does not hold: the code map in `src/lib.rs` is the
//! order in which modules may know each other.

use std::path::{Path, PathBuf};

/// The subject itself, which knows neither a web framework nor a network.
const PURE: [&str; 4] = ["deep_link", "parameter", "phone", "source"];

/// The modules in the order of the code map.
fn code_map() -> Vec<String> {
    include_str!("../../src/lib.rs")
        .lines()
        .filter(|line| line.starts_with("//! | ") && line.contains('`'))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|modules| modules.split('`').skip(1).step_by(2))
        .map(ToOwned::to_owned)
        .collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The code of a file without comments and unit tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]");
    let code: Vec<_> = lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    code.join("\n")
}

/// Each module of `src` with the code of one of its files.
fn modules() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let module = |path: &Path| {
        let first = path.strip_prefix(&src).unwrap().components().next();
        let name = first.unwrap().as_os_str().to_str().unwrap();
        name.trim_end_matches(".rs").to_owned()
    };
    rust_files(&src)
        .into_iter()
        .map(|path| (module(&path), code(&path)))
        .filter(|(module, _)| !["lib", "main"].contains(&module.as_str()))
        .collect()
}

#[test]
fn a_module_knows_only_those_above_it_in_the_code_map() {
    let map = code_map();
    for (module, code) in modules() {
        let place = map.iter().position(|name| *name == module);
        let place = place.unwrap_or_else(|| panic!("{module} is not in the code map"));
        for below in &map[place + 1..] {
            assert!(
                !code.contains(&format!("crate::{below}::")),
                "{module} must not know {below}"
            );
        }
        if PURE.contains(&module.as_str()) {
            for foreign in ["actix_web::", "reqwest::", "tokio::"] {
                assert!(!code.contains(foreign), "{module} must not name {foreign}");
            }
        }
    }
}

/// A resource that is made elsewhere would be in no list of routes.
#[test]
fn only_the_routes_make_resources() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let makes_one = ["web::resource(", "web::scope(", "Resource::new("]
            .iter()
            .any(|word| code(&path).contains(word));
        assert_eq!(
            makes_one,
            path == src.join("http/route.rs"),
            "{}",
            path.display()
        );
    }
}

/// Middlewares, extractors and problems know no handler, and handlers do not know each other.
#[test]
fn only_the_route_table_names_handlers() {
    let http = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    for path in rust_files(&http) {
        let may_name = path == http.join("mod.rs") || !code(&path).contains("handlers::");
        assert!(may_name, "{} names a handler", path.display());
    }
}

/// A reader who follows a document into the repository finds what it names: a file that moves takes
/// its name in the documents along.
#[test]
fn every_path_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "src/lib.rs"].map(|it| root.join(it));
    let folders = ["docs", "docs/decisions", "docs/proxies"].map(|folder| root.join(folder));
    let pages = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    // It is there once a property test has found something.
    let later = "tests/api/properties.proptest-regressions";
    let mut count = 0;
    for page in named.into_iter().chain(pages) {
        let text = std::fs::read_to_string(&page).unwrap();
        for path in text.split('`').filter(|word| is_path_of_ours(word)) {
            let is_there = root.join(path).exists() || path == later;
            assert!(is_there, "{}: {path}", page.display());
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

/// Whether a word is a path from the root of this repository.
fn is_path_of_ours(word: &str) -> bool {
    const FOLDERS: [&str; 11] = [
        "benches",
        "crates",
        "docs",
        "examples",
        "fuzz",
        "helm",
        "integrations",
        "packaging",
        "src",
        "tests",
        "tools",
    ];
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let folder = word.split_once('/').map(|(folder, _)| folder);
    folder.is_some_and(|folder| FOLDERS.contains(&folder)) && word.chars().all(is_plain)
}
