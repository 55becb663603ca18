//! DjangoCRM: a CRM that others wrote, run as its package index has it. `make setup` installs it
//! and makes its database, with an agent and a client.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fantoccini::Locator;
use fantoccini::elements::Element;

use crate::browser::Browser;
use crate::extension::package;
use crate::pair::press_when_it_can_be;
use crate::process::Running;
use crate::services::{DEVICE_SECRET, Services};

/// Chromium's argument that leaves it this machine alone: the CRM's pages name a font at Google's.
const NO_NETWORK: &str = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

/// The CRM on loopback, with a database of its own; both end with the test.
struct DjangoCrm {
    /// Where its database is.
    directory: PathBuf,
    server: Running,
}

impl DjangoCrm {
    fn start() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("djangocrm-{}-{number}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir(&directory).unwrap();
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/djangocrm");
        std::fs::copy(installed.join("crm_db"), directory.join("crm_db"))
            .expect("DjangoCRM, which `make setup` installs");
        let mut command = Command::new(installed.join("python/bin/python"));
        command
            .args([
                "-u",
                "-m",
                "django",
                "runserver",
                "--noreload",
                "127.0.0.1:0",
            ])
            .env_clear()
            .env("DJANGO_SETTINGS_MODULE", "webcrm.settings")
            .env("TMPDIR", &directory)
            .current_dir(&directory);
        let server = Running::start(&mut command, "Quit the server");
        Self { directory, server }
    }

    fn url(&self, path: &str) -> String {
        let (_, server) = self.server.printed.split_once("server at ").unwrap();
        let origin = server.lines().next().unwrap().trim_end_matches('/');
        format!("{origin}{path}")
    }

    /// An agent logs in, and opens the client from the list of contacts.
    async fn open_client(&self, browser: &Browser) {
        browser.goto(&self.url("/en/123/crm/contact/")).await;
        let form = browser.client.form(Locator::Id("login-form")).await;
        let form = form.expect("the login");
        let (name, password) = ("agent", "canary-djangocrm-password");
        form.set_by_name("username", name).await.unwrap();
        form.set_by_name("password", password).await.unwrap();
        form.submit().await.expect("a login");
        browser.wait_for("#result_list").await;
        browser.click("#result_list .field-the_full_name a").await;
        browser.wait_for("#contact_form").await;
    }
}

impl Drop for DjangoCrm {
    fn drop(&mut self) {
        self.server.kill();
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            eprintln!("DjangoCRM leaves something behind: {error}");
        }
    }
}

/// The link of the client's page with this text.
async fn link(browser: &Browser, text: &str) -> Element {
    let link = format!("//a[normalize-space()='{text}']");
    let link = browser.client.find(Locator::XPath(&link)).await;
    link.unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[tokio::test]
async fn a_client_has_links_of_messengers_beside_the_phone() {
    let crm = DjangoCrm::start();
    let browser = Browser::open_with("about:blank", &[NO_NETWORK]).await;
    crm.open_client(&browser).await;
    browser.picture("djangocrm").await;
    let links = [
        ("Viber chat", "viber://chat/?number=+380501234567"),
        ("WhatsApp chat", "https://wa.me/+380501234567/?text=Hi!"),
    ];
    for (text, href) in links {
        let link = link(&browser, text).await;
        assert!(link.is_displayed().await.unwrap(), "{text}");
        let found = link.attr("href").await.unwrap();
        assert_eq!(found.as_deref(), Some(href), "{text}");
    }
    browser.close().await;
}

/// Clicks on the link of the client's page, and turns to the chat's tab.
async fn open_chat_by(browser: &Browser, text: &str) {
    let link = format!("//a[normalize-space()='{text}']");
    browser.click_for_a_window(Locator::XPath(&link)).await;
    browser.wait_for("main").await;
}

/// The whole way, with nothing in it that is ours but the extension and the service.
#[tokio::test]
async fn a_messengers_link_in_the_crm_opens_the_right_chat_in_the_right_channel() {
    let crm = DjangoCrm::start();
    let services = Services::start(&[
        ("ACCESS", "device"),
        DEVICE_SECRET,
        // On which port it is, it says only when it runs.
        ("PUBLIC_URL", "http://127.0.0.1"),
        ("SENDERS", "viber=Acme,whatsapp=380671112233"),
    ]);
    let folder = package(&services.origin(), &["--crm", &crm.url("")]);
    let load = format!("--load-extension={}", folder.display());
    let browser = Browser::open_with("about:blank", &[NO_NETWORK, &load]).await;
    crm.open_client(&browser).await;
    let client = browser.client.window().await.unwrap();

    // A browser that is not paired says how it gets so.
    open_chat_by(&browser, "Viber chat").await;
    assert_eq!(browser.text("#kind").await, "device-missing");
    assert!(browser.text("main").await.contains("invitation"));

    browser.goto(&services.invitation("101")).await;
    browser.picture("pair").await;
    press_when_it_can_be(&browser).await;
    browser.wait_for("#device").await;

    for (text, source, from) in [
        ("Viber chat", "0 · Viber", "Acme"),
        ("WhatsApp chat", "3 · Whatsapp", "380671112233"),
    ] {
        browser
            .client
            .switch_to_window(client.clone())
            .await
            .unwrap();
        open_chat_by(&browser, text).await;
        browser.picture("djangocrm-chat").await;
        assert_eq!(browser.text("#operator").await, "101 · John Smith");
        assert_eq!(browser.text("#phone").await, "+380501234567", "{text}");
        assert_eq!(browser.text("#source").await, source);
        assert_eq!(browser.text("#from").await, from);
    }
    // The CRM's own page stays where it was.
    browser.client.switch_to_window(client).await.unwrap();
    let name = browser.value("document.getElementById('id_first_name').value");
    assert_eq!(name.await, "Olena");
    browser.close().await;
}
