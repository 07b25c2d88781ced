"""Checking again what somebody else found wrong with a log: from the files that show it, and a policy.

The files of an alarm are believed no more than anything else. What the log signed is told apart from what only
the watcher can vouch for, such as when something was handed out.

Source: RFC 9162 sections 2.1.3 and 2.1.4; specs/tlog/README.md.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog import shape
from dueprocess.tlog.checkpoint import OpenedCheckpoint
from dueprocess.tlog.follow import BEFORE, CONSISTENCY, FILES, NOW, Trust, head_findings, open_head
from dueprocess.tlog.leafrules import LeafRules
from dueprocess.tlog.merkle import MOST_LEAVES, leaf_hash, verify_consistency
from dueprocess.tlog.proof import parse_proof, verify_proof
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import parse_path

_ENTRY = re.compile(r"entry-([0-9]{10,16})\.json")

_HANDED_OUT = (
    "That the operator handed this out is the word of whoever watched: nobody signs what a server sends."
)
_WHEN = "When this was seen, and that nothing newer was there, is the word of whoever watched."
_LEFT_OUT = (
    "These entries are in the log. Whether another entry explains them, only the whole log can tell:"
    " dueprocess verify LOG --policy policy.txt"
)
_CAUTION: dict[str, str] = {
    **dict.fromkeys(("missed-cadence", "stale-witnesses", "from-the-future"), _WHEN),
    **dict.fromkeys(
        ("no-rules", "rules-out-of-order", "key-not-vouched", "published-twice", "report-without-register"),
        _LEFT_OUT,
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an evidence folder was found to show.

    ``shown`` False does NOT mean that nothing happened: only that these files do not show it.
    """

    shown: bool
    told: tuple[str, ...]


def recheck(kind: str, files: Mapping[str, bytes], trust: Trust, *, seen_at: dt.datetime) -> Verdict:
    """Whether these files show what the alarm says, under the reader's own policy.

    ``seen_at`` is when the watcher says it looked. Raises ``MalformedError`` for files that are not signed as the
    policy says, or not what they claim, and nothing else.
    """
    check = _CHECKS.get(kind, _entries)
    return check(kind, files, trust, seen_at)


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    try:
        return files[name]
    except KeyError as error:
        raise MalformedError(
            "evidence-incomplete",
            f"The file {name} is missing from this evidence.",
            do="Get the whole folder again from whoever watched.",
        ) from error


def _false_head(kind: str, files: Mapping[str, bytes], trust: Trust, seen_at: dt.datetime) -> Verdict:
    del kind, seen_at
    try:
        open_head(_file(files, NOW), trust)
    except MalformedError as error:
        if error.code == "evidence-incomplete":
            raise
        return Verdict(True, (f"This head is not signed as your policy says: {error.what}", _HANDED_OUT))
    return Verdict(False, ("This head is signed as your policy says.",))


def _too_few(kind: str, files: Mapping[str, bytes], trust: Trust, seen_at: dt.datetime) -> Verdict:
    del kind, seen_at
    opened, weak = open_head(_file(files, NOW), trust)
    if weak:
        return Verdict(True, ("The log signed this head.", weak[0].told, _HANDED_OUT))
    return Verdict(False, (_size(opened) + "Enough independent timekeepers confirmed it.",))


def _two_heads(kind: str, files: Mapping[str, bytes], trust: Trust, seen_at: dt.datetime) -> Verdict:
    del seen_at
    before, now = (open_head(_file(files, name), trust)[0] for name in (BEFORE, NOW))
    one, other = before.checkpoint, now.checkpoint
    if one.origin != other.origin:
        return Verdict(kind == "other-log", ("The two heads are of different logs.", _HANDED_OUT))
    if one.size == other.size:
        shown = one.root != other.root
        how = "signed for the same number of entries, and different" if shown else "the same"
        return Verdict(shown, (f"The log signed both heads. They are {how}.",))
    if CONSISTENCY in files:
        return _split(files[CONSISTENCY], before, now)
    if kind != "rollback" or other.size > one.size:
        return Verdict(
            False, ("Both heads are signed, and nothing here shows that one contradicts the other.",)
        )
    told = f"The log signed both heads: one with {one.size} entries, one with {other.size}."
    return Verdict(True, (told, _later(before, now)))


