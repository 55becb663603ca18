"""A CRM at https://crm.test: a page with the button, and a page with a frame.

It tells other sites the whole address of its page, which has the client's phone in it, as careless
CRMs do.
"""

import html
import http.server
import ssl
import urllib.parse


class Crm(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        shown = html.escape(query.get("link", [""])[0])
        if url.path == "/frame":
            body = f'<iframe src="{shown}" width="800" height="600"></iframe>'
        else:
            body = f'<a id="chat" href="{shown}" target="_blank">Open the chat</a>'
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Client</title><body>{body}</body></html>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Referrer-Policy", "unsafe-url")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/ssl/open-chat.pem", "/etc/ssl/open-chat.key")
server = http.server.ThreadingHTTPServer(("192.0.2.30", 443), Crm)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
