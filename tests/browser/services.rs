//! The service as a process, with a ChatHub of its own.

use crate::process::{Running, open_chat, run_with_input};

/// The key of the service where it pairs browsers.
pub const DEVICE_SECRET: (&str, &str) = (
    "DEVICE_SECRET",
    "canary-device-secret-of-more-than-32-bytes",
);

/// ChatHub's stand-in, and the service; both end with the test.
pub struct Services {
    /// Where the service listens.
    pub address: String,
    _chathub: Running,
    _service: Running,
}

impl Services {
    /// With these variables over those of an open service.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let chathub = Running::start(&mut open_chat(&["simulate", "--port", "0"], &[]), "http://");
        let url = chathub.url("");
        let mut all = vec![
            ("ACCESS", "open"),
            ("LISTEN", "127.0.0.1:0"),
            ("CHATHUB_URL", url.as_str()),
            ("CHATHUB_LOGIN", "demo"),
            ("CHATHUB_PASSWORD", "demo-password"),
            ("CHAT_PANEL_URL", url.as_str()),
        ];
        all.extend(variables);
        let service = Running::start(&mut open_chat(&["serve"], &all), "\"listening\"");
        let (_, rest) = service
            .printed
            .split_once("\"listen\":\"")
            .expect("an address");
        let address = rest.split('"').next().unwrap().to_owned();
        Self {
            address,
            _chathub: chathub,
            _service: service,
        }
    }

    /// `http://127.0.0.1:8080`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An invitation for an operator, as an administrator gets it.
    pub fn invitation(&self, operator: &str) -> String {
        let origin = self.origin();
        let variables = [("ACCESS", "device"), DEVICE_SECRET, ("PUBLIC_URL", &origin)];
        let arguments = ["pair", "--operator", operator];
        let ended = run_with_input(&mut open_chat(&arguments, &variables), "");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout.trim_end().to_owned()
    }
}
