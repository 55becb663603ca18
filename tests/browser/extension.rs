//! The browser extension as `open-chat connector` writes it, unpacked into a real Chromium.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::browser::{Browser, eventually, with_etc};
use crate::process::{open_chat, run};
use crate::site::Site;

/// The frame of another origin: all of it is one link.
const FRAME: &str = "<!doctype html><body style='margin:0'><a href='tel:+380501234567' style='display:block;height:20px'>call</a>\
    <script>addEventListener('click', (event) => { event.preventDefault(); parent.postMessage('seen', '*'); }); \
    parent.postMessage('ready', '*')</script>";

/// With Alt and Shift held, in the numbers of the browser's protocol.
const MODIFIERS: [u8; 2] = [1, 8];

/// A chat as the service would show it.
fn chats() -> Site {
    Site::start(|_| {
        Some("<!doctype html><link rel=icon href='data:,'><title>A chat</title>".into())
    })
}

/// A site with the CRM's page, and frames of this site under another name and of another site.
fn crm() -> Site {
    let foreign = Site::start(|path| (path == "/frame").then(|| FRAME.into()));
    let foreign = foreign.origin("127.0.0.1");
    Site::start(move |path| match path {
        "/" => Some(include_str!("crm.html").replace("FOREIGN", &foreign)),
        "/frame" => Some(FRAME.into()),
        _ => None,
    })
}

/// A package for the service at a path of this site.
fn unpacked(chats: &Site, more: &[&str]) -> PathBuf {
    package(&format!("{}/desk", chats.origin("127.0.0.1")), more)
}

/// Has the program write a package for the service at this address, and unpacks it: the folder.
pub fn package(public_url: &str, more: &[&str]) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("extension-{number}"));
    let _ = std::fs::remove_dir_all(&folder);
    let file = folder.with_extension("zip");
    let out = ["--out", file.to_str().unwrap()];
    let arguments = [&["connector", "browser-extension"], more, &out].concat();
    let (code, text) = run(&mut open_chat(&arguments, &[("PUBLIC_URL", public_url)]));
    assert_eq!(code, Some(0), "{text}");
    let bytes = std::fs::read(&file).unwrap();
    ZipArchive::new(Cursor::new(bytes))
        .unwrap()
        .extract(&folder)
        .unwrap();
    folder
}

/// The id of an unpacked extension: a hash of its folder's path, in letters from a to p.
fn id(folder: &Path) -> String {
    let hash = digest(&SHA256, folder.to_str().unwrap().as_bytes());
    let digits = hash.as_ref()[..16]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b'a' + digit)).collect()
}

/// A browser with the extension, on the CRM's page.
struct Agent {
    browser: Browser,
    crm: Site,
    chats: Site,
    id: String,
}

impl Agent {
    /// The extension knows the CRM under both names of loopback's.
    async fn start() -> Self {
        Self::start_with(None, |_, _| ()).await
    }

    async fn start_with(starter: Option<&Path>, prepare: impl FnOnce(&str, &[String])) -> Self {
        let (chats, crm) = (chats(), crm());
        let origins = ["127.0.0.1", "localhost"].map(|host| crm.origin(host));
        let folder = unpacked(&chats, &["--crm", &origins[0], "--crm", &origins[1]]);
        prepare(&id(&folder), &origins);
        Self::open(starter, &folder, crm, chats).await
    }

    async fn open(starter: Option<&Path>, folder: &Path, crm: Site, chats: Site) -> Self {
        let load = format!("--load-extension={}", folder.display());
        let page = format!("{}/", crm.origin("127.0.0.1"));
        let browser = Browser::open_by(starter, &page, &[&load]).await;
        let id = id(folder);
        Self {
            browser,
            crm,
            chats,
            id,
        }
    }

