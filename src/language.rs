//! The languages that pages speak.

named_enum! {
    /// A language that pages speak. The name is its tag (BCP 47).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Language {
        /// English.
        #[default]
        English = "en",
        /// Ukrainian.
        Ukrainian = "uk",
    }
}

impl Language {
    /// The language of this tag, in any case.
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.name().eq_ignore_ascii_case(tag))
    }

    /// What it calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Ukrainian => "Українська",
        }
    }
}
