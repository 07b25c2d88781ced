"""An attacker who knows every format, every account and every category, and tries to confirm one by its digest.

Everything of 32 bytes that he holds is both a digest to be explained and a nonce to explain it with.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from dueprocess.cases.receive import order_reference
from dueprocess.cases.sealing import record_secret
from dueprocess.demand import Category, Period, Scope, ScopeItem, Target
from dueprocess.errors import DueprocessError
from dueprocess.plan import DataMap, compile_plan
from dueprocess.tlog.record import FIELDS, field_digest, salt
from dueprocess.tlog.subjects import prove_subject, subjects_root
from dueprocess.wire import Json, sha256, sha256_hex, unb64, unhex

ZEROS = bytes(32)
USUAL = (ZEROS, sha256(b""), b"\x01" * 32, b"n" * 32)
"""What a program without randomness would use as a nonce."""

_HEX = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_B64 = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=")

type Guess = tuple[str, bytes]
"""What is claimed, in words, and the 32 bytes that would prove it."""


def held(*seen: bytes) -> frozenset[bytes]:
    """Every value of 32 bytes in what somebody has, in hex or base64."""
    found: set[bytes] = set()
    for each in seen:
        found |= {unhex(match.decode()) for match in _HEX.findall(each)}
        for match in _B64.findall(each):
            try:
                found.add(unb64(match.decode(), length=32))
            except DueprocessError:
                continue
    return frozenset(found)


def confirmed(digests: Iterable[bytes], guesses: Iterable[Guess]) -> set[str]:
    """The claims that a digest proves."""
    known = frozenset(digests)
    return {claim for claim, proof in guesses if proof in known}


def category_sets(categories: Sequence[Category]) -> list[frozenset[Category]]:
    """All 2^n - 1 sets."""
    return [
        frozenset(each) for size in range(1, len(categories) + 1) for each in combinations(categories, size)
    ]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the attacker knows of the case already, which is all but the accounts and the categories."""

    period: Period
    datamap: DataMap
    paper: str
    """The paper's text, with ``{}`` where the account stands."""
    own: str
    """The account that he has himself, as the other target of the same demand."""

    def scopes(self, account: str, categories: frozenset[Category], nonce: bytes) -> Iterator[Guess]:
        """The account's scope and plan, alone and beside the attacker's own."""
        item = ScopeItem(Target("account", account), categories, self.period)
        own = ScopeItem(Target("account", self.own), categories, self.period)
        yield f"scope {account}", unhex(Scope(nonce, (item,)).sha256)
        if account != self.own:
            yield f"scope {account}", unhex(Scope(nonce, (own, item)).sha256)
        yield f"plan {account}", unhex(compile_plan(item, self.datamap, nonce=nonce).plan_sha256)

    def people(self, account: str, nonce: bytes) -> Iterator[Guess]:
        """The account as a subject, under a salt; the paper that names it."""
        yield f"subject {account}", sha256(b"dueprocess/subject/v1\n" + nonce + account.encode())
        paper = sha256_hex(self.paper.format(account).encode())
        yield f"order_ref {account}", unhex(order_reference(nonce, paper))

    def lists(self, account: str, nonce: bytes) -> Iterator[Guess]:
        """The list of subjects that ends with this account, under a secret."""
        pair = (self.own, account) if account != self.own else (account,)
        yield f"subjects {account}", subjects_root(nonce, pair)
        yield f"subject {account}", prove_subject(nonce, pair, account).salt

    def numbers(self, nonce: bytes) -> Iterator[Guess]:
        """How many accounts a demand names: the field's digest under a salt, and under a record's secret."""
        for count in range(1, 129):
            for each in (nonce, salt(nonce, FIELDS.index("accounts"))):
                yield f"accounts {count}", field_digest("accounts", count, each)


def fields_of(
    name: str, values: Iterable[Json], nonces: Iterable[bytes], event_sha256: str
) -> Iterator[Guess]:
    """One field of a record, each value under each nonce as its salt, as the secret and as the case's key."""
    salts = []
    for nonce in nonces:
        salts += [nonce, salt(nonce, FIELDS.index(name))]
        salts.append(salt(record_secret(nonce, event_sha256), FIELDS.index(name)))
    for value in values:
        for each in salts:
            yield f"{name} {value}", field_digest(name, value, each)
