"""Fingerprints of OpenPGP public keys, so that a key can be pinned without gpg. RFC 9580, versions 4 only. Pure."""

import base64
import binascii
import hashlib

_PUBLIC_KEY = 6


def fingerprints(key: bytes) -> list[str]:
    """Of every primary key in an armored block or in its packets, upper case hex. Empty when it is not readable as such."""
    try:
        return [hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()
                for tag, body in _packets(packets(key)) if tag == _PUBLIC_KEY]
    except (ValueError, IndexError, binascii.Error):
        return []


def packets(key: bytes) -> bytes:
    """What an armored block holds: what was judged by its fingerprints, and nothing before or behind it. Raises ValueError."""
    return key if key[:1] and key[0] & 0x80 else _dearmor(key.decode("ascii"))


def _dearmor(text: str) -> bytes:
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines[0] != "-----BEGIN PGP PUBLIC KEY BLOCK-----" or lines.count("-----END PGP PUBLIC KEY BLOCK-----") != 1:
        raise ValueError("not one public key block")
    body = lines[lines.index("", 1) + 1 : lines.index("-----END PGP PUBLIC KEY BLOCK-----")]
    return base64.b64decode("".join(line for line in body if not line.startswith("=")), validate=True)


def _packets(data: bytes) -> list[tuple[int, bytes]]:
    found, position = [], 0
    while position < len(data):
        head = data[position]
        position += 1
        if not head & 0x80:
            raise ValueError("not a packet")
        if head & 0x40:
            tag, first = head & 0x3F, data[position]
            if first < 192:
                length, position = first, position + 1
            elif first < 224:
                length, position = ((first - 192) << 8) + data[position + 1] + 192, position + 2
            elif first == 255:
                length, position = int.from_bytes(data[position + 1 : position + 5], "big"), position + 5
            else:
                raise ValueError("partial lengths do not occur in keys")
        else:
            tag, size = (head >> 2) & 0x0F, (1, 2, 4)[head & 3]
            length, position = int.from_bytes(data[position : position + size], "big"), position + size
        found.append((tag, data[position : position + length]))
        position += length
    return found
