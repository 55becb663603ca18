//! The eight channels of a chat, by number or name, and the sender of each.
//!
//! The numbers are ChatHub's own (its deep links' `source=`).

use std::fmt;

use thiserror::Error;

named_enum! {
    /// A channel of ChatHub, in the order of the numbers that deep links carry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[repr(u8)]
    pub enum ChatSource {
        /// 0
        Viber = "viber",
        /// 1
        ViberBot = "viberbot",
        /// 2
        TelegramBot = "telegrambot",
        /// 3
        Whatsapp = "whatsapp",
        /// 4
        Widget = "widget",
        /// 5
        Rozetka = "rozetka",
        /// 6
        Facebook = "facebook",
        /// 7
        Instagram = "instagram",
    }
}

/// The text names no channel. `Display` is a sentence for the person who has set up the link.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "The source is not one of 0 to 7, viber, viberbot, telegrambot, whatsapp, widget, rozetka, facebook, instagram."
)]
pub struct UnknownSource;

impl ChatSource {
    /// Parses a number, `0` to `7`, or a name in any case.
    pub fn parse(text: &str) -> Result<Self, UnknownSource> {
        let text = text.trim();
        if let [digit @ b'0'..=b'7'] = text.as_bytes() {
            return Ok(Self::ALL[usize::from(digit - b'0')]);
        }
        Self::ALL
            .into_iter()
            .find(|source| source.name().eq_ignore_ascii_case(text))
            .ok_or(UnknownSource)
    }

    /// The number in a deep link.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for ChatSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The sender (alpha name, ChatHub's `bm_id`) that a company uses on each channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senders([Option<String>; 8]);

/// Why a list of senders is refused. `Display` names the entry.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SendersError {
    /// An entry has no `=`, or nothing on one side of it.
    #[error("`{0}` is not of the form source=sender")]
    NotAPair(String),
    /// An entry's left side is no channel.
    #[error("`{0}` is not a source: 0 to 7, or a name such as viber")]
    UnknownSource(String),
    /// A channel has two senders.
    #[error("`{0}` has two senders")]
    Repeated(ChatSource),
}

impl Senders {
    /// Parses `viber=Acme,whatsapp=380671112233`; white space around entries is ignored.
    pub fn parse(text: &str) -> Result<Self, SendersError> {
        let mut senders = Self::default();
        for entry in text.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let (source, sender) = entry
                .split_once('=')
                .map(|(source, sender)| (source.trim(), sender.trim()))
                .filter(|(source, sender)| !source.is_empty() && !sender.is_empty())
                .ok_or_else(|| SendersError::NotAPair(entry.to_owned()))?;
            let source = ChatSource::parse(source)
                .map_err(|_| SendersError::UnknownSource(source.to_owned()))?;
            let slot = &mut senders.0[usize::from(source.number())];
            if slot.is_some() {
                return Err(SendersError::Repeated(source));
            }
            *slot = Some(sender.to_owned());
        }
        Ok(senders)
    }

    /// The sender of a channel, where the company has set one.
    pub fn of(&self, source: ChatSource) -> Option<&str> {
        self.0[usize::from(source.number())].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_chathubs() {
        let documented = [
            ("0", "viber"),
            ("1", "ViberBot"),
            ("2", "TELEGRAMBOT"),
            ("3", "Whatsapp"),
            ("4", "widget"),
            ("5", "rozetka"),
            ("6", "FaceBook"),
            ("7", " instagram "),
        ];
        for ((number, name), source) in documented.into_iter().zip(ChatSource::ALL) {
            assert_eq!(ChatSource::parse(number), Ok(source));
            assert_eq!(ChatSource::parse(name), Ok(source));
            assert_eq!(source.number().to_string(), number);
        }
    }

    #[test]
    fn nothing_else_is_a_source() {
        for text in [
            "",
            "8",
            "-1",
            "00",
            "0x1",
            "viber bot",
            "vibe",
            "viber,widget",
            "٣",
        ] {
            assert_eq!(ChatSource::parse(text), Err(UnknownSource), "{text:?}");
        }
    }

    #[test]
    fn senders_are_looked_up_by_channel() {
        let senders = Senders::parse(" viber = Acme , 3=380671112233,").unwrap();
        assert_eq!(senders.of(ChatSource::Viber), Some("Acme"));
        assert_eq!(senders.of(ChatSource::Whatsapp), Some("380671112233"));
        assert_eq!(senders.of(ChatSource::Widget), None);
    }

    #[test]
    fn a_bad_sender_is_named() {
        assert_eq!(
            Senders::parse("viber"),
            Err(SendersError::NotAPair("viber".into()))
        );
        assert_eq!(
            Senders::parse("viber="),
            Err(SendersError::NotAPair("viber=".into()))
        );
        assert_eq!(
            Senders::parse("vibr=Acme"),
            Err(SendersError::UnknownSource("vibr".into()))
        );
        assert_eq!(
            Senders::parse("viber=Acme,0=Other"),
            Err(SendersError::Repeated(ChatSource::Viber))
        );
    }
}
