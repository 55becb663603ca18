//! A real Prometheus scrapes the running service, and every expression of the dashboard and of the
//! alerts finds its data there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use chathub_simulator::{Endpoint, Fault};
use serde_json::{Value, json};

use crate::harness::{Service, eventually, file, own_address, raw, rules};
use crate::process;

/// As Grafana would fill it in for a scrape interval of half a second.
const RATE_INTERVAL: &str = "10s";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

/// Title and expressions of each panel, ready to be asked.
fn panels() -> Vec<(String, Vec<(String, String)>)> {
    let dashboard: Value =
        serde_json::from_str(&read("helm/open-chat/files/dashboard.json")).unwrap();
    let filled = |expression: &str| {
        expression
            .replace("$__rate_interval", RATE_INTERVAL)
            .replace("$job", ".*")
            .replace("$namespace", ".*")
    };
    let panels = dashboard["panels"].as_array().unwrap();
    panels
        .iter()
        .filter(|panel| panel["type"] != "row")
        .map(|panel| {
            let targets = panel["targets"].as_array().unwrap().iter();
            let expressions = targets.map(|target| {
                let legend = target["legendFormat"].as_str().unwrap().to_owned();
                (legend, filled(target["expr"].as_str().unwrap()))
            });
            let title = panel["title"].as_str().unwrap().to_owned();
            (title, expressions.collect())
        })
        .collect()
}

/// Prometheus, with the alerts of the chart.
struct Prometheus {
    address: SocketAddr,
    child: Child,
    client: reqwest::Client,
}

