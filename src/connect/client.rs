//! The client for calls to CRMs: to the origin that a section of `CONNECTORS_FILE` has, and to no
//! other host, whatever a request or an answer says.
//!
//! It follows no redirect, takes no proxy from the environment, checks certificates, reads a
//! bounded answer in bounded time, and asks each portal no faster than the portal takes (`pace`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chathub::{HttpsUrl, NoConnection};
use parking_lot::Mutex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, redirect, retry};
use serde::de::DeserializeOwned;
use tokio::time::timeout_at;

use super::pace::{Asker, Pace};
use super::verdicts::Verdicts;
use super::{CrmFault, Section};
use crate::secret::Secret;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 256 << 10;

/// An idle connection is closed before a server closes it under a request.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A fault that goes on is logged again after this time.
const REMIND_AFTER: Duration = Duration::from_mins(10);

/// A call to a CRM. It has secrets in it.
pub(super) struct Call<'a> {
    /// From the root of the portal, without a query.
    path: &'a str,
    body: Option<Vec<u8>>,
    header: Option<(HeaderName, &'a Secret)>,
}

impl<'a> Call<'a> {
    /// `GET`, with a secret in a header.
    pub(super) const fn get(path: &'a str, header: HeaderName, secret: &'a Secret) -> Self {
        Self {
            path,
            body: None,
            header: Some((header, secret)),
        }
    }

    /// `POST` of JSON.
    pub(super) fn post(path: &'a str, json: &serde_json::Value) -> Self {
        Self {
            path,
            body: Some(json.to_string().into_bytes()),
            header: None,
        }
    }
}

/// What a CRM has answered. It has clients' data in it.
pub(super) struct CrmAnswer {
    /// The HTTP status; never a redirect.
    pub(super) status: u16,
    body: Vec<u8>,
}

impl CrmAnswer {
    #[cfg(fuzzing)]
    pub(super) const fn of(status: u16, body: Vec<u8>) -> Self {
        Self { status, body }
    }

    /// The body as JSON, whatever the status is.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CrmFault> {
        serde_json::from_slice(&self.body).map_err(|_| CrmFault::BadAnswer)
    }

    /// What a status means that a call does not expect.
    pub(super) const fn fault(&self) -> CrmFault {
        match self.status {
            429 => CrmFault::Busy,
            500.. => CrmFault::Unavailable,
            _ => CrmFault::BadAnswer,
        }
    }
}

/// One portal: how fast it is asked, and which trouble with it was logged last.
struct Portal {
    pace: Pace,
    trouble: Mutex<Option<(CrmFault, Instant)>>,
}

/// The client, and what CRMs have said lately.
pub struct CrmClient {
    http: Client,
    /// By origin. Only sections have one, so there are few.
    portals: Mutex<HashMap<String, Arc<Portal>>>,
    pub(super) verdicts: Verdicts,
}

