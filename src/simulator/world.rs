//! What the simulated ChatHub knows: its people, its clock, and the tokens it has signed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::people::{OperatorRecord, People};
use super::rules::Rules;

/// Signs all tokens. Fixed, so that tokens outlive a restart, as ChatHub's do.
const SIGNING_KEY: &[u8] = b"a key that opens nothing but the simulator";

/// The seven calls, as the simulator counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(usize)]
pub enum Endpoint {
    /// `company/get-token`
    CompanyToken,
    /// `company/organization`
    Organizations,
    /// `operator`
    Operators,
    /// `operator/synchronize`
    Synchronize,
    /// `operator/status`
    OperatorStatus,
    /// `operator/get-token`
    OperatorToken,
    /// `operator/validate-token`
    ValidateToken,
}

impl Endpoint {
    /// All seven.
    pub const ALL: [Self; 7] = [
        Self::CompanyToken,
        Self::Organizations,
        Self::Operators,
        Self::Synchronize,
        Self::OperatorStatus,
        Self::OperatorToken,
        Self::ValidateToken,
    ];
}

/// The claims of an operator token, as the samples show them.
#[derive(Serialize, Deserialize)]
pub(super) struct OperatorClaims {
    pub(super) operator_id: u64,
    pub(super) exp: i64,
}

/// The claims of a company token; undocumented, so they are our own.
#[derive(Serialize, Deserialize)]
struct CompanyClaims {
    company: String,
    generation: u64,
    exp: i64,
}

/// Why a credential does not open a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// 401
    NotAuthenticated,
    /// 403: an operator token where a company token belongs.
    WrongKind,
}

/// The state behind the seven calls.
pub struct World {
    /// How this ChatHub behaves.
    pub(super) rules: Rules,
    people: Mutex<People>,
    /// Company tokens of an earlier generation are refused.
    generation: AtomicU64,
    /// What [`Self::pass_time`] has added to the clock, in seconds.
    passed: AtomicU64,
    calls: [AtomicU64; Endpoint::ALL.len()],
    /// The header `traceparent` of the last token call.
    traceparent: Mutex<Option<String>>,
}

