//! The fields of Bitrix24's requests: a form, or JSON with the same names.

use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
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
        for (name, value) in json::<Members>(body)?.0 {
            if name == "auth" && value.get().starts_with('{') {
                for (name, value) in json::<Members>(value.get().as_bytes())?.0 {
                    self.put(&format!("auth[{name}]"), text(&value)?)?;
                }
            } else {
                self.put(&name, text(&value)?)?;
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

/// The values of a body, in the order of their names.
#[cfg(fuzzing)]
pub(crate) fn read(body: &Body) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut fields = Fields::read(body)?;
    let values = NAMES.map(|name| fields.take(name).map(|value| (name, value)));
    Ok(values.into_iter().flatten().collect())
}

/// A value as a form would have it.
fn text(value: &RawValue) -> Result<String, Problem> {
    if value.get().starts_with('"') {
        json(value.get().as_bytes())
    } else {
        Ok(value.get().to_owned())
    }
}

fn json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let json = serde_json::from_slice(text);
    json.map_err(|_| {
        Problem::new(
            Kind::ParameterInvalid,
            "The body begins like JSON and is none.",
        )
    })
}

/// The members of an object, each as often as it is there: of a name twice, a map keeps the last.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// `DOMAIN` of the address.
pub(super) fn domain(query: &str) -> Result<Option<String>, Problem> {
    let domain = field(query.as_bytes(), "DOMAIN")?;
    Ok(domain.filter(|domain| !domain.is_empty()))
}
