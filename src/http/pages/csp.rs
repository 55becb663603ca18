//! The content security policy of pages.

use super::inlined::{PageScript, SCRIPT_SOURCES, STYLE_SOURCES};

/// What a page's content security policy allows beside its style. No page may frame any of them
/// but the last three, which prevents clickjacking.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CspProfile<'a> {
    /// Nothing.
    Static,
    /// It runs this script, and its form asks for the same page again.
    Script(PageScript),
    /// Its forms post to this origin alone, once.
    OwnForm,
    /// Its form posts to the page's own address, once, which redirects to this origin.
    FormRedirectsTo(&'a str),
    /// It stands in a frame of a CRM.
    InCrm(InCrm<'a>),
    /// Nothing but to be framed, because it comes in the place of what a CRM frames: it must have
    /// no button that does something.
    Framed,
    /// The same with this script, which tells the CRM that the page is there.
    FramedWith(PageScript),
}

/// What a page in a frame of a CRM may do: post to one address and ask another of this service,
/// whatever else runs in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InCrm<'a> {
    /// The origin whose pages alone may frame it.
    pub(crate) frame_ancestor: &'a str,
    pub(crate) script: PageScript,
    /// The address of the CRM's own script, which runs beside it.
    pub(crate) crm_script: Option<&'a str>,
    /// Where its buttons post to.
    pub(crate) posts_to: &'a str,
    /// The origin that this redirects to.
    pub(crate) redirects_to: &'a str,
    /// What its script asks.
    pub(crate) asks: &'a str,
}

/// Nothing is loaded from anywhere: style and script are inlined and allowed by their hash,
/// pictures are `data:`.
pub(super) fn policy(profile: CspProfile<'_>) -> String {
    let style = &*STYLE_SOURCES;
    let rest = match profile {
        CspProfile::Static | CspProfile::Framed => "form-action 'none'".to_owned(),
        CspProfile::FramedWith(script) => format!(
            "form-action 'none'; script-src {}",
            SCRIPT_SOURCES[script as usize]
        ),
        CspProfile::Script(script) => format!(
            "form-action 'self'; script-src {}; connect-src 'self'",
            SCRIPT_SOURCES[script as usize]
        ),
        CspProfile::OwnForm => sent_once("'self'"),
        CspProfile::InCrm(page) => in_crm(page),
        // Chromium applies the policy to a form's redirects too.
        CspProfile::FormRedirectsTo(origin) => sent_once(&format!("'self' {origin}")),
    };
    let frames = match profile {
        CspProfile::Framed | CspProfile::FramedWith(_) => String::new(),
        CspProfile::InCrm(page) => format!("; frame-ancestors {}", page.frame_ancestor),
        _ => "; frame-ancestors 'none'".to_owned(),
    };
    format!("default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; {rest}{frames}")
}

/// For a page whose form is sent once.
fn sent_once(form_targets: &str) -> String {
    let script = &SCRIPT_SOURCES[PageScript::Once as usize];
    format!("form-action {form_targets}; script-src {script}")
}

/// Chromium compares paths before redirects, and origins alone after them.
fn in_crm(page: InCrm<'_>) -> String {
    let own = &SCRIPT_SOURCES[page.script as usize];
    let crm_script = page.crm_script.map(|script| format!(" {script}"));
    format!(
        "form-action {} {}; script-src {own}{}; connect-src {}",
        page.posts_to,
        page.redirects_to,
        crm_script.unwrap_or_default(),
        page.asks
    )
}
