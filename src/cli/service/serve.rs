//! `open-chat serve`: runs the service from its environment.

use tracing_subscriber::EnvFilter;

use crate::app::Application;
use crate::cli::block_on;
use crate::config::{Config, doubtful_secrets};
use crate::http::Front;
use crate::telemetry::{Export, LogFormat, Telemetry, stdout};

pub(in crate::cli) fn run() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    let export = config.traces.are_sent.then(Export::from_env).transpose()?;
    let telemetry = Telemetry::start(
        config.logs.format.unwrap_or_else(LogFormat::of_stdout),
        EnvFilter::try_new(&config.logs.filter)?,
        stdout(),
        export,
    );
    for problem in doubtful_secrets(std::env::vars_os()) {
        tracing::warn!("{problem}");
    }
    let outcome = block_on(async {
        let application = Application::start(config, Front::Builder, &telemetry)?;
        application.run().await
    });
    telemetry.end();
    outcome
}
