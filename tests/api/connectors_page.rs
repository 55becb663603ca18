//! What docs/connectors.md shows: each section is read, and what is said of them is said by the
//! program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crm_simulator::kommo;
use open_chat::connect::Connectors;
use serde_json::{Value, json};

use crate::administration::Shell;
use crate::harness::{Service, log_line, rules};

/// Where the page's files are.
const FOLDERS: [&str; 2] = ["/etc/open-chat-connectors", "/etc/open-chat"];

const KOMMO: &str = "canary-kommo-secret-of-32-bytes-or-more";

fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join("docs/connectors.md")).unwrap()
}

/// The code blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let page = page();
    let mark = format!("```{language}\n");
    let blocks = page.split(&mark).skip(1);
    blocks
        .map(|block| block.split_once("```").expect("an end").0.to_owned())
        .collect()
}

/// The sections, without the operator map.
fn sections() -> Vec<String> {
    let mut blocks = blocks("toml");
    blocks.retain(|block| block.starts_with('['));
    blocks
}

/// The first of a CRM.
fn section_of(name: &str) -> String {
    let mark = format!("[{name}]\n");
    let mut sections = sections().into_iter();
    sections.find(|section| section.starts_with(&mark)).unwrap()
}

fn operator_map() -> String {
    let mut blocks = blocks("toml");
    blocks.retain(|block| !block.starts_with('['));
    blocks.concat()
}

