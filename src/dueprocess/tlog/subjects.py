"""Which accounts a record is about: one root over up to 128 salted leaves, to show one account alone.

The tree always has 128 leaves: those that stand for no account look like the others, and all are sorted by
their hash, so that neither the number of accounts nor their order shows.

Source: formats.md, "Ledger and public log"; specs/tlog/README.md, "Subjects".
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.wire import Json, b64, sha256

SUBJECTS_DEPTH = 7
MOST_SUBJECTS = 1 << SUBJECTS_DEPTH

_BYTES = 32


@dataclass(frozen=True, slots=True)
class SubjectProof:
    """Shows that one account is among the subjects of a record, and nothing about the others."""

    account: str
    salt: bytes
    place: int
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "account": self.account,
            "salt": b64(self.salt),
            "place": self.place,
            "path": [b64(each) for each in self.path],
        }


def subjects_root(secret: bytes, subjects: Sequence[str]) -> bytes:
    """The root over these account ids under the record's secret, 32 bytes.

    Refuses an account named twice or empty, and more than 128 (the law allows no demand so wide).
    """
    return _levels(secret, subjects)[-1][0]


def prove_subject(secret: bytes, subjects: Sequence[str], account: str) -> SubjectProof:
    """The proof of one account, to be given to that account only."""
    levels = _levels(secret, subjects)
    if account not in subjects:
        raise MalformedError("unknown-subject", "This account is not among the subjects of the record.")
    its_salt = _salt(secret, subjects.index(account))
    place = levels[0].index(_leaf(account, its_salt))
    path = tuple(levels[up][place >> up ^ 1] for up in range(SUBJECTS_DEPTH))
    return SubjectProof(account, its_salt, place, path)


def verify_subject(root: bytes, proof: SubjectProof) -> None:
    """Raises ``MalformedError`` unless the proof leads from the account to the record's ``subjects_root``."""
    found = _leaf(proof.account, proof.salt)
    if len(proof.path) != SUBJECTS_DEPTH or not 0 <= proof.place < MOST_SUBJECTS:
        raise MalformedError("bad-subject-proof", f"A proof of an account has {SUBJECTS_DEPTH} hashes.")
    for up, each in enumerate(proof.path):
        found = _node(each, found) if proof.place >> up & 1 else _node(found, each)
    if found != root:
        raise MalformedError(
            "wrong-subject",
            "The account is not among the subjects that the record committed to.",
            why="The account, its salt, its place or its path was changed.",
            source="specs/tlog, Subjects",
        )


def subject_from_json(value: Json) -> SubjectProof:
    """Inverse of ``SubjectProof.as_json``, strictly. Raises ``MalformedError`` and nothing else."""
    found = shape.members(value, ("account", "salt", "place", "path"), "the proof of an account")
    path = shape.items(found["path"], "the path of an account", count=SUBJECTS_DEPTH)
    return SubjectProof(
        shape.text(found["account"], "the account"),
        shape.b64_bytes(found["salt"], "the salt of an account"),
        shape.number(found["place"], "the place of an account", most=MOST_SUBJECTS - 1),
        tuple(shape.b64_bytes(each, "a hash of the path of an account") for each in path),
    )


def _levels(secret: bytes, subjects: Sequence[str]) -> list[list[bytes]]:
    if len(secret) != _BYTES:
        raise MalformedError("wrong-length", f"The secret of a record has 32 bytes, not {len(secret)}.")
    if len(subjects) > MOST_SUBJECTS or len(set(subjects)) != len(subjects) or "" in subjects:
        raise MalformedError("bad-subjects", f"A record has at most {MOST_SUBJECTS} subjects, each once.")
    leaves = [_leaf(each, _salt(secret, index)) for index, each in enumerate(subjects)]
    leaves += [_pad(secret, index) for index in range(len(subjects), MOST_SUBJECTS)]
    levels = [sorted(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([_node(below[at], below[at + 1]) for at in range(0, len(below), 2)])
    return levels


def _salt(secret: bytes, index: int) -> bytes:
    return hmac.digest(secret, b"dueprocess/subject-salt/v1\n" + bytes([index]), "sha256")


def _pad(secret: bytes, index: int) -> bytes:
    return hmac.digest(secret, b"dueprocess/subject-pad/v1\n" + bytes([index]), "sha256")


def _leaf(account: str, its_salt: bytes) -> bytes:
    try:
        return sha256(b"dueprocess/subject/v1\n" + its_salt + account.encode())
    except UnicodeEncodeError as error:
        raise MalformedError("not-utf8", "An account id is Unicode text.", why=str(error)) from error


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x05" + left + right)
