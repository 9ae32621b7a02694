"""A throw-away web server for the time before nginx: it shows the files of one folder at one path, and nothing else.

`python3 challenge_server.py FOLDER PORT` serves FOLDER/NAME at /.well-known/acme-challenge/NAME.
"""

import re
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CHALLENGE = re.compile(r"/\.well-known/acme-challenge/([A-Za-z0-9_-]{1,128})")


class ChallengeHandler(BaseHTTPRequestHandler):
    folder = Path()
    timeout = 10
    server_version = "geoclic"
    sys_version = ""

    def do_GET(self) -> None:
        name = _CHALLENGE.fullmatch(self.path)
        try:
            content = (self.folder / name[1]).read_bytes() if name else None
        except OSError:
            content = None
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")


class ChallengeServer(ThreadingHTTPServer):
    """IPv6 and IPv4 on one port; IPv4 alone where the kernel has no IPv6."""

    def __init__(self, port: int, folder: Path) -> None:
        handler = type("Handler", (ChallengeHandler,), {"folder": folder})
        self.address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        super().__init__(("::" if self.address_family == socket.AF_INET6 else "0.0.0.0", port), handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


if __name__ == "__main__":
    ChallengeServer(int(sys.argv[2]), Path(sys.argv[1])).serve_forever()
