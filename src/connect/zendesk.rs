//! Zendesk's proof: the token that Zendesk posts with the first page of an app whose manifest has
//! `signedUrls`, an RS256 JWT of the app's key (developer.zendesk.com, "Authenticating Zendesk in
//! your server-side app"; what its claims look like comes from public code that reads them).

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use serde::Deserialize;

use super::config::Zendesk;
use super::token::{self, Id, Times};
use super::{Connectors, ProvenAgent, Refusal, Unproven, Vendor};
use crate::access::{Denied, OneTimeUse};

/// What of a token counts here. What Zendesk says of the page (`context`, `qsh`) does not.
#[derive(Deserialize)]
struct Claims {
    aud: String,
    sub: String,
    jti: Option<String>,
    #[serde(flatten)]
    times: Times,
}

impl Connectors {
    /// The agent who sees the app in Zendesk. `host` is the origin of the page that the app is
    /// shown in, as its address says; the proof is good once.
    pub fn prove_zendesk(
        &self,
        token: Option<&str>,
        host: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<ProvenAgent, Refusal> {
        let token = token.ok_or(Unproven::Missing)?;
        let issuer = token::issuer(token)?;
        let mut accounts = self.zendesk.iter();
        let account = accounts
            .find(|account| account.is(&issuer))
            .ok_or(Refusal::NotListed)?;
        let claims: Claims = token::verify(token, &account.public_key, Algorithm::RS256)?;
        claims.times.check(now)?;
        account.check_audience(&claims.aud)?;
        if host.is_some_and(|host| host != account.origin()) {
            return Err(Unproven::Account.into());
        }
        let user = account.user(&claims.sub).ok_or(Unproven::Incomplete)?;
        Ok(ProvenAgent {
            connector: Vendor::Zendesk,
            installation: account.section.installation.clone(),
            vendor_user_id: user.0,
            email: None,
            proven_at: now,
            one_time_use: Some(account.once(token, &claims)),
        })
    }
}

impl Zendesk {
    fn origin(&self) -> &str {
        self.section.origin.as_deref().unwrap_or_default()
    }

    /// Whether an issuer is this account: Zendesk writes its host, public code also its origin.
    fn is(&self, issuer: &str) -> bool {
        [&*self.section.installation, self.origin()].contains(&issuer)
    }

    /// A token is for an installation of the account's, and for the section's where it names one.
    fn check_audience(&self, audience: &str) -> Result<(), Unproven> {
        let number = self.number(audience, "apps/installations");
        let number = number.ok_or(Unproven::Audience)?;
        let is_ours = self.installation.is_none_or(|ours| ours == number.0);
        is_ours.then_some(()).ok_or(Unproven::Account)
    }

    /// The user's number: alone, or in the user's address. Both are found in public code.
    fn user(&self, subject: &str) -> Option<Id> {
        Id::parse(subject).or_else(|| self.number(subject, "users"))
    }

    /// The number in an address of the account's API.
    fn number(&self, address: &str, kind: &str) -> Option<Id> {
        let path = address.strip_prefix(self.origin())?;
        let path = path.strip_prefix("/api/v2/")?.strip_prefix(kind)?;
        Id::parse(path.strip_prefix('/')?.strip_suffix(".json")?)
    }

