//! Text from a CRM → a phone number in E.164.
//!
//! Owns what counts as a phone, and how much of one a log may show. Google's libphonenumber decides
//! what is valid; nothing outside this file knows which port of it is used.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

use arrayvec::ArrayString;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use thiserror::Error;

use crate::invisible::{is_blank, is_dash, is_invisible};

/// The longest text that is still read as a phone, in characters that are seen. The longest of
/// libphonenumber's own examples, written with every usual separator, stays well below.
const MAX_CHARACTERS: usize = 64;

/// The longest number that E.164 knows: `+` and 15 digits. For a few countries libphonenumber takes
/// more.
const MAX_E164: usize = 16;

/// A valid phone number, `+` and digits, as E.164 has it. `Debug` shows it masked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PhoneNumber(ArrayString<MAX_E164>);

/// Why a text is no phone number. `Display` is a sentence for the person who set the link up.
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
    /// It is over 64 characters long.
    #[error("The phone is too long: send one number, for example +380501234567.")]
    TooLong,
    /// It goes on after the number: an extension, or a second number.
    #[error("The phone goes on after the number: send one number without an extension.")]
    Extension,
    /// libphonenumber does not know such a number.
    #[error(
        "The phone is not a valid number: send it with its country code, for example +380501234567. \
         Without one it is read as a number of region {0}."
    )]
    Invalid(Region),
}

impl PhoneNumber {
    /// Reads a phone as CRMs store it: `+38 (050) 123-45-67`, `00380501234567`, `0501234567`,
    /// `380501234567`. A number without a country code belongs to `default_region`. A leading space
    /// is a `+` that was not percent-encoded. Whatever spaces, dashes and invisible marks a page or
    /// a contact has put into it are read as what they look like.
    pub fn parse(text: &str, default_region: Region) -> Result<Self, PhoneError> {
        if text.is_ascii() {
            Self::parse_plain(text, default_region)
        } else {
            Self::parse_plain(&plain(text), default_region)
        }
    }

    fn parse_plain(text: &str, default_region: Region) -> Result<Self, PhoneError> {
        let invalid = PhoneError::Invalid(default_region);
        if let Some(national) = ukrainian(text, default_region) {
            let mut phone = ArrayString::from("+380").map_err(|_| invalid)?;
            phone.try_push_str(national).map_err(|_| invalid)?;
            return is_valid_in_ukraine(national)
                .then_some(Self(phone))
                .ok_or(invalid);
        }
        if text.contains('%') {
            return Err(PhoneError::EncodedTwice);
        }
        if text.chars().any(char::is_alphabetic) {
            return Err(PhoneError::Letters);
        }
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(PhoneError::TooLong);
        }
        let number = match text.strip_prefix(' ').map(str::trim_start) {
            // No country code begins with 0, so this space is only a space.
            Some(rest) if rest.starts_with(|c: char| ('1'..='9').contains(&c)) => {
                PHONE_NUMBER_UTIL.parse(format!("+{rest}"), Some(default_region.0))
            }
            _ => PHONE_NUMBER_UTIL.parse(text, Some(default_region.0)),
        }
        .map_err(|_| invalid)?;
        if number.extension.is_some() {
            return Err(PhoneError::Extension);
        }
        if !number.is_valid() {
            return Err(invalid);
        }
        ArrayString::from(&number.format_as(PhoneNumberFormat::E164))
            .map(Self)
            .map_err(|_| invalid)
    }

    /// `+380501234567`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same without the `+`.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// What a log may show: `+38050***4567`. At least three digits are hidden, however short the
    /// number is.
    pub fn masked(&self) -> Masked<'_> {
        Masked(self.as_str())
    }
}

