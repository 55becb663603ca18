//! The floor of every load comparison: actix-web with one handler that answers one fixed 302, and
//! nothing around it.
//!
//! `PORT=9100 cargo run --release --example floor`

use std::net::Ipv4Addr;

use actix_web::http::header::LOCATION;
use actix_web::rt::System;
use actix_web::{App, HttpResponse, HttpServer, web};

/// Format 2, with no token.
const LINK: &str = "https://chat.smsbat.com/?phone=%2B380501234567";

fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").map_or(Ok(0), |port| port.parse());
    let port = port.map_err(|_| std::io::Error::other("PORT is not a port"))?;
    let server = HttpServer::new(|| App::new().route("/open-chat", web::get().to(found)));
    System::new().block_on(server.bind((Ipv4Addr::LOCALHOST, port))?.run())
}

async fn found() -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, LINK))
        .finish()
}
