//! The OpenAPI document: `openapi.json`, which is kept by hand, because the strict reading of a
//! link has no types that it could be derived from, completed with what repeats itself.
//!
//! Added are the crate's version; an example of each kind of refusal, with the response of its
//! status; the responses of an operation's `x-refusals`; `X-Request-Id` in every response; and each
//! `head`, which is its `get` without a body.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{resolved, text};
use crate::http::pages::Language;
use crate::http::problem::{Kind, example};

const SOURCE: &str = include_str!("openapi.json");

/// The document. Without routes if the source were no JSON, which a test would show.
pub(super) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| complete(serde_json::from_str(SOURCE).unwrap_or_default()));

/// The same as it is served.
pub(super) static JSON: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", *DOCUMENT));

fn complete(mut document: Value) -> Value {
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let components = &mut document["components"];
    components["schemas"]["Problem"]["properties"]["type"]["enum"] =
        Kind::ALL.iter().map(|kind| kind.urn()).collect();
    for kind in Kind::ALL {
        components["examples"][kind.name()] = refusal(kind);
    }
    for (status, response) in members_mut(&mut components["responses"]) {
        add_request_id(response);
        response["content"] = refusals(status);
    }
    let mut paths = document["paths"].take();
    for (_, methods) in members_mut(&mut paths) {
        members_mut(methods).for_each(|(_, operation)| complete_operation(operation));
        if methods.get("head").is_some() {
            methods["head"] = head(&methods["get"], &document);
        }
    }
    document["paths"] = paths;
    document
}

fn refusal(kind: Kind) -> Value {
    json!({
        "summary": kind.title(),
        "value": {
            "type": kind.urn(),
            "title": kind.title(),
            "status": kind.status(),
            "detail": Language::English.detail(&example(kind)),
            "request_id": "5f0c9a7e41d24b4f8f3a1c2d3e4f5a6b",
        },
    })
}

/// The content of a response with this status: a problem of each kind that has it, or a page.
fn refusals(status: &str) -> Value {
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| kind.status().to_string() == status);
    let examples: Map<_, _> = kinds
        .map(|kind| (kind.name().to_owned(), reference("examples", kind.name())))
        .collect();
    json!({
        "application/problem+json": {
            "schema": reference("schemas", "Problem"),
            "examples": examples,
        },
        "text/html": {
            "schema": { "type": "string", "description": "The same as a page, for a browser." },
        },
    })
}

fn complete_operation(operation: &mut Value) {
    members_mut(&mut operation["responses"]).for_each(|(_, response)| add_request_id(response));
    let refusals = operation
        .as_object_mut()
        .and_then(|members| members.remove("x-refusals"));
    for status in refusals
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let status = status.to_string();
        operation["responses"][&status] = reference("responses", &status);
    }
}

fn add_request_id(response: &mut Value) {
    response["headers"]["X-Request-Id"] = reference("headers", "RequestId");
}

/// HEAD, as GET is answered: without a body, and never with 405.
fn head(get: &Value, document: &Value) -> Value {
    let mut head = get.clone();
    head["operationId"] = format!("{}Head", text(&get["operationId"])).into();
    head["summary"] = format!("{}, without the body", text(&get["summary"])).into();
    head["description"] = "Answered like GET, without the body.".into();
    if let Some(responses) = head["responses"].as_object_mut() {
        responses.remove("405");
        for response in responses.values_mut() {
            *response = resolved(response, document).clone();
            if let Some(members) = response.as_object_mut() {
                members.remove("content");
            }
        }
    }
    head
}

fn reference(component: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{component}/{name}") })
}

fn members_mut(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}