impl CrmClient {
    /// # Errors
    /// The machine has no usable certificates of authorities.
    pub fn new() -> Result<Self, NoConnection> {
        let http = Client::builder()
            .user_agent(concat!("open-chat/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE)
            // A token must not follow a redirect, nor a request leave for a host of a CRM's choice.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .build()
            // Of what is set here, nothing else can be wrong.
            .map_err(|_| NoConnection::NoCertificates)?;
        Ok(Self {
            http,
            portals: Mutex::default(),
            verdicts: Verdicts::default(),
        })
    }

    /// Asks the section's own origin, and waits for its answer until the deadline.
    pub(super) async fn ask(
        &self,
        section: &Section,
        call: &Call<'_>,
        asker: Asker,
        deadline: Instant,
    ) -> Result<CrmAnswer, CrmFault> {
        let origin = section.origin.as_deref().ok_or(CrmFault::Unavailable)?;
        let portal = self.portal(origin);
        let answer = async {
            let _turn = portal.pace.turn(asker, deadline).await?;
            self.send(origin, call).await
        };
        let answer = timeout_at(deadline.into(), answer).await;
        let answer = answer.unwrap_or(Err(CrmFault::TimedOut));
        portal.note(section, answer.as_ref().err());
        answer
    }

    fn portal(&self, origin: &str) -> Arc<Portal> {
        let mut portals = self.portals.lock();
        let portal = portals.entry(origin.to_owned()).or_insert_with(|| {
            Arc::new(Portal {
                pace: Pace::new(Instant::now()),
                trouble: Mutex::default(),
            })
        });
        Arc::clone(portal)
    }

    async fn send(&self, origin: &str, call: &Call<'_>) -> Result<CrmAnswer, CrmFault> {
        let request = self.request(origin, call).ok_or(CrmFault::Unavailable)?;
        let response = request.send().await.map_err(|error| fault(&error))?;
        let status = response.status();
        if status.is_redirection() {
            return Err(CrmFault::BadAnswer);
        }
        Ok(CrmAnswer {
            status: status.as_u16(),
            body: read(response).await?,
        })
    }

    /// `None` where the origin is none, which the settings rule out.
    fn request(&self, origin: &str, call: &Call<'_>) -> Option<RequestBuilder> {
        let mut url = HttpsUrl::parse(origin).ok()?.as_url().clone();
        url.set_path(call.path);
        let mut request = match &call.body {
            Some(body) => self.http.post(url).body(body.clone()),
            None => self.http.get(url),
        };
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some((name, secret)) = &call.header {
            let mut value = HeaderValue::from_str(secret.expose()).ok()?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        Some(request.header(ACCEPT, "application/json"))
    }
}

impl Portal {
    /// Logs a trouble once, and again where it lasts.
    fn note(&self, section: &Section, fault: Option<&CrmFault>) {
        let Some(&fault) = fault else {
            return;
        };
        let mut trouble = self.trouble.lock();
        let is_known =
            |(known, at): (CrmFault, Instant)| known == fault && at.elapsed() < REMIND_AFTER;
        if trouble.is_some_and(is_known) {
            return;
        }
        *trouble = Some((fault, Instant::now()));
        tracing::warn!(
            connector = section.connector.name(),
            installation = section.installation,
            trouble = %fault,
            "A CRM that was asked has given no answer that can be used"
        );
    }
}

/// Reads the body up to its limit.
async fn read(mut response: Response) -> Result<Vec<u8>, CrmFault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(CrmFault::BadAnswer);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an error of reqwest means. Its own text may have the address in it.
fn fault(error: &reqwest::Error) -> CrmFault {
    if error.is_timeout() {
        CrmFault::TimedOut
    } else if error.is_connect() {
        CrmFault::NoConnection(NoConnection::of(error))
    } else {
        CrmFault::Unavailable
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use crm_simulator::{Fault, Simulator};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::access::Scope;
    use crate::connect::Vendor;

    const PATH: &str = "/rest/profile";

    fn section(origin: &str) -> Section {
        Section {
            connector: Vendor::Bitrix24,
            installation: "acme.bitrix24.com".into(),
            origin: Some(origin.into()),
            prefix: "bitrix24-".into(),
            by_email: false,
            operators: Scope::default(),
            vouching: Secret::new("canary-vouching"),
        }
    }

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    async fn ask(origin: &str, deadline: Instant) -> Result<CrmAnswer, CrmFault> {
        let call = Call::post(PATH, &json!({"auth": "canary-token"}));
        let client = CrmClient::new().unwrap();
        client
            .ask(&section(origin), &call, Asker::Proven, deadline)
            .await
    }

    #[tokio::test]
    async fn an_answer_is_read_whatever_its_status_is() {
        let portal = Simulator::start().unwrap();
        portal.answer(PATH, json!({"result": {"ID": "17"}}));
        let answer = ask(&portal.origin(), in_a_minute()).await.ok().unwrap();
        let body: Value = answer.json().unwrap();
        assert_eq!((answer.status, &body["result"]["ID"]), (200, &json!("17")));
        for (status, fault) in [
            (401, CrmFault::BadAnswer),
            (429, CrmFault::Busy),
            (503, CrmFault::Unavailable),
        ] {
            portal.fail_next(PATH, Fault::Status(status, "no JSON".into()));
            let answer = ask(&portal.origin(), in_a_minute()).await.ok().unwrap();
            assert_eq!((answer.status, answer.fault()), (status, fault));
            assert_eq!(answer.json::<Value>(), Err(CrmFault::BadAnswer));
        }
    }

    /// Its own limit holds for what has a length and for what has none.
    #[rstest]
    #[case((256 << 10) - 2, true)]
    #[case((256 << 10) - 1, false)]
    #[tokio::test]
    async fn a_huge_answer_is_none(#[case] length: usize, #[case] is_read: bool) {
        let portal = Simulator::start().unwrap();
        let body = format!("\"{}\"", "a".repeat(length));
        portal.fail_next(PATH, Fault::Garbage(body));
        let answer = ask(&portal.origin(), in_a_minute()).await;
        match answer {
            Ok(answer) => assert!(is_read && answer.json::<String>().is_ok()),
            Err(fault) => assert_eq!((fault, is_read), (CrmFault::BadAnswer, false)),
        }
    }

    #[rstest]
    #[case(301)]
    #[case(302)]
    #[case(307)]
    #[case(308)]
    #[tokio::test]
    async fn no_redirect_is_followed(#[case] status: u16) {
        let portal = Simulator::start().unwrap();
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = elsewhere.local_addr().unwrap();
        portal.fail_next(
            PATH,
            Fault::Redirect(status, format!("http://{address}/rest/profile")),
        );
        let answer = ask(&portal.origin(), in_a_minute()).await;
        assert_eq!(answer.err(), Some(CrmFault::BadAnswer));
        elsewhere.set_nonblocking(true).unwrap();
        assert!(elsewhere.accept().is_err(), "a connection has come");
    }

    #[tokio::test]
    async fn faults_have_their_causes() {
        let portal = Simulator::start().unwrap();
        portal.answer(PATH, json!({}));
        portal.fail_next(PATH, Fault::Delay(Duration::from_mins(10)));
        let soon = Instant::now() + Duration::from_millis(50);
        assert_eq!(
            ask(&portal.origin(), soon).await.err(),
            Some(CrmFault::TimedOut)
        );
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let refused = CrmFault::NoConnection(NoConnection::Refused);
        let answer = ask(&format!("http://{address}"), in_a_minute()).await;
        assert_eq!(answer.err(), Some(refused));
    }

    /// A request for which there is no turn in time fails at once, and is not sent.
    #[tokio::test]
    async fn a_portal_that_is_asked_too_often_is_not_asked() {
        let portal = Simulator::start().unwrap();
        portal.answer(PATH, json!({}));
        let client = CrmClient::new().unwrap();
        let call = Call::post(PATH, &json!({}));
        let section = section(&portal.origin());
        let ask = async || {
            client
                .ask(&section, &call, Asker::Unproven, Instant::now())
                .await
        };
        for _ in 0..20 {
            let _ = ask().await;
        }
        assert_eq!(ask().await.err(), Some(CrmFault::Busy));
        assert!(portal.calls(PATH) <= 5, "{}", portal.calls(PATH));
        let answer = client
            .ask(&section, &call, Asker::Proven, in_a_minute())
            .await;
        assert_eq!(answer.ok().map(|answer| answer.status), Some(200));
    }
}
