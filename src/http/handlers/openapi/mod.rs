//! The service's interface: for programs, `GET /openapi.json`, and for people, `GET /openapi`,
//! which is made from the document.

mod document;
mod translation;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::Value;

use self::document::{DOCUMENT, JSON};
use self::translation::in_language;
use crate::http::pages::{CspProfile, Language, OpenapiTexts, PageLayout};
use crate::http::problem::{Kind, example};
use crate::http::state::AppState;

/// The document.
pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(JSON.as_str())
}

/// The document as a page. The document itself is in English.
pub(crate) async fn page(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let layout = PageLayout::of_lasting(&request, &state.pages);
    let page = Page::of(&layout);
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::Static)
}

#[derive(Template)]
#[template(path = "openapi.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    texts: &'static OpenapiTexts,
    version: &'static str,
    about: &'static str,
    groups: Vec<Group>,
    credentials: Vec<(&'static str, &'static str)>,
    refusals: Vec<Refusal>,
}

struct Group {
    description: &'static str,
    operations: Vec<Operation>,
}

struct Operation {
    id: &'static str,
    method: String,
    path: &'static str,
    summary: &'static str,
    description: &'static str,
    /// Of the query, or of the body.
    fields: Vec<(&'static str, &'static str)>,
    answers: Vec<(&'static str, &'static str)>,
    /// The statuses of its refusals.
    refused: String,
}

struct Refusal {
    status: u16,
    kind: &'static str,
    title: &'static str,
    detail: String,
}

impl<'a> Page<'a> {
    fn of(layout: &'a PageLayout<'a>) -> Self {
        let language = layout.language;
        let say = |value| in_language(language, text(value));
        let schemes = &DOCUMENT["components"]["securitySchemes"];
        let groups = DOCUMENT["tags"].as_array().into_iter().flatten();
        let mut refusals = Kind::ALL.map(|kind| Refusal::of(kind, language));
        refusals.sort_by_key(|refusal| refusal.status);
        Self {
            layout,
            texts: language.openapi(),
            version: text(&DOCUMENT["info"]["version"]),
            about: say(&DOCUMENT["info"]["summary"]),
            groups: groups.map(|tag| Group::of(tag, language)).collect(),
            credentials: members(schemes)
                .map(|(name, scheme)| (name, say(&scheme["description"])))
                .collect(),
            refusals: refusals.into(),
        }
    }
}

impl Group {
    fn of(tag: &'static Value, language: Language) -> Self {
        let operations = members(&DOCUMENT["paths"])
            .flat_map(|(path, methods)| members(methods).map(move |method| (path, method)))
            // HEAD says nothing that GET does not.
            .filter(|(_, (method, _))| *method != "head")
            .filter(|(_, (_, operation))| operation["tags"][0] == tag["name"]);
        Self {
            description: in_language(language, text(&tag["description"])),
            operations: operations
                .map(|(path, (method, operation))| Operation::of(path, method, operation, language))
                .collect(),
        }
    }
}

impl Operation {
    fn of(path: &'static str, method: &str, operation: &'static Value, language: Language) -> Self {
        let say = |value| in_language(language, text(value));
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let of_body = members(&resolved(body, &DOCUMENT)["properties"])
            .map(|(name, field)| (name, say(&field["description"])));
        let of_query = operation["parameters"].as_array().into_iter().flatten();
        let of_query = of_query.map(|parameter| {
            let parameter = resolved(parameter, &DOCUMENT);
            (text(&parameter["name"]), say(&parameter["description"]))
        });
        Self {
            id: text(&operation["operationId"]),
            method: method.to_ascii_uppercase(),
            path,
            summary: say(&operation["summary"]),
            description: say(&operation["description"]),
            fields: of_query.chain(of_body).collect(),
            answers: members(&operation["responses"])
                .filter(|(_, answer)| !is_refusal(answer))
                .map(|(status, answer)| (status, say(&answer["description"])))
                .collect(),
            refused: members(&operation["responses"])
                .filter(|(_, answer)| is_refusal(answer))
                .map(|(status, _)| status)
                .collect::<Vec<_>>()
                .join(" · "),
        }
    }
}

impl Refusal {
    fn of(kind: Kind, language: Language) -> Self {
        Self {
            status: kind.status(),
            kind: kind.name(),
            title: language.title(kind),
            detail: language.detail(&example(kind)).into_owned(),
        }
    }
}

