//! The running program with all that it prints, for tests whose subject is its log.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use chathub_simulator::Simulator;

use crate::harness::{PANEL, PASSWORD, eventually};
use crate::process::{interrupt, open_chat, piped};

pub struct Serving {
    child: Child,
    printed: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    url: String,
}

impl Serving {
    /// Until it listens; its ChatHub, unless a variable names another, is this one.
    pub async fn start(chathub: &Simulator, variables: &[(&str, &str)]) -> Self {
        let url = chathub.url();
        let mut all = vec![
            ("ACCESS", "open"),
            ("LISTEN", "127.0.0.1:0"),
            ("CHATHUB_URL", &url),
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", PASSWORD),
            ("CHAT_PANEL_URL", PANEL),
            ("DRAIN_DELAY", "0"),
        ];
        all.extend(variables);
        let mut child = piped(&mut open_chat(&["serve"], &all));
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let printed = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&printed);
        let reader = std::thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).unwrap() > 0 {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let mut serving = Self {
            child,
            printed,
            reader: Some(reader),
            url: String::new(),
        };
        eventually("it listens", async || serving.address().is_some()).await;
        serving.url = format!("http://{}", serving.address().unwrap());
        serving
    }

    fn address(&self) -> Option<String> {
        let log = self.log();
        let (_, rest) = log
            .split_once("listen=127")
            .or_else(|| log.split_once(r#""listen":"127"#))?;
        let end = rest.find(['"', ' '])?;
        Some(format!("127{}", &rest[..end]))
    }

    /// What it has printed so far.
    pub fn log(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    pub async fn has_said(&self, words: &str) {
        let said = async || self.log().contains(words);
        if tokio::time::timeout(crate::harness::PATIENCE, eventually(words, said))
            .await
            .is_err()
        {
            panic!("{words} is not in\n{}", self.log());
        }
    }

    /// Status and text of what it answers.
    pub async fn ask(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let answer = client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn is_ready(&self) {
        eventually("it is ready", async || self.ask("/readyz").await.0 == 200).await;
    }

    /// The value of one series.
    pub async fn metric(&self, series: &str) -> i64 {
        let (_, text) = self.ask("/metrics").await;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.expect(series).parse().unwrap()
    }

    /// Ends it, and gives all that it has printed.
    pub fn end(mut self) -> String {
        interrupt(&self.child);
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let log = self.log();
        assert!(!log.contains("canary"), "{log}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
