//! The server that all vendors share: one port, the calls that it got, and its faults.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

use super::Fault;

/// All vendors, on one port of loopback. It ends when it is dropped.
pub struct Simulator {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: ServerHandle,
}

/// A call that came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// The path.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The header in which a vendor takes its API token.
    pub api_token: Option<String>,
    /// The body, as it came.
    pub body: String,
}

/// What a path answers: a status, and a body as JSON.
type Answer = Arc<dyn Fn(&Received) -> (u16, Value) + Send + Sync>;

#[derive(Default)]
struct State {
    /// The calls, in their order.
    calls: Vec<Received>,
    /// What the next calls of a path meet.
    next: HashMap<String, VecDeque<Fault>>,
    /// What a path answers where no fault is next.
    answers: HashMap<String, Answer>,
    /// The vendor's own pages, as HTML. They are no calls, and have no faults.
    pages: HashMap<String, String>,
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

    /// `127.0.0.1:41234`
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// How often a path was called.
    pub fn calls(&self, path: &str) -> usize {
        self.received()
            .iter()
            .filter(|call| call.path == path)
            .count()
    }

    /// How often anything was called.
    pub fn total_calls(&self) -> usize {
        self.lock().calls.len()
    }

    /// The calls, in their order.
    pub fn received(&self) -> Vec<Received> {
        self.lock().calls.clone()
    }

    /// What a path answers from now on, as JSON.
    pub fn answer(&self, path: &str, body: Value) {
        self.respond(path, move |_| (200, body.clone()));
    }

    /// What a path answers from now on, by what it is asked.
    pub fn respond(
        &self,
        path: &str,
        answer: impl Fn(&Received) -> (u16, Value) + Send + Sync + 'static,
    ) {
        let answers = &mut self.lock().answers;
        answers.insert(path.to_owned(), Arc::new(answer));
    }

    /// Shows a page of the vendor's.
    pub fn show(&self, path: &str, html: String) {
        self.lock().pages.insert(path.to_owned(), html);
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

async fn answer(
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<Mutex<State>>,
) -> HttpResponse {
    let received = received(&request, &body);
    let (fault, answer) = {
        let mut state = lock(&state);
        let path = received.path.as_str();
        if let Some(page) = state.pages.get(path) {
            return HttpResponse::Ok()
                .content_type("text/html; charset=utf-8")
                .body(page.clone());
        }
        let fault = state.next.get_mut(path).and_then(VecDeque::pop_front);
        let answer = state.answers.get(path).cloned();
        state.calls.push(received.clone());
        (fault, answer)
    };
    match fault {
        Some(Fault::Status(code, body)) => HttpResponse::build(status(code)).body(body),
        Some(Fault::Redirect(code, location)) => HttpResponse::build(status(code))
            .insert_header((LOCATION, location))
            .finish(),
        Some(Fault::Garbage(body)) => HttpResponse::Ok().body(body),
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            right(&received, answer)
        }
        None => right(&received, answer),
    }
}

fn received(request: &HttpRequest, body: &[u8]) -> Received {
    let api_token = request.headers().get("x-api-token");
    Received {
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        api_token: api_token.map(|token| String::from_utf8_lossy(token.as_bytes()).into_owned()),
        body: String::from_utf8_lossy(body).into_owned(),
    }
}

fn right(received: &Received, answer: Option<Answer>) -> HttpResponse {
    let Some(answer) = answer else {
        return HttpResponse::NotFound().finish();
    };
    let (code, body) = answer(received);
    HttpResponse::build(status(code)).json(body)
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
