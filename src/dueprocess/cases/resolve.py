"""Resolve: which account stands behind a mail address, a telephone number, an address at a time, a named thing.

Two people decide that one question is asked. The answer goes into the vault and to nobody; history gets the words
one, none or several, and references. Each account that was found is a target of the same case, asked about as its
paper asks about what it names, permitted what the law permits there, and takes a decision of its own.

Source: formats.md, "Scope" (targets other than `account`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft
from dueprocess.demand import MOST_TARGETS, ScopeItem, Target
from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.wire import Json, b64, digest_of, unb64

_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Found:
    """The accounts that were found, each once. The nonce keeps the digest in history from being guessed."""

    nonce: bytes
    accounts: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.nonce) != _NONCE_BYTES:
            raise MalformedError("bad-nonce", f"What was found has a nonce of {_NONCE_BYTES} bytes.")
        if len(self.accounts) > MOST_TARGETS or len(set(self.accounts)) != len(self.accounts):
            raise MalformedError("bad-found", f"At most {MOST_TARGETS} accounts are found, and each once.")
        for value in self.accounts:
            Target("account", value)

    def as_json(self) -> dict[str, Json]:
        return {"v": 1, "nonce": b64(self.nonce), "accounts": list(self.accounts)}

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical form, nonce included."""
        return digest_of(self.as_json())


def parse_found(stored: Any) -> Found:
    """What was found as the vault keeps it. Refuses everything else."""
    if not isinstance(stored, dict) or set(stored) != {"v", "nonce", "accounts"} or stored["v"] != 1:
        raise MalformedError("bad-found", "This is no list of accounts that were found.")
    accounts = stored["accounts"]
    if not isinstance(accounts, list) or not all(isinstance(each, str) for each in accounts):
        raise MalformedError("bad-found", "This is no list of accounts that were found.")
    return Found(unb64(stored["nonce"], length=_NONCE_BYTES), tuple(accounts))


def resolve(case: Case, ref: str, found: Found, *, several: bool, ambiguous: bool = False) -> list[Draft]:
    """Records that the question was answered, and a target for each account.

    ``several`` says whether the target may have more than one: a thing has owners, everything else one account.
    ``ambiguous``: the target names more than it may, so that nobody is found and the target ends, without a count.
    """
    state = case.target(ref)
    if not state.resolving:
        raise RefusedError(
            "not-resolving",
            f"Nobody decided to find out which account {ref} means.",
            do="Run dueprocess propose, and let a second person approve.",
            source="formats.md, Scope",
        )
    if ambiguous and found.accounts:
        raise BrokenError("found-several", "An answer that names nobody came with accounts.")
    if len(found.accounts) > 1 and not several:
        raise BrokenError("found-several", "One target was answered with several accounts.")
    head: dict[str, Json] = {"target": ref, "decision_sha256": state.decision_sha256}
    first = len(case.targets) + 1
    refs = list[Json](f"t{number}" for number in range(first, first + len(found.accounts)))
    subject = "several" if ambiguous else subject_word(found.accounts)
    return [
        Draft("TargetResolved", {**head, "subject": subject}),
        Draft("AccountsFound", {**head, "targets": refs, "found_sha256": found.sha256}),
    ]


def subject_word(accounts: Sequence[str]) -> str:
    """What history says of an answer: never how many there are beyond one."""
    if not accounts:
        return "none"
    return "one" if len(accounts) == 1 else "several"


def account_of(case: Case, ref: str, found: Found) -> Target:
    """The account that a target which was found stands for. Refuses a list that is not the one history names."""
    state = case.target(ref)
    parent = case.target(state.parent or ref)
    if parent.found is None or found.sha256 != parent.found.body["found_sha256"]:
        raise BrokenError(
            "found-altered",
            "The list of accounts that were found is not the one that history names.",
            why="Its digest differs from the one that was recorded when the question was answered.",
            do="Stop. Find out who changed the vault; restore it from a backup and run dueprocess fsck.",
            source="formats.md, Gate",
        )
    return Target("account", found.accounts[parent.children.index(ref)])


def in_place_of(item: ScopeItem, account: Target | None) -> ScopeItem:
    """What is asked, or permitted, about what the paper names, said of the account that was found behind it."""
    return item if account is None else replace(item, target=account)
