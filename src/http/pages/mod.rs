//! What an HTML page is made of: the common layout, the texts in each language, and names within
//! sentences. It knows no route.

pub(super) mod i18n;
pub(super) mod layout;
