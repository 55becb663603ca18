//! The line that a request leaves, which is its audit event: only closed sets, numbers and what
//! has been checked.

use std::time::Duration;

use actix_web::http::Method;
use tracing::Level;

use super::metrics::method_name;
use crate::config::LogPhones;
use crate::http::context::{RequestContext, RequestRecord};
use crate::http::route::Route;
use crate::telemetry::{Fields, RequestLog, field};

/// Writes the line.
pub(super) fn write(
    log: &mut RequestLog,
    context: &RequestContext,
    method: &Method,
    status: u16,
    took: Duration,
    phones: LogPhones,
) {
    let level = if status >= 500 {
        Level::WARN
    } else {
        Level::INFO
    };
    log.write(level, message(context.route), |line| {
        line.plain(field!("request_id"), [context.request_id.as_str()]);
        line.plain(field!("route"), [context.route.name()]);
        line.plain(field!("method"), [method_name(method)]);
        line.number(field!("status"), status.into());
        let micros = u64::try_from(took.as_micros());
        line.number(field!("duration_us"), micros.unwrap_or(u64::MAX));
        if let Some(id) = context.trace.id() {
            line.text(field!("trace_id"), [&id.to_string()]);
        }
        line.address(field!("client"), context.client);
        add_record(&context.record.borrow(), phones, line);
    });
}

const fn message(route: Route) -> &'static str {
    match route {
        Route::OpenChat => "click",
        Route::Links => "link",
        Route::Widget | Route::WidgetToken => "widget",
        _ => "request",
    }
}

fn add_record(record: &RequestRecord, phones: LogPhones, line: &mut Fields) {
    if let Some(outcome) = record.outcome() {
        line.plain(field!("outcome"), [outcome]);
    }
    if let Some(kind) = record.kind() {
        line.plain(field!("kind"), [kind.name()]);
    }
    if let Some(caller) = &record.caller {
        line.text(field!("caller"), caller.kind_and_name());
    }
    if let Some(operator) = record.operator {
        line.number(field!("operator"), operator.0);
    }
    if let (Some(phone), LogPhones::Masked) = (&record.client.phone, phones) {
        line.plain(field!("phone"), phone.masked().pieces());
    }
    if let Some((format, ..)) = record.link {
        line.number(field!("format"), format.into());
    }
    if let Some(source) = record.client.source {
        line.plain(field!("source"), [source.name()]);
    }
    if let Some((fingerprint, outcome)) = record.token() {
        line.plain(field!("token"), [fingerprint.as_str()]);
        line.plain(field!("token_outcome"), [outcome.name()]);
    }
}
