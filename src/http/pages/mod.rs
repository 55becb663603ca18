//! What an HTML page is made of: the common layout, and the texts in each language.
//!
//! Knows no route.

mod csp;
mod i18n;
mod inlined;
mod layout;

pub(crate) use self::csp::{CspProfile, InCrm};
pub(crate) use self::i18n::{
    Advice, BuilderTexts, CrmPageWords, DemoTexts, ExtensionTexts, GuideTexts, HandlerTexts,
    Language, OpenapiTexts, PairingWords, Words, fill,
};
pub(crate) use self::inlined::{PageScript, PageStyle};
pub(crate) use self::layout::{PageLayout, html};
