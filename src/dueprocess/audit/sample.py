"""Drawing a sample with dice that nobody holds: the root of a signed head that was named before it existed.

The rule is published and has no choice in it, so that everybody draws the same demands.

Source: specs/audit/README.md, "Sample".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.tlog.merkle import MOST_LEAVES
from dueprocess.wire import Json, b64, canonical, lp, sha256

_SEED, _DRAW = b"dueprocess/sample/v1\n", b"dueprocess/sample-draw/v1\n"
_WORDS = 1 << 64


def sample_seed(origin: str, size: int, root: bytes) -> bytes:
    """The dice: SHA-256 over the head's origin, size and root, 32 bytes."""
    if len(root) != 32 or not 0 <= size <= MOST_LEAVES:
        raise MalformedError(
            "bad-dice", "The dice are a head: its origin, its size and its root of 32 bytes."
        )
    return sha256(_SEED + lp(origin) + size.to_bytes(8, "big") + root)


def draw(seed: bytes, numbers: Sequence[int], count: int) -> tuple[int, ...]:
    """``count`` of these numbers, each equally likely, in rising order; all of them where there are fewer."""
    left, drawn = list(numbers), list[int]()
    words = _words(seed)
    while left and len(drawn) < count:
        # The top of the range that is no whole multiple is thrown again, so that no number is likelier.
        most = _WORDS - _WORDS % len(left)
        word = next(each for each in words if each < most)
        drawn.append(left.pop(word % len(left)))
    return tuple(sorted(drawn))


def _words(seed: bytes) -> Iterator[int]:
    number = 0
    while True:
        yield int.from_bytes(sha256(_DRAW + seed + number.to_bytes(8, "big"))[:8], "big")
        number += 1


@dataclass(frozen=True, slots=True)
class Sample:
    """``sample.json``: what was announced, the head that decided, and the demands that it drew."""

    bundle_sha256: str
    after: int
    """The size that was announced: the first head of at least so many entries is the dice."""
    count: int
    origin: str
    size: int
    root: bytes
    drawn: tuple[int, ...]
    """Ledger numbers of `DemandReceived` records."""

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "dueprocess-sample",
            "v": 1,
            "bundle_sha256": self.bundle_sha256,
            "after": self.after,
            "count": self.count,
            "origin": self.origin,
            "size": self.size,
            "root": b64(self.root),
            "drawn": list(self.drawn),
        }

    @property
    def encoded(self) -> bytes:
        return canonical(self.as_json())


_MEMBERS = ("t", "v", "bundle_sha256", "after", "count", "origin", "size", "root", "drawn")


def parse_sample(data: bytes) -> Sample:
    """``sample.json`` from its bytes. Raises ``MalformedError`` and nothing else; ``drawn_again`` judges it."""
    found = shape.members(shape.parse_canonical(data, "sample"), _MEMBERS, "the sample")
    shape.version(found["v"], "sample")
    if found["t"] != "dueprocess-sample":
        raise MalformedError("not-a-sample", "This is not the sample of an audit.")
    return Sample(
        shape.sha256_text(found["bundle_sha256"], "the bundle's digest"),
        shape.number(found["after"], "the announced size", most=MOST_LEAVES),
        shape.number(found["count"], "the number to draw", most=MOST_LEAVES),
        shape.text(found["origin"], "the origin"),
        shape.number(found["size"], "the size", most=MOST_LEAVES),
        shape.b64_bytes(found["root"], "the root"),
        tuple(
            shape.number(each, "a drawn number", most=MOST_LEAVES)
            for each in shape.items(found["drawn"], "the draw")
        ),
    )


def announcement(bundle_sha256: str, origin: str, after: int, count: int) -> str:
    """The sentence that an auditor signs, dates and sends before the head exists."""
    return (
        f"For the audit bundle with the SHA-256 {bundle_sha256} I draw {count} demands by lot. The lot is the first"
        f" signed head of the log {origin} with {after} entries or more, which does not exist yet."
    )
