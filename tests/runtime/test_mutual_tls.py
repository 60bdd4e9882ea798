"""Temporal behind TLS that asks for a client's certificate: whoever has one of the firm's authority gets in."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from temporalio.testing import WorkflowEnvironment

from runtime.connection import TemporalUnavailable
from runtime.settings import load_settings
from runtime.temporal import connect

NOW = datetime.now(UTC)


class Authority(NamedTuple):
    """Who signs certificates; ``path`` is its own."""

    folder: Path
    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    path: Path

    @classmethod
    def made(cls, folder: Path) -> "Authority":
        folder.mkdir()
        key, name = ec.generate_private_key(ec.SECP256R1()), _called("The authority")
        ca = x509.BasicConstraints(ca=True, path_length=None)
        path = folder / "ca.pem"
        path.write_bytes(_signed(name, key, name, key, ca))
        return cls(folder, name, key, path)

    def issue(self, called: str) -> tuple[Path, Path]:
        """A certificate for this machine, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, secret = self.folder / f"{called}.pem", self.folder / f"{called}-key.pem"
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate.write_bytes(_signed(_called(called), key, self.name, self.key, here))
        form = serialization.PrivateFormat.PKCS8
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return certificate, secret


async def test_a_client_gets_in_with_a_certificate_of_the_firms_authority_alone(
    dev_server_env: WorkflowEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm, other = Authority.made(tmp_path / "firm"), Authority.made(tmp_path / "other")
    host, port = dev_server_env.client.service_client.config.target_host.split(":")
    async with _tls_before(firm, host, int(port)) as address:
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        monkeypatch.setenv("TEMPORAL_NAMESPACE", dev_server_env.client.namespace)

        monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(firm.path))

        async def connected() -> bool:
            return await (await connect(load_settings(state_dir=tmp_path))).count_workflows() is not None

        def shows(authority: Authority) -> None:
            for name, path in zip(("CERT", "KEY"), authority.issue("worker"), strict=True):
                monkeypatch.setenv(f"TEMPORAL_TLS_CLIENT_{name}_PATH", str(path))

        async def refused(told: str) -> None:
            with pytest.raises(TemporalUnavailable, match=f"does not answer at {address}, .*{told}") as why:
                await connected()
            assert "tonic" not in str(why.value), "the words of a library tell an operator nothing"

        await refused("may ask for a certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH")
        shows(other)
        await refused("may not take our certificate")
        shows(firm)
        assert await connected()
        monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(other.path))
        await refused("not one that we trust.* TEMPORAL_TLS_SERVER_CA_CERT_PATH")
        monkeypatch.setenv("TEMPORAL_TLS", "false")
        await refused("may speak TLS alone")


@asynccontextmanager
async def _tls_before(authority: Authority, host: str, port: int) -> AsyncIterator[str]:
    """Ends TLS before a server, for clients with a certificate of this authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("server"))
    tls.load_verify_locations(authority.path)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.set_alpn_protocols(["h2"])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        with contextlib.suppress(OSError):
            await asyncio.gather(_pass(reader, back), _pass(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> bytes:
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    dated = made.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
    signed = dated.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return signed.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
