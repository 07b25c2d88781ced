"""A witness of the tests: it signs what it is shown, with the time that the test gives it."""

import datetime as dt
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dueprocess.desk import logrules
from dueprocess.history import ledger
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.checkpoint import add_cosignatures
from dueprocess.tlog.note import COSIGNATURE, Vkey, cosign, make_vkey, parse_note
from dueprocess.tlog.policy import Witness, format_policy
from dueprocess.wire import sha256
from office import Office


@dataclass(frozen=True, slots=True)
class Outsider:
    """One witness with the key that follows from its name."""

    name: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(self.name.encode()))

    @property
    def vkey(self) -> Vkey:
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return make_vkey(f"{self.name}.example/witness", raw, algorithm=COSIGNATURE)

    def line(self, note: bytes, at: dt.datetime) -> bytes:
        """Its cosignature line under a signed head."""
        text = parse_note(note).text
        return cosign(text, self.vkey, timestamp=int(at.timestamp()), sign=self.private.sign).line.encode()


WILMA, WOLF, WENDY = Outsider("wilma"), Outsider("wolf"), Outsider("wendy")


def policy_of(office: Office, *outsiders: Outsider, need: int = 1) -> bytes:
    """A policy with the log's own keys and these witnesses."""
    place = office.desk.installation
    nowhere = "http://127.0.0.1:9/"  # the discard port: nobody answers there, the tests cosign themselves
    witnesses = [Witness(each.name, each.vkey, f"{nowhere}{each.name}") for each in outsiders]
    return format_policy(LogSigner.open(place.origin, place.keys).vkeys, witnesses, need=need)


def ask_for(office: Office, *outsiders: Outsider, need: int = 1) -> None:
    """Two people put a policy with these witnesses in force; the first head under it is witnessed now."""
    keys = [office.people["boris"], office.people["chi"]]
    logrules.change_policy(office.desk, policy_of(office, *outsiders, need=need), keys, office.now)
    show(office, *outsiders)


def show(office: Office, *outsiders: Outsider, at: dt.datetime | None = None) -> None:
    """The newest head is cosigned, at the time given or else now, kept and published."""
    head = ledger.head()
    assert head is not None
    note = head.checkpoint.encode()
    for each in outsiders:
        note = add_cosignatures(note, each.line(note, at or office.now), office.desk.policy)
    ledger.keep_cosigned(head.size, note.decode())
    (office.desk.installation.log / "checkpoint").write_bytes(note)


def wait(office: Office, *outsiders: Outsider, hours: int) -> None:
    """Time passes, epoch by epoch; each head is shown to these witnesses."""
    for _ in range(hours // 6):
        office.wait(hours=6)
        if outsiders:
            show(office, *outsiders)
