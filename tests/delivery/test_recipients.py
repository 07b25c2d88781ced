"""Recipients: real keys of real programs, and everything that must not be enrolled."""

import datetime as dt
import subprocess
from pathlib import Path

import pyrage
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.delivery.recipients import checked_recipient, download_name, encrypt_small, kind_of
from dueprocess.errors import MalformedError, RefusedError

pytestmark = pytest.mark.conformance
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)  # gpg makes keys of today
PASS = b"a-token-of-43-characters-or-so"


def gpg(home: Path, *words: str, data: bytes = b"") -> bytes:
    home.mkdir(mode=0o700, exist_ok=True)
    made = [
        "gpg",
        "--batch",
        "--quiet",
        "--homedir",
        str(home),
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ]
    return subprocess.run([*made, *words], input=data, capture_output=True, check=True).stdout


@pytest.fixture
def home(quick_folder: Path) -> Path:
    """A short path: gpg-agent's socket does not fit into a long one."""
    return quick_folder / "g"


def made_key(home: Path, *, usage: str = "default", expire: str = "1d", algorithm: str = "default") -> str:
    gpg(home, "--quick-generate-key", "Records Desk <desk@court.example>", algorithm, usage, expire)
    return gpg(home, "--armor", "--export").decode()


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    *,
    since: dt.timedelta = dt.timedelta(days=-1),
    until: dt.timedelta = dt.timedelta(days=30),
    usage: str | None = None,
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "District Court of Example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW + since)
        .not_valid_after(NOW + until)
    )
    if usage is not None:
        bits = {
            each: each == usage
            for each in (
                "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
            )
        }  # fmt: skip
        made = made.add_extension(x509.KeyUsage(**bits), critical=True)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return made.sign(key, digest).public_bytes(Encoding.PEM).decode()


RSA = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


def refused(kind: str, text: str) -> str:
    with pytest.raises(MalformedError) as caught:
        checked_recipient(kind, text, NOW)
    assert caught.value.code == "bad-recipient"
    return caught.value.why


def test_age_opens_what_was_sealed_to_an_age_key(tmp_path: Path) -> None:
    """With Debian's own age."""
    officer = pyrage.x25519.Identity.generate()
    key, whose = checked_recipient("age", str(officer.to_public()), NOW)
    (tmp_path / "key").write_text(str(officer))
    opened = subprocess.run(
        ["age", "-d", "-i", str(tmp_path / "key")],
        input=encrypt_small(key, PASS),
        capture_output=True,
        check=True,
    )
    assert (opened.stdout, whose) == (PASS, "")


def test_gpg_opens_what_was_sealed_to_an_openpgp_key(home: Path) -> None:
    """With gpg; whose the key says it is comes back to be compared."""
    key, whose = checked_recipient("openpgp", made_key(home), NOW)
    assert gpg(home, "--decrypt", data=encrypt_small(key, PASS)) == PASS
    assert whose == "Records Desk <desk@court.example>"


