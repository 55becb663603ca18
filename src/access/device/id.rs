//! The id of a paired browser, which is that of its invitation: a replay of the invitation is the
//! same device to audit and revocation.

use std::fmt;

use arrayvec::ArrayString;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

const LENGTH: usize = 32;

/// 128 random bits, as 32 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct DeviceId(ArrayString<LENGTH>);

impl DeviceId {
    /// A new id; `None` where the system's generator fails.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; LENGTH / 2];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        let mut digits = [0; LENGTH];
        hex::encode_to_slice(bytes, &mut digits).ok()?;
        Self::parse(std::str::from_utf8(&digits).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = text.len() == LENGTH && text.bytes().all(is_digit);
        ArrayString::from(text).ok().filter(|_| is_id).map(Self)
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = ArrayString::<LENGTH>::deserialize(deserializer).ok();
        let id = text.and_then(|text| Self::parse(&text));
        id.ok_or_else(|| {
            D::Error::custom("a device is 32 hexadecimal digits, as the log shows them")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_hexadecimal_digits() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert_eq!(DeviceId::parse(digits).unwrap().as_str(), digits);
        for other in [&digits[1..], "0123456789ABCDEF0123456789ABCDEF", ""] {
            assert_eq!(DeviceId::parse(other), None, "{other}");
        }
        assert_ne!(DeviceId::random(), DeviceId::random());
    }
}
