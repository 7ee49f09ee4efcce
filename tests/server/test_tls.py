"""HTTPS by a certificate of one's own."""

import datetime
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from realtime.core.errors import ConfigError
from server.app import create_app
from server.config import Config
from server.serving import address_url, tls_context
from tests.server.fakes import FakeServices


def certificate(folder: Path, passphrase: bytes | None = None) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )  # fmt: skip
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    cover = serialization.BestAvailableEncryption(passphrase) if passphrase else plain
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private.private_bytes(serialization.Encoding.PEM, form, cover))
    return folder / "cert.pem", folder / "key.pem"


async def test_https_is_served(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    config = Config(tls_cert=cert, tls_key=key)
    runner = web.AppRunner(create_app(FakeServices(), config))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls_context(config)).start()
    port = runner.addresses[0][1]
    trust = ssl.create_default_context(cafile=str(cert))
    async with ClientSession(connector=TCPConnector(ssl=trust)) as http:
        async with http.get(address_url("localhost", port, tls=True) + "/healthz") as answer:
            assert answer.status == 200 and "max-age" in answer.headers["Strict-Transport-Security"]
    await runner.cleanup()


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls_context(Config()) is None


def test_wrong_files_are_named(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    with pytest.raises(ConfigError, match="tls_cert"):
        Config(tls_cert=cert)
    for wrong in ((tmp_path / "none.pem", key), (key, key), (cert, cert)):
        with pytest.raises(ConfigError, match="tls_key"):
            tls_context(Config(tls_cert=wrong[0], tls_key=wrong[1]))
    cert, key = certificate(tmp_path, b"passphrase")
    with pytest.raises(ConfigError, match="tls_key"):
        tls_context(Config(tls_cert=cert, tls_key=key))
