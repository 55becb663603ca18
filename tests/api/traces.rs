//! Traces: what a collector receives, whose children the spans are, and what is in no span.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use chathub_simulator::{Endpoint, Fault, Simulator};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use rstest::rstest;

use crate::ending::Replica;
use crate::harness::{Service, eventually, header, log_line, own_address, rules};
use crate::serving::Serving;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const CLICK: &str = "/open-chat?operator=101&phone=0501234567&from=canary-sender";

/// A collector that keeps what it gets.
struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    service: Arc<Mutex<String>>,
    server: actix_web::dev::ServerHandle,
}

impl Collector {
    fn start() -> Self {
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let service = Arc::<Mutex<String>>::default();
        let kept = (Arc::clone(&spans), Arc::clone(&service));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(kept.clone()))
                .route("/v1/traces", web::post().to(take_in))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            url,
            spans,
            service,
            server: handle,
        }
    }

    /// The spans by name, once this one is among them.
    async fn spans_with(&self, name: &str) -> BTreeMap<String, Span> {
        eventually("the span arrives", async || {
            let spans = self.spans.lock().unwrap();
            spans.iter().any(|span| span.name == name)
        })
        .await;
        let spans = self.spans.lock().unwrap();
        let named = spans.iter().map(|span| (span.name.clone(), span.clone()));
        named.collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

type Kept = (Arc<Mutex<Vec<Span>>>, Arc<Mutex<String>>);

async fn take_in(body: web::Bytes, kept: web::Data<Kept>) -> HttpResponse {
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let name = attributes
            .into_iter()
            .find(|pair| pair.key == "service.name");
        *kept.1.lock().unwrap() = format!("{:?}", name.unwrap().value);
        for scope in resource.scope_spans {
            kept.0.lock().unwrap().extend(scope.spans);
        }
    }
    HttpResponse::Ok().finish()
}

fn attribute(span: &Span, name: &str) -> String {
    let value = span.attributes.iter().find(|pair| pair.key == name);
    match value.and_then(|pair| pair.value.clone()?.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = |text, byte: &u8| format!("{text}{byte:02x}");
    bytes.iter().fold(String::new(), digits)
}

async fn traced(collector: &Collector, chathub: &Simulator, variables: &[(&str, &str)]) -> Replica {
    let mut all = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        // A batch is sent as soon as there is one.
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "300000"),
        ("DRAIN_DELAY", "0"),
    ];
    all.extend(variables);
    Replica::start(chathub, own_address(), &all).await
}

