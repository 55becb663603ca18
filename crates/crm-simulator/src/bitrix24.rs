//! A portal of Bitrix24 with a local application, as its documents have it
//! (github.com/bitrix24/b24restdocs): `app.info`, `profile`, `user.current`, `crm.*.get`,
//! `placement.bind`, `placement.unbind` and `batch`; and what it sends: the POST of a button into a
//! frame, and that of an installation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use url::form_urlencoded::{self, Serializer};

use super::{Fault, Received, Simulator};

/// A token, and what it may do.
#[derive(Clone, Debug)]
struct Token {
    client_id: String,
    user: u64,
    scopes: &'static [&'static str],
}

#[derive(Default)]
struct State {
    tokens: HashMap<String, Token>,
    /// By method and id, such as `crm.contact.get` and 43.
    records: HashMap<(String, u64), Value>,
    /// By placement: the parameters that it was bound with.
    bound: HashMap<String, HashMap<String, String>>,
}

/// A portal, on a port of its own.
pub struct Portal {
    simulator: Simulator,
    state: Arc<Mutex<State>>,
}

/// The scopes of an application that was set up as it should be.
pub const SCOPES: &[&str] = &["crm", "placement", "user_brief"];

/// What a portal sends when a button is pressed: the names and values of the form.
pub type Form = Vec<(&'static str, String)>;

impl Portal {
    /// Starts a portal without records and tokens. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> std::io::Result<Self> {
        let simulator = Simulator::start()?;
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        simulator.respond("/rest/batch", move |call| batch(&mut lock(&shared), call));
        let no_token = (401, error("NO_AUTH_FOUND", "Wrong authorization data"));
        simulator.respond("/rest/app.info", move |_| no_token.clone());
        Ok(Self { simulator, state })
    }

    /// `http://127.0.0.1:41234`
    pub fn origin(&self) -> String {
        self.simulator.origin()
    }

    /// `127.0.0.1:41234`, which it sends as `DOMAIN`.
    pub fn domain(&self) -> String {
        self.simulator.host()
    }

    /// Gives an application a token of a user.
    pub fn token(&self, token: &str, client_id: &str, user: u64, scopes: &'static [&'static str]) {
        let client_id = client_id.to_owned();
        let scopes_and_user = Token {
            client_id,
            user,
            scopes,
        };
        lock(&self.state)
            .tokens
            .insert(token.to_owned(), scopes_and_user);
    }

    /// Ends a token.
    pub fn expire(&self, token: &str) {
        lock(&self.state).tokens.remove(token);
    }

    /// Adds a record: `method` is the one that gets it. Phones are `PHONE`, as the portal has them.
    pub fn record(&self, method: &str, id: u64, fields: Value) {
        let records = &mut lock(&self.state).records;
        records.insert((method.to_owned(), id), fields);
    }

    /// Adds a contact with these phones.
    pub fn contact(&self, id: u64, phones: &[&str]) {
        let fields = json!({"ID": id.to_string(), "NAME": "John", "PHONE": multifield(phones)});
        self.record("crm.contact.get", id, fields);
    }

    /// The parameters with which a placement was bound.
    pub fn bound(&self, placement: &str) -> Option<HashMap<String, String>> {
        lock(&self.state).bound.get(placement).cloned()
    }

    /// How many requests it got.
    pub fn calls(&self) -> usize {
        self.simulator.total_calls()
    }

    /// The requests that it got, in their order.
    pub fn received(&self) -> Vec<Received> {
        self.simulator.received()
    }

    /// The next request fails so.
    pub fn fail_next(&self, fault: Fault) {
        self.simulator.fail_next("/rest/batch", fault);
    }

    /// The query of a button's address, as the portal adds it.
    pub fn query(&self) -> String {
        let domain = self.domain();
        format!("DOMAIN={domain}&PROTOCOL=0&LANG=en&APP_SID=cf9799131da897ead1b2579024a13be2")
    }

    /// The form of a button that was pressed on a record.
    pub fn form(&self, token: &str, placement: &str, id: &str) -> Form {
        let options = json!({"ID": id, "URI": "/crm/contact/details/43/"});
        vec![
            ("AUTH_ID", token.into()),
            ("AUTH_EXPIRES", "3600".into()),
            (
                "REFRESH_ID",
                "canary-refresh-6b299966007e9c94001e30ba".into(),
            ),
            ("SERVER_ENDPOINT", "https://oauth.bitrix.info/rest/".into()),
            ("APPLICATION_TOKEN", APPLICATION_TOKEN.into()),
            ("APPLICATION_SCOPE", "crm,placement".into()),
            ("member_id", "d897063e1ce7c5eb9f04b9751eef5915".into()),
            ("status", "L".into()),
            ("PLACEMENT", placement.into()),
            ("PLACEMENT_OPTIONS", options.to_string()),
        ]
    }

    /// What its server sends when an application was installed, as JSON. As a form it has the same
    /// names: `auth[domain]`.
    pub fn installation(&self, token: &str) -> Value {
        json!({
            "event": "ONAPPINSTALL",
            "data": {"VERSION": "1", "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "en"},
            "ts": "1696527000",
            "auth": {
                "domain": self.domain(),
                "scope": "crm,placement",
                "access_token": token,
                "refresh_token": "canary-refresh-4s386p3q0tr8dy89xvmt96234v3dljg8",
                "expires_in": 3600,
                "server_endpoint": "https://oauth.bitrix.info/rest/",
                "status": "L",
                "client_endpoint": format!("{}/rest/", self.origin()),
                "member_id": "d897063e1ce7c5eb9f04b9751eef5915",
                "application_token": APPLICATION_TOKEN,
            },
        })
    }

    /// Shows a page of the portal, and returns its address: a record whose menu has this button. It
    /// sends the form into a frame, as the portal does, to the address that the button was bound
    /// with.
    pub fn show(&self, form: &Form) -> String {
        let value = |name| form.iter().find(|(field, _)| *field == name);
        let placement = value("PLACEMENT").map_or("", |(_, placement)| placement);
        let handler = self
            .bound(placement)
            .and_then(|mut bound| bound.remove("HANDLER"));
        let page = self.page(&handler.unwrap_or_default(), form);
        self.simulator.show("/crm/details/", page);
        format!("{}/crm/details/", self.origin())
    }

    /// The page, for a button that leads to this address.
    pub fn page(&self, handler: &str, form: &Form) -> String {
        let joint = if handler.contains('?') { '&' } else { '?' };
        let action = format!("{handler}{joint}{}", self.query());
        let inputs: String = form
            .iter()
            .map(|(name, value)| input(name, value))
            .collect();
        include_str!("bitrix24.html")
            .replace("ACTION", &escaped(&action))
            .replace("INPUTS", &inputs)
    }
}