@pytest.mark.parametrize("key", [RSA, CURVE], ids=["rsa", "curve"])
def test_openssl_opens_what_was_sealed_to_a_certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, tmp_path: Path
) -> None:
    """With openssl cms, for RSA and for an elliptic curve."""
    usage = "key_encipherment" if key is RSA else "key_agreement"
    text, whose = checked_recipient("cms", certificate(key, usage=usage), NOW)
    (tmp_path / "c.pem").write_text(text)
    (tmp_path / "k.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    words = ["openssl", "cms", "-decrypt", "-inform", "DER", "-inkey", str(tmp_path / "k.pem")]
    words += ["-recip", str(tmp_path / "c.pem")]
    opened = subprocess.run(words, input=encrypt_small(text, PASS), capture_output=True, check=True)
    assert (opened.stdout, whose) == (PASS, "CN=District Court of Example")


def test_certificates_that_nothing_can_be_encrypted_to() -> None:
    """Over, not yet, for signing, too short, of a kind for signatures, two of them, or with its private key."""
    good = certificate(RSA)
    assert "valid from" in refused("cms", certificate(RSA, until=dt.timedelta(hours=-1)))
    assert "valid from" in refused("cms", certificate(RSA, since=dt.timedelta(hours=1)))
    assert "usage" in refused("cms", certificate(RSA, usage="digital_signature"))
    assert "usage" in refused("cms", certificate(CURVE, usage="digital_signature"))
    assert "1024 bits" in refused("cms", certificate(rsa.generate_private_key(65537, 1024)))
    assert "neither" in refused("cms", certificate(ed25519.Ed25519PrivateKey.generate()))
    assert "more than one" in refused("cms", good + good)
    private = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert "more than one" in refused("cms", good + private)
    assert "no certificate" in refused(
        "cms", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    )


def test_what_stands_beside_a_certificate_is_not_kept() -> None:
    """Texts around it, which could name anybody, do not come into history."""
    good = certificate(RSA)
    assert checked_recipient("cms", "Bag Attributes: Eva\n" + good, NOW)[0] == good


def test_openpgp_keys_that_nothing_can_be_encrypted_to(home: Path) -> None:
    """For signing only, expired, revoked or two in one file; and no private key is ever taken."""
    for_signing = made_key(home, usage="sign", algorithm="ed25519")
    assert "no key in it" in refused("openpgp", for_signing)
    home = home.with_name("h")
    good = made_key(home)
    with pytest.raises(MalformedError):
        checked_recipient("openpgp", good, NOW + dt.timedelta(days=2))
    secret = gpg(home, "--armor", "--export-secret-keys").decode()
    assert "no ASCII" in refused("openpgp", secret)
    assert "no ASCII" in refused("openpgp", "mQENBF")
    gpg(home, "--quick-generate-key", "Another <other@court.example>", "default", "default", "1d")
    assert "exactly one" in refused("openpgp", gpg(home, "--armor", "--export").decode())


def test_a_revoked_key_is_refused(home: Path) -> None:
    """Its own revocation certificate, as gpg wrote it when the key was made."""
    made_key(home)
    written = next((home / "openpgp-revocs.d").glob("*.rev")).read_text().replace(":-----BEGIN", "-----BEGIN")
    gpg(home, "--import", data=written.encode())
    assert "no key in it" in refused("openpgp", gpg(home, "--armor", "--export").decode())


def test_recorded_ways_are_two() -> None:
    """No third one, and nothing can be encrypted to them."""
    assert checked_recipient("handover", "sealed_medium", NOW) == ("sealed_medium", "")
    refused("handover", "carrier-pigeon")
    with pytest.raises(RefusedError):
        encrypt_small("handover:sealed_medium", PASS)


@settings(max_examples=60)
@given(st.sampled_from(["age", "cms", "handover", "other"]), st.text(max_size=400))
def test_no_text_does_harm(kind: str, text: str) -> None:
    """Whatever is given as a key: it is one, or the error says so."""
    if text not in ("official_system", "sealed_medium"):
        refused(kind, text)
    with pytest.raises(MalformedError):
        kind_of("x" + text)


@settings(max_examples=10)
@given(st.text(max_size=200))
def test_no_openpgp_text_does_harm(text: str) -> None:
    """The same through the program."""
    refused("openpgp", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + text)


def test_a_huge_key_is_refused() -> None:
    """64 KiB are more than any key needs."""
    assert "64 KiB" in refused("age", "age1" + "x" * 70_000)


def test_the_file_name_follows_from_the_key() -> None:
    """Programs know their files by these endings."""
    keys = {
        "age1x": ".age",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----": ".gpg",
        "-----BEGIN CERTIFICATE-----": ".p7m",
    }
    assert all(download_name("p-1", key) == f"p-1.tar{end}" for key, end in keys.items())
