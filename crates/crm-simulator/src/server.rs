//! The server that all vendors share: one port, the calls that it got, and its faults.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::Fault;

/// All vendors, on one port of loopback. It ends when it is dropped.
pub struct Simulator {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: ServerHandle,
}

#[derive(Default)]
struct State {
    /// How often each path was called.
    calls: HashMap<String, usize>,
    /// What the next calls of a path meet.
    next: HashMap<String, VecDeque<Fault>>,
    /// What a path answers where no fault is next, as JSON.
    answers: HashMap<String, serde_json::Value>,
}

impl Simulator {
    /// Starts it. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let shared = web::Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            let any = web::to(answer);
            App::new().app_data(shared.clone()).default_service(any)
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            address,
            state,
            server: handle,
        })
    }

    /// `http://127.0.0.1:41234`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often a path was called.
    pub fn calls(&self, path: &str) -> usize {
        self.lock().calls.get(path).copied().unwrap_or_default()
    }

    /// How often anything was called.
    pub fn total_calls(&self) -> usize {
        self.lock().calls.values().sum()
    }

    /// What a path answers from now on, as JSON.
    pub fn answer(&self, path: &str, body: serde_json::Value) {
        self.lock().answers.insert(path.to_owned(), body);
    }

    /// The next call of a path fails so.
    pub fn fail_next(&self, path: &str, fault: Fault) {
        let mut state = self.lock();
        state
            .next
            .entry(path.to_owned())
            .or_default()
            .push_back(fault);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn answer(request: HttpRequest, state: web::Data<Mutex<State>>) -> HttpResponse {
    let path = request.path().to_owned();
    let (fault, body) = {
        let mut state = lock(&state);
        *state.calls.entry(path.clone()).or_default() += 1;
        let fault = state.next.get_mut(&path).and_then(VecDeque::pop_front);
        (fault, state.answers.get(&path).cloned())
    };
    match fault {
        Some(Fault::Status(status, body)) => {
            let status = StatusCode::from_u16(status);
            HttpResponse::build(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)).body(body)
        }
        Some(Fault::Redirect(location)) => HttpResponse::Found()
            .insert_header((LOCATION, location))
            .finish(),
        Some(Fault::Garbage(body)) => HttpResponse::Ok().body(body),
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            plain(body)
        }
        None => plain(body),
    }
}

fn plain(body: Option<serde_json::Value>) -> HttpResponse {
    body.map_or_else(
        || HttpResponse::NotFound().finish(),
        |body| HttpResponse::Ok().json(body),
    )
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