/// What the portal gives to the application.
pub const APPLICATION_TOKEN: &str = "canary-ec1b2074a9d3f5c81b6e40d27a95cf38";

/// An installation's request as a form.
pub fn as_form(installation: &Value) -> String {
    let mut form = Serializer::new(String::new());
    for (name, value) in installation.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => inner.iter().for_each(|(inner, value)| {
                form.append_pair(&format!("{name}[{inner}]"), &text(value));
            }),
            value => {
                form.append_pair(name, &text(value));
            }
        }
    }
    form.finish()
}

/// Phones as a record has them.
pub fn multifield(phones: &[&str]) -> Value {
    let phone = |(place, phone): (usize, &&str)| json!({"ID": (156 + place).to_string(), "VALUE_TYPE": "WORK", "VALUE": phone, "TYPE_ID": "PHONE"});
    phones.iter().enumerate().map(phone).collect()
}

fn input(name: &str, value: &str) -> String {
    let value = escaped(value);
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// `POST /rest/batch`, with JSON.
fn batch(state: &mut State, call: &Received) -> (u16, Value) {
    let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
    let token = state.tokens.get(body["auth"].as_str().unwrap_or_default());
    let Some(token) = token.cloned() else {
        return (
            401,
            error("expired_token", "The access token provided has expired."),
        );
    };
    let (mut results, mut errors) = (Map::new(), Map::new());
    for (name, question) in body["cmd"].as_object().into_iter().flatten() {
        match ask(
            state,
            &token,
            question.as_str().unwrap_or_default(),
            &results,
        ) {
            Ok(result) => results.insert(name.clone(), result),
            Err(error) => errors.insert(name.clone(), error),
        };
    }
    let result = json!({
        "result": or_array(results),
        "result_error": or_array(errors),
        "result_total": [],
        "result_next": [],
        "result_time": {},
    });
    (
        200,
        json!({"result": result, "time": {"start": 1_724_916_859.46, "operating": 0}}),
    )
}

/// PHP has one type for both.
fn or_array(map: Map<String, Value>) -> Value {
    if map.is_empty() {
        json!([])
    } else {
        map.into()
    }
}

fn error(code: &str, description: &str) -> Value {
    json!({"error": code, "error_description": description})
}

/// One question of a batch: `method?name=value`.
fn ask(
    state: &mut State,
    token: &Token,
    question: &str,
    before: &Map<String, Value>,
) -> Result<Value, Value> {
    let (method, query) = question.split_once('?').unwrap_or((question, ""));
    let query = linked(query, before);
    let parameters: HashMap<String, String> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    if let Some(scope) = scope(method)
        && !token.scopes.contains(&scope)
    {
        return Err(error("insufficient_scope", ""));
    }
    match method {
        "app.info" => Ok(app(token)),
        "profile" => Ok(profile(token)),
        "user.current" => Ok(user(token)),
        "placement.unbind" => Ok(unbind(state, &parameters)),
        "placement.bind" => bind(state, parameters),
        "batch" => Err(error(
            "ERROR_BATCH_METHOD_NOT_ALLOWED",
            "Method is not allowed for batch usage",
        )),
        method if method.starts_with("crm.") => {
            let id = parameters.get("ID").and_then(|id| id.parse().ok());
            let record = id.and_then(|id| state.records.get(&(method.to_owned(), id)));
            record.cloned().ok_or_else(|| error("", "Not found"))
        }
        _ => Err(error("ERROR_METHOD_NOT_FOUND", "Method not found!")),
    }
}

/// `$result[name][field]` of an answer before it.
fn linked(query: &str, before: &Map<String, Value>) -> String {
    let Some((start, reference)) = query.split_once("$result[") else {
        return query.to_owned();
    };
    let mut parts = reference.split(['[', ']']).filter(|part| !part.is_empty());
    let found = before.get(parts.next().unwrap_or_default());
    let found = found.and_then(|answer| answer.get(parts.next()?));
    format!("{start}{}", found.map(text).unwrap_or_default())
}

fn scope(method: &str) -> Option<&'static str> {
    match method.split('.').next() {
        Some("crm") => Some("crm"),
        Some("placement") => Some("placement"),
        Some("user") => Some("user_brief"),
        _ => None,
    }
}

