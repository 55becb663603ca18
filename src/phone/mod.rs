//! Parses text from a CRM into a phone number in E.164.
//!
//! Google's libphonenumber decides what is valid; no other module knows which port of it is used.

mod link;
mod masked;
mod region;
mod ukrainian;

use std::borrow::Cow;
use std::fmt;

use arrayvec::ArrayString;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use thiserror::Error;

use self::link::PhoneLink;
pub use self::link::{LinkKind, behind_scheme, is_link};
pub use self::masked::Masked;
pub use self::region::{Region, UnknownRegion};
use crate::invisible::{is_blank, is_dash, is_invisible};
use crate::source::ChatSource;

/// The longest text that is parsed, in visible characters. The longest of libphonenumber's own
/// examples, written with every usual separator, stays well below.
const MAX_CHARACTERS: usize = 64;

/// The longest number of E.164: `+` and 15 digits. For a few countries libphonenumber accepts more.
const MAX_E164: usize = 16;

/// From so many digits on it is two numbers: one has at most 15, and `00` in front.
const TWO_NUMBERS: usize = 18;

/// A valid phone number in E.164: `+` and digits. `Debug` shows it masked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PhoneNumber(ArrayString<MAX_E164>);

/// Why a text is no phone number. `Display` is a sentence for the person who has set up the link.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PhoneError {
    /// A percent sign is left after decoding.
    #[error(
        "The phone was percent-encoded twice: encode it once in a link (`+` is `%2B`, not `%252B`), and not at all in JSON or in a pass."
    )]
    EncodedTwice,
    /// It has a letter.
    #[error("The phone contains letters: send digits only, for example +380501234567.")]
    Letters,
    /// It is over 64 characters long, or is no number and has more digits than any: two numbers.
    #[error("The phone is too long: send one number, for example +380501234567.")]
    TooLong,
    /// More text follows the number: an extension, or a second number.
    #[error("The phone goes on after the number: send one number without an extension.")]
    Extension,
    /// libphonenumber does not know such a number.
    #[error(
        "The phone is not a valid number: send it with its country code, for example +380501234567. \
         Without one it is read as a number of region {0}."
    )]
    Invalid(Region),
    /// A link of a known kind has something else in it: a name, an invitation, nothing.
    #[error(
        "The phone is a link, `{0}`, without a phone number in it: a name, an invitation or a short link does not say which client it is. \
         Send the client's number, for example +380501234567."
    )]
    NotInLink(LinkKind),
    /// libphonenumber does not know the number in a link.
    #[error(
        "The phone is a link, `{0}`, and the number in it is not valid: send it with its country code, for example +380501234567. \
         Without one it is read as a number of region {1}."
    )]
    InvalidInLink(LinkKind, Region),
    /// It is a link of a kind that is not read.
    #[error(
        "The phone is a link of a kind that is not read here: send the client's number, or one of the links `tel:`, `callto:`, `sms:`, `sip:`, \
         `skype:`, `viber://chat`, `whatsapp://send`, `tg://resolve`, `https://wa.me/`, `https://api.whatsapp.com/send` and `https://t.me/+`."
    )]
    UnknownLink,
}

impl PhoneNumber {
    /// Parses a phone as CRMs store it: `+38 (050) 123-45-67`, `00380501234567`, `0501234567`,
    /// `380501234567`, or as they link it: `tel:+380501234567`, `https://wa.me/380501234567`. A
    /// number without a country code belongs to `default_region`. A leading space is a `+` that was
    /// not percent-encoded. Unicode spaces, dashes and invisible marks count as what they look
    /// like.
    pub fn parse(text: &str, default_region: Region) -> Result<Self, PhoneError> {
        Self::parse_with_source(text, default_region).map(|(phone, _)| phone)
    }

    /// Parses a phone, and says whose messenger's link it is.
    pub fn parse_with_source(
        text: &str,
        default_region: Region,
    ) -> Result<(Self, Option<ChatSource>), PhoneError> {
        let text = with_ascii_marks(text);
        if let Some(phone) = Self::parse_ukrainian(&text, default_region) {
            return Ok((phone?, None));
        }
        match PhoneLink::find(&text) {
            Some(link) => {
                let phone = Self::parse_link(&link, default_region)?;
                Ok((phone, link.kind.source()))
            }
            None => Ok((Self::parse_any(&text, default_region)?, None)),
        }
    }

    /// Parses the number of a link.
    fn parse_link(link: &PhoneLink<'_>, default_region: Region) -> Result<Self, PhoneError> {
        let number = link.number()?;
        let number = with_ascii_marks(&number);
        let phone = Self::parse_ukrainian(&number, default_region)
            .unwrap_or_else(|| Self::parse_any(&number, default_region));
        phone.map_err(|error| match error {
            PhoneError::Invalid(region) if number.contains(char::is_numeric) => {
                PhoneError::InvalidInLink(link.kind, region)
            }
            PhoneError::Invalid(_) | PhoneError::Letters | PhoneError::UnknownLink => {
                link.kind.without_number()
            }
            error => error,
        })
    }

    /// Parses a Ukrainian number in one of the usual forms.
    fn parse_ukrainian(text: &str, default_region: Region) -> Option<Result<Self, PhoneError>> {
        let national = ukrainian::national_digits(text, default_region)?;
        let e164 = ukrainian::e164(national).map(Self);
        Some(e164.ok_or(PhoneError::Invalid(default_region)))
    }

