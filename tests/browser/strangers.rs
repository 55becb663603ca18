//! Another site's page in an agent's browser: what it loads from this service is no click of the
//! agent's.

use serde_json::json;

use crate::browser::Browser;
use crate::services::Services;
use crate::site::Site;

/// Asks for the chat in every way in which a page can without leaving itself; ends when all of them
/// have ended.
const ASK_FORTY_TIMES: &str = "
    const [url, done] = arguments;
    const fetched = (mode) => fetch(url, {mode, credentials: 'include'});
    const loaded = (element) => new Promise((end) => {
        element.onload = element.onerror = end;
        document.head.append(element);
    });
    const listened = () => new Promise((end) => {
        const source = new EventSource(url, {withCredentials: true});
        source.onopen = source.onerror = () => { source.close(); end(); };
    });
    const preloaded = (cors) => loaded(Object.assign(document.createElement('link'),
        {rel: 'preload', as: 'fetch', href: `${url}&n=${cors}`, crossOrigin: cors}));
    const all = [preloaded('use-credentials'), preloaded(null), listened(), listened(), fetched('cors')];
    for (let i = all.length; i < 40; i += 1) all.push(fetched('no-cors'));
    Promise.allSettled(all).then((outcomes) => done(outcomes.length));";

/// How many requests the service has refused because they are no navigations.
async fn refusals(address: &str) -> u32 {
    let metrics = reqwest::get(format!("http://{address}/metrics"))
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    let series = r#"open_chat_refusals_total{kind="not-a-navigation"} "#;
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_page_that_keeps_asking_does_not_lock_the_agent_out() {
    let services = Services::start(&[("RATE_LIMIT_OPERATOR", "1/h"), ("RATE_LIMIT_CLIENT", "1/h")]);
    let link = format!(
        "{}/open-chat?operator=101&phone=0501234567",
        services.origin()
    );

    // Another site than 127.0.0.1, though the same machine.
    let stranger = Site::start(|_| Some("<!doctype html><title>Stranger</title>".to_owned()));
    let browser = Browser::open(&stranger.origin("localhost")).await;
    let asked = browser
        .client
        .execute_async(ASK_FORTY_TIMES, vec![json!(link)]);
    assert_eq!(asked.await.unwrap(), json!(40));
    // They have arrived: a browser may take a few of them for one.
    assert!(refusals(&services.address).await >= 35);
    browser.goto(&link).await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    browser.close().await;
}
