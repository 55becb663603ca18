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
