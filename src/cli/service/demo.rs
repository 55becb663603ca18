//! `open-chat demo`: the service and the simulator on loopback, without configuration.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::app::Application;
use crate::cli::block_on;
use crate::config::Config;
use crate::http::Front;
use crate::telemetry::{LogFormat, Telemetry};
use chathub_simulator::{Rules, Simulator};

#[derive(Args)]
#[command(after_help = "Example: open-chat demo --port 8080")]
pub(in crate::cli) struct Demo {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

impl Demo {
    pub(in crate::cli) fn run(self) -> anyhow::Result<()> {
        let telemetry = Telemetry::start(
            LogFormat::of_stdout(),
            EnvFilter::new("info,actix_server=warn"),
            io::stderr(),
            None,
        );
        let outcome = block_on(async {
            let rules = Rules::default();
            let simulator = start_simulator(self.port, &rules)?;
            let port = free_port(self.port)?;
            let config = Config::from_vars(environment(port, &simulator.url(), &rules))?;
            let application = Application::start(config, Front::Demo, &telemetry)?;
            print!("{}", welcome(&application.listen().to_string()));
            application.run().await
        });
        telemetry.end();
        outcome
    }
}

/// Starts the simulator on the port after the service's, so that the README can show the redirect;
/// on any free port where that one is taken.
fn start_simulator(port: u16, rules: &Rules) -> io::Result<Simulator> {
    let port = if port == 0 { 0 } else { port.wrapping_add(1) };
    Simulator::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), rules.clone())
        .or_else(|_| Simulator::start(rules.clone()))
}

/// The port, or for 0 one that is free now: invitations and packages have it in their addresses, so
/// it is known before the service listens.
fn free_port(port: u16) -> io::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Everyone knows it, as everyone who reaches the demo may open every chat there. It never changes,
/// so that a browser stays paired when the demo is started again.
const DEVICE_SECRET: &str = "the demo's, which is no secret: it listens on loopback";

/// The settings of a company, for the simulator.
fn environment(port: u16, simulator: &str, rules: &Rules) -> Vec<(OsString, OsString)> {
    [
        ("ACCESS", "open,device"),
        ("DEVICE_SECRET", DEVICE_SECRET),
        ("LISTEN", &format!("127.0.0.1:{port}")),
        ("PUBLIC_URL", &format!("http://127.0.0.1:{port}")),
        ("CHATHUB_URL", simulator),
        ("CHATHUB_LOGIN", &rules.login),
        ("CHATHUB_PASSWORD", &rules.password),
        ("CHAT_PANEL_URL", simulator),
        // The simulator always runs. Where it is slow, the whole machine is, and a wait is better
        // than the page that says that ChatHub is away.
        ("CHATHUB_CONNECT_TIMEOUT", "1m"),
        ("CHATHUB_ATTEMPT_TIMEOUT", "1m"),
        ("CLICK_BUDGET", "2m"),
        (
            "SENDERS",
            "viber=Acme,telegrambot=acme_bot,whatsapp=380671112233",
        ),
        ("WIDGET_URL", &format!("{simulator}widget-script.js")),
        ("WIDGET_SOURCES", "none"),
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
         The panel as a widget, for a CRM's iframe:  http://{address}/widget?operator=101\n\
         \n\
         Ctrl-C ends it. Below: the service's log, a line a click.\n\n"
    )
}
