//! How a click becomes a deep link.

use chathub::HttpsUrl;

use super::environment::Environment;
use super::reader::{Kept, Reader};
use crate::deep_link::PanelUrl;
use crate::phone::Region;
use crate::source::Senders;

/// How a click becomes a deep link.
#[derive(Debug)]
pub struct LinkConfig {
    /// Where the chat panel is.
    pub panel: PanelUrl,
    /// Whose numbers come without a country code.
    pub default_region: Region,
    /// The company's alpha name on each channel.
    pub senders: Senders,
    /// What a source is worth without a sender.
    pub source_without_sender: SourceWithoutSender,
    /// What an agent gets when ChatHub has no token.
    pub fallback: Fallback,
    /// Who is asked before a chat opens.
    pub confirm: Confirm,
}

/// What becomes of a click that names a source whose sender nobody knows.
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

/// Who gets a page with a button before the chat opens. Known crawlers get no button whatever is
/// set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Nobody.
    Never,
    /// Who may be a program that follows links.
    Crawlers,
    /// Everybody: for links that are mailed or posted, which scanners follow first.
    Always,
}

impl LinkConfig {
    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Kept> {
        let panel = reader.read(
            "CHAT_PANEL_URL",
            env.chat_panel_url.as_ref(),
            HttpsUrl::parse,
        );
        let default_region = default_region(reader, env);
        let senders = reader.read_optional("SENDERS", env.senders.as_ref(), Senders::parse);
        let source_without_sender = reader.read(
            "SOURCE_WITHOUT_SENDER",
            env.source_without_sender.as_ref(),
            |text| match text {
                "phone" => Ok(SourceWithoutSender::Phone),
                "reject" => Ok(SourceWithoutSender::Reject),
                _ => Err("neither `phone` nor `reject`"),
            },
        );
        let fallback = reader.read("FALLBACK", env.fallback.as_ref(), |text| match text {
            "page" => Ok(Fallback::Page),
            "login" => Ok(Fallback::Login),
            _ => Err("neither `page` nor `login`"),
        });
        let confirm = reader.read("CONFIRM", env.confirm.as_ref(), |text| match text {
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
            fallback: fallback?,
            confirm: confirm?,
        })
    }
}

pub(super) fn default_region(reader: &mut Reader, env: &Environment) -> Result<Region, Kept> {
    reader.read("DEFAULT_REGION", env.default_region.as_ref(), Region::parse)
}
