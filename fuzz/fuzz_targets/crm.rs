//! What comes from a CRM's servers. By the first letter: `b` a portal's answer about a button of
//! Bitrix24, `u`, `d`, `p` Pipedrive's about users, a deal, a person, with the status as the next
//! byte; `f` the fields of a request of Bitrix24's.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use open_chat::connect::bitrix24::{Shown, ShownButton};
use open_chat::connect::{CrmClient, CrmFault, Refusal, fuzzing};
use open_chat::http::Kind;
use open_chat::http::fuzzing::bitrix24_fields;
use open_chat::secret::Secret;
use open_chat_fuzz::connectors::{CLIENT_ID, INSTALLATIONS};
use serde_json::{Map, Value};
use url::form_urlencoded;

const STATUSES: [u16; 10] = [200, 201, 400, 401, 403, 404, 410, 429, 500, 503];

static CLIENT: LazyLock<CrmClient> = LazyLock::new(|| CrmClient::new().unwrap());

fuzz_target!(|input: &[u8]| {
    let [kind, status, body @ ..] = input else {
        return;
    };
    if *kind == b'f' {
        return check_fields(&input[1..]);
    }
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    match kind {
        b'b' => check_button(status, body),
        b'u' => check_data(
            status,
            body,
            fuzzing::pipedrive_users(status, body),
            |data| data.as_array()?.iter().map(Value::as_u64).collect(),
        ),
        b'd' => check_data(
            status,
            body,
            fuzzing::pipedrive_person(status, body),
            |data| match data.as_object()?.get("person_id") {
                None | Some(Value::Null) => Some(None),
                Some(id) => id.as_u64().map(Some),
            },
        ),
        b'p' => check_data(
            status,
            body,
            fuzzing::pipedrive_phones(status, body),
            |data| phones(data.as_object()?.get("phones").unwrap_or(&Value::Null)),
        ),
        _ => {}
    }
});

/// The phones of a person in Pipedrive.
fn phones(all: &Value) -> Option<Vec<String>> {
    let Some(all) = all.as_array() else {
        return all.is_null().then(Vec::new);
    };
    let mut phones = Vec::new();
    for phone in all {
        match phone.as_object()?.get("value") {
            Some(Value::String(phone)) => phones.push(phone.clone()),
            None | Some(Value::Null) => {}
            Some(_) => return None,
        }
    }
    Some(phones)
}

fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// Whether the text is the one that this prints of its value: a name twice is another.
fn is_canonical(body: &[u8]) -> bool {
    json(body).is_some_and(|value| value.to_string().as_bytes() == body)
}

fn check_data<T: PartialEq + std::fmt::Debug>(
    status: u16,
    body: &[u8],
    read: Result<T, Refusal>,
    expected_of: impl Fn(&Value) -> Option<T>,
) {
    let is_json = json(body).is_some();
    let answer = json(body).unwrap_or_default();
    let expected = answer.get("data").filter(|_| status == 200);
    let expected = expected.and_then(expected_of);
    match read {
        // serde reads a list as the fields of a structure, too, and past what it does not need.
        Ok(_) if !is_json || answer.is_array() || has_lists_for_objects(&answer["data"]) => {}
        Ok(read) => assert_eq!(Some(read), expected),
        Err(refusal) => {
            assert!(expected.is_none() || !is_canonical(body), "{refusal:?}");
            let is_hidden = [403, 404, 410].contains(&status);
            assert_eq!(refusal == Refusal::ClientHidden, is_hidden, "{status}");
        }
    }
}

fn has_lists_for_objects(data: &Value) -> bool {
    let phones = data["phones"].as_array();
    let is_person = |data: &Value| {
        data.as_array()
            .is_some_and(|all| !all.iter().all(Value::is_u64))
    };
    is_person(data)
        || phones.is_some_and(|all| all.iter().any(Value::is_array))
        || data == &Value::Array(vec![])
}

