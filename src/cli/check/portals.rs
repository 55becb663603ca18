//! Checks the portals that are asked at each click: whether this machine reaches them. Without an
//! agent's token there is no more to ask.

use std::time::{Duration, Instant};

use super::findings::Findings;
use crate::config::Config;
use crate::connect::{Bitrix24, CrmClient, CrmFault};

const CHECK: &str = "connectors";

/// A person waits longer than a click does.
const TIMEOUT: Duration = Duration::from_secs(5);

impl Findings {
    /// Asks each portal of Bitrix24 without a token, which it refuses in its own words.
    pub(super) async fn portals(&mut self, config: &Config) {
        let Some(connectors) = &config.connectors else {
            return;
        };
        let connectors = connectors.get();
        let Ok(client) = CrmClient::new() else {
            // The check of ChatHub says what to do about certificates.
            return;
        };
        for portal in &connectors.bitrix24 {
            let answer = portal.probe(&client, Instant::now() + TIMEOUT).await;
            self.portal(portal, answer);
        }
    }

    fn portal(&mut self, portal: &Bitrix24, answer: Result<(), CrmFault>) {
        let name = format!("bitrix24 {}", portal.section.installation);
        match answer {
            Ok(()) => {
                let unknown = "whether `client_id` is right shows with the first click";
                self.ok(CHECK, format!("{name} answers; {unknown}"));
            }
            Err(CrmFault::BadAnswer) => self.fail(
                CHECK,
                format!("{name}: what answers there is no portal of Bitrix24"),
                "Check its address in CONNECTORS_FILE: as the browser shows it in Bitrix24.",
            ),
            Err(fault) => self.fail(
                CHECK,
                format!("{name} cannot be asked: {fault}"),
                "Each click of its buttons asks it, from this very machine and without a proxy: check name, port, certificate and firewall.",
            ),
        }
    }
}
