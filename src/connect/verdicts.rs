//! What a CRM has said about the tokens that it was asked about: a yes is remembered for five
//! minutes, a no for one. A token is known by its SHA-256, and only within its section as that is
//! now.

use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use quick_cache::sync::Cache;

use super::{Section, Unproven};

/// How long a yes is remembered.
const YES: Duration = Duration::from_mins(5);

/// How long a no is remembered.
const NO: Duration = Duration::from_mins(1);

/// The most tokens of each kind that are remembered, some 100 bytes each. The no of a flood pushes
/// out no yes.
const MAX: usize = 10_000;

/// A token, and where it was shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key of a token that was shown to this section. It changes with the section's secrets.
    pub(super) fn of(section: &Section, token: &str) -> Self {
        let mut hash = Context::new(&SHA256);
        let place = [section.connector.name(), &section.installation];
        for part in place.into_iter().chain([section.vouching.expose(), token]) {
            hash.update(&part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(hash.finish().as_ref());
        Self(key)
    }
}

/// Whose a token is, as the CRM says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CrmUser {
    pub(super) id: u64,
    pub(super) email: Option<String>,
}

/// What the CRM has said.
pub(super) type Verdict = Result<CrmUser, Unproven>;

/// The verdicts that are remembered.
pub(super) struct Verdicts {
    yes: Cache<TokenKey, (CrmUser, Instant)>,
    no: Cache<TokenKey, (Unproven, Instant)>,
}

impl Default for Verdicts {
    fn default() -> Self {
        Self {
            yes: Cache::new(MAX),
            no: Cache::new(MAX),
        }
    }
}

impl Verdicts {
    /// What the CRM has said about a token, as far as that still counts.
    pub(super) fn get(&self, key: TokenKey, now: Instant) -> Option<Verdict> {
        if let Some((unproven, _)) = self.no.get(&key).filter(|(_, ends)| now < *ends) {
            return Some(Err(unproven));
        }
        let yes = self.yes.get(&key).filter(|(_, ends)| now < *ends);
        yes.map(|(user, _)| Ok(user))
    }

    /// Remembers what the CRM has said, in place of what it said before.
    pub(super) fn put(&self, key: TokenKey, verdict: &Verdict, now: Instant) {
        match verdict {
            Ok(user) => {
                self.no.remove(&key);
                self.yes.insert(key, (user.clone(), now + YES));
            }
            Err(unproven) => {
                self.yes.remove(&key);
                self.no.insert(key, (*unproven, now + NO));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Scope;
    use crate::connect::Vendor;
    use crate::secret::Secret;

    fn section(installation: &str, vouching: &str) -> Section {
        Section {
            connector: Vendor::Bitrix24,
            installation: installation.into(),
            origin: None,
            prefix: "bitrix24-".into(),
            by_email: false,
            operators: Scope::default(),
            vouching: Secret::new(vouching),
        }
    }

    const YES_17: Verdict = Ok(CrmUser {
        id: 17,
        email: None,
    });

    #[test]
    fn a_yes_counts_for_five_minutes_and_a_no_for_one() {
        let verdicts = Verdicts::default();
        let now = Instant::now();
        let [mine, other] =
            ["canary-a", "canary-b"].map(|token| TokenKey::of(&section("acme", "s"), token));
        assert_eq!(verdicts.get(mine, now), None);
        verdicts.put(mine, &YES_17, now);
        verdicts.put(other, &Err(Unproven::Expired), now);
        let second = Duration::from_secs(1);
        assert_eq!(verdicts.get(mine, now + 299 * second), Some(YES_17));
        assert_eq!(verdicts.get(mine, now + 300 * second), None);
        assert_eq!(
            verdicts.get(other, now + 59 * second),
            Some(Err(Unproven::Expired))
        );
        assert_eq!(verdicts.get(other, now + 60 * second), None);
        // The latest counts.
        verdicts.put(mine, &Err(Unproven::Expired), now);
        assert_eq!(verdicts.get(mine, now), Some(Err(Unproven::Expired)));
        assert_eq!(verdicts.get(mine, now + 60 * second), None);
        verdicts.put(mine, &YES_17, now);
        assert_eq!(verdicts.get(mine, now), Some(YES_17));
    }

    #[test]
    fn a_token_is_known_at_its_own_section_as_it_is_now() {
        let key =
            |installation, vouching, token| TokenKey::of(&section(installation, vouching), token);
        let mine = key("acme", "s", "canary");
        assert!(mine == key("acme", "s", "canary"));
        assert!(mine != key("other", "s", "canary"));
        assert!(mine != key("acme", "t", "canary"));
        assert!(mine != key("acme", "s", "canary2"));
        assert!(mine != key("acme", "scanary", ""));
    }

    #[test]
    fn a_flood_is_bounded_and_takes_no_yes_along() {
        let verdicts = Verdicts::default();
        let now = Instant::now();
        let key = |token: usize| TokenKey::of(&section("acme", "s"), &token.to_string());
        verdicts.put(key(0), &YES_17, now);
        for token in 1..2 * MAX {
            verdicts.put(key(token), &Err(Unproven::Expired), now);
        }
        assert!(verdicts.no.len() <= MAX);
        assert_eq!(verdicts.get(key(0), now), Some(YES_17));
    }
}
