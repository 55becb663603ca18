//! Pipedrive's proof: the JWT that a custom panel's address has, HS256 by the panel's secret, good
//! for five minutes (pipedrive.readme.io, "Custom UI extensions"; github.com/pipedrive/
//! app-extensions-sdk). And the phones of the record beside the panel, which the address does not
//! have: Pipedrive's API is asked for them (developers.pipedrive.com; npm's `pipedrive`), with the
//! section's token, and whether that record is the agent's to see.

use std::time::Instant;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::header::HeaderName;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Call, CrmAnswer, CrmClient};
use super::config::Pipedrive;
use super::pace::Asker;
use super::token::{self, Id, Times};
use super::{Connectors, CrmFault, ProvenAgent, Refusal, Unproven, Vendor};
use crate::access::{Denied, OneTimeUse};
use crate::secret::Secret;

const API_TOKEN: HeaderName = HeaderName::from_static("x-api-token");

/// How long a token without an `exp` is good, in seconds: so long as Pipedrive says that all are.
const TTL: i64 = 5 * 60;

/// What the address of a panel shows, as it came.
#[derive(Debug, Default)]
pub struct ShownPanel {
    /// `token`
    pub token: Option<Secret>,
    /// `companyId`
    pub company: Option<String>,
    /// `userId`
    pub user: Option<String>,
}

impl ShownPanel {
    /// The number of the company that it says it is from. Nothing of it is proven.
    pub fn company(&self) -> Option<u64> {
        let id = self.company.as_deref().and_then(Id::parse);
        id.map(|id| id.0)
    }
}

/// What of a token counts here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    user_id: Id,
    company_id: Id,
    exp: Option<i64>,
    iat: Option<i64>,
}

impl Claims {
    /// Whether a token of Pipedrive's has an `exp` is not documented. One that has no time at all
    /// would be good for ever.
    fn times(&self) -> Result<Times, Unproven> {
        let issued = self.iat.map(|at| at.saturating_add(TTL));
        let ends = self.exp.or(issued).ok_or(Unproven::Times)?;
        Ok(Times::new(self.iat, ends))
    }
}

impl Connectors {
    /// The agent in whose Pipedrive a panel is shown. The proof is good once.
    ///
    /// # Errors
    /// The token is not Pipedrive's, not of now, or for another company or user than the address.
    pub fn prove_pipedrive(
        &self,
        shown: &ShownPanel,
        now: DateTime<Utc>,
    ) -> Result<ProvenAgent, Refusal> {
        let token = shown.token.as_ref().ok_or(Unproven::Missing)?.expose();
        let [company, user] = [&shown.company, &shown.user].map(|id| {
            id.as_deref()
                .and_then(Id::parse)
                .ok_or(Unproven::Incomplete)
        });
        let (company, user) = (company?, user?);
        let section = self
            .pipedrive_company(company.0)
            .ok_or(Refusal::NotListed)?;
        let claims = section.verify(token)?;
        let times = claims.times()?;
        times.check(now)?;
        if (claims.company_id, claims.user_id) != (company, user) {
            return Err(Unproven::Account.into());
        }
        let installation = &section.section.installation;
        let once = OneTimeUse::new(&format!("pipedrive {installation}"), token, times.expires());
        Ok(ProvenAgent {
            connector: Vendor::Pipedrive,
            installation: installation.clone(),
            vendor_user_id: user.0,
            email: None,
            proven_at: now,
            one_time_use: Some(once.denied_as(Denied::ConnectorTokenUsed)),
        })
    }

    /// The phones of a record that Pipedrive lets this agent see.
    ///
    /// # Errors
    /// The record is not the agent's to see, or Pipedrive does not say so by the deadline.
    pub async fn pipedrive_phones(
        &self,
        agent: &ProvenAgent,
        record: Record,
        client: &CrmClient,
        deadline: Instant,
    ) -> Result<Vec<String>, Refusal> {
        let number = agent.installation.parse().map_err(|_| Refusal::NotListed)?;
        let company = self.pipedrive_company(number).ok_or(Refusal::NotListed)?;
        let user = agent.vendor_user_id;
        let api = Api {
            company,
            client,
            deadline,
        };
        let person = match record.kind {
            Kind::Person => Some(record.id),
            Kind::Deal => api.person_of_deal(record.id, user).await?,
            Kind::Organization => None,
        };
        match person {
            Some(person) => api.phones(person, user).await,
            None => Ok(Vec::new()),
        }
    }

    fn pipedrive_company(&self, number: u64) -> Option<&Pipedrive> {
        let mut companies = self.pipedrive.iter();
        companies.find(|company| company.company == number)
    }
}

impl Pipedrive {
    fn verify(&self, token: &str) -> Result<Claims, Unproven> {
        let key = DecodingKey::from_secret(self.jwt_secret.expose().as_bytes());
        token::verify(token, &key, Algorithm::HS256)
    }
}

/// A kind of record beside which panels are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Person,
    Deal,
    /// Has no phones in Pipedrive.
    Organization,
}

/// The record beside a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    kind: Kind,
    id: u64,
}

