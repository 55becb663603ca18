//! `docs/crm.md`, and its translation, say of each CRM what the link builder says: all have it from
//! `crms.toml`.
//!
//! `WRITE_GUIDE=on cargo test --test api crm_guide` writes those parts of the pages anew.

use std::fmt::Write as _;
use std::path::Path;

use chathub::HttpsUrl;
use open_chat::integrations::Integration;
use rstest::rstest;
use toml::{Table, Value};

/// The lint's limit, in columns.
const WIDTH: usize = 100;

/// A guide, and what it says around the facts.
struct Guide {
    path: &'static str,
    /// Its language in `crms.toml`.
    language: &'static str,
    /// The part that is written begins with this heading, and ends before the other.
    begins: &'static str,
    ends: &'static str,
    table: &'static str,
    button: &'static str,
    url: &'static str,
    browser: &'static str,
    unknown: &'static str,
    likely: &'static str,
    by_crm: &'static str,
    about: &'static str,
    package: &'static str,
    common: &'static str,
    sure: &'static str,
    way: &'static str,
    programmer: &'static str,
}

const ENGLISH: Guide = Guide {
    path: "docs/crm.md",
    language: "en",
    begins: "## What each CRM gets\n",
    ends: "## Without a back end\n",
    table: "| CRM | agents get | tried | a phone in its pages |",
    button: "a button; the CRM vouches for the agent",
    url: "a link that is pasted, for paired browsers",
    browser: "no button: [phone links or the extension](#without-a-back-end), in paired browsers",
    unknown: "unknown",
    likely: "likely",
    by_crm: "## By CRM",
    about: "`/builder` shows the same with your address in it, in English and in Ukrainian. Menus are named as the vendors' pages \
            have them, and change.",
    package: "The package: from `/builder`, or",
    common: "[Pair the browsers, and install the extension](#without-a-back-end).",
    sure: "How sure",
    way: "Or instead",
    programmer: "For your programmer",
};

const UKRAINIAN: Guide = Guide {
    path: "docs/uk/crm.md",
    language: "uk",
    begins: "## Що отримує кожна CRM\n",
    ends: "## Без бекенду\n",
    table: "| CRM | що отримують оператори | чи перевірено | телефон на її сторінках |",
    button: "кнопка; CRM сама підтверджує, хто натискає",
    url: "посилання, яке вставляють, для під’єднаних браузерів",
    browser: "без кнопки: [телефонні посилання або розширення](#без-бекенду) в під’єднаних браузерах",
    unknown: "невідомо",
    likely: "імовірно",
    by_crm: "## За CRM",
    about: "Сторінка `/builder` показує те саме з вашою адресою, українською та англійською. Пункти меню названо так, як на \
            сторінках постачальників; вони змінюються.",
    package: "Пакет: зі сторінки `/builder` або",
    common: "[Під’єднайте браузери й установіть розширення](#без-бекенду).",
    sure: "Що перевірено",
    way: "Або натомість",
    programmer: "Для вашого програміста",
};

/// The facts, as they are.
pub struct Facts(Table);

impl Facts {
    pub fn read() -> Self {
        let path = "src/http/handlers/builder/crms.toml";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        Self(std::fs::read_to_string(path).unwrap().parse().unwrap())
    }

    pub fn crms(&self) -> impl Iterator<Item = Crm<'_>> {
        self.crms_in("en")
    }

    fn crms_in<'a>(&'a self, language: &'a str) -> impl Iterator<Item = Crm<'a>> {
        let crms = self.0["crm"].as_array().unwrap();
        crms.iter().map(move |facts| Crm {
            facts,
            language,
            steps: &self.0["steps"][language],
            translations: &self.0["facts_uk"],
        })
    }
}

pub struct Crm<'a> {
    facts: &'a Value,
    language: &'a str,
    steps: &'a Value,
    translations: &'a Value,
}

