"""Recipients: what an authority's key may be, whether it can be encrypted to, and encrypting something small to it.

age is done in this process; OpenPGP and CMS by the programs `gpg` and `openssl`, each in a folder of its own that
goes away at once. Nothing here reads anybody's key ring.

Source: formats.md, Parcel; RFC 9580 (OpenPGP), RFC 5652 (CMS), RFC 5280 section 4.2.1.3 (key usage), C2SP age.
"""

import datetime as dt
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyrage
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from dueprocess.cases.decide import BY_HAND
from dueprocess.errors import MalformedError, RefusedError, UnavailableError

Kind = Literal["age", "openpgp", "cms", "handover"]
HANDOVERS: Mapping[str, str] = {
    "official_system": "a person uploads the answer into the authority's own system",
    "sealed_medium": "a person hands a sealed, encrypted medium over",
}
"""How an authority without a key gets its answer: a recorded act of a person."""

SUFFIX: Mapping[Kind, str] = {"age": ".age", "openpgp": ".gpg", "cms": ".p7m", "handover": ".age"}
MOST_KEY_BYTES = 64 * 1024
LEAST_RSA_BITS = 2048

_OPENPGP = "-----BEGIN PGP PUBLIC KEY BLOCK"
_CMS = "-----BEGIN CERTIFICATE-----"
_SECONDS = 30
_RSA = frozenset({"1", "2"})


def kind_of(key: str) -> Kind:
    """What kind of recipient a decision's key text is. Refuses a text that begins like none of them."""
    beginnings: dict[str, Kind] = {"age1": "age", _OPENPGP: "openpgp", _CMS: "cms", BY_HAND: "handover"}
    for beginning, kind in beginnings.items():
        if key.startswith(beginning):
            return kind
    raise MalformedError(
        "bad-recipient",
        "This is not a key that answers can be encrypted to.",
        do="Use an age recipient (age1…), an ASCII-armoured OpenPGP key, or a certificate in PEM.",
    )


def download_name(parcel_id: str, key: str) -> str:
    """The file name under which a parcel for this key is offered."""
    return f"{parcel_id}.tar{SUFFIX[kind_of(key)]}"


def checked_recipient(kind: str, text: str, now: dt.datetime) -> tuple[str, str]:
    """(the key as it is enrolled, whose it says it is). Refuses one that nothing can be encrypted to today."""
    if len(text.encode()) > MOST_KEY_BYTES:
        raise _bad("it is larger than 64 KiB", "Export the one key or certificate alone.")
    match kind:
        case "age":
            return _age(text), ""
        case "openpgp":
            return _openpgp(text, now)
        case "cms":
            return _cms(text, now)
        case "handover" if text in HANDOVERS:
            return text, ""
        case "handover":
            raise _bad(f"{text[:40]!r} is no way to hand over", f"Choose one of {', '.join(HANDOVERS)}.")
        case _:
            raise MalformedError("bad-recipient", f"{kind[:40]!r} is no kind of key.")


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
            "it is more than one certificate", "Give the one certificate alone, and never a private key."
        )
    certificate = found[0]
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise _bad(
            f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d}",
            "Ask for the certificate in use now.",
        )
    _check_usage(certificate)
    return certificate.public_bytes(Encoding.PEM).decode(), certificate.subject.rfc4514_string()


def _check_usage(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise _bad(f"its RSA key has only {key.key_size} bits", f"At least {LEAST_RSA_BITS} bits are needed.")
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise _bad("its key is neither RSA nor on an elliptic curve", "Ask for a certificate for encryption.")
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
        told = _run(_gpg(folder, "--with-colons", "--fixed-list-mode", "--show-keys", str(file)))
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


def encrypt_small(key: str, data: bytes) -> bytes:
    """A few bytes encrypted to a recipient, as ciphertext that the recipient's own program opens."""
    match kind_of(key):
        case "age":
            return bytes(pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(key)]))
        case "openpgp":
            return _by_program(key, "key.asc", data)
        case "cms":
            return _by_program(key, "certificate.pem", data)
        case "handover":
            raise RefusedError(
                "no-recipient-key",
                "This authority has no key: nothing can be encrypted to it.",
                do="Hand the answer over as a recorded act: dueprocess deliver --recorded.",
            )


def _by_program(key: str, name: str, data: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="dueprocess-") as folder:
        file = Path(folder) / name
        file.write_text(key)
        if name == "key.asc":
            words = _gpg(
                folder, "--trust-model", "always", "-z", "0", "--recipient-file", str(file), "--encrypt"
            )
        else:
            words = [_program("openssl"), "cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER"]
            words += ["-recip", str(file)]
        return _run(words, data)


def _gpg(home: str, *words: str) -> list[str]:
    quiet = ["--batch", "--no-tty", "--quiet", "--no-autostart", "--no-options", "--homedir", home]
    return [_program("gpg"), *quiet, *words]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(
            "no-program",
            f"The program {name} is needed for this kind of key and is not installed.",
            do=f"Install it (Debian: apt-get install {'gnupg' if name == 'gpg' else name}) and try again.",
        )
    return found


def _run(words: list[str], data: bytes = b"") -> bytes:
    try:
        done = subprocess.run(words, input=data, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603  names from `_program`, files of our own
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            "program-failed", f"{Path(words[0]).name} did not run.", why=str(error)
        ) from error
    if done.returncode:
        raise MalformedError(
            "bad-recipient",
            f"{Path(words[0]).name} cannot use this key.",
            why=done.stderr.decode("utf-8", "replace").strip()[-300:],
            do="Ask for the key again.",
        )
    return done.stdout


def _bad(why: str, do: str) -> MalformedError:
    return MalformedError("bad-recipient", "This key cannot be enrolled.", why=why, do=do)
