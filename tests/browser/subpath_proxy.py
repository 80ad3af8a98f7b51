"""A reverse proxy of a few lines: passes one path on, path and Host unchanged, and serves another page beside it."""

import http.client
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

OTHER = b"<!doctype html><title>another application</title>"
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server"})


class SubpathProxy:
    """Listens on loopback; everything below ``path`` goes to `target`, everything else is another application."""

    def __init__(self, path: str) -> None:
        self.path, self.target = path, ""
        self.strays: list[str] = []
        """Paths asked for beside ``path``."""

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", lambda asked: self._forward(asked))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"localhost:{self._server.server_port}"
        self.url = f"http://{self.host}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, asked: BaseHTTPRequestHandler) -> None:
        if not (asked.path + "/").startswith((self.path + "/", self.path + "?")):
            self.strays.append(asked.path)
            asked.send_response(200)
            asked.end_headers()
            asked.wfile.write(OTHER)
            return
        body = asked.rfile.read(int(asked.headers.get("content-length", 0)))
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _HOP}
        headers |= {"X-Forwarded-For": asked.client_address[0], "X-Forwarded-Proto": "http"}
        target = urlsplit(self.target)
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=120)
        with suppress(OSError):
            connection.request(asked.command, asked.path, body or None, headers)
            answer = connection.getresponse()
            asked.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    asked.send_header(name, value)
            asked.end_headers()
            while chunk := answer.read1(65536):
                asked.wfile.write(chunk)
                asked.wfile.flush()
        connection.close()