def _later(before: OpenedCheckpoint, now: OpenedCheckpoint) -> str:
    times = (before.witnessed_at, now.witnessed_at)
    if times[0] is not None and times[1] is not None and times[1] > times[0]:
        return "Independent timekeepers confirmed the shorter one later than the longer one."
    return (
        "That the shorter one was handed out after the longer one is the word of whoever watched:"
        " an old head stays genuine for ever."
    )


def _split(proof: bytes, before: OpenedCheckpoint, now: OpenedCheckpoint) -> Verdict:
    small, large = sorted((before.checkpoint, now.checkpoint), key=lambda each: each.size)
    names = ("v", "small_size", "small_root", "large_size", "hashes")
    found = shape.members(shape.parse_canonical(proof, "consistency proof"), names, "the consistency proof")
    shape.version(found["v"], "consistency proof")
    sizes = [shape.number(found[each], "a size", most=MOST_LEAVES) for each in ("small_size", "large_size")]
    if sizes != [small.size, large.size]:
        raise MalformedError("wrong-evidence", "The consistency proof is not about these two heads.")
    root = shape.b64_bytes(found["small_root"], "a root")
    hashes = [shape.b64_bytes(each, "a hash") for each in shape.items(found["hashes"], "the hashes")]
    verify_consistency(small.size, large.size, root, large.root, hashes)
    if root == small.root:
        return Verdict(False, ("The longer log begins with the shorter one: it only grew.",))
    return Verdict(
        True,
        (
            f"The log signed a head of {small.size} entries and one of {large.size}.",
            f"The first {small.size} entries of the longer one are others than those of the shorter one.",
        ),
    )


def _wrong_files(kind: str, files: Mapping[str, bytes], trust: Trust, seen_at: dt.datetime) -> Verdict:
    del kind, seen_at
    opened, _ = open_head(_file(files, NOW), trust)
    stored = {name.removeprefix(FILES): data for name, data in files.items() if name.startswith(FILES)}
    reader = TileReader(stored.__getitem__, opened.checkpoint)
    for path in stored:
        parse_path(path)
    for path in stored:
        try:
            reader.check_file(path)
        except UnavailableError:
            continue
        except MalformedError as error:
            return Verdict(True, (_size(opened) + error.what, _HANDED_OUT))
    return Verdict(False, (_size(opened) + "These files are what it says.",))


def _size(opened: OpenedCheckpoint) -> str:
    return f"The log signed this head of {opened.checkpoint.size} entries. "


def _entries(kind: str, files: Mapping[str, bytes], trust: Trust, seen_at: dt.datetime) -> Verdict:
    """Reads the enclosed entries by the same rules as the watcher did, once each is proven to be in the log."""
    opened, weak = open_head(_file(files, NOW), trust)
    rules = LeafRules(trust.log_vkeys(opened.checkpoint.origin))
    told = [_size(opened)]
    found = list(weak)
    for index, entry in proven_entries(files, trust):
        found += rules.read(index, entry)
        told.append(f"Entry {index} is in the log.")
    found += head_findings(opened, rules, trust, seen_at)
    same = [each.told for each in found if each.kind == kind and each.severity == "alarm"]
    if not same:
        return Verdict(False, (*told, "By the rules these entries are in order, as far as they go."))
    caution = [_CAUTION[kind]] if kind in _CAUTION else []
    return Verdict(True, (*told, *same, *caution))


def proven_entries(files: Mapping[str, bytes], trust: Trust) -> list[tuple[int, bytes]]:
    """Index and bytes of each enclosed entry, in order, each proven to stand in a log that signed for it."""
    found: list[tuple[int, bytes]] = []
    for name in sorted(files):
        match = _ENTRY.fullmatch(name)
        if match is None:
            continue
        proof = parse_proof(_file(files, name.removesuffix("json") + "tlog-proof"))
        verify_proof(proof, leaf_hash(files[name]), trust.policy.unwitnessed)
        if proof.index != int(match[1]):
            raise MalformedError("wrong-evidence", f"The proof beside {name} is about entry {proof.index}.")
        found.append((proof.index, files[name]))
    return found


_CHECKS = {
    "false-head": _false_head,
    "too-few-witnesses": _too_few,
    "fork": _two_heads,
    "rollback": _two_heads,
    "other-log": _two_heads,
    "wrong-files": _wrong_files,
}
