"""Where may be posted to: the open net only, unless allowed; by the address that was checked; never further on."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mutua.errors import ConfigError
from mutua.serving.push.posting import Refused, checked_url, is_public, post
from serving.push.receiver import Receiver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
    ],
)
def test_private_addresses_in_any_dress_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_addresses_of_the_open_net_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "file:///etc/passwd",
        "host/path",
        "http://",
        "https://user:word@host/",
        "http://host:99999/",
        "http://host:0/",
        "http://host/a b",
        "http://host/\r\nX: y",
        "http://[::1/",
        "http://höst/",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        checked_url(url)
    assert "word" not in str(refused.value).partition("Expected")[0]


def test_this_machine_is_refused_unless_allowed() -> None:
    with Receiver().listening() as receiver:
        with pytest.raises(Refused):
            post(receiver.url, b"{}", {}, 5.0)
        assert not receiver.came
        assert post(receiver.url, b"{}", {}, 5.0, private=True).delivered


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(Refused):
        post("http://shop.example/", b"{}", {}, 1.0)


def test_a_redirect_is_not_followed() -> None:
    with Receiver(307).listening() as receiver:
        answer = post(receiver.url, b"{}", {}, 5.0, private=True)
        assert (answer.status, answer.delivered, len(receiver.came)) == (307, False, 1)


def test_the_host_header_names_the_host_and_nothing_is_taken_from_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    with Receiver().listening() as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        assert post(url, b"{}", {"X-One": "1"}, 5.0, private=True).delivered
        headers = receiver.came[0][0]
        assert headers["Host"].startswith("localhost:")
        assert headers["X-One"] == "1"


def test_nobody_there_or_no_such_name_is_an_answer_without_status() -> None:
    with Receiver().listening() as receiver:
        url = receiver.url
    assert post(url, b"{}", {}, 5.0, private=True).status == 0
    assert post(f"http://{'a' * 64}.example/", b"{}", {}, 5.0).status == 0


def test_a_receiver_that_never_answers_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = post(f"http://127.0.0.1:{port}/", b"{}", {}, 0.2, private=True)
    assert answer.status == 0


def test_https_checks_the_certificate_of_the_host_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    with Receiver().listening(certificate) as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        refused = post(url, b"{}", {}, 5.0, private=True)
        assert (refused.status, "CERTIFICATE" in refused.reason.upper()) == (0, True)
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
        assert post(url, b"{}", {}, 5.0, private=True).delivered
        assert post(receiver.url, b"{}", {}, 5.0, private=True).status == 0
        assert len(receiver.came) == 1


def self_signed(folder: Path) -> Path:
    """Returns a file with a key and a certificate for localhost, valid for a day from now."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "host.pem"
    file.write_bytes(key.private_bytes(*form) + signed.public_bytes(serialization.Encoding.PEM))
    return file