/// A folder of a test's own in the place of the page's, with every file that its sections name.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("connectors-page-{test}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        let folder = Self(path);
        for section in sections() {
            for path in section.split('"').filter(|part| part.starts_with('/')) {
                let (_, name) = path.rsplit_once('/').unwrap();
                let is_key = Path::new(name).extension().is_some_and(|end| end == "pem");
                let key = include_str!("../../fuzz/fuzz_targets/rs256.pem");
                folder.write(name, if is_key { key } else { KOMMO });
            }
        }
        folder
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, self.here(text)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A text with this folder in the place of the page's.
    fn here(&self, text: &str) -> String {
        let folder = self.0.to_str().unwrap();
        let text = text.to_owned();
        FOLDERS.iter().fold(text, |text, theirs| {
            text.replace(&format!("{theirs}/"), &format!("{folder}/"))
        })
    }

    /// The page's variables, with files of the names that they name.
    fn variables(&self, section: &str) -> Vec<(String, String)> {
        self.write("pass-secret", "canary-pass-secret-of-more-than-32-bytes");
        self.write("operator-map.toml", &operator_map());
        self.write("connectors.toml", section);
        let lines = self.here(&blocks("sh")[0]);
        let pairs = lines.lines().map(|line| line.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// The words of `serve` or `check` about these connectors.
fn check(shell: &Shell, variables: &[(String, String)]) -> String {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    shell.run_with(&["check"], &variables, "").stdout
}

#[test]
fn every_section_of_the_page_is_read() {
    let folder = Folder::new("sections");
    let mut vendors = BTreeSet::new();
    for section in sections() {
        let path = folder.write("connectors.toml", &section);
        let connectors = Connectors::load(path.into(), Vec::new()).unwrap().get();
        let read = connectors.sections();
        let read: Vec<_> = read.map(|section| section.connector.name()).collect();
        let count = section.lines().filter(|line| line.starts_with('[')).count();
        assert_eq!(read.len(), count, "{section}");
        vendors.extend(read);
    }
    let all = ["bitrix24", "hubspot", "kommo", "pipedrive", "zendesk"];
    assert_eq!(vendors, BTreeSet::from(all));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_the_page_shows() {
    let shell = Shell::start();
    let folder = Folder::new("check");
    let variables = folder.variables(&section_of("kommo"));
    let said = check(&shell, &variables);
    let [shown] = &blocks("console")[..] else {
        panic!("one command");
    };
    let shown = shown.strip_prefix("$ open-chat check\n").unwrap();
    assert!(said.contains(shown), "{said}");
    // Without any of these there are no links for CRMs.
    for (missing, named) in [
        ("PUBLIC_URL", "PUBLIC_URL must be set with CONNECTORS_FILE"),
        ("PASS_SECRET_FILE", "ACCESS"),
    ] {
        let mut variables = variables.clone();
        variables.retain(|(name, _)| name != missing);
        let said = check(&shell, &variables);
        assert!(
            said.replace("PUBLIC_URL: ", "PUBLIC_URL ").contains(named),
            "{said}"
        );
        assert!(!said.contains(shown), "{said}");
    }
    // What it warns of.
    for words in [
        "OPERATOR_MAP_FILE has none of its agents",
        "REDIS_URL is not set",
    ] {
        assert!(page().replace('\n', " ").contains(words), "{words}");
    }
    let said = check(&shell, &folder.variables(&section_of("hubspot")));
    assert!(
        said.contains("hubspot 12345: OPERATOR_MAP_FILE has none of its agents"),
        "{said}"
    );
    assert!(
        said.contains("warning  connectors     REDIS_URL is not set"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_page_s_words() {
    let shell = Shell::start();
    let folder = Folder::new("wrong");
    let two = "[[kommo]]\naccounts = [\"a.example\"]\nsecret = \"canary-0123456789\"\n\
               [[kommo]]\naccounts = [\"b.example\"]\nsecret = \"canary-0123456789\"\n";
    let cases = [
        ("has no connector", "# [kommo]\n"),
        (
            "must have one entry",
            "[kommo]\naccounts = [\"a.example\", \"b.example\"]\nsecret = \"canary-0123456789\"\n",
        ),
        (
            "must have at least 16 bytes",
            "[kommo]\naccounts = [\"a.example\"]\nsecret = \"canary\"\n",
        ),
        ("two sections have the prefix", two),
        (
            "must be a host",
            "[kommo]\naccounts = [\"http://a.example\"]\nsecret = \"canary-0123456789\"\n",
        ),
    ];
    let page = page();
    let (_, table) = page.split_once("| words | to do |\n|---|---|\n").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let documented = table.lines().map(|row| row.split('`').nth(1).unwrap());
    assert_eq!(
        documented.collect::<Vec<_>>(),
        cases.map(|(words, _)| words)
    );
    for (words, text) in cases {
        let said = check(&shell, &folder.variables(text));
        let line = said.lines().find(|line| line.contains("CONNECTORS_FILE"));
        assert!(line.is_some_and(|line| line.contains(words)), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
}

/// The example of an audit line has the fields of one, and their values.
#[tokio::test]
async fn an_audit_line_is_as_the_page_has_it() {
    let [shown] = &blocks("json")[..] else {
        panic!("one line");
    };
    let mut shown: Value = serde_json::from_str(shown).unwrap();
    let folder = Folder::new("line");
    let variables = folder.variables(&section_of("kommo"));
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let service = Service::start_with(rules(), &variables).await;
    let claims = kommo::claims("https://acme.kommo.com", "https://chat.example", 5, "1");
    let asked = service
        .request("/connect/kommo?phone=0501234567&source=viber")
        .header("Origin", "https://acme.kommo.com")
        .header("X-Auth-Token", kommo::token(&claims, KOMMO))
        .header("X-Request-Id", "connectors-page-1");
    assert_eq!(asked.send().await.unwrap().status(), 200);
    let line = log_line("connectors-page-1").await;
    shown["client"] = json!("127.0.0.1");
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(&line[name], value, "{name}");
    }
    let mut more: BTreeSet<_> = line.as_object().unwrap().keys().cloned().collect();
    more.retain(|name| shown.get(name).is_none());
    let left_out = [
        "duration_us",
        "level",
        "request_id",
        "target",
        "timestamp",
        "trace_id",
    ];
    assert!(
        more.iter().all(|name| left_out.contains(&name.as_str())),
        "{more:?}"
    );
}
