//! The demo's CRM page: each button ends in the panel, on the right chat.

use fantoccini::Locator;

use crate::browser::{Browser, eventually};
use crate::handler::AllowHandlers;
use crate::pair::press_when_it_can_be;
use crate::process::{Running, open_chat};

/// What the panel shows after a button's click.
struct Chat {
    contact: &'static str,
    operator: &'static str,
    format: &'static str,
    id: &'static str,
    phone: &'static str,
    from: &'static str,
    source: &'static str,
}

const CHATS: [Chat; 7] = [
    Chat {
        contact: "Olena Example",
        operator: "101 · John Smith",
        format: "4 · source",
        id: "",
        phone: "+380501234567",
        from: "Acme",
        source: "0 · Viber",
    },
    Chat {
        contact: "Petro Sample",
        operator: "101 · John Smith",
        format: "2 · phone",
        id: "",
        phone: "+380501234567",
        from: "",
        source: "",
    },
    Chat {
        contact: "Iryna Probe",
        operator: "102 · Sarah Johnson",
        format: "4 · source",
        id: "",
        phone: "+380501234567",
        from: "380671112233",
        source: "3 · Whatsapp",
    },
    Chat {
        contact: "Taras Muster",
        operator: "101 · John Smith",
        format: "4 · source",
        id: "",
        phone: "+380501234567",
        from: "acme_bot",
        source: "2 · TelegramBot",
    },
    Chat {
        contact: "Sofia Template",
        operator: "102 · Sarah Johnson",
        format: "3 · sender",
        id: "",
        phone: "+380501234567",
        from: "Acme Shop",
        source: "",
    },
    Chat {
        contact: "Marko Fixture",
        operator: "101 · John Smith",
        format: "2 · phone",
        id: "",
        phone: "+380501234567",
        from: "",
        source: "",
    },
    Chat {
        contact: "A chat in progress",
        operator: "101 · John Smith",
        format: "1 · chat",
        id: "65a1f0c2",
        phone: "",
        from: "",
        source: "",
    },
];

/// Clicks the button in a contact's row and turns to the window that opens.
async fn click(browser: &Browser, contact: &str) {
    let button = format!("//tr[td[1]='{contact}']//a");
    browser.click_for_a_window(Locator::XPath(&button)).await;
    browser.wait_for("main").await;
}

#[tokio::test]
async fn every_button_opens_the_right_chat() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let browser = Browser::open(&demo.url("/demo")).await;
    browser.picture("demo").await;
    let crm = browser.client.window().await.unwrap();
    let buttons = browser
        .client
        .find_all(Locator::Css("a.button"))
        .await
        .unwrap();
    assert_eq!(
        buttons.len(),
        // And one that is refused, and two of paired browsers.
        CHATS.len() + 3,
        "a button of the page is not tested"
    );

    for chat in CHATS {
        browser.client.switch_to_window(crm.clone()).await.unwrap();
        click(&browser, chat.contact).await;
        let shown = |id: &'static str| browser.text(id);
        assert_eq!(shown("#operator").await, chat.operator, "{}", chat.contact);
        assert_eq!(shown("#format").await, chat.format, "{}", chat.contact);
        assert_eq!(shown("#chat_raw_id").await, chat.id, "{}", chat.contact);
        assert_eq!(shown("#phone").await, chat.phone, "{}", chat.contact);
        assert_eq!(shown("#from").await, chat.from, "{}", chat.contact);
        assert_eq!(shown("#source").await, chat.source, "{}", chat.contact);
        assert!(
            shown("#token").await.starts_with("valid until "),
            "{}",
            chat.contact
        );
        browser.picture("panel").await;
        browser.client.close_window().await.unwrap();
    }
    browser.client.switch_to_window(crm).await.unwrap();
    click(&browser, "A contact that the CRM did not fill in").await;
    assert_eq!(browser.text("h1").await, "The CRM did not fill in the link");
    assert_eq!(browser.text("#kind").await, "placeholder-unfilled");
    browser.picture("refusal").await;
    browser.close().await;
}

/// The page's invitation is for the agent that it names; without the pairing a link must name one.
#[tokio::test]
async fn a_browser_is_paired_by_the_page_and_opens_chats_that_name_no_operator() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let browser = Browser::open(&demo.url("/demo")).await;
    browser.check("demo").await;
    let crm = browser.client.window().await.unwrap();
    let by = async |id| {
        browser.client.switch_to_window(crm.clone()).await.unwrap();
        browser.click_for_a_window(Locator::Id(id)).await;
        browser.wait_for("main").await;
    };
    by("no-operator").await;
    assert_eq!(browser.text("#kind").await, "operator-missing");

    by("pair").await;
    let invited = browser.text("#operator").await;
    assert!(invited.contains("John Smith"), "{invited}");
    press_when_it_can_be(&browser).await;
    browser.wait_for("#device").await;

    by("no-operator").await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    assert_eq!(browser.text("#phone").await, "+380501234567");
    assert_eq!(browser.text("#source").await, "0 · Viber");
    browser.close().await;
}

/// Paired once and told once, the browser opens the chat from the phone itself.
#[tokio::test]
async fn a_phone_of_the_page_opens_its_chat() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let page = demo.url("/demo");
    let browser = Browser::open(&page).await;
    browser.client.issue_cmd(AllowHandlers).await.unwrap();
    let crm = browser.client.window().await.unwrap();
    browser.click_for_a_window(Locator::Id("pair")).await;
    press_when_it_can_be(&browser).await;
    browser.wait_for("#device").await;
    browser.client.switch_to_window(crm.clone()).await.unwrap();
    browser.click_for_a_window(Locator::Id("phone-links")).await;
    browser.click("[data-takes=tel]").await;
    eventually("the link is taken", async || {
        !browser.text("#said").await.is_empty()
    })
    .await;

    browser.client.switch_to_window(crm).await.unwrap();
    browser.click("#tel").await;
    browser.wait_for("#chat").await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    assert_eq!(browser.text("#phone").await, "+380501234567");
    browser.close().await;
}
