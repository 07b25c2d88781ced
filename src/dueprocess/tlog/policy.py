"""Trust policies: which logs, which witnesses, and how many of them make a checkpoint good.

Source: C2SP tlog-policy.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from dueprocess.errors import MalformedError
from dueprocess.tlog.vkey import COSIGNATURE, ED25519, ML_DSA_44, Vkey, parse_vkey

NO_QUORUM = "none"
MOST_BYTES = 1_000_000

_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_FORBIDDEN = re.compile(rb"[^\x09\x0a\x20-\x7e\x80-\xff]")


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log whose checkpoints are accepted. The key's name is the log's origin."""

    vkey: Vkey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness under the name that the policy file gives it (which means nothing elsewhere)."""

    name: str
    vkey: Vkey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint when at least ``need`` of its members (witnesses or groups) did."""

    name: str
    need: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy. Build it with ``parse_policy``, which checks that every name is defined."""

    logs: tuple[KnownLog, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def unwitnessed(self) -> "Policy":
        """The same keys without the demand for witnesses: what it accepts counts as unwitnessed."""
        return replace(self, quorum=NO_QUORUM)

    def satisfied(self, cosigned: Iterable[Vkey]) -> bool:
        """Whether these witness keys, whose cosignatures were verified, meet the quorum."""
        if self.quorum == NO_QUORUM:
            return True
        keys = frozenset(cosigned)
        met = {each.name for each in self.witnesses if each.vkey in keys}
        # A group names only what stands above it in the file, so one pass in order is enough.
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.need:
                met.add(group.name)
        return self.quorum in met


@dataclass(slots=True)
class _Draft:
    """What has been read so far. Names are opaque octets, kept apart by surrogate escapes."""

    logs: list[KnownLog] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    grouped: set[str] = field(default_factory=set)

    def define(self, name: str) -> str:
        if name == NO_QUORUM or name in self.names:
            raise MalformedError("name-taken", f"The name {name[:80]!r} is already taken.")
        self.names.add(name)
        return name

    def defined(self, name: str) -> str:
        if name not in self.names:
            raise MalformedError("unknown-name", f"Nothing above is called {name[:80]!r}.")
        return name


def parse_policy(source: bytes) -> Policy:
    """A policy from the octets of its file. Raises ``MalformedError`` that names the line, nothing else.

    Refuses unknown lines, names used before they are defined or twice, one key twice, two quorums or none,
    and a last line without its newline (the file may have been cut).

    Source: tlog-policy, "Policy file syntax and structure".
    """
    if len(source) > MOST_BYTES:
        raise MalformedError("too-long", "A policy has at most 1,000,000 bytes here.")
    if source and not source.endswith(b"\n"):
        raise MalformedError(
            "cut-off",
            "The last line of this policy does not end.",
            why="A policy that was cut off in transfer could mean less than it should.",
            do="End the last line with a newline.",
            source="C2SP tlog-policy, Structure",
        )
    draft = _Draft()
    for number, line in enumerate(source.split(b"\n"), start=1):
        try:
            _read_line(draft, line)
        except MalformedError as error:
            raise MalformedError(
                error.code,
                f"Line {number} of this policy is wrong: {error.what}",
                why=error.why,
                source="C2SP tlog-policy",
            ) from error
    if draft.quorum is None:
        raise MalformedError("no-quorum", "This policy has no quorum line.", source="C2SP tlog-policy")
    return Policy(tuple(draft.logs), tuple(draft.witnesses), tuple(draft.groups), draft.quorum)


def _read_line(draft: _Draft, line: bytes) -> None:
    if _FORBIDDEN.search(line):
        raise MalformedError("control-character", "It holds a control character.")
    words = [each.decode("utf-8", "surrogateescape") for each in line.split()]
    if not words or words[0].startswith("#"):
        return
    read = _READERS.get(words[0])
    if read is None:
        raise MalformedError("unknown-line", f"There is no line {words[0][:40]!r}.")
    read(draft, words[1:])


def _read_log(draft: _Draft, words: list[str]) -> None:
    _count(words, 1, 2)
    vkey = _vkey(words[0], (ED25519, ML_DSA_44), "log")
    _refuse_known_key(draft, vkey)
    draft.logs.append(KnownLog(vkey, words[1] if words[1:] else None))


def _read_witness(draft: _Draft, words: list[str]) -> None:
    _count(words, 2, 3)
    vkey = _vkey(words[1], (COSIGNATURE, ML_DSA_44), "witness")
    _refuse_known_key(draft, vkey)
    draft.witnesses.append(Witness(draft.define(words[0]), vkey, words[2] if words[2:] else None))


def _refuse_known_key(draft: _Draft, vkey: Vkey) -> None:
    """A key listed twice would count twice, and a log that is its own witness vouches for nothing."""
    listed = [each.vkey for each in draft.logs] + [each.vkey for each in draft.witnesses]
    if any(each.public == vkey.public for each in listed):
        raise MalformedError("key-twice", f"The key of {vkey.name[:80]!r} was listed before.")


def _read_group(draft: _Draft, words: list[str]) -> None:
    _count(words, 3, len(words))
    name, threshold, *members = words
    for each in members:
        if draft.defined(each) in draft.grouped:
            raise MalformedError("member-twice", f"{each[:80]!r} is a member of a group already.")
        draft.grouped.add(each)
    draft.groups.append(Group(draft.define(name), _threshold(threshold, len(members)), tuple(members)))


def _threshold(word: str, members: int) -> int:
    if word in ("any", "all"):
        return 1 if word == "any" else members
    if not _COUNT.fullmatch(word) or int(word) > members:
        raise MalformedError(
            "bad-threshold", f"{word[:40]!r} is not all, any or a number from 1 to {members}."
        )
    return int(word)


def _read_quorum(draft: _Draft, words: list[str]) -> None:
    _count(words, 1, 1)
    if draft.quorum is not None:
        raise MalformedError("quorum-twice", "A policy has one quorum line.")
    draft.quorum = words[0] if words[0] == NO_QUORUM else draft.defined(words[0])


_READERS: dict[str, Callable[[_Draft, list[str]], None]] = {
    "log": _read_log,
    "witness": _read_witness,
    "group": _read_group,
    "quorum": _read_quorum,
}


def _count(words: list[str], least: int, most: int) -> None:
    if not least <= len(words) <= most:
        raise MalformedError("wrong-count", f"It has {len(words)} items after its first word.")


def _vkey(text: str, algorithms: tuple[int, ...], role: str) -> Vkey:
    vkey = parse_vkey(text)
    if vkey.algorithm not in algorithms:
        allowed = " or ".join(f"0x{each:02x}" for each in algorithms)
        raise MalformedError("wrong-algorithm", f"A {role} has a key of type {allowed} here.")
    return vkey


def format_policy(logs: Sequence[Vkey], witnesses: Sequence[Witness] = (), *, need: int = 0) -> bytes:
    """A policy file for these log keys: ``quorum none``, or ``need`` of these witnesses. Parses back, or raises."""
    lines = [f"log {each.text}" for each in logs]
    lines += [" ".join(filter(None, ("witness", each.name, each.vkey.text, each.url))) for each in witnesses]
    if need:
        lines += [f"group witnesses {need} {' '.join(each.name for each in witnesses)}", "quorum witnesses"]
    else:
        lines.append(f"quorum {NO_QUORUM}")
    source = "".join(f"{each}\n" for each in lines).encode("utf-8", "surrogateescape")
    parse_policy(source)
    return source
