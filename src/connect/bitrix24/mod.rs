//! Bitrix24's proof: a local application's request shows a token of the agent (`AUTH_ID`), and the
//! portal itself is asked whose it is, whether it was given to our application, and which phones
//! that agent may see (github.com/bitrix24/b24restdocs: `widgets/crm/detail-toolbar.md`,
//! `common/system/app-info.md`, `how-to-call-rest-api/batch.md`).
//!
//! Asked is the origin that a section has. `DOMAIN` only selects the section; `PROTOCOL`,
//! `SERVER_ENDPOINT`, `client_endpoint` and `member_id`, which say where else to ask, are not read.

mod batch;
mod install;
mod record;

use std::time::Instant;

use chrono::Utc;
use serde_json::Value;

use self::batch::{Answers, Batch};
pub use self::install::{Buttons, Installation};
use self::record::Record;
use super::client::CrmClient;
use super::config::Bitrix24;
use super::pace::Asker;
use super::token::Id;
use super::verdicts::{CrmUser, TokenKey};
use super::{Connectors, ProvenAgent, Refusal, Unproven, Vendor};
use crate::secret::Secret;

/// The longest token, in bytes: several times what portals send.
const MAX_TOKEN: usize = 1024;

/// What a request shows, as it came.
#[derive(Debug, Default)]
pub struct Shown {
    /// Each `DOMAIN`: of the query, and of the body.
    pub domains: Vec<String>,
    /// `AUTH_ID`, or an event's `access_token`.
    pub token: Option<Secret>,
    /// `APPLICATION_TOKEN`.
    pub application_token: Option<Secret>,
}

/// What a request of a button shows, as it came.
#[derive(Debug, Default)]
pub struct ShownButton {
    /// Whose request it is.
    pub shown: Shown,
    /// `PLACEMENT`: where the button is.
    pub placement: Option<String>,
    /// `PLACEMENT_OPTIONS`, JSON: the record that it is on.
    pub placement_options: Option<String>,
}

/// A token that a listed portal is to confirm.
#[derive(Clone, Copy)]
struct Claim<'a> {
    portal: &'a Bitrix24,
    token: &'a Secret,
    key: TokenKey,
}

/// The button on a record of a listed portal, which is to confirm it.
pub struct Button<'a> {
    claim: Claim<'a>,
    record: Record,
}

/// An agent, and the phones of the client whose record is open.
pub type AgentAndPhones = (ProvenAgent, Vec<String>);

impl Connectors {
    /// Reads the request of a button, as far as that takes no question to the portal.
    pub fn bitrix24_button<'a>(&'a self, shown: &'a ShownButton) -> Result<Button<'a>, Refusal> {
        let claim = self.bitrix24_claim(&shown.shown)?;
        let placement = shown.placement.as_deref();
        let options = shown.placement_options.as_deref();
        let record = Record::of(placement, options).ok_or(Unproven::Placement)?;
        Ok(Button { claim, record })
    }

    fn bitrix24_claim<'a>(&'a self, shown: &'a Shown) -> Result<Claim<'a>, Refusal> {
        let portal = self.bitrix24_portal(&shown.domains)?;
        portal.check_application_token(shown.application_token.as_ref())?;
        let token = shown.token.as_ref().ok_or(Unproven::Missing)?;
        let is_plain = token.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || !(1..=MAX_TOKEN).contains(&token.expose().len()) {
            return Err(Unproven::TokenRejected.into());
        }
        let key = TokenKey::of(&portal.section, token.expose());
        Ok(Claim { portal, token, key })
    }

    /// The listed portal that a request says it is from, as often as it says so.
    fn bitrix24_portal(&self, domains: &[String]) -> Result<&Bitrix24, Refusal> {
        let mut domains = domains.iter().map(|domain| plain(domain));
        let domain = domains.next().ok_or(Unproven::Incomplete)?;
        if domains.any(|other| other != domain) {
            return Err(Unproven::Account.into());
        }
        let mut portals = self.bitrix24.iter();
        portals
            .find(|portal| portal.section.installation == domain)
            .ok_or(Refusal::NotListed)
    }
}

/// A host as sections have it: the case of A to Z and one dot at its end make no difference.
fn plain(domain: &str) -> String {
    domain
        .strip_suffix('.')
        .unwrap_or(domain)
        .to_ascii_lowercase()
}

impl Bitrix24 {
    /// In constant time, as secrets compare.
    fn check_application_token(&self, shown: Option<&Secret>) -> Result<(), Unproven> {
        let is_right = self.application_token.is_none() || self.application_token.as_ref() == shown;
        is_right.then_some(()).ok_or(Unproven::ApplicationToken)
    }
}