/// An agent is let through whom the portal names, of our application, with the phones that it
/// shows, and no other.
fn check_button(status: u16, body: &[u8]) {
    let shown = ShownButton {
        shown: Shown {
            domains: vec!["acme.bitrix24.com".into()],
            token: Some(Secret::new("canary-agents-token")),
            application_token: None,
        },
        placement: Some("CRM_DEAL_DETAIL_TOOLBAR".into()),
        placement_options: Some("{\"ID\":\"5\"}".into()),
    };
    let button = INSTALLATIONS.connectors.bitrix24_button(&shown).unwrap();
    let text = String::from_utf8_lossy(body).replace('~', CLIENT_ID);
    let read = fuzzing::bitrix24(&button, &CLIENT, status, text.as_bytes());

    let answer = json(text.as_bytes()).unwrap_or_default();
    let results = &answer["result"]["result"];
    let id = |value: &Value| match &value["ID"] {
        Value::String(text) => text.parse().ok().filter(|id: &u64| id.to_string() == *text),
        value => value.as_u64(),
    };
    let id = |value: &Value| id(value).filter(|id| *id > 0);
    let user = id(&results["me"]).filter(|_| {
        let is_error = answer["error"].is_string();
        status == 200 && !is_error && results["app"]["CODE"] == CLIENT_ID
    });
    let user = user.filter(|_| answer["result"].as_object().is_some_and(has_errors));
    let is_shown = results
        .as_object()
        .is_some_and(|all| all.contains_key("client"));
    match read {
        Ok(_) if answer.is_null() || answer.is_array() || answer["result"].is_array() => {}
        Ok((agent, shown)) => {
            assert_eq!(Some(agent.vendor_user_id), user);
            assert!(is_shown);
            let mail = &results["mail"];
            let email = mail["EMAIL"].as_str().filter(|_| id(mail) == user);
            assert_eq!(agent.email.as_deref(), email);
            let records = ["client", "client_contact", "client_company"];
            let all = records.map(|name| results[name]["PHONE"].as_array());
            let values = all.into_iter().flatten().flatten();
            let expected: Vec<_> = values.filter_map(|phone| phone["VALUE"].as_str()).collect();
            assert_eq!(shown, expected);
        }
        Err(refusal) => {
            let is_right = user.is_some() && is_shown;
            assert!(!is_right || !is_canonical(text.as_bytes()), "{refusal:?}");
            // The portal's own texts stay where they are.
            assert!(format!("{refusal:?} {refusal}").len() < 200);
            assert!(refusal != Refusal::from(CrmFault::TimedOut));
        }
    }
}

fn has_errors(result: &Map<String, Value>) -> bool {
    result.contains_key("result_error")
}

/// A form and JSON say the same, and a field that is there twice is refused in both.
fn check_fields(body: &[u8]) {
    let fields = match bitrix24_fields(body) {
        Ok(fields) => fields,
        Err(kind) => {
            assert!([Kind::ParameterInvalid, Kind::ParameterRepeated].contains(&kind));
            return;
        }
    };
    let is_json = body.trim_ascii_start().starts_with(b"{");
    for (name, value) in &fields {
        assert!(!value.is_empty());
        let written = if is_json {
            names_in_json(body, name).unwrap_or(1)
        } else {
            form_urlencoded::parse(body)
                .filter(|(known, _)| known == name)
                .count()
        };
        assert_eq!(written, 1, "{name}");
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    let form = form.extend_pairs(&fields).finish();
    assert_eq!(bitrix24_fields(form.as_bytes()), Ok(fields.clone()));
    let flat: Map<_, _> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    let flat = Value::Object(flat).to_string();
    assert_eq!(bitrix24_fields(flat.as_bytes()), Ok(fields));
}

/// How often a field is written in JSON: as a name, or within `auth`. `None` where what is not
/// needed is no JSON.
fn names_in_json(body: &[u8], name: &str) -> Option<usize> {
    let all: Names = serde_json::from_slice(body).ok()?;
    let inner = name
        .strip_prefix("auth[")
        .and_then(|name| name.strip_suffix(']'));
    let of =
        |names: &Names, wanted: &str| names.0.iter().filter(|(known, _)| known == wanted).count();
    let within = all.0.iter().filter(|(known, _)| known == "auth");
    let within = within.filter_map(|(_, inner)| match inner {
        Inner::Names(names) => Some(names),
        Inner::Other(_) => None,
    });
    let within: usize = inner.map_or(0, |inner| within.map(|names| of(names, inner)).sum());
    Some(of(&all, name) + within)
}

/// The names of an object, each as often as it is there, and those in it.
struct Names(Vec<(String, Inner)>);

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Inner {
    Names(Names),
    Other(serde::de::IgnoredAny),
}

impl<'de> serde::Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Names;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    names.push((name, map.next_value()?));
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
