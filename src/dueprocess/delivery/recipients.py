"""Recipients: what an authority may enrol to get its answers, and encrypting something small to its key.

age is done in this process; OpenPGP and CMS by the programs `gpg` and `openssl`, each in a folder of its own that
goes away at once.

Source: formats.md, Parcel.
"""

import datetime as dt
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyrage

from dueprocess.cases.decide import BY_HAND
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.library.recipients import (
    KeyKind,
    checked_key,
    cms_command,
    key_kind,
    key_program,
    openpgp_command,
)

Kind = KeyKind | Literal["handover"]
HANDOVERS: Mapping[str, str] = {
    "official_system": "a person uploads the answer into the authority's own system",
    "sealed_medium": "a person hands a sealed, encrypted medium over",
}
"""How an authority without a key gets its answer: a recorded act of a person."""

SUFFIX: Mapping[Kind, str] = {"age": ".age", "openpgp": ".gpg", "cms": ".p7m", "handover": ".age"}
MOST_KEY_BYTES = 64 * 1024


def kind_of(key: str) -> Kind:
    """What kind of recipient a decision's key text is. Refuses a text that begins like none of them."""
    return "handover" if key.startswith(BY_HAND) else key_kind(key)


def download_name(parcel_id: str, key: str) -> str:
    """The file name under which a parcel for this key is offered."""
    return f"{parcel_id}.tar{SUFFIX[kind_of(key)]}"


def checked_recipient(kind: str, text: str, now: dt.datetime) -> tuple[str, str]:
    """(the key as it is enrolled, whose it says it is). Refuses one that nothing can be encrypted to today."""
    if len(text.encode()) > MOST_KEY_BYTES:
        raise _bad("it is larger than 64 KiB", "Export the one key or certificate alone.")
    match kind:
        case "age" | "openpgp" | "cms":
            return checked_key(kind, text, now)
        case "handover" if text in HANDOVERS:
            return text, ""
        case "handover":
            raise _bad(f"{text[:40]!r} is no way to hand over", f"Choose one of {', '.join(HANDOVERS)}.")
        case _:
            raise MalformedError("bad-recipient", f"{kind[:40]!r} is no kind of key.")


def encrypt_small(key: str, data: bytes) -> bytes:
    """A few bytes encrypted to a recipient, as ciphertext that the recipient's own program opens."""
    kind = kind_of(key)
    if kind == "handover":
        raise RefusedError(
            "no-recipient-key",
            "This authority has no key: nothing can be encrypted to it.",
            do="Hand the answer over as a recorded act: dueprocess deliver --recorded.",
        )
    if kind == "age":
        return bytes(pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(key)]))
    with tempfile.TemporaryDirectory(prefix="dueprocess-") as folder:
        file = Path(folder) / "recipient"
        file.write_text(key)
        command = openpgp_command(file) if kind == "openpgp" else cms_command(file, "-aes-256-cbc")
        return key_program(command, data)


def _bad(why: str, do: str) -> MalformedError:
    return MalformedError("bad-recipient", "This key cannot be enrolled.", why=why, do=do)
