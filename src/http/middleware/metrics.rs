//! The handles of a worker's metrics, looked up once: a request only adds to them.

use std::time::Duration;

use actix_web::http::Method;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

use crate::connect::Vendor;
use crate::http::context::ConnectorOutcome;
use crate::http::problem::Kind;
use crate::http::route::Route;
use crate::metrics::{self, Metrics};
use crate::source::ChatSource;

const FORMATS: [&str; 4] = ["1", "2", "3", "4"];

/// The label of a click that names no source.
const NO_SOURCE: &str = "none";

/// What requests count.
pub(crate) struct RequestMetrics {
    pub(super) in_flight: IntGauge,
    requests: IntCounterVec,
    /// By route: its GETs by status.
    gets: [Vec<(u16, IntCounter)>; Route::ALL.len()],
    durations: [Histogram; Route::ALL.len()],
    /// By format, then by source; the last one is for none.
    redirects: [[IntCounter; ChatSource::ALL.len() + 1]; FORMATS.len()],
    refusals: [IntCounter; Kind::ALL.len()],
    pub(super) fallbacks: IntCounter,
    pairings: [IntCounter; PairingOutcome::ALL.len()],
    connectors: [[IntCounter; ConnectorOutcome::ALL.len()]; Vendor::ALL.len()],
}

named_enum! {
    /// What became of a pairing. The name is a metric's label.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(usize)]
    pub(super) enum PairingOutcome {
        /// A browser was paired.
        Paired = "paired",
        /// A click has renewed a browser's cookie.
        Renewed = "renewed",
        /// A pairing was ended on the page.
        Unpaired = "unpaired",
        /// The page has refused an invitation, or a caller.
        Refused = "refused",
    }
}

impl RequestMetrics {
    /// Looks everything up, which also makes every series of a closed set appear at 0.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let requests = &metrics.http_requests_total;
        Self {
            in_flight: metrics.http_requests_in_flight.clone(),
            requests: requests.clone(),
            gets: Route::ALL.map(|route| {
                statuses(route)
                    .into_iter()
                    .map(|status| (status, get_counter(requests, route, status)))
                    .collect()
            }),
            durations: Route::ALL.map(|route| {
                metrics::histogram(&metrics.http_request_duration_seconds, &[route.name()])
            }),
            redirects: FORMATS.map(|format| {
                std::array::from_fn(|source| {
                    let source = ChatSource::ALL.get(source).map_or(NO_SOURCE, |s| s.name());
                    metrics::counter(&metrics.open_chat_redirects_total, &[format, source])
                })
            }),
            refusals: Kind::ALL
                .map(|kind| metrics::counter(&metrics.open_chat_refusals_total, &[kind.name()])),
            fallbacks: metrics.open_chat_fallbacks_total.clone(),
            pairings: PairingOutcome::ALL.map(|outcome| {
                metrics::counter(&metrics.open_chat_pairings_total, &[outcome.name()])
            }),
            connectors: Vendor::ALL.map(|connector| {
                ConnectorOutcome::ALL.map(|outcome| {
                    let labels = [connector.name(), outcome.name()];
                    metrics::counter(&metrics.open_chat_connector_requests_total, &labels)
                })
            }),
        }
    }

    pub(super) fn answered(&self, route: Route, method: &Method, status: u16, after: Duration) {
        self.durations[route as usize].observe(after.as_secs_f64());
        let known = self.gets[route as usize]
            .iter()
            .find(|(known, _)| *known == status && method == Method::GET);
        match known {
            Some((_, counter)) => counter.inc(),
            None => self
                .requests
                .with_label_values(&[route.name(), method_name(method), &status.to_string()])
                .inc(),
        }
    }

    pub(super) fn redirected(&self, format: u8, source: Option<ChatSource>) {
        let source = source.map_or(ChatSource::ALL.len(), |source| source.number().into());
        self.redirects[usize::from(format) - 1][source].inc();
    }

    pub(super) fn pairing(&self, outcome: PairingOutcome) {
        self.pairings[outcome as usize].inc();
    }

    pub(super) fn connector(&self, connector: Vendor, outcome: ConnectorOutcome) {
        self.connectors[connector as usize][outcome as usize].inc();
    }

    pub(super) fn refused(&self, kind: Kind) {
        self.refusals[kind as usize].inc();
    }
}

/// The statuses that a GET of this route may have.
fn statuses(route: Route) -> Vec<u16> {
    match route {
        Route::OpenChat => with_refusals(&[200, 302]),
        Route::Pair
        | Route::Widget
        | Route::WidgetToken
        | Route::ConnectKommo
        | Route::ConnectHubspot
        | Route::ConnectPipedrive => with_refusals(&[200]),
        // The first has every status, and only the demo shows it. The others take POST only.
        Route::DemoRefusal
        | Route::Links
        | Route::ConnectBitrix24
        | Route::ConnectBitrix24Install
        | Route::ConnectZendesk
        | Route::ConnectOpen
        | Route::ConnectTicket => Vec::new(),
        Route::Root => vec![302],
        Route::Builder | Route::Handler => vec![200, 403],
        Route::Integrations => vec![200, 400, 403, 404, 429],
        Route::OpenApi
        | Route::OpenApiPage
        | Route::Manifest
        | Route::Icon192
        | Route::Icon512
        | Route::Demo
        | Route::Healthz
        | Route::Metrics => vec![200],
        Route::Readyz => vec![200, 503],
        Route::Other => vec![404],
    }
}

/// Those of a route that hands tokens out.
fn with_refusals(successes: &[u16]) -> Vec<u16> {
    let mut statuses = successes.to_vec();
    statuses.extend(Kind::ALL.map(Kind::status));
    statuses.retain(|status| *status != 405);
    statuses.dedup();
    statuses
}

fn get_counter(requests: &IntCounterVec, route: Route, status: u16) -> IntCounter {
    metrics::counter(requests, &[route.name(), "GET", &status.to_string()])
}

/// A method as a label: a caller may send any word, so all but the usual ones are `other`.
pub(super) fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
