//! `batch`: several questions to a portal in one request, which its limit counts as one.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::{Refusal, Unproven};
use crate::connect::CrmFault;
use crate::connect::client::{Call, CrmAnswer, CrmClient};
use crate::connect::config::Bitrix24;
use crate::connect::pace::Asker;
use crate::secret::Secret;

/// The questions, by a name for each answer. They are asked in the order of the names.
#[derive(Default)]
pub(super) struct Batch(Map<String, Value>);

impl Batch {
    /// Asks `method` with these parameters.
    pub(super) fn ask<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        name: &str,
        method: &str,
        parameters: &[(K, V)],
    ) {
        let mut query = Serializer::new(String::new());
        let query = query.extend_pairs(parameters.iter().map(|(name, value)| (name, value)));
        self.put(name, format!("{method}?{}", query.finish()));
    }

    /// Asks for the record of an id that an answer before it has: `field` of `name_before`.
    pub(super) fn ask_linked(&mut self, name: &str, method: &str, name_before: &str, field: &str) {
        self.put(name, format!("{method}?ID=$result[{name_before}][{field}]"));
    }

    /// Asks whose the token is, and which application it was given to.
    pub(super) fn asking_who(&mut self, with_email: bool) {
        self.put("app", "app.info".into());
        self.put("me", "profile".into());
        if with_email {
            self.put("mail", "user.current".into());
        }
    }

    fn put(&mut self, name: &str, question: String) {
        self.0.insert(name.to_owned(), question.into());
    }

    /// The call. The token is in the body, where no log has it.
    pub(super) fn call(&self, token: &Secret) -> Call<'static> {
        let body = json!({"auth": token.expose(), "halt": 0, "cmd": self.0});
        Call::post("/rest/batch", &body)
    }
}

/// The portal's answers, and its errors, by the names of the questions. PHP writes an array where
/// there is none.
#[derive(Deserialize)]
pub(super) struct Answers {
    #[serde(rename = "result")]
    results: Value,
    #[serde(rename = "result_error")]
    errors: Value,
}

/// What answers a batch.
#[derive(Deserialize)]
struct Reply {
    result: Answers,
}

/// What answers a request that the portal refuses as a whole.
#[derive(Deserialize)]
struct ErrorCode {
    error: String,
}

impl Answers {
    /// Reads what the portal says to a batch.
    pub(super) fn read(answer: &CrmAnswer) -> Result<Self, Refusal> {
        // Some errors come with the status 200.
        if let Ok(ErrorCode { error }) = answer.json() {
            return Err(refusal(answer.status, &error, answer.fault()));
        }
        if answer.status != 200 {
            return Err(refusal(answer.status, "", answer.fault()));
        }
        let Reply { result } = answer.json()?;
        Ok(result)
    }

    /// The answer to a question.
    pub(super) fn of(&self, name: &str) -> Option<&Value> {
        self.results.get(name)
    }

    /// Why a question has no answer.
    pub(super) fn no_answer(&self, name: &str) -> Refusal {
        let error = self.errors.get(name).and_then(|error| error.get("error"));
        let code = error.and_then(Value::as_str).unwrap_or_default();
        refusal(200, code, CrmFault::BadAnswer)
    }
}

impl Bitrix24 {
    /// Asks the portal whose token no token is, which it refuses in its own words.
    ///
    /// # Errors
    /// What answers is no portal, or nothing does by the deadline.
    pub async fn probe(&self, client: &CrmClient, deadline: Instant) -> Result<(), CrmFault> {
        let call = Call::post("/rest/app.info", &json!({}));
        let answer = client.ask(&self.section, &call, Asker::Proven, deadline);
        let answer = answer.await?;
        match answer.json::<ErrorCode>() {
            Ok(_) => Ok(()),
            Err(_) => Err(answer.fault()),
        }
    }
}

/// What an error means, of a request or of one question in it (b24restdocs,
/// `_includes/system-errors.md` and `settings/performance/limits.md`); `fault` where it has no
/// meaning of its own.
fn refusal(status: u16, code: &str, fault: CrmFault) -> Refusal {
    match code {
        "expired_token" | "invalid_token" | "NO_AUTH_FOUND" => Unproven::TokenRejected.into(),
        "user_access_error" | "INVALID_CREDENTIALS" => Unproven::NoAccess.into(),
        "insufficient_scope" => Unproven::Scope.into(),
        "QUERY_LIMIT_EXCEEDED" | "OVERLOAD_LIMIT" | "OPERATION_TIME_LIMIT" => CrmFault::Busy.into(),
        "ACCESS_DENIED" => CrmFault::Denied.into(),
        _ if status == 401 => Unproven::TokenRejected.into(),
        _ if status == 403 => CrmFault::Denied.into(),
        _ => fault.into(),
    }
}
