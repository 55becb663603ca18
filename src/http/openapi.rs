//! What this service says of itself: to programs, `GET /openapi.json`, and to people,
//! `GET /openapi`, which is made of the former.
//!
//! The document is kept by hand, because the strict reading of a link has no types that one could
//! be derived from; the tests below hold it to the routes, the parameters, the body and the kinds
//! of refusal.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::frame::{Frame, Needs};
use super::state::AppState;
use super::texts::Language;

const DOCUMENT: &str = include_str!("openapi.json");

/// Read once. Empty if the document were no JSON, which a test would show.
static READ: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap_or_default());

/// The document, as it was compiled in.
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(DOCUMENT)
}

/// The document as a page. It is for those who write programs, and in English as the document is.
pub(super) async fn page(state: web::Data<AppState>) -> HttpResponse {
    let frame = Frame::in_language(Language::English, &state.pages);
    let page = Page::of(&READ, &frame);
    frame.answer(&mut HttpResponse::Ok(), &page, Needs::Nothing)
}

#[derive(Template)]
#[template(path = "openapi.html")]
struct Page<'a> {
    frame: &'a Frame<'a>,
    version: &'a str,
    about: &'a str,
    groups: Vec<Group<'a>>,
    credentials: Vec<(&'a str, &'a str)>,
    refusals: Vec<Example<'a>>,
}

struct Group<'a> {
    description: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    description: &'a str,
    /// Of the query, or of the body.
    fields: Vec<(&'a str, &'a str)>,
    answers: Vec<(&'a str, &'a str)>,
}

struct Example<'a> {
    status: u64,
    kind: &'a str,
    title: &'a str,
    detail: &'a str,
}

impl<'a> Page<'a> {
    fn of(document: &'a Value, frame: &'a Frame<'a>) -> Self {
        let components = &document["components"];
        let groups = document["tags"].as_array().into_iter().flatten();
        let mut refusals: Vec<_> = members(&components["examples"])
            .map(|(kind, example)| Example {
                status: example["value"]["status"].as_u64().unwrap_or_default(),
                kind,
                title: text(&example["value"]["title"]),
                detail: text(&example["value"]["detail"]),
            })
            .collect();
        refusals.sort_by_key(|refusal| refusal.status);
        Self {
            frame,
            version: text(&document["info"]["version"]),
            about: text(&document["info"]["summary"]),
            groups: groups.map(|tag| Group::of(tag, document)).collect(),
            credentials: members(&components["securitySchemes"])
                .map(|(name, scheme)| (name, text(&scheme["description"])))
                .collect(),
            refusals,
        }
    }
}

impl<'a> Group<'a> {
    fn of(tag: &'a Value, document: &'a Value) -> Self {
        let operations = members(&document["paths"])
            .flat_map(|(path, methods)| members(methods).map(move |method| (path, method)))
            // HEAD says nothing that GET does not.
            .filter(|(_, (method, _))| *method != "head")
            .filter(|(_, (_, operation))| operation["tags"][0] == tag["name"]);
        Self {
            description: text(&tag["description"]),
            operations: operations
                .map(|(path, (method, operation))| Operation::of(path, method, operation, document))
                .collect(),
        }
    }
}

impl<'a> Operation<'a> {
    fn of(path: &'a str, method: &str, operation: &'a Value, document: &'a Value) -> Self {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let of_body = members(&followed(body, document)["properties"])
            .map(|(name, field)| (name, text(&field["description"])));
        let of_query = operation["parameters"].as_array().into_iter().flatten();
        let of_query = of_query.map(|parameter| {
            let parameter = followed(parameter, document);
            (text(&parameter["name"]), text(&parameter["description"]))
        });
        Self {
            id: text(&operation["operationId"]),
            method: method.to_ascii_uppercase(),
            path,
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            fields: of_query.chain(of_body).collect(),
            answers: members(&operation["responses"])
                .map(|(status, answer)| (status, text(&followed(answer, document)["description"])))
                .collect(),
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a reference within the document leads to; anything else stays what it is.
fn followed<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let pointer = value["$ref"]
        .as_str()
        .and_then(|link| link.strip_prefix('#'));
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::super::extract::query::NAMES;
    use super::super::handlers::links::LinkRequest;
    use super::super::problem::Kind;
    use super::super::route::Route;
    use super::*;

    fn read() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    fn names(value: &Value) -> BTreeSet<&str> {
        members(value).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_route_is_described() {
        let document = read();
        // The demo's own, and the path that leads nowhere.
        let untold = [Route::Root, Route::Demo, Route::Other];
        let routes = Route::ALL
            .into_iter()
            .filter(|route| !untold.contains(route));
        assert_eq!(names(&document["paths"]), routes.map(Route::name).collect());
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    /// What only reads takes HEAD; what hands out a token or a link does not.
    #[test]
    fn every_method_is_described() {
        let document = read();
        let with_head = members(&document["paths"])
            .filter(|(_, methods)| methods.get("head").is_some())
            .map(|(path, _)| path);
        let expected = [
            "/builder",
            "/healthz",
            "/metrics",
            "/openapi",
            "/openapi.json",
            "/readyz",
        ];
        assert_eq!(with_head.collect::<BTreeSet<_>>(), expected.into());
    }

    #[test]
    fn every_parameter_is_described() {
        let document = read();
        let components = &document["components"];
        let mut told = names(&components["parameters"]);
        told.insert(text(&components["securitySchemes"]["pass"]["name"]));
        assert_eq!(told, NAMES.into());
        let click = &document["paths"]["/open-chat"]["get"]["parameters"];
        assert_eq!(click.as_array().unwrap().len(), NAMES.len() - 1);
    }

    /// serde names the fields that it would have taken.
    #[test]
    fn every_field_of_a_wanted_link_is_described() {
        let document = read();
        let told = &document["components"]["schemas"]["WantedLink"]["properties"];
        let refused = serde_json::from_value::<LinkRequest>(json!({"operator": 1, "?": 1}));
        let error = refused.err().unwrap().to_string();
        let taken = error.split('`').skip(1).step_by(2).skip(1);
        assert_eq!(names(told), taken.collect(), "{error}");
        let body =
            &document["paths"]["/links"]["post"]["requestBody"]["content"]["application/json"];
        assert!(serde_json::from_value::<LinkRequest>(body["example"].clone()).is_ok());
    }

    #[test]
    fn every_refusal_has_its_example_under_its_status() {
        let document = read();
        let components = &document["components"];
        let types = components["schemas"]["Problem"]["properties"]["type"]["enum"]
            .as_array()
            .unwrap();
        assert_eq!(types.len(), Kind::ALL.len());
        assert_eq!(names(&components["examples"]).len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let name = kind.name();
            let value = &components["examples"][name]["value"];
            let expected = (
                json!(format!("urn:open-chat:problem:{name}")),
                json!(kind.title()),
                json!(kind.status()),
            );
            assert_eq!(
                (&value["type"], &value["title"], &value["status"]),
                (&expected.0, &expected.1, &expected.2)
            );
            assert!(types.contains(&expected.0), "{name}");
            let content = &components["responses"][kind.status().to_string()]["content"];
            let example = &content["application/problem+json"]["examples"][name];
            assert_eq!(followed(example, &document)["value"], *value, "{name}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = read();
        let places = DOCUMENT.split("\"$ref\": \"#").skip(1);
        for place in places.filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(place).is_some(), "{place}");
        }
    }
}