impl Claim<'_> {
    /// What the portal has said about the token lately, where that was a yes.
    fn known(self, client: &CrmClient) -> Result<Option<CrmUser>, Unproven> {
        client.verdicts.get(self.key, Instant::now()).transpose()
    }

    /// Asks the portal. A no is remembered.
    async fn ask(
        self,
        batch: &Batch,
        asker: Asker,
        client: &CrmClient,
        deadline: Instant,
    ) -> Result<Answers, Refusal> {
        let call = batch.call(self.token);
        let answer = client.ask(&self.portal.section, &call, asker, deadline);
        let answers = Answers::read(&answer.await?);
        if let Err(Refusal::Unproven(unproven)) = answers {
            self.remember(&Err(unproven), client);
        }
        answers
    }

    /// Whose the token is, by the portal's answers to [`Batch::asking_who`]; remembered either way.
    /// Without an answer the portal has said neither yes nor no.
    fn confirm(self, answers: &Answers, client: &CrmClient) -> Result<CrmUser, Refusal> {
        let (Some(code), Some(profile)) = (answers.code(), answers.of("me")) else {
            return Err(answers.no_answer("app"));
        };
        let verdict = if code == self.portal.client_id {
            answers.user(profile)
        } else {
            Err(Unproven::OtherApplication)
        };
        self.remember(&verdict, client);
        Ok(verdict?)
    }

    fn remember(self, verdict: &Result<CrmUser, Unproven>, client: &CrmClient) {
        client.verdicts.put(self.key, verdict, Instant::now());
    }

    fn agent(self, user: CrmUser) -> ProvenAgent {
        ProvenAgent {
            connector: Vendor::Bitrix24,
            installation: self.portal.section.installation.clone(),
            vendor_user_id: user.id,
            email: user.email,
            proven_at: Utc::now(),
            one_time_use: None,
        }
    }
}

impl Button<'_> {
    /// The agent, where the portal has confirmed the token lately: what else fails from the agent's
    /// address then makes no difference.
    pub fn known_agent(&self, client: &CrmClient) -> Option<ProvenAgent> {
        let user = self.claim.known(client).ok()??;
        Some(self.claim.agent(user))
    }

    /// Asks the portal, in one request, whose button it is and which phones the record has for that
    /// agent.
    ///
    /// # Errors
    /// The portal does not confirm the request, or gives no answer by the deadline.
    pub async fn ask(
        &self,
        client: &CrmClient,
        deadline: Instant,
    ) -> Result<AgentAndPhones, Refusal> {
        let claim = self.claim;
        let known = claim.known(client)?;
        let mut batch = Batch::default();
        let asker = if known.is_some() {
            Asker::Proven
        } else {
            batch.asking_who(claim.portal.section.by_email);
            Asker::Unproven
        };
        self.record.ask_into(&mut batch);
        let answers = claim.ask(&batch, asker, client, deadline).await?;
        self.answered(known, &answers, client)
    }

    /// The agent, if not known already, and the phones, by the portal's answers.
    fn answered(
        &self,
        known: Option<CrmUser>,
        answers: &Answers,
        client: &CrmClient,
    ) -> Result<AgentAndPhones, Refusal> {
        let user = match known {
            Some(user) => user,
            None => self.claim.confirm(answers, client)?,
        };
        Ok((self.claim.agent(user), answers.phones()?))
    }

    /// What [`Self::ask`] makes of an answer.
    #[cfg(fuzzing)]
    pub(super) fn answered_by(
        &self,
        answer: &super::client::CrmAnswer,
        client: &CrmClient,
    ) -> Result<AgentAndPhones, Refusal> {
        self.answered(None, &Answers::read(answer)?, client)
    }
}

impl Answers {
    /// The id of the application that the token was given to.
    fn code(&self) -> Option<&str> {
        self.of("app")?.get("CODE")?.as_str()
    }

    /// The user that the token was given to. An inactive one is an empty object.
    fn user(&self, profile: &Value) -> Result<CrmUser, Unproven> {
        let id = |answer: &Value| serde_json::from_value::<Id>(answer.get("ID")?.clone()).ok();
        let user = id(profile).ok_or(Unproven::Incomplete)?;
        let mail = self.of("mail").filter(|mail| id(mail) == Some(user));
        let email = mail.and_then(|mail| mail.get("EMAIL")?.as_str());
        Ok(CrmUser {
            id: user.0,
            email: email.map(ToOwned::to_owned),
        })
    }
}
