"""In the place of open-chat, to see what reaches it.

Each request becomes a line of JSON in the file that is named.
"""

import http.server
import json
import pathlib
import sys


class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with pathlib.Path(sys.argv[1]).open("a") as file:
            headers = [[name.lower(), value] for name, value in self.headers.items()]
            print(json.dumps({"target": self.requestline.split(" ", 1)[1].rsplit(" ", 1)[0], "headers": headers}), file=file)
        body = b'<!doctype html><html lang="en"><title>Recorded</title><h1>Recorded</h1></html>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Recorder).serve_forever()