    /// Parses a number of any region by libphonenumber.
    fn parse_any(text: &str, default_region: Region) -> Result<Self, PhoneError> {
        if text.contains('%') {
            return Err(PhoneError::EncodedTwice);
        }
        if text.chars().any(char::is_alphabetic) {
            return Err(if text.contains("://") {
                PhoneError::UnknownLink
            } else {
                PhoneError::Letters
            });
        }
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(PhoneError::TooLong);
        }
        let invalid = || {
            let digits = text.chars().filter(|c| c.is_numeric()).count();
            if digits < TWO_NUMBERS {
                PhoneError::Invalid(default_region)
            } else {
                PhoneError::TooLong
            }
        };
        let number = match text.strip_prefix(' ').map(str::trim_start) {
            // No country code begins with 0, so before a 0 the space is a space.
            Some(rest) if rest.starts_with(|c: char| ('1'..='9').contains(&c)) => {
                PHONE_NUMBER_UTIL.parse(format!("+{rest}"), Some(default_region.0))
            }
            _ => PHONE_NUMBER_UTIL.parse(text, Some(default_region.0)),
        }
        .map_err(|_| invalid())?;
        if number.extension.is_some() {
            return Err(PhoneError::Extension);
        }
        if !number.is_valid() {
            return Err(invalid());
        }
        ArrayString::from(&number.format_as(PhoneNumberFormat::E164))
            .map(Self)
            .map_err(|_| invalid())
    }

    /// `+380501234567`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same without the `+`.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// The form for logs: `+38050***4567`.
    pub fn masked(&self) -> Masked<'_> {
        Masked::new(self.as_str())
    }
}

/// Replaces Unicode spaces and dashes by ASCII ones, and removes invisible characters:
/// libphonenumber knows some of them only.
fn with_ascii_marks(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let is_unicode_blank = |c: char| !c.is_ascii() && (is_blank(c) || is_invisible(c));
    // Only an ASCII space in front stands for a `+`.
    text.trim_start_matches(is_unicode_blank)
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            _ if c.is_ascii() => c,
            _ if is_blank(c) => ' ',
            _ if is_dash(c) => '-',
            _ => c,
        })
        .collect()
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

/// Loads libphonenumber's tables (some 16 ms), so that the first click does not wait for them.
pub fn warm() {
    let _ = PhoneNumber::parse("+380501234567", Region::UA);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::e164("+380501234567")]
    #[case::separators("+38 (050) 123-45-67")]
    #[case::international_prefix("00380501234567")]
    #[case::national("0501234567")]
    #[case::no_plus("380501234567")]
    #[case::plus_read_as_space(" 380501234567")]
    #[case::plus_and_spaces_read_as_spaces(" 38 050 123 45 67")]
    #[case::stray_space_before_national(" 0501234567")]
    #[case::stray_space_before_plus(" +380501234567")]
    #[case::trailing_space("+380501234567 ")]
    #[case::no_break_spaces("+38\u{a0}050\u{a0}123\u{a0}45\u{a0}67")]
    #[case::pasted_from_a_contact("\u{202a}+380501234567\u{202c}")]
    #[case::thin_spaces("+38\u{202f}050\u{2009}123\u{205f}45\u{3000}67")]
    #[case::marks_inside("+380\u{202c}50\u{200e}123\u{2069}45\u{feff}6\u{fe0d}7")]
    #[case::blank_letters("+38\u{3164}050\u{115f}1234567\u{2800}")]
    #[case::dashes("+38\u{2012}050\u{2212}123\u{fe63}45\u{2e3a}67")]
    #[case::a_mark_before_the_space("\u{200e} 380501234567")]
    #[case::a_foreign_space_is_no_plus("\u{a0}0501234567")]
    fn however_the_crm_stores_it(#[case] text: &str) {
        let phone = PhoneNumber::parse(text, Region::UA).map(|phone| phone.as_str().to_owned());
        assert_eq!(phone.as_deref(), Ok("+380501234567"));
    }

    #[rstest]
    #[case("+3367a829916", PhoneError::Letters)]
    #[case("0501234567 ext. 5", PhoneError::Letters)]
    #[case("+38050123456\u{456}", PhoneError::Letters)]
    #[case("12345", PhoneError::Invalid(Region::UA))]
    #[case("", PhoneError::Invalid(Region::UA))]
    #[case(" ", PhoneError::Invalid(Region::UA))]
    #[case("+", PhoneError::Invalid(Region::UA))]
    #[case("+999123456789", PhoneError::Invalid(Region::UA))]
    #[case("+49 231 34525212026", PhoneError::Invalid(Region::UA))]
    #[case("0501234567, 0671234567", PhoneError::TooLong)]
    #[case("0501234567;0671234567", PhoneError::Extension)]
    #[case("0501234567#12", PhoneError::Extension)]
    #[case("%2B380501234567", PhoneError::EncodedTwice)]
    #[case(
        "+380501234567                                                    ",
        PhoneError::TooLong
    )]
    fn what_is_no_phone(#[case] text: &str, #[case] error: PhoneError) {
        assert_eq!(PhoneNumber::parse(text, Region::UA), Err(error));
    }
}
