//! The state behind the seven calls: organizations and operators, the clock, which tokens are
//! valid, and how often each endpoint was called.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::directory::{Directory, OperatorRecord};
use crate::endpoint::Endpoint;
use crate::rules::Rules;
use crate::token::{CompanyClaims, OperatorClaims, sign, verify};

/// Why a credential does not open a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// 401
    NotAuthenticated,
    /// 403: an operator token where a company token belongs.
    WrongKind,
}

/// The state behind the seven calls.
pub struct Store {
    /// How this ChatHub behaves.
    pub(crate) rules: Rules,
    directory: Mutex<Directory>,
    /// Company tokens of an earlier generation are refused.
    generation: AtomicU64,
    /// What [`Self::pass_time`] has added to the clock, in seconds.
    passed: AtomicU64,
    calls: [AtomicU64; Endpoint::ALL.len()],
    /// The header `traceparent` of the last token call.
    traceparent: Mutex<Option<String>>,
}

impl Store {
    /// Two organizations; John Smith (101), Sarah Johnson (102) and as many more active operators
    /// as the rules ask for; behind them one that is inactive and one that is deleted. Then as many
    /// more organizations as the rules ask for.
    pub(crate) fn new(rules: Rules) -> Self {
        let mut directory = Directory::default();
        directory.add_organization(24, "Acme Support".into());
        directory.add_organization(6, "Acme Sales".into());
        for id in 101..101 + rules.operators {
            let name = match id {
                101 => "John Smith".into(),
                102 => "Sarah Johnson".into(),
                _ => format!("Operator {id}"),
            };
            directory.add(id, 24, name, 0);
        }
        directory.add(21, 6, "Inactive Ivan".into(), 1);
        directory.add(22, 6, "Deleted Dana".into(), 2);
        let mut id = 1_000_000.max(100 + rules.operators);
        for organization in 1001..1001 + rules.organizations {
            directory.add_organization(organization, format!("Organization {organization}"));
            for _ in 0..rules.operators_each {
                id += 1;
                directory.add(id, organization, format!("Operator {id}"), 0);
            }
        }
        Self {
            rules,
            directory: Mutex::new(directory),
            generation: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            calls: Default::default(),
            traceparent: Mutex::default(),
        }
    }

