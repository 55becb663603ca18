//! A site that is not ours: one page, whatever is asked for.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// Serves the page as long as the tests run. Its address is another site than 127.0.0.1, though the
/// same machine.
pub fn serve(page: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            );
        }
    });
    format!("http://localhost:{port}/")
}
