//! The region of numbers without a country code.

use std::fmt;

use rlibphonenumber::PHONE_NUMBER_UTIL;
use thiserror::Error;

/// The country of numbers without a country code, by its two ISO 3166 letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(pub(super) rlibphonenumber::enums::Region);

/// The text names no region that has phone numbers.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a region that libphonenumber knows: two capital letters, for example UA")]
pub struct UnknownRegion;

impl Region {
    /// Ukraine, the default.
    pub const UA: Self = Self(rlibphonenumber::enums::Region::UA);

    /// Parses two letters, in any case.
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

#[cfg(test)]
mod tests {
    use super::super::PhoneNumber;
    use super::*;

    #[test]
    fn the_region_decides_about_national_numbers() {
        let poland = Region::parse("pl").unwrap();
        let phone = PhoneNumber::parse("512 345 678", poland).unwrap();
        assert_eq!(phone.as_str(), "+48512345678");
        assert_eq!(Region::parse("XX"), Err(UnknownRegion));
        assert_eq!(Region::parse("ukraine"), Err(UnknownRegion));
    }
}
