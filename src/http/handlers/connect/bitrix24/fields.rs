//! The fields of Bitrix24's requests: a form, or JSON with the same names.

use serde_json::Value;
use url::form_urlencoded;

use crate::http::extract::{Body, field};
use crate::http::problem::{Detail, Kind, Problem};

/// The fields that are read, with those of an event's `auth`. The others say where else to ask,
/// what else to keep, and what is not needed.
const NAMES: [&str; 9] = [
    "DOMAIN",
    "AUTH_ID",
    "APPLICATION_TOKEN",
    "PLACEMENT",
    "PLACEMENT_OPTIONS",
    "event",
    "auth[domain]",
    "auth[access_token]",
    "auth[application_token]",
];

/// The fields of a request's body. Each is there once at most.
#[derive(Default)]
pub(super) struct Fields([Option<String>; NAMES.len()]);

impl Fields {
    /// Reads a body.
    pub(super) fn read(Body(body): &Body) -> Result<Self, Problem> {
        let mut fields = Self::default();
        if body.trim_ascii_start().starts_with(b"{") {
            fields.read_json(body)?;
        } else {
            for (name, value) in form_urlencoded::parse(body) {
                fields.put(&name, value.into_owned())?;
            }
        }
        Ok(fields)
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let place = NAMES.iter().position(|known| *known == name)?;
        self.0[place].take().filter(|value| !value.is_empty())
    }

    fn read_json(&mut self, body: &[u8]) -> Result<(), Problem> {
        let json = serde_json::from_slice(body);
        let json: Value = json.map_err(|_| {
            Problem::new(
                Kind::ParameterInvalid,
                "The body begins like JSON and is none.",
            )
        })?;
        for (name, value) in json.as_object().into_iter().flatten() {
            match value {
                Value::Object(inner) if name == "auth" => {
                    for (name, value) in inner {
                        self.put(&format!("auth[{name}]"), text(value))?;
                    }
                }
                value => self.put(name, text(value))?,
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &str, value: String) -> Result<(), Problem> {
        let Some(place) = NAMES.iter().position(|known| *known == name) else {
            return Ok(());
        };
        match self.0[place].replace(value) {
            None => Ok(()),
            Some(_) => Err(Problem::new(
                Kind::ParameterRepeated,
                Detail::Repeated(NAMES[place]),
            )),
        }
    }
}

/// A value as a form would have it.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// `DOMAIN` of the address.
pub(super) fn domain(query: &str) -> Result<Option<String>, Problem> {
    let domain = field(query.as_bytes(), "DOMAIN")?;
    Ok(domain.filter(|domain| !domain.is_empty()))
}
