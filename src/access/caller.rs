//! Who is at the door, and who has been let in.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use chathub::OperatorId;
use chrono::{DateTime, Utc};

use super::denied::Denied;
use super::pass::PassConstraints;
use super::scope::Scope;
use crate::operators::ResolveError;

/// Who is at the door, as the request shows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// The peer is one of the trusted proxies.
    pub is_from_proxy: bool,
    /// A pass in the query.
    pub pass: Option<&'a str>,
    /// What follows `Bearer` in `Authorization`.
    pub bearer: Option<&'a str>,
    /// The identity that a proxy names, where it names exactly one.
    pub identity: Option<&'a str>,
    /// What the proxy shows.
    pub proxy_secret: Option<&'a str>,
    /// The operator that the URL names.
    pub operator: Option<&'a str>,
}

/// Who has been let in.
#[derive(Debug)]
pub struct AuthContext<'a> {
    /// Who is calling.
    pub caller: Caller,
    /// For whom.
    pub requested: OperatorRequest<'a>,
    /// What the pass fixes.
    pub constraints: PassConstraints,
    /// Set where this may happen once only.
    pub once: Option<OneTimeUse>,
}

/// Whose panel a caller asks for, before it is known who that is.
#[derive(Debug)]
pub struct OperatorRequest<'a> {
    pub(super) by: ClaimedBy,
    /// The operator that the URL names.
    pub(super) named: Option<&'a str>,
    /// For whom the caller may ask.
    pub(super) scope: Scope,
    /// The operator that was found before, where the caller goes on with that one alone.
    pub(super) before: Option<OperatorId>,
}

impl<'a> OperatorRequest<'a> {
    pub(super) const fn new(by: ClaimedBy, named: Option<&'a str>, scope: Scope) -> Self {
        Self {
            by,
            named,
            scope,
            before: None,
        }
    }

    /// The operator that a pass names, where its signer may write any name: an alias, an id or a
    /// display name. What a vendor puts into its own claim is no parameter of ours.
    pub fn signed_parameter(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Pass {
                operator,
                by_name: true,
            } => Some(operator),
            _ => None,
        }
    }

    /// The identity that a proxy names, where that decides on the operator.
    pub fn identity(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Identity(identity) => Some(identity),
            ClaimedBy::Url | ClaimedBy::Pass { .. } => None,
        }
    }

    /// What the operator was found by.
    pub fn said(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Url => self.named,
            ClaimedBy::Pass { operator, .. } => Some(operator),
            ClaimedBy::Identity(identity) => Some(identity),
        }
    }

    /// The same, where it does not stand in the URL.
    pub fn vouched(self) -> Option<String> {
        match self.by {
            ClaimedBy::Url => None,
            ClaimedBy::Pass { operator, .. } => Some(operator),
            ClaimedBy::Identity(identity) => Some(identity),
        }
    }

    /// What a caller is told where no operator is found. With a list of operators that is one and
    /// the same, whatever else there may be in the company.
    pub(super) const fn denied(&self, unfound: ResolveError) -> Denied {
        match (unfound, &self.by) {
            (ResolveError::DirectoryNeeded, _) => Denied::DirectoryNeeded,
            _ if self.scope.is_limited() => Denied::OperatorNotAllowed,
            (ResolveError::Unknown, ClaimedBy::Identity(_)) => Denied::IdentityUnknown,
            (ResolveError::Unknown, _) => Denied::OperatorUnknown,
            (ResolveError::Ambiguous, _) => Denied::OperatorAmbiguous,
            (ResolveError::NobodyActive, _) => Denied::OperatorInactive,
            (ResolveError::AutoIsOff, _) => Denied::AutoIsOff,
        }
    }
}

/// Who decides on the operator.
#[derive(Debug)]
pub(super) enum ClaimedBy {
    /// The URL alone.
    Url,
    /// A pass, which the URL must not contradict.
    Pass {
        /// What it says.
        operator: String,
        /// Whether that may be a display name: not where a vendor's own claim says it, which its
        /// users may edit.
        by_name: bool,
    },
    /// A login, which the URL must not contradict.
    Identity(String),
}

/// How much longer than a one-time pass lives it is remembered. Clocks decide when it has ended:
/// the one that remembers, Redis' or this machine's, may step ahead, the one that reads the pass,
/// this replica's or another's, back; and a click that came in time may wait for ChatHub.
const REMEMBERED: Duration = Duration::from_hours(2);

/// A one-time pass, to be used up when nothing else can go wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct OneTimeUse {
    pub(super) id: OnceId,
    ends: DateTime<Utc>,
}

/// Tells a one-time pass from all others, and tells nobody what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OnceId(pub(super) [u8; 32]);

impl OneTimeUse {
    /// A pass with this `jti`. Two keys may give out one.
    pub(super) fn new(key: &str, jti: &str, ends: DateTime<Utc>) -> Self {
        let mut hash = Context::new(&SHA256);
        for piece in [key, "\n", jti] {
            hash.update(piece.as_bytes());
        }
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        Self {
            id: OnceId(id),
            ends,
        }
    }

    /// Its name in a store that all replicas share.
    pub fn fingerprint(&self) -> String {
        self.id.0.iter().fold(String::new(), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// How long its use is to be remembered.
    pub fn ttl(&self) -> Duration {
        let left = (self.ends - Utc::now()).to_std().unwrap_or_default();
        left + REMEMBERED
    }
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who could reach the port.
    Anyone,
    /// The holder of a pass, by its key.
    Pass(String),
    /// Somebody whom a proxy has logged in.
    Sso(String),
    /// A back end, by its key's name.
    Key(String),
}

impl Caller {
    /// How logs name them, in two pieces: `pass:` and the key's name.
    pub fn kind_and_name(&self) -> [&str; 2] {
        match self {
            Self::Anyone => ["anyone", ""],
            Self::Pass(key) => ["pass:", key],
            Self::Sso(identity) => ["sso:", identity],
            Self::Key(name) => ["key:", name],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_name_a_caller_by_kind_and_name() {
        let named = |caller: Caller| caller.kind_and_name().concat();
        assert_eq!(named(Caller::Anyone), "anyone");
        assert_eq!(named(Caller::Pass("crm".into())), "pass:crm");
        assert_eq!(named(Caller::Sso("ann".into())), "sso:ann");
        assert_eq!(named(Caller::Key("odoo".into())), "key:odoo");
    }

    #[test]
    fn a_one_time_pass_is_remembered_two_hours_longer_than_it_lives() {
        let once = |seconds| OneTimeUse::new("crm", "7", Utc::now() + Duration::from_secs(seconds));
        // `printf 'crm\n7' | sha256sum`
        assert_eq!(
            once(0).fingerprint(),
            "b52b9208e0d930cfefe55d7053d0491100e57bd31d233e8b5fe2b39d1b8f2bf9"
        );
        let ttl = once(3600).ttl();
        assert!((Duration::from_mins(179)..Duration::from_mins(181)).contains(&ttl));
        assert_eq!(
            once(0).ttl(),
            Duration::from_hours(2),
            "for clocks that step"
        );
    }
}
