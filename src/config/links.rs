//! Deep links: the panel, the default region, the senders, and what an agent sees before or instead
//! of a chat.

use super::{EnvParser, Reported, Variable, on_or_off};
use crate::deep_link::PanelUrl;
use crate::phone::Region;
use crate::source::Senders;
use chathub::HttpsUrl;

pub(super) const VARIABLES: &[Variable] = &[
    Variable::with_default("CHAT_PANEL_URL", "https://chat.smsbat.com/"),
    // SMSBAT's home market.
    Variable::with_default("DEFAULT_REGION", "UA"),
    Variable::without_default("SENDERS"),
    // The right client's chat in another channel helps the agent more than a refusal.
    Variable::with_default("SOURCE_WITHOUT_SENDER", "phone"),
    // A click on "Viber" beside the phone means that channel.
    Variable::with_default("SOURCE_FROM_LINK", "on"),
    // A page says what is wrong; a login form would hide it.
    Variable::with_default("FALLBACK", "page"),
    // People press a CRM's button, and should not have to press another; a program that says what
    // it is must not open a chat.
    Variable::with_default("CONFIRM", "crawlers"),
];

/// How a click becomes a deep link.
#[derive(Debug)]
pub struct LinkConfig {
    /// The address of the chat panel.
    pub panel: PanelUrl,
    /// The region of numbers without a country code.
    pub default_region: Region,
    /// The company's alpha name on each channel.
    pub senders: Senders,
    /// What happens to a source without a sender.
    pub source_without_sender: SourceWithoutSender,
    /// Whether a messenger's link gives the source where none is given.
    pub source_from_link: bool,
    /// What an agent gets when ChatHub has no token.
    pub fallback: Fallback,
    /// Which visitors confirm before a chat opens.
    pub confirm: Confirm,
}

/// What happens to a click that names a source for which no sender is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceWithoutSender {
    /// The chat opens by phone alone.
    Phone,
    /// The click is refused.
    Reject,
}

/// What an agent gets when ChatHub has no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// A page that says so, and offers to log in by hand.
    Page,
    /// The chat panel's own login page, at once.
    Login,
}

/// Which visitors get a page with a button before the chat opens. Known crawlers get no button in
/// any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// No visitor.
    Never,
    /// Visitors that may be a program that follows links.
    Crawlers,
    /// All visitors: for links that are mailed or posted, which scanners follow first.
    Always,
}

impl LinkConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let panel = parser.required("CHAT_PANEL_URL", HttpsUrl::parse);
        let default_region = default_region(parser);
        let senders = parser.optional("SENDERS", Senders::parse);
        let source_without_sender = parser.required("SOURCE_WITHOUT_SENDER", |text| match text {
            "phone" => Ok(SourceWithoutSender::Phone),
            "reject" => Ok(SourceWithoutSender::Reject),
            _ => Err("neither `phone` nor `reject`"),
        });
        let source_from_link = parser.required("SOURCE_FROM_LINK", on_or_off);
        let fallback = parser.required("FALLBACK", |text| match text {
            "page" => Ok(Fallback::Page),
            "login" => Ok(Fallback::Login),
            _ => Err("neither `page` nor `login`"),
        });
        let confirm = parser.required("CONFIRM", |text| match text {
            "never" => Ok(Confirm::Never),
            "crawlers" => Ok(Confirm::Crawlers),
            "always" => Ok(Confirm::Always),
            _ => Err("not one of `never`, `crawlers`, `always`"),
        });
        Ok(Self {
            panel: PanelUrl::new(&panel?),
            default_region: default_region?,
            senders: senders?.unwrap_or_default(),
            source_without_sender: source_without_sender?,
            source_from_link: source_from_link?,
            fallback: fallback?,
            confirm: confirm?,
        })
    }
}

pub(super) fn default_region(parser: &mut EnvParser) -> Result<Region, Reported> {
    parser.required("DEFAULT_REGION", Region::parse)
}
