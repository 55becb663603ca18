//! The line that a request leaves, which is its audit event: only closed sets, numbers and what
//! has been checked.

use std::time::Duration;

use actix_web::http::Method;
use tracing::Level;

use super::metrics::method_name;
use crate::config::LogPhones;
use crate::http::context::RequestContext;
use crate::http::problem::Kind;
use crate::http::record::{AccessLogRecord, ClickRecord, Concat};
use crate::http::route::Route;
use crate::source::ChatSource;
use crate::telemetry::RequestLog;

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
    let known = context.record.borrow();
    let phone = known.client.phone.as_ref();
    let token = known.token();
    let record = AccessLogRecord {
        request_id: context.request_id.as_str(),
        route: context.route.name(),
        method: method_name(method),
        status,
        duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        click: ClickRecord {
            trace_id: context.trace.id(),
            client: context.client,
            outcome: known.outcome(),
            kind: known.kind().map(Kind::name),
            caller: known.caller.as_ref().map(|c| Concat(c.kind_and_name())),
            operator: known.operator.map(|operator| operator.0),
            phone: phone
                .filter(|_| phones == LogPhones::Masked)
                .map(|phone| Concat(phone.masked().pieces())),
            format: known.link.map(|(format, ..)| format),
            source: known.client.source.map(ChatSource::name),
            token: token.map(|(fingerprint, _)| fingerprint.as_str()),
            token_outcome: token.map(|(_, outcome)| outcome.name()),
        },
    };
    log.write(level, message(context.route), &record);
}

const fn message(route: Route) -> &'static str {
    match route {
        Route::OpenChat => "click",
        Route::Links => "link",
        Route::Widget | Route::WidgetToken => "widget",
        _ => "request",
    }
}