impl<'a> Crm<'a> {
    pub fn fact(&self, name: &str) -> Option<&'a str> {
        self.facts.get(name)?.as_str()
    }

    fn said(&self, name: &str) -> Option<&'a str> {
        self.facts[self.language].get(name)?.as_str()
    }

    fn name(&self) -> &'a str {
        self.said("name").or_else(|| self.fact("name")).unwrap()
    }

    /// A fact in the guide's language.
    fn translated(&self, text: &'a str) -> &'a str {
        if self.language == "en" {
            return text;
        }
        self.translations[text].as_str().unwrap()
    }

    /// Those that no other CRM has.
    fn own_steps(&self) -> impl Iterator<Item = &'a str> {
        let steps = self.facts[self.language]["steps"].as_array().unwrap();
        let steps = steps.iter().map(|step| step.as_str().unwrap());
        steps.filter(|step| !step.starts_with('{'))
    }

    pub fn steps(&self) -> impl Iterator<Item = &'a str> {
        let steps = self.facts[self.language]["steps"].as_array().unwrap();
        steps.iter().map(|step| {
            let step = step.as_str().unwrap();
            let name = step
                .strip_prefix('{')
                .map(|step| step.trim_end_matches('}'));
            name.map_or(step, |name| self.steps[name].as_str().unwrap())
        })
    }

    fn package(&self) -> Option<Integration> {
        self.fact("package")
            .map(|name| Integration::find(name).unwrap())
    }

    fn settings(&self) -> Option<String> {
        let Some(integration) = self.package() else {
            return self.fact("settings").map(ToOwned::to_owned);
        };
        let public_url = HttpsUrl::parse("https://chat.example").unwrap();
        let package = integration.crm_package().unwrap();
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

fn row(crm: &Crm<'_>, guide: &Guide) -> String {
    let name = crm.name();
    let anchor: String = name.to_lowercase().replace(' ', "-").replace('/', "");
    let gets = match crm.fact("gets").unwrap() {
        "button" => guide.button,
        "url" => guide.url,
        "browser" => guide.browser,
        other => panic!("{other}"),
    };
    let tried = crm.translated(crm.fact("tried").unwrap());
    let links = match crm.facts.get("links") {
        None => guide.unknown.to_owned(),
        Some(Value::String(found)) => crm.translated(found).trim_end_matches('.').to_owned(),
        Some(links) => {
            let links = crm.translated(links["likely"].as_str().unwrap());
            format!("{} ({})", links.trim_end_matches('.'), guide.likely)
        }
    };
    format!("| [{name}](#{anchor}) | {gets} | {tried} | {links} |\n")
}

fn section(crm: &Crm<'_>, guide: &Guide) -> String {
    let mut text = format!("\n### {}\n\n", crm.name());
    if let Some(name) = crm.package().map(Integration::name) {
        let package = format!(
            "{} `open-chat connector {name} --out {name}.zip`.",
            guide.package
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
        let steps = [guide.common].into_iter().chain(own).collect::<Vec<_>>();
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
        (guide.sure, crm.said("sure")),
        (guide.way, crm.said("way")),
        (guide.programmer, crm.said("programmer")),
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

fn expected(facts: &Facts, guide: &Guide) -> String {
    let mut text = format!("{}\n{}\n|---|---|---|---|\n", guide.begins, guide.table);
    for crm in facts.crms_in(guide.language) {
        text += &row(&crm, guide);
    }
    write!(text, "\n{}\n\n{}", guide.by_crm, wrapped(guide.about, 0)).unwrap();
    for crm in facts.crms_in(guide.language) {
        text += &section(&crm, guide);
    }
    writeln!(text).unwrap();
    text
}

#[rstest]
#[case(ENGLISH)]
#[case(UKRAINIAN)]
fn a_guide_says_what_the_builder_says(#[case] guide: Guide) {
    let expected = expected(&Facts::read(), &guide);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(guide.path);
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(guide.begins).unwrap();
    let (written, tail) = rest.split_once(guide.ends).unwrap();
    if std::env::var_os("WRITE_GUIDE").is_some() {
        std::fs::write(path, format!("{head}{expected}{}{tail}", guide.ends)).unwrap();
    } else {
        assert_eq!(format!("{}{written}", guide.begins), expected);
    }
}
