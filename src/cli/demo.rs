//! `open-chat demo`: everything on loopback, with nothing to configure.

use std::ffi::OsString;
use std::io;

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::app::Application;
use crate::config::Config;
use crate::http::Front;
use crate::simulator::{Rules, Simulator};
use crate::telemetry::{LogFormat, Telemetry};

#[derive(Args)]
pub(super) struct Demo {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let telemetry =
            Telemetry::start(LogFormat::of_stdout(), EnvFilter::new("info"), io::stderr());
        tokio::runtime::Runtime::new()?.block_on(async {
            let rules = Rules::default();
            let simulator = Simulator::start(rules.clone())?;
            let config = Config::from_vars(environment(self.port, &simulator.url(), &rules))?;
            let application = Application::start(config, Front::Demo, &telemetry)?;
            print!("{}", welcome(&application.listen().to_string()));
            application.run().await
        })
    }
}

/// What a company would set, pointed at the simulator.
fn environment(port: u16, simulator: &str, rules: &Rules) -> Vec<(OsString, OsString)> {
    [
        ("ACCESS", "open"),
        ("LISTEN", &format!("127.0.0.1:{port}")),
        ("CHATHUB_URL", simulator),
        ("CHATHUB_LOGIN", &rules.login),
        ("CHATHUB_PASSWORD", &rules.password),
        ("CHAT_PANEL_URL", simulator),
        (
            "SENDERS",
            "viber=Acme,telegrambot=acme_bot,whatsapp=380671112233",
        ),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into()
}

fn welcome(address: &str) -> String {
    format!(
        "\n\
         A CRM page with chat buttons:  http://{address}/demo\n\
         \n\
         Or see the redirect itself:\n  \
         curl -i 'http://{address}/open-chat?operator=101&phone=+380501234567&source=0'\n\
         And a refusal:\n  \
         curl -i 'http://{address}/open-chat?operator=101&phone=12345'\n\
         \n\
         Ctrl-C ends it. Below: the service's log, a line a click.\n\n"
    )
}
