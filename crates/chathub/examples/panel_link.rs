//! Opens the chat panel as an operator, against the simulator: `cargo run -p chathub --example
//! panel_link`.

use chathub::{ChatHub, ClientConfig, Credentials, HttpsUrl};
use chathub_simulator::{Rules, Simulator};
use chrono::TimeDelta;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start(Rules::default())?;
    let credentials = Credentials::Login {
        login: "demo".into(),
        password: "demo-password".into(),
    };
    let url = HttpsUrl::parse(&simulator.url())?;
    let chathub = ChatHub::new(ClientConfig::new(url, credentials))?;
    for organization in chathub.list_organizations().await? {
        println!("{} ({})", organization.name, organization.id);
        for operator in chathub.list_operators(organization.id).await? {
            println!("  {} {}: {}", operator.id, operator.name, operator.status);
            if !operator.status.works() {
                continue;
            }
            let token = chathub
                .mint_operator_token_for(operator.id, TimeDelta::hours(1))
                .await?;
            let check = chathub.validate_operator_token(&token.secret).await?;
            println!(
                "    a token until {}, valid: {}",
                token.expires_at, check.is_valid
            );
        }
    }
    Ok(())
}
