//! `docs/crm.md` says of each CRM what the link builder says: both have it from `crms.toml`.
//!
//! `WRITE_GUIDE=on cargo test --test api crm_guide` writes those parts of the page anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chathub::HttpsUrl;
use open_chat::connectors::Connector;
use toml::{Table, Value};

/// The lint's limit, in columns.
const WIDTH: usize = 100;

/// The part that is written begins with this heading, and ends before the other.
const BEGINS: &str = "## What each CRM gets\n";
const ENDS: &str = "## Without a back end\n";

/// The facts, as they are.
pub struct Facts(Table);

impl Facts {
    pub fn read() -> Self {
        let path = "src/http/handlers/builder/crms.toml";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        Self(std::fs::read_to_string(path).unwrap().parse().unwrap())
    }

    pub fn crms(&self) -> impl Iterator<Item = Crm<'_>> {
        let steps = &self.0["steps"]["en"];
        let crms = self.0["crm"].as_array().unwrap();
        crms.iter().map(move |facts| Crm { facts, steps })
    }
}

pub struct Crm<'a> {
    facts: &'a Value,
    steps: &'a Value,
}

impl<'a> Crm<'a> {
    pub fn fact(&self, name: &str) -> Option<&'a str> {
        self.facts.get(name)?.as_str()
    }

    fn said(&self, name: &str) -> Option<&'a str> {
        self.facts["en"].get(name)?.as_str()
    }

    /// Those that no other CRM has.
    fn own_steps(&self) -> impl Iterator<Item = &'a str> {
        let steps = self.facts["en"]["steps"].as_array().unwrap();
        let steps = steps.iter().map(|step| step.as_str().unwrap());
        steps.filter(|step| !step.starts_with('{'))
    }

    pub fn steps(&self) -> impl Iterator<Item = &'a str> {
        let steps = self.facts["en"]["steps"].as_array().unwrap();
        steps.iter().map(|step| {
            let step = step.as_str().unwrap();
            let name = step
                .strip_prefix('{')
                .map(|step| step.trim_end_matches('}'));
            name.map_or(step, |name| self.steps[name].as_str().unwrap())
        })
    }

    fn package(&self) -> Option<Connector> {
        self.fact("package")
            .map(|name| Connector::find(name).unwrap())
    }

    fn settings(&self) -> Option<String> {
        let Some(connector) = self.package() else {
            return self.fact("settings").map(ToOwned::to_owned);
        };
        let public_url = HttpsUrl::parse("https://chat.example").unwrap();
        let package = connector.crm_package().unwrap();
        Some(package.settings(&public_url).unwrap())
    }

    /// The composed URL where a browser is paired.
    fn url(&self) -> String {
        let known = self.facts.get("phone");
        let known = known.map(|phone| phone.get("likely").unwrap_or(phone).as_str().unwrap());
        let written = match self.fact("code") {
            Some("javascript") => "${encodeURIComponent(phone)}",
            _ => "{phone}",
        };
        let phone = known.unwrap_or(written);
        format!("https://chat.example/open-chat?phone={phone}")
    }
}

/// Wraps a paragraph; the lines after the first are indented so far.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(" ".repeat(indent) + word);
        } else {
            let blank = if line.is_empty() { "" } else { " " };
            line.push_str(blank);
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

fn fenced(syntax: &str, code: &str) -> String {
    format!("\n```{syntax}\n{}\n```\n", code.trim())
}

fn row(crm: &Crm<'_>) -> String {
    let name = crm.fact("name").unwrap();
    let anchor: String = name.to_lowercase().replace(' ', "-").replace('/', "");
    let gets = match crm.fact("gets").unwrap() {
        "button" => "a button; the CRM vouches for the agent",
        "url" => "a link that is pasted, for paired browsers",
        "browser" => {
            "no button: [phone links or the extension](#without-a-back-end), in paired browsers"
        }
        other => panic!("{other}"),
    };
    let tried = crm.fact("tried").unwrap();
    let (links, likely) = match crm.facts.get("links") {
        None => ("unknown", ""),
        Some(Value::String(found)) => (found.as_str(), ""),
        Some(links) => (links["likely"].as_str().unwrap(), " (likely)"),
    };
    let links = links.trim_end_matches('.');
    format!("| [{name}](#{anchor}) | {gets} | {tried} | {links}{likely} |\n")
}

fn section(crm: &Crm<'_>) -> String {
    let mut text = format!("\n### {}\n\n", crm.fact("name").unwrap());
    if let Some(name) = crm.package().map(Connector::name) {
        let package = format!(
            "The package: from `/builder`, or `open-chat connector {name} --out {name}.zip`."
        );
        text += &(wrapped(&package, 0) + "\n");
    }
    let all: Vec<_> = crm.steps().collect();
    // What several have in common is said once.
    let own: Vec<_> = crm.own_steps().collect();
    if let Some(why) = crm.said("why") {
        text += &(wrapped(why, 0) + "\n");
    }
    if own.len() < 2 {
        let common = "[Pair the browsers, and install the extension](#without-a-back-end).";
        let steps = [common].into_iter().chain(own).collect::<Vec<_>>();
        text += &wrapped(&steps.join(" "), 0);
    } else {
        for (number, step) in (1..).zip(all) {
            text += &wrapped(&format!("{number}. {step}"), 3);
        }
    }
    if crm.fact("code").is_none() {
        text += &fenced("", &crm.url());
    }
    let settings = crm.settings().into_iter();
    for block in settings.chain(crm.fact("map").map(ToOwned::to_owned)) {
        text += &fenced("toml", &block);
    }
    let labelled = [
        ("How sure", crm.said("sure")),
        ("Or instead", crm.said("way")),
        ("For your programmer", crm.said("programmer")),
    ];
    for (label, said) in labelled {
        if let Some(said) = said {
            let said = format!("**{label}**: {said}");
            text += &("\n".to_owned() + &wrapped(&said, 0));
        }
    }
    // A shell's line is the same for all.
    let is_shown = crm.fact("syntax") != Some("sh") || crm.fact("id") == Some("other");
    if let Some(code) = crm.fact("snippet").filter(|_| is_shown) {
        text += &fenced(
            crm.fact("syntax").unwrap(),
            &code.replace("{url}", &crm.url()),
        );
    }
    text
}

fn expected(facts: &Facts) -> String {
    let mut text = format!(
        "{BEGINS}\n| CRM | agents get | tried | a phone in its pages |\n|---|---|---|---|\n"
    );
    for crm in facts.crms() {
        text += &row(&crm);
    }
    text += "\n## By CRM\n\n";
    text += &wrapped(
        "`/builder` shows the same with your address in it, in English and in Ukrainian. Menus are named as the vendors' pages \
         have them, and change.",
        0,
    );
    for crm in facts.crms() {
        text += &section(&crm);
    }
    writeln!(text).unwrap();
    text
}

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/crm.md")
}

#[test]
fn the_guide_says_what_the_builder_says() {
    let expected = expected(&Facts::read());
    let guide = std::fs::read_to_string(self::guide()).unwrap();
    let (head, rest) = guide.split_once(BEGINS).unwrap();
    let (written, tail) = rest.split_once(ENDS).unwrap();
    if std::env::var_os("WRITE_GUIDE").is_some() {
        std::fs::write(self::guide(), format!("{head}{expected}{ENDS}{tail}")).unwrap();
    } else {
        assert_eq!(format!("{BEGINS}{written}"), expected);
    }
}