    /// That Zendesk's tokens have a `jti` is not certain; one without counts once as a whole.
    fn once(&self, token: &str, claims: &Claims) -> OneTimeUse {
        let id = claims.jti.as_deref().filter(|id| !id.is_empty());
        let key = format!("zendesk {}", self.section.installation);
        let once = id.map_or_else(|| format!("token {token}"), |id| format!("jti {id}"));
        OneTimeUse::new(&key, &once, claims.times.expires()).denied_as(Denied::ConnectorTokenUsed)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::DecodingKey;
    use rstest::rstest;

    use super::*;
    use crate::access::Scope;
    use crate::connect::Section;
    use crate::secret::Secret;

    const NOW: i64 = 1_800_000_000;
    const ACCOUNT: &str = "https://acme.zendesk.com";

    #[derive(Deserialize)]
    struct Vectors {
        public_key: String,
        good: String,
        without_jti: String,
        symmetric: String,
    }

    fn vectors() -> Vectors {
        toml::from_str(include_str!("zendesk_vectors.toml")).unwrap()
    }

    fn account(host: &str, installation: Option<u64>) -> Zendesk {
        let public_key = vectors().public_key;
        Zendesk {
            section: Section {
                connector: Vendor::Zendesk,
                installation: host.into(),
                origin: Some(format!("https://{host}")),
                prefix: "zendesk-".into(),
                by_email: false,
                operators: Scope::default(),
                vouching: Secret::new(public_key.clone()),
            },
            public_key: DecodingKey::from_rsa_pem(public_key.as_bytes()).unwrap(),
            installation,
        }
    }

    /// The user that a token proves to this account, this many seconds after it was made.
    fn proven(
        token: &str,
        account: Zendesk,
        host: Option<&str>,
        after: i64,
    ) -> Result<u64, Refusal> {
        let connectors = Connectors {
            zendesk: vec![account],
            ..Connectors::default()
        };
        let now = DateTime::from_timestamp(NOW + after, 0).unwrap();
        let agent = connectors.prove_zendesk(Some(token), host, now)?;
        Ok(agent.vendor_user_id)
    }

    #[rstest]
    #[case::any_installation(None, None, 0, Ok(35436))]
    #[case::this_installation(Some(82), None, 0, Ok(35436))]
    #[case::another_installation(Some(8), None, 0, Err(Unproven::Account.into()))]
    #[case::in_its_page(None, Some(ACCOUNT), 0, Ok(35436))]
    #[case::in_another_page(None, Some("https://evil.example"), 0, Err(Unproven::Account.into()))]
    #[case::to_the_end(None, None, 299, Ok(35436))]
    #[case::after_the_end(None, None, 300, Err(Unproven::Expired.into()))]
    #[case::clocks_differ(None, None, -60, Ok(35436))]
    #[case::before_its_time(None, None, -61, Err(Unproven::Times.into()))]
    fn a_token_proves_a_user(
        #[case] installation: Option<u64>,
        #[case] host: Option<&str>,
        #[case] after: i64,
        #[case] expected: Result<u64, Refusal>,
    ) {
        let account = account("acme.zendesk.com", installation);
        assert_eq!(proven(&vectors().good, account, host, after), expected);
    }

    #[test]
    fn a_token_of_another_key_account_or_algorithm_proves_nothing() {
        let ours = || account("acme.zendesk.com", None);
        let Vectors {
            good, symmetric, ..
        } = vectors();
        let forged = Err(Unproven::Signature.into());
        assert_eq!(proven(&symmetric, ours(), None, 0), forged);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let changed = signature.replace("Ka-M", "Ka-N");
        assert_eq!(
            proven(&format!("{signed}.{changed}"), ours(), None, 0),
            forged
        );
        assert_eq!(proven(&format!("{signed}."), ours(), None, 0), forged);
        // {"alg":"none"}
        let claims = signed.split_once('.').unwrap().1;
        let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
        assert_eq!(proven(&unsigned, ours(), None, 0), forged);
        let other = account("other.zendesk.com", None);
        assert_eq!(proven(&good, other, None, 0), Err(Refusal::NotListed));
    }

    #[test]
    fn a_token_counts_once_by_its_number_or_as_a_whole() {
        let connectors = Connectors {
            zendesk: vec![account("acme.zendesk.com", None)],
            ..Connectors::default()
        };
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let once = |token: &str| {
            let agent = connectors.prove_zendesk(Some(token), None, now).unwrap();
            assert_eq!(agent.vendor_user_id, 35436);
            agent.one_time_use.unwrap().fingerprint()
        };
        let vectors = vectors();
        let expires = DateTime::from_timestamp(NOW + 300, 0).unwrap();
        let by_number = OneTimeUse::new("zendesk acme.zendesk.com", "jti a1", expires);
        assert_eq!(once(&vectors.good), by_number.fingerprint());
        assert_eq!(once(&vectors.without_jti), once(&vectors.without_jti));
        assert_ne!(once(&vectors.good), once(&vectors.without_jti));
    }

    /// An empty number tells no token from another: the first would use up all.
    #[test]
    fn a_token_with_an_empty_number_counts_as_a_whole() {
        let expires = DateTime::from_timestamp(NOW + 300, 0).unwrap();
        let claims = Claims {
            aud: String::new(),
            sub: String::new(),
            jti: Some(String::new()),
            times: Times::new(None, NOW + 300),
        };
        let once = |token| {
            let account = account("acme.zendesk.com", None);
            account.once(token, &claims).fingerprint()
        };
        let whole = OneTimeUse::new("zendesk acme.zendesk.com", "token a.b.c", expires);
        assert_eq!(once("a.b.c"), whole.fingerprint());
        assert_ne!(once("a.b.c"), once("a.b.d"));
    }

    #[rstest]
    #[case("35436", Some(35436))]
    #[case("https://acme.zendesk.com/api/v2/users/35436.json", Some(35436))]
    #[case("https://acme.zendesk.com/api/v2/users/035436.json", None)]
    #[case("https://acme.zendesk.com/api/v2/users/35436", None)]
    #[case("https://acme.zendesk.com/api/v2/users/.json", None)]
    #[case("https://acme.zendesk.com/api/v2/users/1/2.json", None)]
    #[case("https://acme.zendesk.com/api/v2/users/35436.json?x", None)]
    #[case("https://acme.zendesk.com/api/v2/apps/installations/82.json", None)]
    #[case("https://acme.zendesk.com.evil.example/api/v2/users/35436.json", None)]
    #[case("https://other.zendesk.com/api/v2/users/35436.json", None)]
    #[case("http://acme.zendesk.com/api/v2/users/35436.json", None)]
    #[case("ann@example.com", None)]
    #[case("0", None)]
    #[case("", None)]
    fn a_user_is_a_number_or_its_address(#[case] subject: &str, #[case] expected: Option<u64>) {
        let user = account("acme.zendesk.com", None).user(subject);
        assert_eq!(user.map(|user| user.0), expected);
    }
}
