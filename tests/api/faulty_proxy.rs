//! A proxy between the service and ChatHub that spoils what goes through, below the level of HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the proxy does with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes it on.
    Forward,
    /// Passes on this many bytes, then resets the connection.
    CutAfter(usize),
    /// Passes it on a byte at a time, with a pause before each.
    Drip(Duration),
    /// Passes on the first of a connection, and resets it when the next request comes: what a
    /// server does whose keep-alive has just ended.
    OneAnswerAConnection,
}

pub struct Proxy {
    address: SocketAddr,
    server: Arc<Mutex<String>>,
    mode: Arc<Mutex<Mode>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server at `url`.
    pub async fn before(url: &str) -> Self {
        let server = Arc::new(Mutex::new(host(url)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = Arc::new(Mutex::new(Mode::Forward));
        let (shared, target) = (Arc::clone(&mode), Arc::clone(&server));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let target = target.lock().unwrap().clone();
                let server = TcpStream::connect(target).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            server,
            mode,
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// New connections lead to the server at `url`, open ones stay where they are: what a client
    /// sees of a name that has moved to another address.
    pub fn lead_to(&self, url: &str) {
        *self.server.lock().unwrap() = host(url);
    }

    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
}

fn host(url: &str) -> String {
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned()
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, mode: Arc<Mutex<Mode>>) {
    let (mut request, mut answer) = ([0; 16 * 1024], [0; 16 * 1024]);
    let mut answered = 0;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(1..) = read else { return };
                let mode = *mode.lock().unwrap();
                if mode == Mode::OneAnswerAConnection && answered > 0 {
                    return reset(&client);
                }
                server.write_all(&request[..read.unwrap()]).await.unwrap();
            }
            read = server.read(&mut answer) => {
                let Ok(1..) = read else { return };
                let bytes = &answer[..read.unwrap()];
                let mode = *mode.lock().unwrap();
                let sent = match mode {
                    Mode::Forward | Mode::OneAnswerAConnection => client.write_all(bytes).await,
                    Mode::CutAfter(most) => {
                        let head = &bytes[..bytes.len().min(most)];
                        let _ = client.write_all(head).await;
                        return reset(&client);
                    }
                    Mode::Drip(pause) => drip(&mut client, bytes, pause).await,
                };
                answered += bytes.len();
                if sent.is_err() {
                    return;
                }
            }
        }
    }
}

async fn drip(client: &mut TcpStream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        tokio::time::sleep(pause).await;
        client.write_all(&[*byte]).await?;
    }
    Ok(())
}

/// Closing a socket that lingers for no time sends a reset.
fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger();
}
