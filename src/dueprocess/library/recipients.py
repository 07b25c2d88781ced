"""Recipients' keys: of which kind one is, whether anything can be encrypted to it today, and the programs for that.

Here, because a key is looked at twice: when it is enrolled, and again when a parcel is encrypted to it. age is done
by a library; OpenPGP and CMS by the programs `gpg` and `openssl`, which read nobody's key ring.

Source: formats.md, Parcel; RFC 9580 (OpenPGP), RFC 5652 (CMS), RFC 5280 sections 4.1.2.5 (validity) and 4.2.1.3 (key
usage), C2SP age.
"""

import datetime as dt
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pyrage
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from dueprocess.errors import MalformedError, UnavailableError

KeyKind = Literal["age", "openpgp", "cms"]
LEAST_RSA_BITS = 2048

_OPENPGP = "-----BEGIN PGP PUBLIC KEY BLOCK"
_BEGINS: Mapping[str, KeyKind] = {"age1": "age", _OPENPGP: "openpgp", "-----BEGIN CERTIFICATE": "cms"}
_SECONDS = 30
_RSA = frozenset({"1", "2"})
_DEBIAN = {"gpg": "gnupg", "openssl": "openssl"}
_GPG = (
    "--batch", "--no-tty", "--quiet", "--no-options", "--no-keyring", "--no-autostart", "--no-random-seed-file",
)  # fmt: skip


def key_kind(key: str) -> KeyKind:
    """The kind of a recipient's key by how its text begins. Refuses any other text."""
    for beginning, kind in _BEGINS.items():
        if key.startswith(beginning):
            return kind
    raise MalformedError(
        "bad-recipient",
        "This is not a key that answers can be encrypted to.",
        do="Use an age recipient (age1…), an ASCII-armoured OpenPGP key, or a certificate in PEM.",
    )


def checked_key(kind: KeyKind, text: str, now: dt.datetime) -> tuple[str, str]:
    """(the key as it is enrolled, whose it says it is). Refuses one that nothing can be encrypted to at ``now``."""
    match kind:
        case "age":
            return _age(text), ""
        case "openpgp":
            return _openpgp(text, now)
        case "cms":
            return _cms(text, now)


def _age(text: str) -> str:
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise _bad(
            "it is no age recipient", "An age recipient begins with age1: ask for age-keygen -y."
        ) from error
    return text


def _cms(text: str, now: dt.datetime) -> tuple[str, str]:
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise _bad("it is no certificate in PEM", "Ask for the certificate as PEM.") from error
    if len(found) != 1 or "PRIVATE KEY" in text:
        raise _bad(
            "it is more than one certificate",
            "Give exactly one certificate, and never a private key.",
        )
    certificate = found[0]
    since, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= now <= last:
        raise _bad(
            f"its certificate is not in force: it is valid from {since:%Y-%m-%d} to {last:%Y-%m-%d}",
            "Ask for the certificate in use now.",
        )
    _check_usage(certificate)
    return certificate.public_bytes(Encoding.PEM).decode(), certificate.subject.rfc4514_string()


def _check_usage(certificate: x509.Certificate) -> None:
    try:
        key = certificate.public_key()
    except ValueError as error:
        raise _bad("it is no certificate with a key of a known kind", "Ask for another.") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise _bad(
            f"it cannot receive: its RSA key has only {key.key_size} bits",
            f"At least {LEAST_RSA_BITS} bits are needed.",
        )
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise _bad(
            "it cannot receive: its key is neither RSA nor on an elliptic curve",
            "Ask for a certificate for encryption.",
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    fits = usage.key_encipherment if isinstance(key, rsa.RSAPublicKey) else usage.key_agreement
    if not fits:
        raise _bad(
            "its key usage does not allow encryption",
            "Ask for the certificate for encryption; the one for signing cannot be used.",
        )


def _openpgp(text: str, now: dt.datetime) -> tuple[str, str]:
    if not text.startswith(_OPENPGP) or "PRIVATE KEY" in text:
        raise _bad(
            "it is no ASCII-armoured public key", "Ask for the output of gpg --armor --export, which begins with "
            + _OPENPGP,
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="dueprocess-") as folder:
        file = Path(folder) / "key.asc"
        file.write_text(text)
        told = key_program([*_gpg(folder), "--with-colons", "--fixed-list-mode", "--show-keys", str(file)])
    lines = [line.split(":") for line in told.decode("utf-8", "replace").splitlines()]
    keys = [line for line in lines if line[0] in ("pub", "sub", "sec", "ssb")]
    if [line[0] for line in keys].count("pub") != 1 or any(line[0] in ("sec", "ssb") for line in keys):
        raise _bad("it does not hold exactly one public key", "Export the one key alone.")
    if not any(_encrypts(line, now) for line in keys) or not _lasts(keys[0], now):
        raise _bad(
            "no key in it can be encrypted to today: expired, revoked, too short, or for signing only",
            "Ask for a key in use now, with a part for encryption.",
        )
    names = [line[9] for line in lines if line[0] == "uid"]
    return text, "; ".join(names)


def _encrypts(line: list[str], now: dt.datetime) -> bool:
    weak = line[3] in _RSA and int(line[2]) < LEAST_RSA_BITS
    return "e" in line[11] and _lasts(line, now) and not weak


def _lasts(line: list[str], now: dt.datetime) -> bool:
    return line[1] not in ("r", "i", "d", "e") and (not line[6] or int(line[6]) > now.timestamp())


def openpgp_command(key: Path) -> list[str]:
    """gpg, as it encrypts its input to the key in this file, in whose folder it lives. It never compresses, which would
    leak what the input is like.
    """
    safe = ("--trust-model", "always", "--compress-algo", "none", "--cipher-algo", "AES256")
    return [*_gpg(str(key.parent)), *safe, "--recipient-file", str(key), "--output", "-", "--encrypt"]


def cms_command(key: Path, *how: str) -> list[str]:
    """openssl, as it encrypts its input to the certificate in this file, in DER. ``how``: cipher, and as a stream."""
    return [_program("openssl"), "cms", "-encrypt", "-binary", "-outform", "DER", *how, str(key)]


def key_program(command: Sequence[str], given: bytes = b"") -> bytes:
    """What gpg or openssl answers to a few bytes. Refuses the key where the program does."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603  names from `_program`, files of our own
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError("program-failed", f"{name} did not run.", why=str(error)) from error
    if done.returncode:
        raise MalformedError(
            "bad-recipient",
            f"{name} cannot use this key.",
            why=done.stderr.decode("utf-8", "replace").strip()[-300:],
            do="Ask for the key again.",
        )
    return done.stdout


def _gpg(home: str) -> list[str]:
    return [_program("gpg"), *_GPG, "--homedir", home]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(
            "no-program",
            f"The program {name} is needed for this kind of key and is not installed.",
            do=f"Install it (Debian: apt-get install {_DEBIAN[name]}) and try again.",
        )
    return found


def _bad(why: str, do: str) -> MalformedError:
    return MalformedError("bad-recipient", "This key cannot be encrypted to.", why=why, do=do)