    /// Until all frames are there.
    async fn frames(&self) {
        let cross = self.crm.origin("localhost");
        self.browser
            .value(&format!(
                "void (document.getElementById('cross').src = '{cross}/frame')"
            ))
            .await;
        eventually("the frames", async || {
            self.browser.value("window.ready").await.as_i64() >= Some(3)
        })
        .await;
    }

    /// Clicks in the middle of what an expression of the page's gives, as a mouse does.
    async fn click_with(&self, expression: &str, modifiers: u8) {
        let middle = format!(
            "((box) => [box.x + box.width / 2, box.y + box.height / 2])(({expression}).getBoundingClientRect())"
        );
        let middle = self.browser.value(&middle).await;
        self.browser.devtools("Page.bringToFront", json!({})).await;
        for event in ["mousePressed", "mouseReleased"] {
            let parameters = json!({"type": event, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1, "modifiers": modifiers});
            self.browser
                .devtools("Input.dispatchMouseEvent", parameters)
                .await;
        }
    }

    async fn click(&self, expression: &str) {
        self.click_with(expression, 0).await;
    }

    /// The queries of the chats that were opened so far.
    fn opened(&self) -> Vec<String> {
        let heads = self.chats.requests("/desk/open-chat?");
        let targets = heads.iter().map(|head| head.split(' ').nth(1).unwrap());
        targets
            .map(|target| target.trim_start_matches("/desk/open-chat?").to_owned())
            .collect()
    }

    /// Clicks, and waits for the chat: its query.
    async fn chat_of(&self, expression: &str) -> String {
        let before = self.opened().len();
        self.click(expression).await;
        eventually(expression, async || self.opened().len() > before).await;
        self.opened()[before..].join(" ")
    }

    async fn seen(&self) -> Value {
        self.browser.value("window.seen").await
    }

    /// Evaluates an expression in the extension's worker, which is woken first: a change of the
    /// options does that.
    async fn in_worker(&self, expression: &str) {
        let wake = "chrome.storage.local.set({reuse_tab: true})";
        let options = format!("chrome-extension://{}/options.html", self.id);
        self.browser.goto(&options).await;
        let mut worker = None;
        eventually("the worker", async || {
            self.browser.value(wake).await;
            let targets = self.browser.devtools("Target.getTargets", json!({})).await;
            let targets = targets["targetInfos"].as_array().unwrap();
            let is_worker = |target: &&Value| target["type"] == "service_worker";
            worker = targets
                .iter()
                .find(is_worker)
                .map(|target| target["targetId"].clone());
            worker.is_some()
        })
        .await;
        let attach = json!({"targetId": worker, "flatten": false});
        let session = self.browser.devtools("Target.attachToTarget", attach).await;
        let parameters = json!({"expression": expression});
        let message =
            json!({"id": 1, "method": "Runtime.evaluate", "params": parameters}).to_string();
        let parameters = json!({"sessionId": session["sessionId"], "message": message});
        self.browser
            .devtools("Target.sendMessageToTarget", parameters)
            .await;
    }

    async fn windows(&self) -> usize {
        self.browser.client.windows().await.unwrap().len()
    }
}

/// An element of the page's.
fn element(id: &str) -> String {
    format!("document.getElementById('{id}')")
}