#[tokio::test]
async fn a_click_s_spans_arrive_under_the_caller_s() {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let replica = traced(&collector, &chathub, &[]).await;
    let click = replica.ask(CLICK, &[("traceparent", PARENT)]).await;
    assert_eq!(click.status(), 302);
    let spans = collector.spans_with("/open-chat").await;
    let request = &spans["/open-chat"];
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(attribute(request, "http.request.method"), "GET");
    assert_eq!(attribute(request, "http.response.status_code"), "302");
    assert_eq!(attribute(request, "open_chat.format"), "3");
    assert_eq!(attribute(request, "open_chat.token_outcome"), "minted");
    for step in ["access", "operator", "limit", "token"] {
        assert_eq!(spans[step].parent_span_id, request.span_id, "{step}");
        assert_eq!(spans[step].trace_id, request.trace_id, "{step}");
    }
    let mint = &spans["operator/get-token"];
    assert_eq!(mint.parent_span_id, spans["token"].span_id);
    assert_eq!(attribute(mint, "chathub.outcome"), "ok");
    assert!(collector.service.lock().unwrap().contains("open-chat"));
    // Neither the phone, nor the sender, nor anything else that the caller chose, nor a token.
    // Ids and times are left out: they may have any digits.
    let spans = collector.spans.lock().unwrap();
    let told = spans.iter().map(|span| {
        let Span {
            name,
            attributes,
            events,
            links,
            trace_state,
            status,
            ..
        } = span;
        format!("{name} {attributes:?} {events:?} {links:?} {trace_state} {status:?}")
    });
    let all = told.collect::<String>();
    for secret in ["canary", "050", "38050", "eyJ", "acme"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[rstest]
#[case::click(CLICK)]
#[case::widget("/widget?operator=101")]
#[case::widget_s_next_token("/widget/token?operator=101")]
#[tokio::test]
async fn steps_follow_one_another(#[case] path: &str) {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let replica = traced(&collector, &chathub, &[]).await;
    let headers = [("sec-fetch-site", "same-origin")];
    assert!(replica.ask(path, &headers).await.status().as_u16() < 400);
    let (route, _) = path.split_once('?').unwrap();
    let spans = collector.spans_with(route).await;
    let request = spans[route].span_id.clone();
    let steps = spans.values().filter(|span| span.parent_span_id == request);
    let mut steps = steps.collect::<Vec<_>>();
    steps.sort_by_key(|step| step.start_time_unix_nano);
    assert_eq!(steps.len(), 4);
    for pair in steps.windows(2) {
        let ends = pair[0].end_time_unix_nano;
        assert!(ends <= pair[1].start_time_unix_nano, "{pair:?}");
    }
}

#[tokio::test]
async fn a_failed_click_says_so() {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    chathub.always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    let replica = traced(&collector, &chathub, &[]).await;
    assert_eq!(replica.ask(CLICK, &[]).await.status(), 503);
    let spans = collector.spans_with("/open-chat").await;
    let request = &spans["/open-chat"];
    assert!(request.parent_span_id.is_empty(), "nobody's child");
    assert_eq!(attribute(request, "open_chat.kind"), "chathub-unavailable");
    assert_eq!(request.status.as_ref().unwrap().code, 2, "an error");
    let mint = &spans["operator/get-token"];
    assert_eq!(attribute(mint, "chathub.outcome"), "unavailable");
}

#[tokio::test]
async fn only_who_is_sampled_is_sent() {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let replica = traced(&collector, &chathub, &[]).await;
    let unsampled = PARENT.replace("-01", "-00");
    replica.ask(CLICK, &[("traceparent", &unsampled)]).await;
    replica.ask("/healthz", &[("traceparent", PARENT)]).await;
    replica.ask("/nowhere", &[]).await;
    let spans = collector.spans_with("other").await;
    assert_eq!(spans.keys().collect::<Vec<_>>(), ["other"]);
}

/// Of a caller whose own trace is sampled, one whose is not, and one without a trace: whose arrive.
#[rstest]
#[case::all("always_on", "", [true, true, true])]
#[case::none("always_off", "", [false, false, false])]
#[case::no_part("traceidratio", "0", [false, false, false])]
#[case::each_part("traceidratio", "1.0", [true, true, true])]
#[case::the_caller_decides("parentbased_always_off", "", [true, false, false])]
#[case::the_caller_or_no_part("parentbased_traceidratio", "0", [true, false, false])]
#[case::the_caller_or_all("", "", [true, false, true])]
#[tokio::test]
async fn the_sampler_is_the_one_that_is_set(
    #[case] sampler: &str,
    #[case] argument: &str,
    #[case] expected: [bool; 3],
) {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let variables = [
        ("OTEL_TRACES_SAMPLER", sampler),
        ("OTEL_TRACES_SAMPLER_ARG", argument),
    ];
    let mut replica = traced(&collector, &chathub, &variables).await;
    let unsampled = PARENT.replace("-01", "-00");
    replica.ask("/builder", &[("traceparent", PARENT)]).await;
    replica
        .ask("/handler", &[("traceparent", &unsampled)])
        .await;
    replica.ask("/openapi", &[]).await;
    // What it has not sent yet is sent before it ends.
    replica.signal("-TERM");
    assert_eq!(replica.exit().await, Some(0));
    let spans = collector.spans.lock().unwrap();
    let arrived =
        ["/builder", "/handler", "/openapi"].map(|name| spans.iter().any(|span| span.name == name));
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn chathub_is_told_by_choice_only() {
    for (choice, expected) in [("off", None), ("on", Some(TRACE))] {
        let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
        let replica = traced(&collector, &chathub, &[("TRACE_CHATHUB", choice)]).await;
        replica.ask(CLICK, &[("traceparent", PARENT)]).await;
        let spans = collector.spans_with("operator/get-token").await;
        let told = chathub.last_traceparent();
        let mint = hex(&spans["operator/get-token"].span_id);
        let expected = expected.map(|trace| format!("00-{trace}-{mint}-01"));
        assert_eq!(told, expected, "{choice}");
    }
}

#[tokio::test]
async fn what_is_on_its_way_at_the_end_is_sent() {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let slow = [("OTEL_BSP_SCHEDULE_DELAY", "3600000")];
    let mut replica = traced(&collector, &chathub, &slow).await;
    replica.ask(CLICK, &[]).await;
    replica.signal("-TERM");
    assert_eq!(replica.exit().await, Some(0));
    collector.spans_with("/open-chat").await;
}

#[tokio::test]
async fn a_collector_that_is_away_costs_nothing() {
    let chathub = Simulator::start(rules()).unwrap();
    let away = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let replica = Replica::start(&chathub, own_address(), &away).await;
    for _ in 0..20 {
        assert_eq!(replica.ask(CLICK, &[]).await.status(), 302);
    }
}

#[rstest]
#[case::ours(&[], "open-chat")]
#[case::empty(&[("OTEL_SERVICE_NAME", "")], "open-chat")]
#[case::attribute(&[("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=chat-prod")], "chat-prod")]
#[case::attribute_beside_an_empty_name(
    &[("OTEL_SERVICE_NAME", ""), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=chat-prod")],
    "chat-prod"
)]
#[case::name(
    &[("OTEL_SERVICE_NAME", "chat-test"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=chat-prod")],
    "chat-test"
)]
#[tokio::test]
async fn the_service_is_called_as_opentelemetry_has_it(
    #[case] variables: &[(&str, &str)],
    #[case] name: &str,
) {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let replica = traced(&collector, &chathub, variables).await;
    replica.ask(CLICK, &[]).await;
    collector.spans_with("/open-chat").await;
    let service = collector.service.lock().unwrap().clone();
    assert!(service.contains(&format!("{name:?}")), "{service}");
}

#[tokio::test]
async fn an_address_for_traces_alone_will_do() {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let url = format!("{}/v1/traces", collector.url);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
    ];
    let replica = traced(&collector, &chathub, &variables).await;
    replica.ask(CLICK, &[]).await;
    collector.spans_with("/open-chat").await;
}

#[tokio::test]
async fn a_disabled_sdk_sends_nothing() {
    let (collector, chathub) = (Collector::start(), Simulator::start(rules()).unwrap());
    let disabled = [
        ("OTEL_SDK_DISABLED", "TRUE"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    let mut replica = traced(&collector, &chathub, &disabled).await;
    replica.ask(CLICK, &[]).await;
    replica.signal("-TERM");
    // At its end everything is sent.
    assert_eq!(replica.exit().await, Some(0));
    assert!(collector.spans.lock().unwrap().is_empty());
}

/// A collector that is away, and one that refuses.
#[tokio::test]
async fn spans_that_cannot_be_sent_are_counted_and_told_of_once() {
    const FAILURES: &str = "open_chat_trace_export_failures_total";
    let chathub = Simulator::start(rules()).unwrap();
    let refusing = HttpServer::new(|| {
        App::new().default_service(web::to(|| async { HttpResponse::Unauthorized().finish() }))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let refusing_url = format!("http://otel:canary@{}", refusing.addrs()[0]);
    let refusing = refusing.run();
    let handle = refusing.handle();
    tokio::spawn(refusing);
    for (url, trouble) in [
        (
            "http://otel:canary@127.0.0.1:9",
            "no connection, or no answer in time",
        ),
        (&refusing_url, "status 401"),
    ] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ];
        let serving = Serving::start(&chathub, &variables).await;
        serving.is_ready().await;
        assert_eq!(serving.ask(CLICK).await.0, 302);
        eventually("failures are counted", async || {
            serving.ask(CLICK).await;
            serving.metric(FAILURES).await >= 2
        })
        .await;
        let log = serving.end();
        let told = log
            .matches("traces cannot be sent to the collector")
            .count();
        assert_eq!(told, 1, "{log}");
        assert!(log.contains(&format!(r#""trouble":"{trouble}""#)), "{log}");
    }
    drop(handle.stop(false));
}

#[tokio::test]
async fn the_log_names_the_caller_s_trace_collector_or_not() {
    let service = Service::start().await;
    let request = service.request(CLICK).header("traceparent", PARENT);
    let response = request.send().await.unwrap();
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["trace_id"], TRACE);
    let response = service.request(CLICK).send().await.unwrap();
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line.get("trace_id"), None);
}
