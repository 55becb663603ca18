//! What an HTML page is made of: the common layout, and the texts in each language.
//!
//! Knows no route.

mod i18n;
pub(super) mod layout;

pub(crate) use self::i18n::{
    Advice, BuilderTexts, DemoTexts, ExtensionTexts, GuideTexts, HandlerTexts, Language,
    OpenapiTexts, PairingWords, PanelWords, Words, fill,
};
pub(crate) use self::layout::{CspProfile, InCrm, PageLayout, PageScript, PageStyle, html};