#[tokio::test]
async fn links_of_all_kinds_open_chats_and_the_page_sees_nothing() {
    let agent = Agent::start().await;
    agent.frames().await;
    let markup = "new XMLSerializer().serializeToString(document) + closedRoot.innerHTML + nestedRoot.innerHTML";
    let before = agent.browser.value(markup).await;
    for (id, query) in [
        ("tel", "phone=tel%3A%2B380501234567"),
        ("spaced", "phone=tel%3A%2B38%20(050)%20123-45-67"),
        ("slashes", "phone=tel%3A%2F%2F%2B380501234567%3Bext%3D5"),
        ("callto", "phone=callto%3A0501234567"),
        ("sms", "phone=sms%3A%2B380501234567"),
        ("smsto", "phone=smsto%3A%2B380501234567"),
        ("sip", "phone=sip%3A%2B380501234567%40pbx.example"),
        ("skype", "phone=skype%3A%2B380501234567%3Fcall"),
        (
            "viber",
            "phone=viber%3A%2F%2Fchat%2F%3Fnumber%3D%252B380501234567",
        ),
        (
            "whatsapp",
            "phone=whatsapp%3A%2F%2Fsend%3Fphone%3D380501234567",
        ),
        ("tg", "phone=tg%3A%2F%2Fresolve%3Fphone%3D380501234567"),
        ("wa", "phone=https%3A%2F%2Fwa.me%2F380501234567"),
        (
            "api",
            "phone=https%3A%2F%2Fapi.whatsapp.com%2Fsend%3Fphone%3D380501234567%26text%3DHi",
        ),
        ("telegram", "phone=https%3A%2F%2Ft.me%2F%2B380501234567"),
        ("later", "phone=tel%3A%2B380501234567"),
        ("drawn", "phone=tel%3A%2B380501234567"),
        ("host-open", "phone=tel%3A%2B380501234567"),
        ("host-closed", "phone=tel%3A%2B380501234567"),
        ("host-nested", "phone=tel%3A%2B380501234567"),
        ("slotted", "phone=tel%3A%2B380501234567"),
        ("srcdoc", "phone=tel%3A%2B380501234567"),
        ("cross", "phone=tel%3A%2B380501234567"),
    ] {
        assert_eq!(agent.chat_of(&element(id)).await, query, "{id}");
    }
    assert_eq!(agent.browser.value(markup).await, before);
    assert_eq!(agent.seen().await, json!([]));
    assert_eq!(
        agent.browser.value("ready").await,
        3,
        "a frame sees none either"
    );
    // To the service it is a click of the agent's own, not one that another site has caused.
    for head in agent.chats.requests("/desk/open-chat?") {
        for line in [
            "\nsec-fetch-site: none",
            "\nsec-fetch-mode: navigate",
            "\nsec-fetch-dest: document",
        ] {
            assert!(head.contains(line), "{head}");
        }
        assert!(!head.contains("\nreferer:"), "{head}");
    }
    // One chat tab beside the CRM's.
    eventually("one chat tab", async || agent.windows().await == 2).await;
    agent.browser.close().await;
}