impl World {
    /// Two organizations; John Smith (101), Sarah Johnson (102) and as many more active operators
    /// as the rules ask for; behind them one that is inactive and one that is deleted. Then as many
    /// more organizations as the rules ask for.
    pub(super) fn new(rules: Rules) -> Self {
        let mut people = People::default();
        people.add_organization(24, "Acme Support".into());
        people.add_organization(6, "Acme Sales".into());
        for id in 101..101 + rules.operators {
            let name = match id {
                101 => "John Smith".into(),
                102 => "Sarah Johnson".into(),
                _ => format!("Operator {id}"),
            };
            people.add(id, 24, name, 0);
        }
        people.add(21, 6, "Inactive Ivan".into(), 1);
        people.add(22, 6, "Deleted Dana".into(), 2);
        let mut id = 1_000_000.max(100 + rules.operators);
        for organization in 1001..1001 + rules.organizations {
            people.add_organization(organization, format!("Organization {organization}"));
            for _ in 0..rules.operators_each {
                id += 1;
                people.add(id, organization, format!("Operator {id}"), 0);
            }
        }
        Self {
            rules,
            people: Mutex::new(people),
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

    pub(super) fn count(&self, endpoint: Endpoint) {
        self.calls[endpoint as usize].fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn remember_traceparent(&self, header: Option<&str>) {
        *self.last_traceparent() = header.map(ToOwned::to_owned);
    }

    /// The header `traceparent` of the last call for an operator token.
    pub(super) fn last_traceparent(&self) -> MutexGuard<'_, Option<String>> {
        self.traceparent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on every company token that has been handed out is refused, as after a revocation.
    pub fn revoke_company_tokens(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Moves ChatHub's clock on, so that tokens expire without anybody waiting.
    pub fn pass_time(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// ChatHub's own clock.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let passed = i64::try_from(self.passed.load(Ordering::SeqCst)).unwrap_or(i64::MAX);
        Utc::now() + TimeDelta::seconds(self.rules.clock_ahead.saturating_add(passed))
    }

    /// An operator, by id.
    pub fn operator(&self, id: u64) -> Option<OperatorRecord> {
        self.people().operators.get(&id).cloned()
    }

    /// Every operator of an organization by id, or `None` where there is no such organization.
    pub fn operators_of(&self, organization: u64) -> Option<Vec<(u64, OperatorRecord)>> {
        let people = self.people();
        let staff = people.organizations.get(&organization)?;
        let record = |id: &u64| Some((*id, people.operators.get(id)?.clone()));
        Some(staff.operators.iter().filter_map(record).collect())
    }

    /// The organizations by id.
    pub fn organizations(&self) -> BTreeMap<u64, String> {
        self.people()
            .organizations
            .iter()
            .map(|(id, staff)| (*id, staff.name.clone()))
            .collect()
    }

    pub(super) fn organization_name(&self, id: u64) -> Option<String> {
        let people = self.people();
        people
            .organizations
            .get(&id)
            .map(|staff| staff.name.clone())
    }

    /// Adds an organization that has no operators, or renames the one that is there.
    pub fn add_organization(&self, id: u64, name: &str) {
        self.people().add_organization(id, name.to_owned());
    }

    /// Adds active operators, each an organization's id and a name, all or none: `None` where an
    /// organization does not exist.
    pub fn add_operators(&self, new: &[(u64, String)]) -> Option<Vec<u64>> {
        let mut people = self.people();
        if new
            .iter()
            .any(|(organization, _)| !people.organizations.contains_key(organization))
        {
            return None;
        }
        let mut id = people.operators.keys().next_back().copied().unwrap_or(100);
        let mut ids = Vec::with_capacity(new.len());
        for (organization, name) in new {
            id += 1;
            people.add(id, *organization, name.clone(), 0);
            ids.push(id);
        }
        Some(ids)
    }

    /// Adds an active operator, as somebody does in ChatHub's dashboard, and tells the new id.
    pub fn add_operator(&self, organization: u64, name: &str) -> Option<u64> {
        let ids = self.add_operators(&[(organization, name.to_owned())])?;
        ids.first().copied()
    }

    /// Sets an operator's status: `false` where there is no such operator.
    pub fn set_status(&self, id: u64, status: u8) -> bool {
        self.people()
            .operators
            .get_mut(&id)
            .map(|operator| operator.status = status)
            .is_some()
    }

    /// Takes an operator out of every list, as if it had never been there.
    pub fn remove_operator(&self, id: u64) {
        self.people().remove_operator(id);
    }

    /// Takes an organization out of the company's list; its operators stay.
    pub fn remove_organization(&self, id: u64) {
        self.people().organizations.remove(&id);
    }

    /// Puts this text into an organization's list of operators, as one more record; an empty text
    /// takes all such records out again.
    pub fn set_odd_record(&self, organization: u64, record: &str) {
        if let Some(staff) = self.people().organizations.get_mut(&organization) {
            staff.odd_records.clear();
            if !record.is_empty() {
                staff.odd_records.push(record.to_owned());
            }
        }
    }

    /// Has an organization's list of operators answered with this status, until `None` ends that.
    pub fn break_organization(&self, organization: u64, status: Option<u16>) {
        if let Some(staff) = self.people().organizations.get_mut(&organization) {
            staff.broken = status;
        }
    }

    pub(super) fn broken(&self, organization: u64) -> Option<u16> {
        let people = self.people();
        people
            .organizations
            .get(&organization)
            .and_then(|staff| staff.broken)
    }

    pub(super) fn odd_records(&self, organization: u64) -> Vec<String> {
        let people = self.people();
        let staff = people.organizations.get(&organization);
        staff.map_or_else(Vec::new, |staff| staff.odd_records.clone())
    }

    pub(super) fn company_token(&self) -> String {
        let ended = u64::from(self.rules.one_company_token);
        sign(&CompanyClaims {
            company: self.rules.login.clone(),
            generation: self.generation.fetch_add(ended, Ordering::SeqCst) + ended,
            exp: self.now().timestamp()
                + i64::try_from(self.rules.company_token_ttl.as_secs()).unwrap_or(i64::MAX / 2),
        })
    }

    /// Whether a token opens the company's calls.
    pub(super) fn authenticate(&self, token: &str) -> Result<(), Refused> {
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
    pub(super) fn read_operator_token(&self, token: &str) -> Option<OperatorClaims> {
        let claims = verify::<OperatorClaims>(token)?;
        let active = self.operator(claims.operator_id)?.status == 0;
        (active && claims.exp > self.now().timestamp()).then_some(claims)
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn operator_token(operator_id: u64, expires_at: DateTime<Utc>) -> String {
    sign(&OperatorClaims {
        operator_id,
        exp: expires_at.timestamp(),
    })
}

fn sign(claims: &impl Serialize) -> String {
    // HS256 over plain claims cannot fail; were it to, the empty token would be refused by
    // everybody.
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(SIGNING_KEY),
    )
    .unwrap_or_default()
}

/// Checks the signature only: the simulator has a clock of its own.
fn verify<Claims: serde::de::DeserializeOwned>(token: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(SIGNING_KEY), &validation)
        .ok()
        .map(|data| data.claims)
}
