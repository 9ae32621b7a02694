"""Certificates and keys for tests, signed by nobody."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path


@cache
def pair(name: str = "ville.fr", days: int = 90, serial: int = 1) -> tuple[bytes, bytes]:
    """Chain and key, PEM."""
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder) / "c", Path(folder) / "k"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                        "-addext", f"subjectAltName=DNS:{name}", "-days", str(days), "-set_serial", str(serial), "-keyout", key, "-out", chain],
                       check=True, capture_output=True)
        return chain.read_bytes(), key.read_bytes()
