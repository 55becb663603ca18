//! Nothing that opens something, and no client's phone, reaches any output.

use std::process::Command;

use chathub_simulator::{Endpoint, Fault, Simulator};
use reqwest::Response;

use crate::harness::{PASSWORD, PROFILE_KEY, Service, header, log, log_line, rules};
use crate::process::Running;

/// What must not be seen. Every token here is a JWT, whose text begins with `eyJ`; the phone is not
/// the one that our own messages give as an example.
const CANARIES: [&str; 6] = [
    PASSWORD,
    PROFILE_KEY,
    "canary",
    "eyJ",
    "671234567",
    "Bearer ",
];

const QUICK: [(&str, &str); 1] = [("CHATHUB_ATTEMPT_TIMEOUT", "500ms")];

async fn everything_of(response: Response) -> String {
    let headers: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name != "location")
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.join("\n") + &response.text().await.unwrap()
}

#[tokio::test]
async fn nothing_that_opens_something_is_ever_seen() {
    let service = Service::start().await;
    let mut outputs = String::new();
    let clicks = [
        "operator=101&phone=0671234567&pass=canary-pass",
        "operator=101&phone=0671234567&pass=canary-pass&pass=canary-pass",
        "operator=101&phone=+38067123456789&from=canary",
        "operator=canary&phone=0671234567",
        "operator=101&phone=0671234567&source=canary",
        "operator=101&phone=canary0671234567",
        "operator=101&phone={{canary}}&token=eyJcanary",
        "operator=101&phone=0671234567&pass=%ff",
    ];
    for query in clicks {
        outputs += &everything_of(service.click(query).await).await;
    }
    let faults = [
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(500),
        Fault::Throttled(1),
        Fault::Body("canary eyJ answer".into()),
        Fault::Body(r#""eyJ broken canary"#.into()),
        Fault::Redirect("https://canary.example/?token=eyJ".into()),
        Fault::Reset,
        Fault::Silence,
    ];
    for fault in faults {
        for endpoint in [Endpoint::OperatorToken, Endpoint::CompanyToken] {
            // Only silence has to be waited for.
            let is_silent = matches!(fault, Fault::Silence);
            let variables = if is_silent { &QUICK[..] } else { &[] };
            let service = Service::start_with(rules(), variables).await;
            service.chathub.store().revoke_company_tokens();
            service.chathub.always(endpoint, Some(fault.clone()));
            let response = service.click("operator=101&phone=0671234567").await;
            assert!(response.status().as_u16() >= 400);
            outputs += &everything_of(response).await;
            let page = service
                .request("/open-chat?operator=101&chat_raw_id=1")
                .header("Accept", "text/html");
            outputs += &everything_of(page.send().await.unwrap()).await;
            outputs += &everything_of(service.ops("/metrics").await).await;
        }
    }
    let last = service
        .request("/canary")
        .header("Authorization", "Bearer canary")
        .send()
        .await
        .unwrap();
    let id = header(&last, "x-request-id");
    outputs += &everything_of(last).await;
    outputs += &everything_of(service.ops("/metrics").await).await;
    log_line(&id).await;

    // The last line shows that the log was really caught, at every level.
    let log = log();
    assert!(log.contains("+38067***4567") && log.contains("\"level\":\"TRACE\""));
    for canary in CANARIES {
        for (place, text) in [("an answer", &outputs), ("the log", &log)] {
            if let Some(line) = text.lines().find(|line| line.contains(canary)) {
                panic!("{canary} is seen in {place}: {line}");
            }
        }
    }
}

/// A crash would write the whole memory to a disk, with everything that opens something.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_writes_no_core_dump() {
    let chathub = Simulator::start(rules()).unwrap();
    let url = chathub.url();
    let mut command = Command::new("prlimit");
    command
        .args(["--core=4096", env!("CARGO_BIN_EXE_open-chat"), "serve"])
        .env_clear()
        .envs([
            ("ACCESS", "open"),
            ("LISTEN", "127.0.0.1:0"),
            ("CHATHUB_URL", url.as_str()),
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", PASSWORD),
        ]);
    let service = Running::start(&mut command, "\"listening\"");
    let limits = format!("/proc/{}/limits", service.child.id());
    let limits = std::fs::read_to_string(limits).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))
        .unwrap();
    // The soft limit can be raised again, to look for the cause of a crash.
    let soft_and_hard: Vec<_> = core.split_whitespace().take(2).collect();
    assert_eq!(soft_and_hard, ["0", "4096"]);
}
