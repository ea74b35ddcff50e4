"""Certificates for tests, made by openssl: an authority, a server of 127.0.0.1, and a client."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import need


@dataclass(frozen=True)
class Certificates:
    """Files in PEM; *other_ca* signed nothing, and *locked_key* is *client_key* behind a password."""

    folder: Path

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    @property
    def other_ca(self) -> str:
        return str(self.folder / "other.pem")

    @property
    def server(self) -> tuple[str, str]:
        return str(self.folder / "server.pem"), str(self.folder / "server.key")

    @property
    def client(self) -> tuple[str, str]:
        return str(self.folder / "client.pem"), str(self.folder / "client.key")

    @property
    def locked_key(self) -> str:
        return str(self.folder / "locked.key")


def make_certificates(folder: Path) -> Certificates:
    openssl = need("openssl", "openssl")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    for name in ("ca", "other"):
        run(*new, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    for name, more in (
        ("server", ["-addext", "subjectAltName=IP:127.0.0.1,DNS:prometheus.example"]),
        ("client", []),
    ):
        run(*new, *signed, *more, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    run("pkey", "-in", "client.key", "-aes256", "-passout", "pass:locked", "-out", "locked.key")
    return Certificates(folder)
