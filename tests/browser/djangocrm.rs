//! DjangoCRM: a CRM that others wrote, run as its package index has it. `make setup` installs it
//! and makes its database, with an agent and a client.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use fantoccini::Locator;
use fantoccini::elements::Element;

use crate::browser::Browser;
use crate::process::Running;

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
