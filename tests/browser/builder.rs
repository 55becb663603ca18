//! The link builder, as a CRM admin uses it: with JavaScript and without.

use std::collections::BTreeSet;
use std::path::Path;

use fantoccini::Locator;
use serde_json::json;
use zip::ZipArchive;

use crate::browser::{Browser, eventually};
use crate::process::{Running, open_chat};

fn start() -> (Running, String) {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let url = demo.url("/demo").replace("/demo", "/builder");
    (demo, url)
}

/// The text of an element that may be replaced at any moment.
async fn text(browser: &Browser, id: &str) -> String {
    let text = browser
        .value(&format!("document.getElementById('{id}').textContent"))
        .await;
    text.as_str().expect("a text").to_owned()
}

async fn select(browser: &Browser, name: &str, value: &str) {
    let option = format!("select[name={name}] option[value='{value}']");
    browser
        .client
        .find(Locator::Css(&option))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
}

/// What the page says beside a copy button.
async fn copied(browser: &Browser, source: &str) -> String {
    browser.text(&format!("[data-said={source}]")).await
}

/// Fills the field in, as typing does.
async fn fill_in(browser: &Browser, name: &str, value: &str) {
    let script = format!(
        "void ((field) => {{ field.value = '{value}'; field.dispatchEvent(new Event('input', {{bubbles: true}})); \
         field.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.querySelector('input[name={name}]'))"
    );
    browser.value(&script).await;
}

