"""A passphrase over the key-encryption key, and where one may be read from: never from a command line.

The sealed file is JSON: scrypt's parameters and salt, a nonce, and the key-encryption key under AES-256-GCM with
all of the former as associated data. Source: RFC 7914; NIST SP 800-38D.
"""

import getpass
import secrets
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.vault.wrapping import KEY_BYTES, NONCE_BYTES
from dueprocess.wire import Json, b64, canonical, parse_json, unb64

VARIABLE = "DUEPROCESS_PASSPHRASE"
FILE_VARIABLE = "DUEPROCESS_PASSPHRASE_FILE"
LEAST_CHARACTERS = 12
SCRYPT_N = 2**17
"""Work for one guess: 128 MiB of memory and about 0.4 seconds."""
_COSTS = [2**bits for bits in range(17, 23)]
"""What a sealed file may ask for: less is quickly guessed, more takes gigabytes."""
_LABEL = b"dueprocess/kek-passphrase/v1\n"
_SHAPE = {"v", "kdf", "n", "r", "p", "salt", "nonce", "sealed"}

Passphrase = Callable[[], str]


def seal_kek(kek: bytes, passphrase: str) -> bytes:
    """The key-encryption key as a file that only the passphrase opens. Refuses one that is quickly guessed."""
    if len(passphrase.strip()) < LEAST_CHARACTERS or len(set(passphrase)) < LEAST_CHARACTERS // 2:
        raise RefusedError(
            "weak-passphrase",
            f"This passphrase is too short: it needs {LEAST_CHARACTERS} characters or more.",
            why="Whoever copies the key store can try passphrases for years.",
            do="Take six words that a die chose.",
        )
    about: dict[str, Json] = {
        "v": 1, "kdf": "scrypt", "n": SCRYPT_N, "r": 8, "p": 1,
        "salt": b64(secrets.token_bytes(16)), "nonce": b64(secrets.token_bytes(NONCE_BYTES)),
    }  # fmt: skip
    sealed = _aead(about, passphrase).encrypt(_nonce(about), kek, _LABEL + canonical(about))
    return canonical({**about, "sealed": b64(sealed)})


def is_sealed(content: bytes) -> bool:
    """Whether this is a key-encryption key under a passphrase, and not the bare one."""
    return content.lstrip().startswith(b"{")


def unseal_kek(content: bytes, passphrase: Passphrase) -> bytes:
    """Inverse of ``seal_kek``. Refuses a wrong passphrase, and parameters that nobody here wrote."""
    found: Any = parse_json(content, "the sealed key-encryption key")
    if not isinstance(found, dict) or set(found) != _SHAPE or (found["v"], found["kdf"]) != (1, "scrypt"):
        raise _odd("it has another shape")
    if (found["r"], found["p"]) != (8, 1) or found["n"] not in _COSTS:
        raise _odd("its scrypt parameters are not ours")
    about: dict[str, Json] = {name: each for name, each in found.items() if name != "sealed"}
    sealed, nonce = unb64(str(found["sealed"]), length=KEY_BYTES + 16), _nonce(about)
    try:
        return _aead(about, passphrase()).decrypt(nonce, sealed, _LABEL + canonical(about))
    except InvalidTag as error:
        raise RefusedError(
            "wrong-passphrase",
            "This passphrase does not open the keys.",
            do="Type it again; mind the keyboard's layout. Without it only the copy on paper helps: docs/vault.md.",
        ) from error


def _odd(why: str) -> MalformedError:
    return MalformedError(
        "bad-kek",
        "The sealed key-encryption key cannot be read.",
        why=f"{why}.",
        do="Take a copy of keys/kek.",
    )


def _nonce(about: Mapping[str, Json]) -> bytes:
    return unb64(str(about["nonce"]), length=NONCE_BYTES)


def _aead(about: Mapping[str, Any], passphrase: str) -> AESGCM:
    text = unicodedata.normalize("NFC", passphrase).encode()
    salt = unb64(str(about["salt"]), length=16)
    return AESGCM(Scrypt(salt=salt, length=KEY_BYTES, n=about["n"], r=about["r"], p=about["p"]).derive(text))


# ---------------------------------------------------------------------------------------------- where it comes from


def passphrase_from(
    environment: Mapping[str, str], file: Path | None = None, *, ask: Passphrase | None = None
) -> Passphrase:
    """What gives the passphrase when it is needed: the environment, a file, or a person at the terminal, in this order.

    It is asked for once. Refuses, when it is called, where there is none of the three.
    """
    known: list[str] = []

    def give() -> str:
        if not known:
            known.append(_found(environment, file) or (ask or _typed)())
        return known[0]

    return give


def _found(environment: Mapping[str, str], file: Path | None) -> str:
    named = environment.get(FILE_VARIABLE)
    path = Path(named) if named else file
    if environment.get(VARIABLE):
        return environment[VARIABLE]
    if path is None:
        return ""
    try:
        first = path.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise _locked(f"The file {path.name} cannot be read.") from error
    if not first:
        raise _locked(f"The file {path.name} is empty.")
    return first


def _typed() -> str:
    if not sys.stdin.isatty():
        raise _locked("There is no terminal to type it at.")
    try:
        return getpass.getpass("Passphrase of the keys: ")
    except EOFError as error:
        raise _locked("Nothing was typed.") from error


def _locked(why: str) -> DueprocessError:
    return UnavailableError(
        "locked",
        "The keys are locked by a passphrase.",
        why=why,
        do=f"Set {VARIABLE}, name a file in {FILE_VARIABLE} or as keys.passphrase_file in dueprocess.toml, or run it "
        "at a terminal.",
        source="formats.md, Vault",
    )