impl Record {
    /// Reads `resource` and `selectedIds` of a panel's address. What a caller could write into a
    /// question is a number alone.
    pub fn of(resource: Option<&str>, selected: Option<&str>) -> Option<Self> {
        let kind = match resource? {
            "person" => Kind::Person,
            "deal" => Kind::Deal,
            "organization" => Kind::Organization,
            _ => return None,
        };
        let id = Id::parse(selected?)?.0;
        Some(Self { kind, id })
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Deal {
    person_id: Option<u64>,
}

#[derive(Deserialize)]
struct Person {
    phones: Option<Vec<Phone>>,
}

impl Person {
    fn phones(self) -> Vec<String> {
        let phones = self.phones.into_iter().flatten();
        phones.filter_map(|phone| phone.value).collect()
    }
}

#[derive(Deserialize)]
struct Phone {
    value: Option<String>,
}

/// Pipedrive's API, for one request.
struct Api<'a> {
    company: &'a Pipedrive,
    client: &'a CrmClient,
    deadline: Instant,
}

impl Api<'_> {
    /// The person of a deal that the user may see.
    async fn person_of_deal(&self, deal: u64, user: u64) -> Result<Option<u64>, Refusal> {
        let visible = self.check_visible("deals", deal, user);
        let found = self.get::<Deal>(format!("/api/v2/deals/{deal}"));
        let ((), found) = tokio::try_join!(visible, found)?;
        Ok(found.person_id)
    }

    /// The phones of a person whom the user may see.
    async fn phones(&self, person: u64, user: u64) -> Result<Vec<String>, Refusal> {
        let visible = self.check_visible("persons", person, user);
        let found = self.get::<Person>(format!("/api/v2/persons/{person}"));
        let ((), found) = tokio::try_join!(visible, found)?;
        Ok(found.phones())
    }

    async fn check_visible(&self, records: &str, id: u64, user: u64) -> Result<(), Refusal> {
        let path = format!("/api/v1/{records}/{id}/permittedUsers");
        let users: Vec<u64> = self.get(path).await?;
        let is_visible = users.contains(&user);
        is_visible.then_some(()).ok_or(Refusal::ClientHidden)
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, Refusal> {
        let call = Call::get(&path, API_TOKEN, &self.company.api_token);
        let section = &self.company.section;
        let answer = self
            .client
            .ask(section, &call, Asker::Proven, self.deadline);
        data(&answer.await?)
    }
}

/// What Pipedrive has been asked for.
fn data<T: DeserializeOwned>(answer: &CrmAnswer) -> Result<T, Refusal> {
    match answer.status {
        200 => Ok(answer.json::<Answer<T>>()?.data),
        401 => Err(CrmFault::Denied.into()),
        403 | 404 | 410 => Err(Refusal::ClientHidden),
        _ => Err(answer.fault().into()),
    }
}

/// The users who may see a record, by an answer.
#[cfg(fuzzing)]
pub(super) fn users_of(answer: &CrmAnswer) -> Result<Vec<u64>, Refusal> {
    data(answer)
}

/// The person of a deal, by an answer.
#[cfg(fuzzing)]
pub(super) fn person_of(answer: &CrmAnswer) -> Result<Option<u64>, Refusal> {
    data::<Deal>(answer).map(|deal| deal.person_id)
}

/// The phones of a person, by an answer.
#[cfg(fuzzing)]
pub(super) fn phones_of(answer: &CrmAnswer) -> Result<Vec<String>, Refusal> {
    data::<Person>(answer).map(Person::phones)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("person", "7", Some((Kind::Person, 7)))]
    #[case("deal", "8061", Some((Kind::Deal, 8061)))]
    #[case("organization", "3", Some((Kind::Organization, 3)))]
    #[case::another_kind("users", "7", None)]
    #[case::in_capitals("Person", "7", None)]
    #[case::a_path("person/../users", "7", None)]
    #[case::two("person", "7,8", None)]
    #[case::a_way_out("person", "7/../8", None)]
    #[case::a_query("person", "7?x", None)]
    #[case::none("person", "0", None)]
    #[case::negative("person", "-7", None)]
    #[case::empty("person", "", None)]
    fn a_record_is_of_a_known_kind_and_has_a_number(
        #[case] resource: &str,
        #[case] selected: &str,
        #[case] expected: Option<(Kind, u64)>,
    ) {
        let record = Record::of(Some(resource), Some(selected));
        assert_eq!(record.map(|record| (record.kind, record.id)), expected);
        assert_eq!(Record::of(None, Some(selected)), None);
        assert_eq!(Record::of(Some(resource), None), None);
    }

    const NOW: i64 = 1_800_000_000;

    #[rstest]
    #[case::five_minutes(Some(NOW - 299), None, Ok(()))]
    #[case::over(Some(NOW - 300), None, Err(Unproven::Expired))]
    #[case::its_own_end(Some(NOW - 600), Some(NOW + 1), Ok(()))]
    #[case::its_own_end_is_over(Some(NOW), Some(NOW), Err(Unproven::Expired))]
    #[case::of_tomorrow(Some(NOW + 61), None, Err(Unproven::Times))]
    #[case::for_two_hours(Some(NOW), Some(NOW + 7200), Err(Unproven::Times))]
    #[case::without_times(None, None, Err(Unproven::Times))]
    fn a_token_is_of_now(
        #[case] iat: Option<i64>,
        #[case] exp: Option<i64>,
        #[case] expected: Result<(), Unproven>,
    ) {
        let claims = Claims {
            user_id: Id(7),
            company_id: Id(123),
            exp,
            iat,
        };
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let checked = claims.times().and_then(|times| times.check(now));
        assert_eq!(checked, expected);
    }
}
