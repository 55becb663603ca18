//! What a back end sends. Numbers are taken for texts, because CRMs keep ids and phones as either.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::access::PassConstraints;
use crate::http::extract::{Body, value};
use crate::http::problem::{Detail, Kind, Problem};

/// Some programs put U+FEFF before all UTF-8 that they write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRequest {
    operator: Value,
    phone: Option<Value>,
    source: Option<Value>,
    from: Option<Value>,
    chat_raw_id: Option<Value>,
    /// `10m`
    ttl: Option<String>,
    #[serde(default)]
    pub(super) once: bool,
    /// An invitation in the place of a link.
    #[serde(default)]
    pub(super) pair: bool,
}

impl LinkRequest {
    pub(super) fn read(Body(body): &Body) -> Result<Self, Problem> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        // Serde would take the values alone, in the order of the struct.
        if body.trim_ascii_start().starts_with(b"[") {
            let sentence =
                "The body is a JSON list: an object is wanted, with a name for each value.";
            return Err(invalid(sentence.to_owned()));
        }
        let request: Self = serde_json::from_slice(body).map_err(|error| {
            invalid(format!("The body is not the JSON that is wanted: {error}."))
        })?;
        if request.pair {
            request.check_opens_no_chat()?;
        }
        Ok(request)
    }

    /// Refuses a client beside `pair`: an invitation is for a browser, and opens no chat.
    fn check_opens_no_chat(&self) -> Result<(), Problem> {
        let client = value::read_bound(self.constraints()?)?;
        let client = [
            ("phone", &client.phone),
            ("source", &client.source),
            ("from", &client.from),
            ("chat_raw_id", &client.chat_raw_id),
        ];
        let given = client.into_iter().find(|(_, value)| value.is_some());
        given.map_or(Ok(()), |(name, _)| {
            Err(invalid(format!(
                "`{name}` has no place beside `pair`: an invitation pairs a browser with an operator, and opens no chat."
            )))
        })
    }

    pub(super) fn operator(&self) -> Result<Option<Cow<'_, str>>, Problem> {
        match text("operator", Some(&self.operator))? {
            Some(operator) => value::read("operator", Cow::Owned(operator)),
            None => Ok(None),
        }
    }

    /// The client, as it was sent.
    pub(super) fn constraints(&self) -> Result<PassConstraints, Problem> {
        Ok(PassConstraints {
            phone: text("phone", self.phone.as_ref())?,
            source: text("source", self.source.as_ref())?,
            from: text("from", self.from.as_ref())?,
            chat_raw_id: text("chat_raw_id", self.chat_raw_id.as_ref())?,
        })
    }

    pub(super) fn ttl(&self, default: Duration) -> Result<Duration, Problem> {
        self.ttl.as_ref().map_or(Ok(default), |text| {
            humantime::parse_duration(text)
                .ok()
                .filter(|ttl| !ttl.is_zero())
                .ok_or_else(|| invalid("`ttl` is not a duration, such as 10m."))
        })
    }
}

/// A text or a whole number. Languages that have no text for nothing have `null` or `false`.
fn text(name: &str, value: Option<&Value>) -> Result<Option<String>, Problem> {
    let text = match value {
        None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => {
            return Err(invalid(format!(
                "`{name}` is neither a text nor a whole number."
            )));
        }
    };
    Ok(Some(text))
}

pub(super) fn invalid(detail: impl Into<Detail>) -> Problem {
    Problem::new(Kind::ParameterInvalid, detail)
}
