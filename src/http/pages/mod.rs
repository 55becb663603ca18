//! What an HTML page is made of: the common layout, and the texts in each language.
//!
//! Knows no route.

mod i18n;
pub(super) mod layout;

pub(crate) use self::i18n::{
    Advice, ExtensionTexts, GuideTexts, HandlerTexts, Language, PairingWords, PanelWords, Words,
};
pub(crate) use self::layout::{CspProfile, InCrm, PageLayout, PageScript, html};
