"""A server that answers GET with JSON, as a cluster or a provider would."""

import contextlib
import http.server
import json
import threading


@contextlib.contextmanager
def serving(answer, port=0):
    """The address of one on loopback. `answer` takes the path, and gives a status and an object."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, found = answer(self.path.split("?")[0])
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