fn app(token: &Token) -> Value {
    json!({
        "ID": 5, "CODE": token.client_id, "VERSION": 1, "STATUS": "L", "INSTALLED": true,
        "PAYMENT_EXPIRED": "N", "DAYS": null, "LANGUAGE_ID": "en", "LICENSE": "en_basic",
        "LICENSE_TYPE": "basic", "LICENSE_FAMILY": "basic",
    })
}

fn profile(token: &Token) -> Value {
    json!({
        "ID": token.user.to_string(), "ADMIN": false, "NAME": "Vadim", "LAST_NAME": "Valeev",
        "PERSONAL_GENDER": "", "TIME_ZONE": "",
    })
}

fn user(token: &Token) -> Value {
    let email = format!("agent-{}@example.com", token.user);
    json!({"ID": token.user.to_string(), "ACTIVE": true, "NAME": "Vadim", "EMAIL": email})
}

fn bind(state: &mut State, parameters: HashMap<String, String>) -> Result<Value, Value> {
    let placement = parameters.get("PLACEMENT").cloned().unwrap_or_default();
    if state.bound.contains_key(&placement) {
        return Err(error(
            "ERROR_CORE",
            "Unable to set placement handler: Handler already binded",
        ));
    }
    state.bound.insert(placement, parameters);
    Ok(json!(true))
}

fn unbind(state: &mut State, parameters: &HashMap<String, String>) -> Value {
    let placement = parameters.get("PLACEMENT").cloned().unwrap_or_default();
    let count = usize::from(state.bound.remove(&placement).is_some());
    json!({"count": count})
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