/// Whether a response is one of those that all operations share: a refusal.
fn is_refusal(response: &Value) -> bool {
    response.get("$ref").is_some()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Resolves a reference within the document; any other value stays as it is.
fn resolved<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
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

    use super::*;
    use crate::http::extract::query::NAMES;
    use crate::http::handlers::links::LinkRequest;
    use crate::http::route::Route;

    fn names(value: &Value) -> BTreeSet<&str> {
        members(value).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_route_is_described() {
        // The demo's own, and the path that leads nowhere.
        let undescribed = [Route::Root, Route::Demo, Route::DemoRefusal, Route::Other];
        let routes = Route::ALL
            .into_iter()
            .filter(|route| !undescribed.contains(route));
        assert_eq!(names(&DOCUMENT["paths"]), routes.map(Route::name).collect());
    }

    /// What only reads takes HEAD; what hands out a token or a link does not.
    #[test]
    fn every_method_is_described() {
        let with_head = members(&DOCUMENT["paths"])
            .filter(|(_, methods)| methods.get("head").is_some())
            .map(|(path, _)| path);
        let expected = [
            "/builder",
            "/builder/connectors/{name}",
            "/handler",
            "/healthz",
            "/icon-192.png",
            "/icon-512.png",
            "/manifest.webmanifest",
            "/metrics",
            "/openapi",
            "/openapi.json",
            "/readyz",
        ];
        assert_eq!(with_head.collect::<BTreeSet<_>>(), expected.into());
    }

    #[test]
    fn every_parameter_is_described() {
        let components = &DOCUMENT["components"];
        let mut described = names(&components["parameters"]);
        described.insert(text(&components["securitySchemes"]["pass"]["name"]));
        assert_eq!(described, NAMES.into());
        let click = &DOCUMENT["paths"]["/open-chat"]["get"]["parameters"];
        assert_eq!(click.as_array().unwrap().len(), NAMES.len() - 1);
    }

    /// serde names the fields that it would have taken.
    #[test]
    fn every_field_of_a_wanted_link_is_described() {
        let described = &DOCUMENT["components"]["schemas"]["WantedLink"]["properties"];
        let refused = serde_json::from_value::<LinkRequest>(json!({"operator": 1, "?": 1}));
        let error = refused.err().unwrap().to_string();
        let taken = error.split('`').skip(1).step_by(2).skip(1);
        assert_eq!(names(described), taken.collect(), "{error}");
        let body =
            &DOCUMENT["paths"]["/links"]["post"]["requestBody"]["content"]["application/json"];
        assert!(serde_json::from_value::<LinkRequest>(body["example"].clone()).is_ok());
    }

    #[test]
    fn every_refusal_has_its_example_under_its_status() {
        let components = &DOCUMENT["components"];
        let kinds = Kind::ALL.map(Kind::name);
        assert_eq!(names(&components["examples"]), kinds.into());
        for kind in Kind::ALL {
            let name = kind.name();
            let value = &components["examples"][name]["value"];
            assert!(!text(&value["detail"]).is_empty(), "{name}");
            let content = &components["responses"][kind.status().to_string()]["content"];
            let example = &content["application/problem+json"]["examples"][name];
            assert_eq!(resolved(example, &DOCUMENT)["value"], *value, "{name}");
        }
    }

    /// The texts that the page shows, in English.
    fn shown() -> BTreeSet<&'static str> {
        let groups = DOCUMENT["tags"].as_array().unwrap().iter();
        let groups = groups.map(|tag| Group::of(tag, Language::English));
        let schemes = &DOCUMENT["components"]["securitySchemes"];
        let mut shown: BTreeSet<_> = members(schemes)
            .map(|(_, scheme)| text(&scheme["description"]))
            .collect();
        shown.insert(text(&DOCUMENT["info"]["summary"]));
        for group in groups {
            shown.insert(group.description);
            for operation in group.operations {
                shown.extend([operation.summary, operation.description]);
                let described = operation.fields.iter().chain(&operation.answers);
                shown.extend(described.map(|(_, description)| description));
            }
        }
        shown.retain(|text| !text.is_empty());
        shown
    }

    fn code(text: &str) -> BTreeSet<&str> {
        text.split('`').skip(1).step_by(2).collect()
    }

    /// Add what is missing to `uk.toml`, and take out what is there in vain.
    #[test]
    fn every_text_is_translated_and_no_other() {
        let translated: BTreeSet<_> = translation::UKRAINIAN.keys().copied().collect();
        assert_eq!(shown(), translated);
        for (english, ukrainian) in &*translation::UKRAINIAN {
            assert_eq!(code(english), code(ukrainian));
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let places = JSON.split("\"$ref\": \"#").skip(1);
        for place in places.filter_map(|rest| rest.split('"').next()) {
            assert!(DOCUMENT.pointer(place).is_some(), "{place}");
        }
    }
}