/// Presses or releases the mouse in the middle of the one element that matches.
async fn mouse(browser: &Browser, event: &str, css: &str) {
    let middle = format!(
        "((box) => [box.x + box.width / 2, box.y + box.height / 2])(document.querySelector('{css}').getBoundingClientRect())"
    );
    let middle = browser.value(&middle).await;
    let parameters =
        json!({"type": event, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
    browser
        .devtools("Input.dispatchMouseEvent", parameters)
        .await;
}

async fn crms(browser: &Browser) -> Vec<String> {
    let values = browser
        .value("[...document.querySelectorAll('select[name=crm] option')].map((one) => one.value)")
        .await;
    serde_json::from_value(values).unwrap()
}

#[tokio::test]
async fn the_result_follows_the_form() {
    let (_demo, url) = start();
    let browser = Browser::open(&url).await;
    browser.check("builder").await;
    browser.picture("builder").await;
    let mut templates = BTreeSet::new();
    let crms = crms(&browser).await;
    for crm in &crms {
        select(&browser, "crm", crm).await;
        let name = browser
            .value("document.querySelector('select[name=crm]').selectedOptions[0].text")
            .await;
        let title = format!("The URL for {}", name.as_str().unwrap());
        eventually(crm, async || text(&browser, "url-title").await == title).await;
        let template = text(&browser, "template").await;
        assert!(template.contains("/open-chat?operator="), "{template}");
        assert!(text(&browser, "verdict").await.starts_with("Format 2:"));
        templates.insert(template);
    }
    assert!(crms.len() >= 14 && templates.len() >= 7, "{templates:?}");

    select(&browser, "source", "viber").await;
    eventually("format 4", async || {
        text(&browser, "verdict").await.starts_with("Format 4:")
    })
    .await;
    let phone = browser
        .client
        .find(Locator::Css("input[name=phone]"))
        .await
        .unwrap();
    phone.clear().await.unwrap();
    phone.send_keys("\"><img src=x>").await.unwrap();
    eventually("a refusal", async || {
        text(&browser, "verdict")
            .await
            .starts_with("Refused, 400 phone-invalid")
    })
    .await;
    assert_eq!(
        browser
            .value("document.querySelectorAll('img').length")
            .await,
        0
    );
    assert!(text(&browser, "said").await.starts_with("Refused"));
    assert_eq!(browser.value("kept_out").await, json!([]));
    browser.close().await;
}

/// As behind a proxy whose login has ended: the browser then goes to wherever the proxy wants it.
#[tokio::test]
async fn where_the_result_cannot_follow_the_button_asks_for_the_page() {
    let (_demo, url) = start();
    for failure in [
        "Promise.reject(new TypeError())",
        "Promise.resolve(new Response('', {status: 401}))",
        "Promise.resolve(new Response('<h1>Log in</h1>'))",
    ] {
        let browser = Browser::open(&url).await;
        browser
            .value(&format!("void (window.fetch = () => {failure})"))
            .await;
        select(&browser, "crm", "zendesk").await;
        browser.click("#show").await;
        eventually(failure, async || {
            text(&browser, "url-title").await == "The URL for Zendesk"
        })
        .await;
        let asked = browser.client.current_url().await.unwrap();
        assert!(asked.query().unwrap().starts_with("crm=zendesk&"));
        browser.close().await;
    }
}

#[tokio::test]
async fn the_url_is_copied_and_tried() {
    let (_demo, url) = start();
    let browser = Browser::open(&url).await;
    browser.click("[data-copies=sample]").await;
    eventually("a copy", async || {
        copied(&browser, "sample").await == "Copied."
    })
    .await;
    // What has been copied is what is pasted.
    let field = browser
        .client
        .find(Locator::Css("input[name=from]"))
        .await
        .unwrap();
    field.send_keys("\u{e009}v\u{e000}").await.unwrap();
    let from = async || {
        browser
            .value("document.querySelector('input[name=from]').value")
            .await
    };
    eventually("a paste", async || from().await != "").await;
    let pasted = from().await;
    let sample = text(&browser, "sample").await;
    assert!(
        sample.starts_with(pasted.as_str().unwrap())
            && pasted.as_str().unwrap().contains("/open-chat?"),
        "{pasted}"
    );

    browser.goto(&url).await;
    browser.click_for_a_window(Locator::Id("try-it")).await;
    browser.wait_for("#chat").await;
    assert_eq!(text(&browser, "phone").await, "+380501234567");
    browser.close().await;
}

/// A finger that stays on the button while the result follows the form, as on a phone.
#[tokio::test]
async fn a_slow_finger_copies_what_was_typed() {
    let (_demo, url) = start();
    let browser = Browser::open(&url).await;
    let button = "[data-copies=sample]";
    // On a busy machine the result follows before the press, and moves the button away under it.
    eventually("a finger on the button", async || {
        browser.goto(&url).await;
        let middle = "scrollIntoView({block: 'center'})";
        let scroll = format!("void document.querySelector('{button}').{middle}");
        browser.value(&scroll).await;
        fill_in(&browser, "phone", "067 123 45 67").await;
        mouse(&browser, "mousePressed", button).await;
        let is_held = format!("document.querySelector('{button}').matches(':active')");
        browser.value(&is_held).await == json!(true)
    })
    .await;
    eventually("the new sample", async || {
        text(&browser, "sample").await.contains("067+123+45+67")
    })
    .await;
    mouse(&browser, "mouseReleased", button).await;
    eventually("a copy", async || {
        copied(&browser, "sample").await == "Copied."
    })
    .await;
    let clipboard = "navigator.clipboard.readText()";
    let permission = json!({"permission": {"name": "clipboard-read"}, "setting": "granted"});
    browser.devtools("Browser.setPermission", permission).await;
    let pasted = browser.value(clipboard).await;
    assert!(
        pasted.as_str().unwrap().contains("phone=067+123+45+67"),
        "{pasted}"
    );
    browser.close().await;
}

/// A copy that comes before the result has followed is of what was typed all the same.
#[tokio::test]
async fn a_quick_finger_copies_what_was_typed() {
    let (_demo, url) = start();
    let browser = Browser::open(&url).await;
    let script = "(() => { const field = document.querySelector('input[name=phone]'); field.value = '067 123 45 67'; \
                  field.dispatchEvent(new Event('input', {bubbles: true})); \
                  const copy = document.querySelector('[data-copies=sample]'); \
                  Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { window.copy = text; }}}); \
                  copy.click(); })()";
    browser.value(&format!("void {script}")).await;
    eventually("a copy", async || {
        copied(&browser, "sample").await == "Copied."
    })
    .await;
    let pasted = browser.value("window.copy").await;
    assert!(
        pasted.as_str().unwrap().contains("phone=067+123+45+67"),
        "{pasted}"
    );
    assert!(text(&browser, "sample").await.contains("067+123+45+67"));
    browser.close().await;
}

/// The result follows without taking the focus away, and says what is new and nothing else.
#[tokio::test]
async fn the_focus_stays_and_changes_are_told() {
    let (_demo, url) = start();
    let browser = Browser::open(&url).await;
    for button in ["template", "sample"] {
        let focus = format!("void document.querySelector('[data-copies={button}]').focus()");
        browser.value(&focus).await;
        let phone = format!("067 123 45 6{}", button.len());
        fill_in(&browser, "phone", &phone).await;
        eventually("the new sample", async || {
            text(&browser, "sample")
                .await
                .contains(&phone.replace(' ', "+"))
        })
        .await;
        let focused = browser.value("document.activeElement.dataset.copies").await;
        assert_eq!(focused, button);
    }
    select(&browser, "crm", "zendesk").await;
    eventually("the CRM is told", async || {
        text(&browser, "said").await == "The URL for Zendesk has changed."
    })
    .await;
    fill_in(&browser, "operator", "Nobody Here").await;
    eventually("the refusal is told", async || {
        text(&browser, "said")
            .await
            .starts_with("Refused, 404 operator-unknown")
    })
    .await;
    browser.close().await;
}

/// What a press has done is to be seen where the press was, on a phone too.
#[tokio::test]
async fn the_message_stands_beside_its_button() {
    let (_demo, url) = start();
    let browser = Browser::open("about:blank").await;
    browser.pretend(390, "light", "en").await;
    browser.goto(&url).await;
    for source in ["template", "sample"] {
        browser.click(&format!("[data-copies={source}]")).await;
        eventually("a copy", async || {
            copied(&browser, source).await == "Copied."
        })
        .await;
        let distance = format!(
            "((button, said) => Math.max(said.top - button.bottom, button.top - said.bottom))(\
             document.querySelector('[data-copies={source}]').getBoundingClientRect(), \
             document.querySelector('[data-said={source}]').getBoundingClientRect())"
        );
        let distance = browser.value(&distance).await;
        assert!(distance.as_f64().unwrap() < 60.0, "{distance}");
    }
    browser.check("copied").await;
    // A message about an URL that has changed since is none.
    select(&browser, "crm", "zendesk").await;
    eventually("no message", async || {
        copied(&browser, "template").await.is_empty()
    })
    .await;
    assert_eq!(copied(&browser, "sample").await, "Copied.");
    browser.close().await;
}

#[tokio::test]
async fn it_works_without_javascript() {
    let (_demo, url) = start();
    let browser = Browser::open("about:blank").await;
    let off = json!({"value": true});
    browser
        .devtools("Emulation.setScriptExecutionDisabled", off)
        .await;
    browser.goto(&url).await;
    for crm in crms(&browser).await {
        select(&browser, "crm", &crm).await;
        select(&browser, "source", "whatsapp").await;
        browser.click("#show").await;
        let wanted = format!("crm={crm}&");
        eventually(&wanted, async || {
            let asked = browser.client.current_url().await.unwrap();
            asked.query().is_some_and(|query| query.contains(&wanted))
        })
        .await;
        eventually(&crm, async || {
            browser.text("#verdict").await.starts_with("Format 4:")
        })
        .await;
        assert_eq!(
            browser.text("[data-copies=template]").await,
            "",
            "it needs JavaScript"
        );
    }
    browser.close().await;
}

#[tokio::test]
async fn everybody_can_read_it() {
    let (_demo, url) = start();
    let browser = Browser::open("about:blank").await;
    for (width, scheme) in [
        (1280, "light"),
        (1280, "dark"),
        (360, "light"),
        (360, "dark"),
    ] {
        browser.pretend(width, scheme, "uk").await;
        for query in [
            "?crm=salesforce",
            "?crm=creatio&phone=12345",
            "?crm=kommo&source=viber&fixed=on",
            "?crm=zoho",
            "?crm=keycrm",
        ] {
            browser.goto(&format!("{url}{query}")).await;
            browser.check(&format!("{query} {width} {scheme}")).await;
            browser
                .picture(&format!("builder-{}-{width}-{scheme}", &query[5..9]))
                .await;
        }
        browser.goto(&url.replace("/builder", "/demo")).await;
        browser.check(&format!("demo {width} {scheme}")).await;
        browser.picture(&format!("demo-{width}-{scheme}")).await;
    }
    browser.close().await;
}

/// What each CRM has is there without asking for the page again, in the visitor's language.
#[tokio::test]
async fn the_instructions_follow_the_crm() {
    let (_demo, url) = start();
    let browser = Browser::open("about:blank").await;
    browser.pretend(1000, "light", "uk").await;
    browser.goto(&url).await;
    assert_eq!(
        browser.text("#guide-title").await,
        "Інша CRM: без програміста"
    );
    assert_eq!(
        browser.text("[data-copies=template]").await,
        "Копіювати посилання"
    );
    select(&browser, "crm", "kommo").await;
    eventually("the instructions", async || {
        browser.text("#guide-title").await == "Kommo / amoCRM: без програміста"
    })
    .await;
    assert_eq!(browser.text("[data-copies=template]").await, "");
    let entry = text(&browser, "settings").await;
    assert!(entry.contains("[kommo]\n"), "{entry}");
    for box_ in ["settings", "map", "snippet"] {
        browser.click(&format!("[data-copies={box_}]")).await;
        eventually("a copy", async || {
            copied(&browser, box_).await == "Скопійовано."
        })
        .await;
    }
    // What was copied stays said as long as the instructions are the same.
    fill_in(&browser, "phone", "067 123 45 67").await;
    eventually("the new sample", async || {
        text(&browser, "sample").await.contains("067+123+45+67")
    })
    .await;
    let permission = json!({"permission": {"name": "clipboard-read"}, "setting": "granted"});
    browser.devtools("Browser.setPermission", permission).await;
    let pasted = browser.value("navigator.clipboard.readText()").await;
    let code = text(&browser, "snippet").await;
    assert!(code.contains("/connect/kommo"), "{code}");
    assert_eq!(pasted.as_str().unwrap(), code);
    browser.close().await;
}

#[tokio::test]
async fn a_package_is_downloaded() {
    let (_demo, url) = start();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("builder-packages");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let browser = Browser::open(&format!("{url}?crm=odoo")).await;
    let parameters = json!({"behavior": "allow", "downloadPath": folder});
    browser
        .devtools("Browser.setDownloadBehavior", parameters)
        .await;
    browser.click("#package").await;
    let file = folder.join("open-chat-odoo.zip");
    eventually("the file", async || file.exists()).await;
    let mut archive = ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    assert!(archive.by_name("open_chat/__manifest__.py").is_ok());
    browser.close().await;
}

/// The page's own policy lets its form go there, and the browser saves what comes.
#[tokio::test]
async fn the_extension_is_downloaded() {
    let (_demo, url) = start();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("builder-downloads");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let browser = Browser::open(&url).await;
    let parameters = json!({"behavior": "allow", "downloadPath": folder});
    browser
        .devtools("Browser.setDownloadBehavior", parameters)
        .await;
    let crms = browser.client.find(Locator::Css("textarea[name=crm]"));
    let crms = crms.await.unwrap();
    crms.send_keys("https://crm.example\nhttps://second.example")
        .await
        .unwrap();
    browser.click("#extension button").await;
    let file = folder.join("open-chat-chromium.zip");
    eventually("the file", async || file.exists()).await;
    let archive = std::fs::File::open(file).unwrap();
    let mut archive = ZipArchive::new(archive).unwrap();
    let config = archive.by_name("config.js").unwrap();
    let config = std::io::read_to_string(config).unwrap();
    let crms = r#""crm_origins":["https://crm.example","https://second.example"]"#;
    assert!(config.contains(crms), "{config}");
    assert_eq!(browser.value("kept_out").await, json!([]));
    browser.close().await;
}
