//! Headless Chromium behind ChromeDriver, each test with its own.

use std::path::Path;
use std::process::Command;

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

use crate::process::Running;

/// A browser that ends with its test.
pub struct Browser {
    pub client: Client,
    _driver: Running,
}

impl Browser {
    pub async fn open(url: &str) -> Self {
        let driver = Running::start(
            Command::new("chromedriver").arg("--port=0"),
            "was started successfully on port",
        );
        let port = driver.printed.rsplit_once("port ").expect("a port").1;
        let port = port.trim().trim_end_matches('.');
        let options = json!({"goog:chromeOptions": {"args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
            "--disable-component-update", "--disable-sync", "--window-size=1000,900",
        ]}});
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(options.as_object().expect("an object").clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        client.goto(url).await.expect("the page opens");
        Self {
            client,
            _driver: driver,
        }
    }

    /// The visible text of the one element that matches; empty where there is none.
    pub async fn text(&self, css: &str) -> String {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.text().await.expect("a text"),
            Err(error) if error.is_no_such_element() => String::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Keeps a picture of the page for whoever wants to look at it.
    pub async fn picture(&self, name: &str) {
        let png = self.client.screenshot().await.expect("a picture");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::write(path, png).expect("a file");
    }

    pub async fn close(self) {
        self.client.close().await.expect("Chromium ends");
    }
}
