//! Who is at the door, and who has been let in.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};

use super::denied::Denied;
use super::pass::Bound;
use super::scope::Scope;
use crate::chathub::OperatorId;
use crate::operators::Unfound;

/// Who is at the door, as the request shows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knock<'a> {
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
pub struct Admission<'a> {
    /// Who is calling.
    pub caller: Caller,
    /// For whom.
    pub claim: Claim<'a>,
    /// What the pass fixes.
    pub bound: Bound,
    /// Set where this may happen once only.
    pub once: Option<Once>,
}

/// Whose panel a caller asks for, before it is known who that is.
#[derive(Debug)]
pub struct Claim<'a> {
    pub(super) by: ClaimedBy,
    /// The operator that the URL names.
    pub(super) named: Option<&'a str>,
    /// For whom the caller may ask.
    pub(super) scope: Scope,
    /// The operator that was found before, where the caller goes on with that one alone.
    pub(super) before: Option<OperatorId>,
}

impl<'a> Claim<'a> {
    pub(super) const fn new(by: ClaimedBy, named: Option<&'a str>, scope: Scope) -> Self {
        Self {
            by,
            named,
            scope,
            before: None,
        }
    }

    /// The identity that a proxy names, where that decides on the operator.
    pub fn identity(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Identity(identity) => Some(identity),
            ClaimedBy::Url | ClaimedBy::Pass { .. } => None,
        }
    }

    /// What a caller is told where no operator is found. With a list of operators that is one and the
    /// same, whatever else there may be in the company.
    pub(super) const fn denied(&self, unfound: Unfound) -> Denied {
        match (unfound, &self.by) {
            (Unfound::DirectoryNeeded, _) => Denied::DirectoryNeeded,
            _ if self.scope.is_limited() => Denied::OperatorNotAllowed,
            (Unfound::Unknown, ClaimedBy::Identity(_)) => Denied::IdentityUnknown,
            (Unfound::Unknown, _) => Denied::OperatorUnknown,
            (Unfound::Ambiguous, _) => Denied::OperatorAmbiguous,
            (Unfound::NobodyActive, _) => Denied::OperatorInactive,
            (Unfound::AutoIsOff, _) => Denied::AutoIsOff,
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
        /// Whether that may be a display name: not where a vendor's own claim says it, which its users
        /// may edit.
        by_name: bool,
    },
    /// A login, which the URL must not contradict.
    Identity(String),
}

/// A one-time pass, to be used up when nothing else can go wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Once {
    pub(super) id: String,
    pub(super) ends: DateTime<Utc>,
}

impl Once {
    /// Tells it from all others, and tells nobody what it is.
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, self.id.as_bytes());
        hash.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// How long it would still be good, and a second for clocks.
    pub fn lives(&self) -> Duration {
        let left = (self.ends - Utc::now()).to_std().unwrap_or_default();
        left + Duration::from_secs(1)
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
    fn a_one_time_pass_is_remembered_as_long_as_it_lives() {
        let once = |seconds| Once {
            id: "abc".into(),
            ends: Utc::now() + Duration::from_secs(seconds),
        };
        // `printf abc | sha256sum`
        assert_eq!(
            once(0).fingerprint(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let lives = once(3600).lives();
        assert!((Duration::from_mins(59)..Duration::from_mins(61)).contains(&lives));
        assert_eq!(
            once(0).lives(),
            Duration::from_secs(1),
            "a second for clocks"
        );
    }
}
