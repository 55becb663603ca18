//! How much of a phone a log may show.

use std::fmt;

/// A phone without its middle: at least three digits are hidden, however short the number is.
#[derive(Clone, Copy)]
pub struct Masked<'a>(&'a str);

impl<'a> Masked<'a> {
    /// `e164` is `+` and digits.
    pub(super) const fn new(e164: &'a str) -> Self {
        Self(e164)
    }

    /// The text in three pieces: head, mask, tail.
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

#[cfg(test)]
mod tests {
    use super::super::{PhoneNumber, Region};
    use super::*;

    #[test]
    fn a_log_shows_the_ends() {
        let phone = PhoneNumber::parse("+380501234567", Region::UA).unwrap();
        assert_eq!(phone.masked().to_string(), "+38050***4567");
        assert_eq!(format!("{phone:?}"), "PhoneNumber(+38050***4567)");
        let short = PhoneNumber::parse("+2902734", Region::UA);
        assert!(short.is_err(), "too short for its own region");
        assert_eq!(Masked::new("+29071234").to_string(), "+2***1234");
        assert_eq!(Masked::new("+491649").to_string(), "+***649");
    }
}