    /// How often `endpoint` has been called.
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.calls[endpoint as usize].load(Ordering::SeqCst)
    }

    pub(crate) fn count(&self, endpoint: Endpoint) {
        self.calls[endpoint as usize].fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn remember_traceparent(&self, header: Option<&str>) {
        *self.last_traceparent() = header.map(ToOwned::to_owned);
    }

    /// The header `traceparent` of the last call for an operator token.
    pub(crate) fn last_traceparent(&self) -> MutexGuard<'_, Option<String>> {
        self.traceparent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every company token that has been handed out is refused, as after a revocation.
    pub fn revoke_company_tokens(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Moves ChatHub's clock on, so that tokens expire at once.
    pub fn pass_time(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// ChatHub's own clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let passed = i64::try_from(self.passed.load(Ordering::SeqCst)).unwrap_or(i64::MAX);
        Utc::now() + TimeDelta::seconds(self.rules.clock_ahead.saturating_add(passed))
    }

    /// An operator, by id.
    pub fn operator(&self, id: u64) -> Option<OperatorRecord> {
        self.directory().operators.get(&id).cloned()
    }

    /// Every operator of an organization by id, or `None` where there is no such organization.
    pub fn operators_of(&self, organization: u64) -> Option<Vec<(u64, OperatorRecord)>> {
        let directory = self.directory();
        let organization = directory.organizations.get(&organization)?;
        let record = |id: &u64| Some((*id, directory.operators.get(id)?.clone()));
        Some(organization.operators.iter().filter_map(record).collect())
    }

    /// The organizations by id.
    pub fn organizations(&self) -> BTreeMap<u64, String> {
        self.directory()
            .organizations
            .iter()
            .map(|(id, organization)| (*id, organization.name.clone()))
            .collect()
    }

    pub(crate) fn organization_name(&self, id: u64) -> Option<String> {
        let directory = self.directory();
        directory
            .organizations
            .get(&id)
            .map(|organization| organization.name.clone())
    }

    /// Adds an organization that has no operators, or renames the one that is there.
    pub fn add_organization(&self, id: u64, name: &str) {
        self.directory().add_organization(id, name.to_owned());
    }

    /// Adds active operators, each an organization's id and a name, all or none: `None` where an
    /// organization does not exist.
    pub fn add_operators(&self, new: &[(u64, String)]) -> Option<Vec<u64>> {
        let mut directory = self.directory();
        if new
            .iter()
            .any(|(organization, _)| !directory.organizations.contains_key(organization))
        {
            return None;
        }
        let mut id = directory
            .operators
            .keys()
            .next_back()
            .copied()
            .unwrap_or(100);
        let mut ids = Vec::with_capacity(new.len());
        for (organization, name) in new {
            id += 1;
            directory.add(id, *organization, name.clone(), 0);
            ids.push(id);
        }
        Some(ids)
    }

    /// Adds an active operator, as ChatHub's dashboard does, and returns the new id.
    pub fn add_operator(&self, organization: u64, name: &str) -> Option<u64> {
        let ids = self.add_operators(&[(organization, name.to_owned())])?;
        ids.first().copied()
    }

    /// Sets an operator's status: `false` where there is no such operator.
    pub fn set_status(&self, id: u64, status: u8) -> bool {
        self.directory()
            .operators
            .get_mut(&id)
            .map(|operator| operator.status = status)
            .is_some()
    }

    /// Takes an operator out of every list, as if it had never been there.
    pub fn remove_operator(&self, id: u64) {
        self.directory().remove_operator(id);
    }

    /// Takes an organization out of the company's list; its operators stay.
    pub fn remove_organization(&self, id: u64) {
        self.directory().organizations.remove(&id);
    }

    /// Puts this text into an organization's list of operators, as one more record; an empty text
    /// takes all such records out again.
    pub fn set_odd_record(&self, organization: u64, record: &str) {
        if let Some(organization) = self.directory().organizations.get_mut(&organization) {
            organization.odd_records.clear();
            if !record.is_empty() {
                organization.odd_records.push(record.to_owned());
            }
        }
    }

    /// Has an organization's list of operators answered with this status, until `None` ends that.
    pub fn break_organization(&self, organization: u64, status: Option<u16>) {
        if let Some(organization) = self.directory().organizations.get_mut(&organization) {
            organization.broken = status;
        }
    }

    pub(crate) fn broken(&self, organization: u64) -> Option<u16> {
        let directory = self.directory();
        directory
            .organizations
            .get(&organization)
            .and_then(|organization| organization.broken)
    }

    pub(crate) fn odd_records(&self, organization: u64) -> Vec<String> {
        let directory = self.directory();
        let organization = directory.organizations.get(&organization);
        organization.map_or_else(Vec::new, |organization| organization.odd_records.clone())
    }

    pub(crate) fn company_token(&self) -> String {
        let ended = u64::from(self.rules.one_company_token);
        sign(&CompanyClaims {
            company: self.rules.login.clone(),
            generation: self.generation.fetch_add(ended, Ordering::SeqCst) + ended,
            exp: self.now().timestamp()
                + i64::try_from(self.rules.company_token_ttl.as_secs()).unwrap_or(i64::MAX / 2),
        })
    }

    /// Whether a token opens the company's calls.
    pub(crate) fn authenticate(&self, token: &str) -> Result<(), Refused> {
        if token == self.rules.profile_key {
            return Ok(());
        }
        match verify::<CompanyClaims>(token) {
            Some(claims)
                if claims.exp > self.now().timestamp()
                    && claims.generation == self.generation.load(Ordering::SeqCst) =>
            {
                Ok(())
            }
            None if verify::<OperatorClaims>(token).is_some() => Err(Refused::WrongKind),
            _ => Err(Refused::NotAuthenticated),
        }
    }

    /// Reads an operator token, if it is good at this moment: signed here, not expired, and its
    /// operator active.
    pub(crate) fn read_operator_token(&self, token: &str) -> Option<OperatorClaims> {
        let claims = verify::<OperatorClaims>(token)?;
        let active = self.operator(claims.operator_id)?.status == 0;
        (active && claims.exp > self.now().timestamp()).then_some(claims)
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
