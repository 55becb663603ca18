//! A web site of the tests, such as a CRM: pages by their paths, and a record of what was asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a site answers a path with, its query left out.
type Pages = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// A site on loopback. Its thread ends with the tests.
pub struct Site {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Starts a site whose pages need its port.
    pub fn start(pages: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (record, pages): (_, Pages) = (Arc::clone(&requests), Box::new(pages));
        std::thread::spawn(move || {
            let pages = Arc::new(pages);
            for stream in listener.incoming().flatten() {
                let (record, pages) = (Arc::clone(&record), Arc::clone(&pages));
                std::thread::spawn(move || answer(stream, &pages, &record));
            }
        });
        Self { address, requests }
    }

    /// Its origin, under this name of loopback's.
    pub fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.address.port())
    }

    /// The heads of the requests so far whose target begins with this, in lower case but for the
    /// target.
    pub fn requests(&self, path: &str) -> Vec<String> {
        let begin = format!("GET {path}");
        let requests = self.requests.lock().unwrap();
        let wanted = requests.iter().filter(|head| head.starts_with(&begin));
        wanted.cloned().collect()
    }
}

fn answer(mut stream: TcpStream, pages: &Pages, record: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    // A browser opens connections that it does not use.
    let Some(Ok(request)) = lines.next() else {
        return;
    };
    let headers = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let headers: Vec<_> = headers.map(|line| line.to_lowercase()).collect();
    let target = request.split(' ').nth(1).unwrap_or_default();
    let page = pages(target.split('?').next().unwrap_or_default());
    record
        .lock()
        .unwrap()
        .push(format!("{request}\n{}", headers.join("\n")));
    let (status, page) = page.map_or(("404 Not Found", String::new()), |page| ("200 OK", page));
    let length = page.len();
    // The browser may have gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
    );
}
