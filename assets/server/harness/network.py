"""What a process on the imitated server sees of its own ports 80 and 443."""

import http.client
import io
import socket
import ssl
from typing import Any

from .town import Town


def patch(town: Town) -> None:
    real = socket.create_connection
    wrap = ssl.SSLContext.wrap_socket

    def create_connection(address: tuple[str, int], *words: Any, **options: Any) -> Any:
        if address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(101, f"the imitated server has no way to {address[0]}")
        if address[1] not in (80, 443):
            return real(address, *words, **options)
        if town.ingress() is None:
            raise ConnectionRefusedError(111, "Connection refused")
        return _Connection(town)

    def wrap_socket(context: ssl.SSLContext, plain: Any, *words: Any, **options: Any) -> Any:
        return plain if isinstance(plain, _Connection) else wrap(context, plain, *words, **options)

    socket.create_connection = create_connection  # type: ignore[assignment]
    http.client.socket.create_connection = create_connection  # type: ignore[attr-defined]
    ssl.SSLContext.wrap_socket = wrap_socket  # type: ignore[method-assign,assignment]


class _Connection:
    def __init__(self, town: Town) -> None:
        self._town, self._asked = town, b""

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        self._asked += data

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        path = self._asked.split(b" ", 2)[1].decode()
        status, body = self._town.get(path)
        return io.BytesIO(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    def getpeercert(self, binary_form: bool = False) -> Any:
        serial = self._town.served_certificate()
        return ssl.PEM_cert_to_DER_cert(self._town.certificate(serial)) if serial and binary_form else {}

    def version(self) -> str:
        return "TLSv1.3"

    def setsockopt(self, *_: object) -> None:
        pass

    def settimeout(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass
