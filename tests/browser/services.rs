//! The service as a process, with a ChatHub of its own.

use std::path::{Path, PathBuf};

use crate::process::{Running, open_chat, run_with_input};

/// The key of the service where it pairs browsers.
pub const DEVICE_SECRET: (&str, &str) = (
    "DEVICE_SECRET",
    "canary-device-secret-of-more-than-32-bytes",
);

/// The address that links of a service with a connector lead to; the browser finds its port.
pub const LINKED_URL: &str = "http://localhost";

/// A file of this name, with this text.
pub fn written(name: &str, text: &str) -> PathBuf {
    let name = format!("{}-{name}", fastrand::u64(..));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

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

    /// That takes requests of a CRM: with this section in `CONNECTORS_FILE`, and these lines in the
    /// operator map.
    pub fn with_connector(section: &str, map: &str) -> Self {
        let connectors = written("connectors.toml", section);
        let map = written("map.toml", map);
        Self::start(&[
            ("ACCESS", "pass"),
            ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
            ("PUBLIC_URL", LINKED_URL),
            ("CONNECTORS_FILE", connectors.to_str().unwrap()),
            ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
        ])
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
