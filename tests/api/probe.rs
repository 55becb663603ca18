//! The negative prober: it must find an open door, and nothing at a locked one.

use std::path::Path;
use std::process::Command;

use crate::harness::{Service, rules};
use crate::process::{self, open_chat};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

fn probe(arguments: Vec<String>) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/probe.sh");
    let mut probe = Command::new(script);
    // Its own 10 s may be too short for a busy machine.
    process::run(probe.args(arguments).env("PROBE_MAX_TIME", "600"))
}

fn good_link(service: &Service) -> String {
    let environment = [("PASS_SECRET", SECRET), ("PUBLIC_URL", service.url())];
    let arguments = ["link", "--operator", "101", "--phone", "+380501234567"];
    let (code, url) = process::run(&mut open_chat(&arguments, &environment));
    assert_eq!(code, Some(0), "{url}");
    url.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_locked_door_only_the_good_link_works() {
    let service =
        Service::start_with(rules(), &[("ACCESS", "pass"), ("PASS_SECRET", SECRET)]).await;
    let (code, text) = probe(vec![service.url().into(), good_link(&service)]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("works      the good link itself"), "{text}");
    for refused in [
        "refused    another site's script, by fetch (403)",
        "refused    the good link, in a preview (403)",
        "refused    the good link, in Safari's preview (403)",
        "refused    the good link, before anyone clicks (403)",
        "refused    the good link, by another site's fetch (403)",
        "refused    the good link under an encoded path (404)",
        "refused    the widget's token under a stranger's name (",
        "refused    the metrics under an encoded path (404)",
        "refused    a head of 17 KiB (",
    ] {
        assert!(text.contains(refused), "{refused} is not in\n{text}");
    }
    assert!(text.ends_with("nothing forbidden succeeded\n"), "{text}");
    assert!(!text.contains("canary") && !text.contains("eyJ"), "{text}");

    let mut bad = good_link(&service);
    bad.push('x');
    let (code, text) = probe(vec![service.url().into(), bad]);
    assert_eq!(code, Some(2), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_door_is_found() {
    let service = Service::start().await;
    let (code, text) = probe(vec![service.url().into()]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("SUCCEEDED  an operator named in the URL, nothing else"),
        "{text}"
    );
    assert!(
        text.contains("refused    another site's script, by fetch (403)"),
        "{text}"
    );
}