/// The Enter key is a click, and says nothing of where the link is.
#[tokio::test]
async fn enter_on_a_link_opens_its_chat() {
    let agent = Agent::start().await;
    for focus in [
        "document.getElementById('tel')",
        "closedRoot.querySelector('a')",
    ] {
        let before = agent.opened().len();
        agent.browser.devtools("Page.bringToFront", json!({})).await;
        agent.browser.value(&format!("{focus}.focus()")).await;
        for (event, text) in [("keyDown", "\r"), ("keyUp", "")] {
            let parameters = json!({"type": event, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": text});
            agent
                .browser
                .devtools("Input.dispatchKeyEvent", parameters)
                .await;
        }
        eventually(focus, async || agent.opened().len() > before).await;
        assert_eq!(agent.opened()[before..], ["phone=tel%3A%2B380501234567"]);
    }
    agent.browser.close().await;
}

/// What is left alone reaches the page, and opens no chat: the first chat is that of a plain click
/// at the end.
#[tokio::test]
async fn other_clicks_and_other_links_are_left_alone() {
    let agent = Agent::start().await;
    agent.frames().await;
    let mut clicks = 0;
    for modifier in MODIFIERS {
        agent.click_with(&element("tel"), modifier).await;
        clicks += 1;
    }
    for id in ["program", "group", "plain"] {
        agent.click(&element(id)).await;
        clicks += 1;
    }
    // A script's click is not the agent's.
    agent
        .browser
        .value("document.getElementById('tel').click()")
        .await;
    clicks += 1;
    let each_listener = json!(vec!["click false"; 4 * clicks]);
    eventually("the page's clicks", async || {
        agent.seen().await == each_listener
    })
    .await;
    // A site that is not listed, in a frame of the CRM's.
    agent.click(&element("foreign")).await;
    eventually("the frame's click", async || {
        agent.browser.value("ready").await == 4
    })
    .await;

    assert_eq!(
        agent.chat_of(&element("sms")).await,
        "phone=sms%3A%2B380501234567"
    );
    assert_eq!(agent.opened().len(), 1);
    agent.browser.close().await;
}

/// The menu itself is the browser's, where no test can click: its listener is called.
#[tokio::test]
async fn a_selection_opens_a_chat_on_the_crm_s_pages_alone() {
    let agent = Agent::start().await;
    let (crm, foreign) = (agent.crm.origin("127.0.0.1"), "https://foreign.example");
    let select = |item: &str, page: &str, text: &str| {
        let info = json!({"menuItemId": item, "pageUrl": format!("{page}/contact"), "selectionText": text});
        format!("chrome.contextMenus.onClicked.dispatch({info}, tab);")
    };
    let long = format!(" 050 123-45-67 {}", "😀".repeat(100));
    let selections = [
        select("open-chat", foreign, "1"),
        select("other", &crm, "2"),
        select("open-chat", &crm, "  "),
        select("open-chat", &crm, &long),
    ];
    let all = selections.concat();
    agent
        .in_worker(&format!(
            "chrome.tabs.query({{active: true}}).then(([tab]) => {{ {all} }})"
        ))
        .await;
    eventually("a chat", async || !agent.opened().is_empty()).await;
    // 64 characters, none of them in half.
    let expected = format!("phone=050%20123-45-67%20{}", "%F0%9F%98%80".repeat(50));
    assert_eq!(agent.opened(), [expected]);

    // It is offered where the CRM is.
    let probe = "chrome.contextMenus.update('open-chat', {}).then(() => chrome.storage.local.set({probe: true}))";
    agent.in_worker(probe).await;
    eventually("a menu", async || {
        let probe = "chrome.storage.local.get('probe').then(({probe}) => probe ?? false)";
        agent.browser.value(probe).await == true
    })
    .await;
    agent.browser.close().await;
}

/// A page cannot reach the worker at all. One that has taken its own content script over, another
/// extension and the extension's other pages can say what they want.
#[tokio::test]
async fn the_worker_takes_phone_links_of_the_crm_s_pages_alone() {
    let agent = Agent::start().await;
    let crm = agent.crm.origin("127.0.0.1");
    let good = json!({"id": agent.id, "tab": {"id": 1, "index": 0, "windowId": 1}, "origin": crm});
    let with = |name: &str, value: Value| {
        let mut sender = good.clone();
        sender[name] = value;
        sender
    };
    let phone = |phone: Value| json!({"phone": phone});
    let tel = || phone(json!("tel:1"));
    let long = format!("tel:{}", "1".repeat(253));
    let messages = [
        (tel(), with("id", json!("another"))),
        (tel(), with("tab", json!(null))),
        (tel(), with("origin", json!("https://foreign.example"))),
        (tel(), with("origin", json!("null"))),
        (
            phone(json!("https://foreign.example/?phone=1")),
            good.clone(),
        ),
        (phone(json!("javascript:1")), good.clone()),
        (phone(json!("0501234567")), good.clone()),
        (phone(json!(["tel:1"])), good.clone()),
        (phone(json!(long)), good.clone()),
        (json!({"url": "tel:1"}), good.clone()),
        (json!(null), good.clone()),
        (phone(json!("tel:+380501234567")), good.clone()),
    ];
    let call = |(message, sender): &(Value, Value)| {
        let sender = sender
            .to_string()
            .replace(r#""tab":null"#, r#""tab":undefined"#);
        format!("chrome.runtime.onMessage.dispatch({message}, {sender}, () => {{}});")
    };
    let calls = messages.iter().map(call).collect::<Vec<_>>().concat();
    agent.in_worker(&calls).await;
    eventually("a chat", async || !agent.opened().is_empty()).await;
    assert_eq!(agent.opened(), ["phone=tel%3A%2B380501234567"]);
    agent.browser.close().await;
}

impl Agent {
    async fn options(&self) {
        self.options_page().await;
        self.browser.wait_for("#origins li").await;
    }

    async fn options_page(&self) {
        let options = format!("chrome-extension://{}/options.html", self.id);
        self.browser.goto(&options).await;
        self.browser.wait_for("#schemes input").await;
    }

    async fn text(&self, css: &str) -> String {
        self.browser.text(css).await
    }
}

/// What the user chooses counts from the next click on.
#[tokio::test]
async fn the_options_page_changes_what_a_click_does() {
    let agent = Agent::start().await;
    let crm = agent.browser.client.window().await.unwrap();
    agent.browser.client.new_window(true).await.unwrap();
    let windows = agent.browser.client.windows().await.unwrap();
    let options = windows.into_iter().find(|window| *window != crm).unwrap();
    agent
        .browser
        .client
        .switch_to_window(options)
        .await
        .unwrap();
    agent.options().await;
    assert_eq!(agent.browser.objections().await, json!([]));
    agent.browser.picture("extension-options").await;
    let expected = ["127.0.0.1", "localhost"]
        .map(|host| agent.crm.origin(host))
        .join("\n");
    assert_eq!(agent.text("#origins").await, expected);
    assert_eq!(
        agent.text("#crm_origins-fixed").await,
        "This extension was made for these CRMs."
    );
    assert_eq!(
        agent
            .browser
            .value("document.getElementById('add').hidden")
            .await,
        true
    );
    let type_in = |url: &str| {
        format!(
            "void ((field) => {{ field.value = '{url}'; field.dispatchEvent(new Event('change', {{bubbles: true}})); }})(document.getElementById('url'))"
        )
    };
    agent.browser.value(&type_in("http://chat.example")).await;
    assert_eq!(
        agent.text("#said").await,
        "Not saved: the address must begin with https://"
    );
    let elsewhere = agent.chats.origin("localhost");
    agent.browser.value(&type_in(&elsewhere)).await;
    agent.browser.click("input[name=reuse_tab]").await;
    agent.browser.click("#schemes input[value=sms]").await;
    let option = "#source option[value=viber]";
    agent.browser.click(option).await;
    let saved = "chrome.storage.local.get().then((all) => JSON.stringify(all))";
    eventually("the options", async || {
        let all = agent.browser.value(saved).await;
        let all: Value = serde_json::from_str(all.as_str().unwrap()).unwrap();
        all["source"] == "viber"
            && all["reuse_tab"] == false
            && all["url"] == json!(elsewhere)
            && all["schemes"].as_array().is_some_and(|all| all.len() == 11)
    })
    .await;

    agent.browser.client.switch_to_window(crm).await.unwrap();
    let heads = || {
        agent
            .chats
            .requests("/open-chat?phone=tel%3A%2B380501234567&source=viber ")
    };
    for chats in 1..=2 {
        agent.click(&element("tel")).await;
        eventually("a chat elsewhere", async || heads().len() == chats).await;
        eventually("a tab more", async || agent.windows().await == 2 + chats).await;
    }
    // Once the page knows of the choice, which it does when the worker does, or a moment later.
    eventually("a link that is left alone", async || {
        agent.click(&element("sms")).await;
        agent.seen().await != json!([])
    })
    .await;
    assert_eq!(agent.opened(), Vec::<String>::new());
    agent.browser.close().await;
}

/// The browser asks its user, where no test can click: for the host that it has been given already
/// it grants at once what the page asks for.
fn given(folder: &Path, origin: &str) {
    let file = folder.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    manifest["host_permissions"] = json!([format!("{origin}/*")]);
    std::fs::write(&file, manifest.to_string()).unwrap();
}

/// A package for a store knows no CRM, and works on those that its user names.
#[tokio::test]
async fn a_package_without_crms_asks_for_each() {
    let (chats, crm) = (chats(), crm());
    let (folder, origin) = (unpacked(&chats, &[]), crm.origin("127.0.0.1"));
    given(&folder, &origin);
    let agent = Agent::open(None, &folder, crm, chats).await;
    agent.click(&element("tel")).await;
    let untouched = json!(vec!["click false"; 4]);
    eventually("the page's click", async || agent.seen().await == untouched).await;

    agent.options_page().await;
    assert_eq!(agent.browser.objections().await, json!([]));
    let type_in = |text: &str| format!("void (document.getElementById('origin').value = '{text}')");
    agent.browser.value(&type_in("https://*.example")).await;
    agent.browser.click("#allow").await;
    let words = "This is not a CRM's address, such as https://crm.example";
    assert_eq!(agent.text("#said").await, words);
    agent
        .browser
        .value(&type_in(&format!("{origin}/contacts?id=1")))
        .await;
    agent.browser.click("#allow").await;
    eventually("the CRM", async || {
        agent.text("#origins li").await.starts_with(&origin)
    })
    .await;
    let registered = "chrome.scripting.getRegisteredContentScripts().then((all) => all.map((one) => one.matches))";
    let matches = json!([[format!("{origin}/*")]]);
    eventually("the script", async || {
        agent.browser.value(registered).await == matches
    })
    .await;

    agent.browser.goto(&format!("{origin}/")).await;
    assert_eq!(
        agent.chat_of(&element("sms")).await,
        "phone=sms%3A%2B380501234567"
    );
    assert_eq!(agent.opened().len(), 1);
    agent.browser.close().await;
}

/// The policy comes first, narrows what the package has, and is shown as what it is.
#[tokio::test]
async fn a_policy_comes_first() {
    let etc = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extension-policy");
    let managed = etc.join("policies/managed");
    std::fs::create_dir_all(&managed).unwrap();
    let policy = managed.join("open-chat.json");
    let starter = with_etc(&etc);
    let agent = Agent::start_with(Some(&starter), |id, origins| {
        let settings = json!({
            "schemes": ["sms", "web+other"],
            "source": "whatsapp",
            "crm_origins": [origins[0], "https://foreign.example"],
            "url": "http://foreign.example",
        });
        let policy_of_all = json!({"3rdparty": {"extensions": {id: settings}}});
        std::fs::write(&policy, policy_of_all.to_string()).unwrap();
    })
    .await;
    agent.options().await;
    let note = async |setting: &str| agent.text(&format!("#{setting}-fixed")).await;
    eventually("the policy", async || {
        note("source").await == "Set by your administrator."
    })
    .await;
    assert_eq!(note("schemes").await, "Set by your administrator.");
    assert_eq!(agent.text("#origins").await, agent.crm.origin("127.0.0.1"));
    assert_eq!(note("url").await, "", "a phone is not sent in the clear");
    let is_fixed = "[...form.elements].filter((field) => field.disabled && field.matches('select, [type=checkbox]')).length";
    assert_eq!(agent.browser.value(is_fixed).await, 13);

    agent
        .browser
        .goto(&format!("{}/", agent.crm.origin("127.0.0.1")))
        .await;
    // The page learns of it a moment after it is there.
    eventually("a link that is left alone", async || {
        agent.click(&element("tel")).await;
        agent.seen().await != json!([])
    })
    .await;
    let sms = "phone=sms%3A%2B380501234567&source=whatsapp";
    agent.click(&element("sms")).await;
    eventually(sms, async || agent.opened().iter().any(|chat| chat == sms)).await;
    agent.browser.close().await;
}
