//! A stand-in for the chat panel: shows which chat a deep link opens, and as which operator; the
//! login page where the token is not valid.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use url::form_urlencoded;

use crate::SimulatorState;
use crate::words::Words;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(panel));
}

/// The deep link's parameters, decoded.
#[derive(Default)]
struct Link {
    chat_raw_id: Option<String>,
    source: Option<String>,
    from: Option<String>,
    phone: Option<String>,
    token: Option<String>,
}

impl Link {
    fn parse(query: &str) -> Self {
        let mut link = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Some(value.into_owned());
            match &*name {
                "chat_raw_id" => link.chat_raw_id = value,
                "source" => link.source = value,
                "from" => link.from = value,
                "phone" => link.phone = value,
                "token" => link.token = value,
                _ => {}
            }
        }
        link
    }

    /// Number and name of the format, as in ChatHub's documents.
    fn format(&self) -> &'static str {
        match self {
            Self {
                chat_raw_id: Some(_),
                ..
            } => "1 · chat",
            Self {
                source: Some(_), ..
            } => "4 · source",
            Self { from: Some(_), .. } => "3 · sender",
            _ => "2 · phone",
        }
    }

    fn source_name(&self) -> Option<&'static str> {
        const NAMES: [&str; 8] = [
            "Viber",
            "ViberBot",
            "TelegramBot",
            "Whatsapp",
            "Widget",
            "Rozetka",
            "Facebook",
            "Instagram",
        ];
        let number: usize = self.source.as_ref()?.parse().ok()?;
        NAMES.get(number).copied()
    }
}

#[derive(Template)]
#[template(path = "panel.html")]
struct Panel {
    words: &'static Words,
    link: Link,
    operator_id: u64,
    operator_name: String,
    expires_at: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    words: &'static Words,
    link: Link,
}

async fn panel(request: HttpRequest, state: web::Data<SimulatorState>) -> HttpResponse {
    let words = Words::of(&request);
    let link = Link::parse(request.query_string());
    // The question that validate-token answers, asked from inside.
    let claims = link
        .token
        .as_deref()
        .and_then(|token| state.store.read_operator_token(token));
    let page = match claims {
        Some(claims) => Panel {
            words,
            link,
            operator_id: claims.operator_id,
            operator_name: state
                .store
                .operator(claims.operator_id)
                .map(|operator| operator.name)
                .unwrap_or_default(),
            expires_at: DateTime::from_timestamp(claims.exp, 0).unwrap_or_default(),
        }
        .render(),
        None => Login { words, link }.render(),
    };
    match page {
        Ok(page) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header(("Referrer-Policy", "no-referrer"))
            .body(page),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