/// The same text in the characters of a keyboard: libphonenumber knows a few foreign spaces and
/// dashes, and stops at the others.
fn plain(text: &str) -> String {
    let is_foreign_blank = |c: char| !c.is_ascii() && (is_blank(c) || is_invisible(c));
    // Only a plain space in front stands for a `+`.
    text.trim_start_matches(is_foreign_blank)
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

/// The digits behind the country code of a Ukrainian number, in one of the forms in which almost
/// all CRMs keep it: `+380501234567`, `380501234567` (a space may stand for the `+`), and
/// `0501234567`. libphonenumber finds the same ones, in ten times the time.
fn ukrainian(text: &str, default_region: Region) -> Option<&str> {
    const DIGITS: usize = 9;
    let is_at_home = default_region == Region::UA;
    let head = match text.as_bytes() {
        [b'+' | b' ', b'3', b'8', b'0', ..] => 4,
        [b'3', b'8', b'0', ..] if is_at_home => 3,
        [b'0', ..] if is_at_home => 1,
        _ => return None,
    };
    let national = &text[head..];
    // A further 0 could be one that is dialled and does not belong to the number.
    let is_plain = national.len() == DIGITS && !national.starts_with('0');
    (is_plain && national.bytes().all(|byte| byte.is_ascii_digit())).then_some(national)
}

/// Whether libphonenumber takes a Ukrainian number of nine digits for a valid one. In its plan of
/// these numbers the first four digits decide, so for each four of them it is asked once.
fn is_valid_in_ukraine(national: &str) -> bool {
    static KNOWN: [AtomicU8; 10_000] = [const { AtomicU8::new(UNKNOWN) }; 10_000];
    const UNKNOWN: u8 = 0;
    const INVALID: u8 = 1;
    const VALID: u8 = 2;
    let number = national
        .bytes()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    let Some(known) = usize::try_from(number / 100_000)
        .ok()
        .and_then(|head| KNOWN.get(head))
    else {
        return false;
    };
    if known.load(Ordering::Relaxed) == UNKNOWN {
        let is_valid = libphonenumber_takes(number);
        known.store(if is_valid { VALID } else { INVALID }, Ordering::Relaxed);
    }
    known.load(Ordering::Relaxed) == VALID
}

fn libphonenumber_takes(ukrainian: u64) -> bool {
    let number = rlibphonenumber::PhoneNumber {
        country_code: 380,
        national_number: ukrainian,
        ..Default::default()
    };
    number.is_valid()
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

/// A phone with its middle hidden.
#[derive(Clone, Copy)]
pub struct Masked<'a>(&'a str);

impl<'a> Masked<'a> {
    /// What is shown, in the pieces that it has been cut into.
    pub fn pieces(self) -> [&'a str; 3] {
        const SHOWN_HEAD: usize = 6;
        const SHOWN_TAIL: usize = 4;
        const HIDDEN: usize = 3;
        let digits = self.0.len().saturating_sub(1);
        let tail = self.0.len() - SHOWN_TAIL.min(digits.saturating_sub(HIDDEN));
        let head = tail.saturating_sub(HIDDEN).min(SHOWN_HEAD);
        [&self.0[..head], "***", &self.0[tail..]]
    }
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces()
            .into_iter()
            .try_for_each(|piece| f.write_str(piece))
    }
}

/// The country whose numbers come without a country code, by its two ISO 3166 letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(rlibphonenumber::enums::Region);

/// The text names no region that has phone numbers.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a region that libphonenumber knows: two capital letters, for example UA")]
pub struct UnknownRegion;

impl Region {
    /// Ukraine, the default.
    pub const UA: Self = Self(rlibphonenumber::enums::Region::UA);

    /// Reads two letters, in any case.
    pub fn parse(text: &str) -> Result<Self, UnknownRegion> {
        let region = rlibphonenumber::enums::Region::from_code(&text.to_ascii_uppercase())
            .map_err(|_| UnknownRegion)?;
        PHONE_NUMBER_UTIL
            .get_supported_regions()
            .any(|known| known == region)
            .then_some(Self(region))
            .ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_region_str().fmt(f)
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
    #[case("0501234567, 0671234567", PhoneError::Invalid(Region::UA))]
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

    /// As libphonenumber alone reads a text.
    fn slowly(text: &str, region: Region) -> Result<PhoneNumber, PhoneError> {
        // A space at the end keeps it off the short way, and means nothing.
        PhoneNumber::parse(&format!("{text} "), region)
    }

    #[test]
    fn the_short_way_for_ukrainian_numbers_leads_to_the_same_place() {
        let poland = Region::parse("PL").unwrap();
        let mut random = fastrand::Rng::with_seed(380);
        let (mut short, mut valid) = (0, 0);
        for _ in 0..4000 {
            let digits = 8 + random.usize(..3);
            let national: String = (0..digits).map(|_| random.char('0'..='9')).collect();
            for head in ["+380", " 380", "380", "0", "+3800", "00", ""] {
                let text = format!("{head}{national}");
                for region in [Region::UA, poland] {
                    short += usize::from(ukrainian(&text, region).is_some());
                    let phone = PhoneNumber::parse(&text, region);
                    valid += usize::from(phone.is_ok());
                    assert_eq!(phone, slowly(&text, region), "{text:?} in {region}");
                }
            }
        }
        assert!(short > 4000 && valid > 1000, "{short} {valid}");
    }

    #[test]
    fn four_digits_decide_in_ukraine() {
        let mut random = fastrand::Rng::with_seed(380);
        for head in 1000..10_000 {
            // A fifth digit that decided would show here.
            for fifth in 0..10 {
                let number = head * 100_000 + fifth * 10_000 + random.u64(..10_000);
                let national = number.to_string();
                assert_eq!(is_valid_in_ukraine(&national), libphonenumber_takes(number));
            }
        }
    }

    #[test]
    fn the_region_decides_about_national_numbers() {
        let poland = Region::parse("pl").unwrap();
        let phone = PhoneNumber::parse("512 345 678", poland).unwrap();
        assert_eq!(phone.as_str(), "+48512345678");
        assert_eq!(Region::parse("XX"), Err(UnknownRegion));
        assert_eq!(Region::parse("ukraine"), Err(UnknownRegion));
    }

    #[test]
    fn a_log_shows_the_ends() {
        let phone = PhoneNumber::parse("+380501234567", Region::UA).unwrap();
        assert_eq!(phone.masked().to_string(), "+38050***4567");
        assert_eq!(format!("{phone:?}"), "PhoneNumber(+38050***4567)");
        let short = PhoneNumber::parse("+2902734", Region::UA);
        assert!(short.is_err(), "too short for its own region");
        assert_eq!(Masked("+29071234").to_string(), "+2***1234");
        assert_eq!(Masked("+491649").to_string(), "+***649");
    }
}
