//! Quotas, such as `30/m`.

use std::num::NonZeroU32;
use std::time::Duration;

use thiserror::Error;

/// A burst, and the rate at which it is refilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many requests.
    pub count: NonZeroU32,
    /// In how much time.
    pub period: Duration,
}

/// The text is not a quota.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a number of clicks in a time, such as 30/m, 5/s or 1000/h")]
pub struct NotAQuota;

impl Quota {
    /// Parses `30/m`, `5/s`, `1000/h`.
    pub fn parse(text: &str) -> Result<Self, NotAQuota> {
        let (count, unit) = text.split_once('/').ok_or(NotAQuota)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(NotAQuota),
        };
        Ok(Self {
            count: count.trim().parse().map_err(|_| NotAQuota)?,
            period: Duration::from_secs(seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_read_as_documented() {
        let quota = |count, seconds| {
            Ok(Quota {
                count: NonZeroU32::new(count).unwrap(),
                period: Duration::from_secs(seconds),
            })
        };
        assert_eq!(Quota::parse("30/m"), quota(30, 60));
        assert_eq!(Quota::parse(" 5 / s "), quota(5, 1));
        assert_eq!(Quota::parse("1000/h"), quota(1000, 3600));
        for text in ["", "30", "0/m", "-1/m", "30/d", "30/m/s", "m"] {
            assert_eq!(Quota::parse(text), Err(NotAQuota), "{text}");
        }
    }
}
