//! How the chosen CRM is set up: its instructions, with this service's address in them, and what
//! this service still lacks for them. It knows no request.

use super::crms::{Crm, Gets};
use super::draft::takes;
use crate::access::{Authenticator, Mode};
use crate::http::pages::{GuideTexts, Language};
use crate::integrations::Integration;
use chathub::HttpsUrl;

/// What stands for this service's address in `crms.toml`.
const ADDRESS: &str = "https://chat.example";

/// What stands for the composed URL.
const COMPOSED: &str = "{url}";

/// The instructions for one CRM, in one language.
pub(super) struct Guide {
    pub(super) name: &'static str,
    /// What agents get.
    pub(super) gets: &'static str,
    /// What this service has to be given first.
    pub(super) lacks: Vec<&'static str>,
    pub(super) steps: Vec<String>,
    /// The package, if it can be made.
    pub(super) package: Option<&'static str>,
    /// What is pasted into the CRM.
    pub(super) paste: Option<String>,
    pub(super) settings: Option<String>,
    pub(super) map: Option<&'static str>,
    pub(super) sure: &'static str,
    pub(super) why: Option<&'static str>,
    /// What there is instead.
    pub(super) way: Option<&'static str>,
    /// What the code is for.
    pub(super) programmer: &'static str,
    pub(super) snippet: Option<String>,
}

/// Where this service is, as its instructions say.
pub(super) struct Place<'a> {
    /// By the configuration.
    pub(super) public_url: Option<&'a HttpsUrl>,
    /// The same, or for want of it the address that this page was asked for, without a slash.
    pub(super) shown: &'a str,
}

impl Place<'_> {
    /// The text with this address in it. The URL of a quote means the same, and ends no string.
    fn fill(&self, text: &str) -> String {
        text.replace(ADDRESS, &self.shown.replace('\'', "%27"))
    }

    /// For packages, which take no other address.
    fn url(&self) -> Option<HttpsUrl> {
        let public = self.public_url.cloned();
        public.or_else(|| HttpsUrl::parse(self.shown).ok())
    }
}

impl Guide {
    /// `composed` is the URL that the builder has made.
    pub(super) fn of(
        crm: &'static Crm,
        language: Language,
        place: &Place<'_>,
        access: &Authenticator,
        composed: &str,
    ) -> Self {
        let texts = language.guide();
        let said = crm.instructions(language);
        let file = |path| crm.crm_package()?.text(path, &place.url()?);
        let snippet = |code: &str| place.fill(code.trim()).replace(COMPOSED, composed);
        let integration = crm.integration().filter(|_| place.public_url.is_some());
        Self {
            name: said.name.unwrap_or(crm.name),
            gets: gets(crm.gets, texts),
            lacks: lacks(crm.gets, place, access, texts),
            steps: said.steps(language).map(|step| place.fill(step)).collect(),
            package: integration.map(Integration::name),
            paste: crm.paste.and_then(file),
            settings: settings(crm, place),
            map: crm.map,
            sure: said.sure,
            why: said.why,
            way: said.way,
            programmer: said.programmer,
            snippet: (crm.snippet.map(snippet)).or_else(|| crm.snippet_file.and_then(file)),
        }
    }
}

fn settings(crm: &Crm, place: &Place<'_>) -> Option<String> {
    let Some(package) = crm.crm_package() else {
        return crm.own_settings().map(ToOwned::to_owned);
    };
    package.settings(&place.url()?).ok()
}

const fn gets(gets: Gets, texts: &GuideTexts) -> &'static str {
    match gets {
        Gets::Button => texts.button,
        Gets::Url => texts.url,
        Gets::Browser => texts.browser,
    }
}

fn lacks(
    gets: Gets,
    place: &Place<'_>,
    access: &Authenticator,
    texts: &GuideTexts,
) -> Vec<&'static str> {
    let without_pass = [Mode::Open, Mode::Sso, Mode::Device];
    let is_taken = match gets {
        Gets::Button => takes(access, Mode::Pass),
        Gets::Url | Gets::Browser => without_pass.into_iter().any(|mode| takes(access, mode)),
    };
    let lacks_mode = match gets {
        Gets::Button => texts.lacks_pass,
        Gets::Url | Gets::Browser => texts.lacks_device,
    };
    let lacks_address = place.public_url.is_none().then_some(texts.lacks_address);
    let lacks_mode = (!is_taken).then_some(lacks_mode);
    lacks_address.into_iter().chain(lacks_mode).collect()
}
