"""What can be asked of the running town from inside its server."""

import http.client
import json
import socket
import ssl
from typing import Any

from . import layout
from .failure import one_line


def health_problem(domain: str, rule: dict[str, str], timeout: float = 8) -> str | None:
    """Why the suite is not healthy by the adapter's rule; None when it is."""
    try:
        status, body = get(domain, rule["path"], timeout)
    except (OSError, http.client.HTTPException) as error:
        return f"https://{domain}{rule['path']}: {error}"
    return unhealthy(rule, status, body)


def unhealthy(rule: dict[str, str], status: int, body: bytes) -> str | None:
    """The reason, read from an answer: the suite says 200 even when it is degraded, so only its JSON counts."""
    text = one_line(body.decode(errors="replace"), 200)
    try:
        answer = json.loads(body)
        got = answer.get(rule["field"]) if isinstance(answer, dict) else None
    except ValueError:
        return f"HTTP {status}, no JSON: {text}"
    if status == 200 and got == rule["equals"]:
        return None
    return f"HTTP {status}, {rule['field']} is {got!r}, expected {rule['equals']!r}: {text}"


def shown_release(domain: str, timeout: float = 8) -> Any:
    """Release that the town shows; None when it shows none."""
    try:
        status, body = get(domain, "/.well-known/geoclic-fleet/release", timeout)
        return json.loads(body).get("release") if status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return None


def get(domain: str, path: str, timeout: float) -> tuple[int, bytes]:
    """GET of this server's own ingress under the town's name. Raises OSError, ssl.SSLError among them.

    The certificate must be the one that was deployed here, or the one before it until the ingress is told, name and dates included;
    that the public trusts it is proven from outside.
    """
    context = ssl.create_default_context(cafile=str(layout.TLS / "fullchain.pem"))
    for kept in (layout.TLS / "pairs").glob("*/fullchain.pem"):
        context.load_verify_locations(cafile=str(kept))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with socket.create_connection(("127.0.0.1", 443), timeout=timeout) as plain, \
            context.wrap_socket(plain, server_hostname=domain) as secured:
        secured.sendall(f"GET {path} HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\nUser-Agent: geoclic-fleet\r\n\r\n".encode())
        answer = http.client.HTTPResponse(secured)
        answer.begin()
        return answer.status, answer.read(1 << 20)