impl Prometheus {
    async fn watching(services: &[&Service]) -> Self {
        let address = own_address();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus");
        let _ = std::fs::remove_dir_all(&directory);
        let targets = services
            .iter()
            .map(|service| service.url().trim_start_matches("http://"));
        // JSON is YAML.
        let config = json!({
            // A scrape may take as long as it is to the next.
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [
                repository("helm/open-chat/files/rules.yaml"),
                repository("helm/open-chat/files/rules-working-hours.yaml"),
            ],
            "scrape_configs": [{
                "job_name": "open-chat",
                "static_configs": [{"targets": targets.collect::<Vec<_>>(), "labels": {"namespace": "chats"}}],
            }],
        });
        let config = file("prometheus.yaml", &config.to_string());
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("prometheus, which tests/setup.sh installs");
        let prometheus = Self {
            address,
            child,
            client: reqwest::Client::new(),
        };
        eventually("prometheus answers", async || {
            prometheus.get("/-/ready", &[]).await.is_some()
        })
        .await;
        prometheus
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<String> {
        let mut url = url::Url::parse(&format!("http://{}{path}", self.address)).unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let answer = self.client.get(url).send().await.ok()?;
        let is_well = answer.status().is_success();
        let text = answer.text().await.ok()?;
        assert!(is_well || path == "/-/ready", "{path} {query:?}: {text}");
        is_well.then_some(text)
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Vec<Value> {
        let answer = self.get(path, query).await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["data"]["result"].as_array().unwrap().clone()
    }

    async fn query(&self, expression: &str) -> Vec<Value> {
        self.ask("/api/v1/query", &[("query", expression)]).await
    }

    /// Until everything that has happened so far has been scraped. One that came too late for a
    /// busy machine does not count.
    async fn scrape(&self) {
        let scrapes = async || {
            let count = self.query("sum_over_time(up[1h])").await;
            count.first().map_or(0, |series| {
                series["value"][1].as_str().unwrap().parse::<u32>().unwrap()
            })
        };
        let before = scrapes().await;
        // One may have been on its way.
        eventually("a scrape", async || scrapes().await >= before + 2).await;
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Clicks of every kind: right ones in all formats, wrong ones, forged ones, too many; ChatHub
/// well, slow, wrong and away.
async fn drive(service: &Service, prometheus: &Prometheus) {
    let right = [
        "phone=0501234567",
        "phone=0501234567&from=Acme",
        "phone=0501234567&from=Acme&source=viber",
        "chat_raw_id=chat-1",
        "phone=0501234567&source=7",
    ];
    let wrong = [
        "operator=101",
        "operator=101&phone=12345",
        "operator=101&phone={{phone}}",
        "operator=Nobody&phone=0501234567",
        "operator=21&phone=0501234567",
        "phone=0501234567",
        "operator=101&phone=0501234567&source=9",
        "operator=101&phone=0501234567&pass=a.b.c",
    ];
    let world = service.chathub.store();
    for operator in 103..=160 {
        for target in right {
            service
                .click(&format!("operator={operator}&{target}"))
                .await;
        }
        match operator % 8 {
            0 => prometheus.scrape().await,
            rest => {
                service.click(wrong[rest]).await;
                service.click(wrong[0]).await;
            }
        }
        if operator == 130 {
            world.pass_time(30);
        }
    }
    service.request("/nowhere").send().await.unwrap();
    raw(service, "no HTTP\r\n\r\n").await;
    // One agent who clicks all day.
    for _ in 0..40 {
        service.click("operator=102&phone=0501234567").await;
    }
    prometheus.scrape().await;
    for fault in [
        Fault::Late(300),
        Fault::Throttled(0),
        Fault::Body(String::new()),
    ] {
        service.chathub.next(Endpoint::OperatorToken, fault);
        let cold = format!(
            "operator={}&phone=0501234567",
            160 + service.chathub.calls(Endpoint::OperatorToken)
        );
        service.click(&cold).await;
    }
    prometheus.scrape().await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    for operator in 300..310 {
        service
            .click(&format!("operator={operator}&phone=0501234567"))
            .await;
    }
    prometheus.scrape().await;
}

/// An alert's expression with its conditions turned into values, so that it finds data also while
/// all is well.
fn unconditional(expression: &str) -> String {
    let mut text = expression.replace("unless", "and");
    for comparison in ["==", ">=", "<=", ">", "<"] {
        for space in [" ", "\n"] {
            let operator = format!(" {comparison}{space}");
            text = text.replace(&operator, &format!(" {comparison} bool "));
            let operator = format!("\n{comparison}{space}");
            text = text.replace(&operator, &format!("\n{comparison} bool "));
        }
    }
    text
}

#[tokio::test]
async fn every_expression_finds_its_data() {
    let map = file("map.toml", "\"ann@example.com\" = 101\n");
    let rules = chathub_simulator::Rules {
        operators: 400,
        ..rules()
    };
    let service = Service::start_with(
        rules,
        &[
            ("ACCESS", "pass,open"),
            ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
            ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
            ("RATE_LIMIT_OPERATOR", "30/h"),
            ("CHATHUB_MAX_RATE", "1000"),
            ("DIRECTORY_REFRESH", "500ms"),
        ],
    )
    .await;
    let prometheus = Prometheus::watching(&[&service]).await;
    let begin = SystemTime::now();
    prometheus.scrape().await;
    drive(&service, &prometheus).await;
    std::fs::write(&map, "no map").unwrap();
    let failed = r#"open_chat_file_reload_failed{file="OPERATOR_MAP_FILE"}"#;
    eventually("the broken file is noticed", async || {
        service.metric(failed).await == 1
    })
    .await;
    prometheus.scrape().await;

    let mut lacking = Vec::new();
    let mut drawn = Vec::new();
    let time = |at: SystemTime| {
        at.duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs_f64()
            .to_string()
    };
    let (start, end) = (time(begin), time(SystemTime::now()));
    for (title, expressions) in panels() {
        let mut lines = Vec::new();
        for (legend, expression) in expressions {
            let range = [
                ("query", expression.as_str()),
                ("start", &start),
                ("end", &end),
                ("step", "0.25"),
            ];
            let series = prometheus.ask("/api/v1/query_range", &range).await;
            if series.is_empty() {
                lacking.push(format!("{title}: {expression}"));
            }
            lines.push(json!({"legend": legend, "series": series}));
        }
        drawn.push(json!({"title": title, "lines": lines}));
    }
    let alerts = prometheus.get("/api/v1/rules", &[]).await.unwrap();
    let alerts: Value = serde_json::from_str(&alerts).unwrap();
    let mut count = 0;
    for rule in alerts["data"]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
    {
        count += 1;
        assert_eq!(rule["health"], "ok", "{rule}");
        let expression = unconditional(rule["query"].as_str().unwrap());
        if prometheus.query(&expression).await.is_empty() {
            lacking.push(format!("{}: {expression}", rule["name"]));
        }
    }
    assert_eq!(count, 32, "alerts and recordings");
    assert_eq!(lacking, Vec::<String>::new(), "no data");
    // For tools/draw-dashboard.py.
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard.json");
    std::fs::write(picture, json!(drawn).to_string()).unwrap();
}

/// Runs promtool with something on its standard input: exit code, and everything that it printed.
fn promtool(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(repository(""));
    let ended = process::run_with_input(&mut command, input);
    (ended.code, ended.stdout + &ended.stderr)
}

#[tokio::test]
async fn promtool_has_nothing_to_say_about_the_metrics() {
    let service = Service::start().await;
    service.click("operator=101&phone=0501234567").await;
    let text = service.ops("/metrics").await.text().await.unwrap();
    assert_eq!(
        promtool(&["check", "metrics"], &text),
        (Some(0), String::new())
    );
}

#[test]
fn the_alerts_do_what_their_tests_say() {
    let rules = [
        "helm/open-chat/files/rules.yaml",
        "helm/open-chat/files/rules-working-hours.yaml",
    ];
    let (code, text) = promtool(&["check", "rules", rules[0], rules[1]], "");
    assert_eq!(code, Some(0), "{text}");
    let tests = [
        "tests/monitoring/rules_test.yaml",
        "tests/monitoring/rules_slow_test.yaml",
    ];
    let (code, text) = promtool(&["test", "rules", tests[0], tests[1]], "");
    assert_eq!(code, Some(0), "{text}");

    // Each alert fires in one case at least, and is quiet in another.
    let cases = tests.map(read).concat();
    let mut outcomes: BTreeMap<String, [bool; 2]> = BTreeMap::new();
    for case in cases.split("alertname: ").skip(1) {
        let name = case.lines().next().unwrap().to_owned();
        let is_quiet = case.contains("exp_alerts: []");
        outcomes.entry(name).or_default()[usize::from(is_quiet)] = true;
    }
    for name in alert_names() {
        assert_eq!(outcomes.get(&name), Some(&[true, true]), "{name}");
    }
}

/// A kind that belongs nowhere would raise no alert, however many clicks it refuses.
#[test]
fn every_refusal_belongs_to_an_alert_or_is_known_to_need_none() {
    // Robots, previews and scanners cause these all day.
    let needs_none = ["not-a-navigation", "not-found", "method-not-allowed"];
    let rules = read("helm/open-chat/files/rules.yaml");
    let watched: Vec<Vec<&str>> = [
        "- alert: OpenChatSetupErrors",
        "- alert: OpenChatAttack",
        "groups:",
    ]
    .iter()
    .map(|begin| {
        let (_, rule) = rules.split_once(begin).unwrap();
        let (_, kinds) = rule.split_once("kind=~\"").unwrap();
        kinds.split_once('"').unwrap().0.split('|').collect()
    })
    .collect();
    let matches = |pattern: &str, kind: &str| match pattern.strip_suffix(".*") {
        Some(begin) => kind.starts_with(begin),
        None => kind == pattern,
    };
    for kind in open_chat::http::Kind::ALL {
        let name = kind.name();
        let is_watched = watched
            .iter()
            .flatten()
            .any(|pattern| matches(pattern, name));
        assert_eq!(is_watched, !needs_none.contains(&name), "{name}");
    }
}

/// Every alert of the chart.
pub fn alert_names() -> Vec<String> {
    [
        "helm/open-chat/files/rules.yaml",
        "helm/open-chat/files/rules-working-hours.yaml",
    ]
    .map(read)
    .concat()
    .lines()
    .filter_map(|line| line.trim().strip_prefix("- alert: "))
    .map(ToOwned::to_owned)
    .collect()
}
