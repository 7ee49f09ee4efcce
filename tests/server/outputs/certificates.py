"""Certificates for tests: one that nobody signed but itself, and a small authority of one's own."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def own_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Files of the certificate and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = _name(host)
    signed = _builder(name, name, private).add_extension(_alternative(host), critical=False)
    return _written(folder, "own", signed.sign(private, hashes.SHA256()), private)


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `path` is what others are told to trust."""

    path: Path
    name: x509.Name
    private: ec.EllipticCurvePrivateKey

    def certificate(self, folder: Path, host: str, *, days: int = 1) -> tuple[Path, Path]:
        """Files of a certificate for this host and of its key; negative `days` give one that has run out."""
        private = ec.generate_private_key(ec.SECP256R1())
        signed = _builder(_name(host), self.name, private, days).add_extension(_alternative(host), critical=False)
        return _written(folder, f"{host}{days}", signed.sign(self.private, hashes.SHA256()), private)


def authority(folder: Path, common: str = "An authority of the tests") -> Authority:
    """A new one."""
    private, name = ec.generate_private_key(ec.SECP256R1()), _name(common)
    signed = _builder(name, name, private).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    path, _ = _written(folder, "authority", signed.sign(private, hashes.SHA256()), private)
    return Authority(path, name, private)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _alternative(host: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(host)])


def _builder(
    subject: x509.Name, issuer: x509.Name, private: ec.EllipticCurvePrivateKey, days: int = 1
) -> x509.CertificateBuilder:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(private.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - 10 * day).not_valid_after(now + days * day)
    )  # fmt: skip


def _written(
    folder: Path, name: str, signed: x509.Certificate, private: ec.EllipticCurvePrivateKey
) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return certificate, key
