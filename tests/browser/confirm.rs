//! The page between a link and its chat, in a browser that says by itself where a POST comes from.

use crate::browser::Browser;
use crate::services::Services;

/// ChatHub's stand-in, and a service that asks each visitor.
struct Both(Services);

impl Both {
    fn start() -> Self {
        let variables = [("CONFIRM", "always"), ("BRAND_NAME", "Acme Support")];
        Self(Services::start(&variables))
    }

    fn link(&self, host: &str) -> String {
        let port = self.0.address.rsplit_once(':').unwrap().1;
        format!("http://{host}:{port}/open-chat?operator=101&phone=0501234567")
    }
}

/// On loopback browsers send `Sec-Fetch-Site`; on a network in the clear they do not, and `Origin`
/// speaks. Either way the redirect to the panel's origin must get past the page's policy.
#[tokio::test]
async fn the_button_opens_the_chat() {
    let both = Both::start();
    let map = "--host-resolver-rules=MAP chat.lan 127.0.0.1";
    for (host, language) in [("127.0.0.1", "en"), ("chat.lan", "uk")] {
        let browser = Browser::open_with("about:blank", &[map]).await;
        for (width, scheme) in [(1000, "light"), (360, "dark")] {
            browser.pretend(width, scheme, language).await;
            browser.goto(&both.link(host)).await;
            browser.check(&format!("{host} {width} {scheme}")).await;
            browser
                .picture(&format!("confirm-{language}-{scheme}"))
                .await;
        }
        let title = browser.client.title().await.unwrap();
        assert!(title.ends_with(" · Acme Support"), "{title}");
        browser.click("#open").await;
        browser.wait_for("#chat").await;
        assert_eq!(browser.text("#operator").await, "101 · John Smith");
        assert_eq!(browser.text("#phone").await, "+380501234567");
        assert_eq!(browser.value("document.referrer").await, "");
        browser.close().await;
    }
}

/// The second press would cancel the answer to the first, which has used up a one-time link.
#[tokio::test]
async fn who_clicks_twice_opens_the_chat_once() {
    let both = Both::start();
    let browser = Browser::open(&both.link("127.0.0.1")).await;
    let sent = browser.sent_of_two_presses().await;
    assert_eq!(sent, serde_json::json!([true, false]));
    browser.close().await;
}

#[tokio::test]
async fn another_site_cannot_press_it() {
    let both = Both::start();
    let link = both.link("127.0.0.1").replace('&', "%26amp;");
    let page =
        format!("data:text/html,<form method=post action=\"{link}\"><button>x</button></form>");
    let browser = Browser::open(&page).await;
    browser.click("button").await;
    browser.wait_for("#kind").await;
    assert_eq!(browser.text("#kind").await, "not-a-navigation");
    browser.close().await;
}
