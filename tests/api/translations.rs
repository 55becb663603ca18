//! Pages in Ukrainian: each says of which page it is the translation, and as that was when it was
//! translated.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

/// How much of the hash stands in a translation, in hexadecimal digits.
const HASH: usize = 16;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What is translated: the README, the guides, and what comes with packages.
fn translations() -> Vec<PathBuf> {
    let guides = files_in("docs/uk");
    let packages = files_in("integrations").into_iter();
    let packages = packages.map(|folder| folder.join("README.uk.md"));
    let mut all: Vec<_> = guides.into_iter().chain(packages).collect();
    // The extension's page is for those who work on it; its guide is in docs/.
    all.retain(|path| !path.starts_with(root().join("integrations/browser-extension")));
    all.push(root().join("README.uk.md"));
    all.sort();
    all
}

/// The page that this is the translation of, and the hash that it had.
fn original(translation: &str) -> Option<(&str, &str)> {
    let head = translation.strip_prefix("<!-- Translates ")?;
    let (head, _) = head.split_once(" -->\n")?;
    head.split_once(" sha256 ")
}

/// The lines between fences, without their comments, which are translated.
fn code(page: &str) -> Vec<String> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines);
    lines
        .map(|line| line.split("   #").next().unwrap_or_default().to_owned())
        .collect()
}

/// What a page tells its reader to type is the same in every language.
#[test]
fn a_translation_is_of_the_page_as_it_is_now() {
    let mut stale = Vec::new();
    for path in translations() {
        let translation = read(&path);
        let name = path.strip_prefix(root()).unwrap().display();
        let (original, hash) = original(&translation)
            .unwrap_or_else(|| panic!("{name}: `<!-- Translates PAGE sha256 HASH -->` is missing"));
        let page = read(&root().join(original));
        let now = hex::encode(digest(&SHA256, page.as_bytes()));
        if hash != &now[..HASH] {
            stale.push(format!(
                "{original} has changed: have {name} say the same, then write `sha256 {}` into its first line",
                &now[..HASH]
            ));
        }
        assert_eq!(code(&translation), code(&page), "{name}");
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

/// What agents look up on their printed page is what the service's pages say.
#[test]
fn the_agents_page_has_the_titles_of_refusals() {
    for (page, language) in [("docs/agents.md", "en"), ("docs/uk/agents.md", "uk")] {
        let texts = read(&root().join(format!("src/http/pages/i18n/{language}.toml")));
        let texts: toml::Table = texts.parse().unwrap();
        let kinds = texts["kinds"].as_table().unwrap();
        let titles: Vec<_> = kinds.values().map(|kind| kind["title"].as_str()).collect();
        let page = read(&root().join(page));
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
        // Neither the head nor the last row, which is for anything else.
        let said = rows[1..rows.len() - 1].iter().flat_map(|row| {
            let (said, _) = row[2..].split_once(" | ").unwrap();
            said.split(" · ")
        });
        let said: Vec<_> = said.collect();
        assert!(said.len() > 8, "{said:?}");
        for title in said {
            assert!(titles.contains(&Some(title)), "no page says {title}");
        }
        for button in [
            &texts["words"]["by_hand"],
            &texts["words"]["try_again"],
            &texts["pairing"]["pair"],
        ] {
            let button = format!("**{}**", button.as_str().unwrap());
            assert!(page.contains(&button), "{button}");
        }
    }
}

/// Four guides, the README, and a page for each package.
#[test]
fn all_translations_are_found() {
    let names = translations();
    for name in [
        "README.uk.md",
        "docs/uk/agents.md",
        "docs/uk/crm.md",
        "docs/uk/start.md",
        "integrations/kommo/README.uk.md",
    ] {
        assert!(names.contains(&root().join(name)), "{name}");
    }
}
