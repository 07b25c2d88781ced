"""An office that has everything fsck looks at: an open case, erased ones, and heads that a witness signed."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.tlog.note import COSIGNATURE, cosign, format_note, make_vkey, parse_note
from dueprocess.tlog.policy import Policy, Witness, format_policy, parse_policy

if TYPE_CHECKING:
    from office import Office

WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = make_vkey("witness.example/w1", WITNESS_KEY.public_key().public_bytes_raw(), algorithm=COSIGNATURE)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER = make_vkey("witness.example/w2", OTHER_KEY.public_key().public_bytes_raw(), algorithm=COSIGNATURE)


@dataclass
class Whole:
    """An office with one case produced, one in work, two erased (the younger not yet sealed), and a witness."""

    office: "Office"
    erased: list[str]

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The founding policy, and a later one with a witness."""
        return (self.office.desk.policy, witnessed_policy(self.office))


def witnessed_policy(office: "Office") -> Policy:
    logs = [each.vkey for each in office.desk.policy.logs]
    witnesses = [Witness("friend", WITNESS), Witness("other", OTHER)]
    return parse_policy(format_policy(logs, witnesses, need=1))


def cosigned(checkpoint: str, at: dt.datetime, *keys: Ed25519PrivateKey) -> str:
    """The note of a head with the witnesses' signatures under it."""
    note = parse_note(checkpoint.encode())
    named = {WITNESS_KEY: WITNESS, OTHER_KEY: OTHER}
    lines = [cosign(note.text, named[key], timestamp=int(at.timestamp()), sign=key.sign) for key in keys]
    return format_note(note.text, (*note.signatures, *lines)).decode()


def erase(office: "Office", case_id: str, ground: str = "received-in-error") -> dict[str, object]:
    """Boris and Chi erase a case."""
    from dueprocess.desk import erasing

    signers = [office.people["boris"], office.people["chi"]]
    return dict(erasing.erase(office.desk, case_id, ground, signers, now=office.now))


def closed_unread(office: "Office", text: str) -> str:
    """A paper that nobody read as a demand, closed and sealed."""
    case_id = office.receive(text)
    office.close(case_id)
    office.wait(hours=6)
    return case_id


def made_whole(office: "Office") -> Whole:
    from dueprocess.history import ledger

    one, two = closed_unread(office, "an advertisement"), closed_unread(office, "another one")
    erase(office, one)
    office.wait(hours=6)
    erase(office, two)
    heads = list(ledger.heads())
    for head, keys in ((heads[3], (WITNESS_KEY,)), (heads[-2], (WITNESS_KEY, OTHER_KEY))):
        ledger.keep_cosigned(head.size, cosigned(head.checkpoint, office.now, *keys))
    return Whole(office, [one, two])
