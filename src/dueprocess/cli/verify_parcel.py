"""Checking an answer package: the encrypted file against its receipt, and the opened one file by file.

Nothing here decrypts. A package is read in pieces, whatever its size.

Source: RFC 8493 sections 2.1, 2.2 and 3; C2SP age.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dueprocess.cli.printing import counted
from dueprocess.cli.verify_files import Answer
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.parcel import BAGIT_TXT, CERTIFICATE, NOT_NOTHING, Entry, check_path, payload_sha256, visible
from dueprocess.tlog import ReceiptFindings
from dueprocess.wire import digest_of, parse_json

AGE = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
OTHER_KINDS = {".gpg": "gpg -d FILE", ".p7m": "openssl cms -decrypt -inform DER -inkey YOUR-KEY -in FILE"}
"""Ending of a name → how such a package is opened. Source: RFC 9580; RFC 5652."""
DECISION, STATEMENT = "data/decision.json", "data/statement.json"
MANIFEST, TAGS, INFO = "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt"

_TOLD = 20
_MOST_TAG_BYTES = 64 * 1024 * 1024
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")
_OXUM = re.compile(r"^Payload-Oxum: ([0-9]{1,18})\.([0-9]{1,9})$", re.MULTILINE)
_LIMITS = (
    "It does not prove that the data is true, or that nothing was left out.",
    "What was asked, allowed and held stands in data/index.html (or .pdf) of the package.",
)


def is_encrypted(file: Path, head: bytes) -> bool:
    """Whether a file is an encrypted package: it begins like one that age made, or has the name of another kind.

    OpenPGP and CMS messages begin with a few bytes that other files begin with too, so their names count.
    """
    return head.startswith(AGE) or file.suffix in OTHER_KINDS


def answer_encrypted(file: Path, findings: ReceiptFindings | None) -> Answer:
    """The ciphertext, against the digest that the receipt opens."""
    try:
        with file.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise UnavailableError("no-file", f"{file} cannot be read.", why=error.strerror or "") from error
    if findings is None:
        raise RefusedError(
            "no-receipt",
            "This is an encrypted answer package. Whether it is the right one, its receipt says.",
            why=f"its SHA-256 is {digest}",
            do="Name the receipt that came with it with --receipt, and policy.txt with --policy.",
        )
    sealed = _values(findings, "parcel_sha256")
    if not sealed:
        raise RefusedError(
            "receipt-without-parcel",
            "This receipt names no answer package.",
            why=f"It was made for the {findings.audience}, or before the package was.",
            do="Use the receipt for the requester or the court, made after the package was.",
        )
    if digest not in sealed:
        raise BrokenError(
            "other-parcel",
            "This is NOT the answer package that was recorded: its bytes are others.",
            why=f"Its SHA-256 is {digest}, the log has {', '.join(sorted(sealed))}.",
            do="Do not use it. Ask the operator for the package again, and keep this file.",
        )
    return Answer(
        "This is the answer package that was recorded, byte for byte.",
        (
            "The operator recorded exactly this encrypted file in its log before it handed it over.",
            "Nobody changed it on the way. Open it with your own key, then check what is inside:",
            f"  {OTHER_KINDS.get(file.suffix, 'age -d -i YOUR-KEY FILE')} > parcel.tar; dueprocess verify parcel.tar",
        ),
        _LIMITS,
        (f"SHA-256: {digest}", f"Log: {findings.origin}"),
        {"parcel_sha256": digest, "origin": findings.origin},
    )


@dataclass(slots=True)
class Bag:
    """What was found in an opened package: digest and size of each file, and the texts that describe it."""

    digests: dict[str, tuple[str, int]] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)

    def add(self, path: str, source: IO[bytes]) -> None:
        """Digests one file in pieces; keeps the texts that describe the rest."""
        digest, size, kept = hashlib.sha256(), 0, bytearray()
        keep = "/" not in path or path in {DECISION, STATEMENT}
        while piece := source.read(1024 * 1024):
            digest.update(piece)
            size += len(piece)
            if keep:
                kept += piece
                if len(kept) > _MOST_TAG_BYTES:
                    raise _bad(f"{path} is larger than such a file can be")
        if path in self.digests:
            raise _bad(f"{path} is in it twice")
        self.digests[path] = (digest.hexdigest(), size)
        if keep:
            self.texts[path] = bytes(kept)


def answer_folder(folder: Path, findings: ReceiptFindings | None) -> Answer:
    """An opened package that was unpacked into a folder."""
    bag = Bag()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise _bad(f"{path.relative_to(folder).as_posix()[:80]} is a link")
        if path.is_file():
            with path.open("rb") as source:
                bag.add(path.relative_to(folder).as_posix(), source)
    return _answer(bag, findings, str(folder))


def answer_tar(file: Path, findings: ReceiptFindings | None) -> Answer:
    """An opened package as the tar that comes out of age."""
    bag = Bag()
    try:
        with tarfile.open(file, mode="r|") as tar:
            for path, source in _members(tar):
                bag.add(path, source)
    except (tarfile.TarError, EOFError) as error:
        raise _bad(f"the tar is damaged: {error}") from error
    return _answer(bag, findings, str(file))


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    top = ""
    for member in tar:
        first, _, path = member.name.partition("/")
        top = top or first
        source = tar.extractfile(member) if member.isreg() else None
        if member.isdir() and first == top:
            continue
        if source is None or first != top or not path:
            raise _bad(f"{member.name[:80]!r} is no plain file under its one folder")
        yield check_path(path), source


def _answer(bag: Bag, findings: ReceiptFindings | None, name: str) -> Answer:
    _check_bag(bag)
    payload = [path for path in bag.digests if path.startswith("data/")]
    means = [
        "Nothing was changed, added or lost since it was packed: every file is listed and has the listed digest."
    ]
    details = [
        f"{counted(len(payload), 'file')} of data, {sum(bag.digests[path][1] for path in payload):,} bytes."
    ]
    details += [*_certificate(bag, payload), *_failed(bag)]
    if findings is None:
        details.append("Not compared with a receipt (name it with --receipt and --policy).")
    else:
        means.append(_decided(bag, findings))
    limits = (
        *_LIMITS,
        "A package that was made up as a whole would look the same: compare the encrypted file with its receipt.",
    )
    return Answer(
        f"This answer package is complete and unchanged: {name}",
        (*means,),
        limits,
        (*details,),
        {"files": len(payload), "manifest_sha256": bag.digests[MANIFEST][0]},
    )


def _certificate(bag: Bag, payload: list[str]) -> list[str]:
    """What a signed certificate must show to be about these files. Whether somebody signed is for people to see."""
    if CERTIFICATE not in payload:
        return []
    files = (Entry(path, bag.digests[path][1], bag.digests[path][0]) for path in payload)
    return [f"A signed certificate is about these files only if it shows: {payload_sha256(files)}"]


def _failed(bag: Bag) -> list[str]:
    """Entries that failed, by the package's own statement: whoever only runs this command must not miss them."""
    if STATEMENT not in bag.texts:
        return []
    value = parse_json(bag.texts[STATEMENT], "statement.json")
    entries = value.get("entries") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise _bad(f"{STATEMENT} lists no entries")
    failed = [
        visible(f"{each.get('store')}.{each.get('table')}")
        for each in entries
        if each.get("status") == "failed"
    ]
    if not failed:
        return []
    told = ", ".join(failed[:_TOLD]) + (" and others" if len(failed) > _TOLD else "")
    return [f"{counted(len(failed), 'entry', 'entries')} FAILED: {told}. {NOT_NOTHING}"]


def _check_bag(bag: Bag) -> None:
    """Complete and right by RFC 8493: the declaration, both manifests, every file, and the octet count."""
    if bag.texts.get("bagit.txt") != BAGIT_TXT:
        raise _bad("bagit.txt is missing or of another version")
    payload = _listed(bag, MANIFEST)
    _compare(bag, payload, lambda path: path.startswith("data/"))
    tags = _listed(bag, TAGS)
    if MANIFEST not in tags:
        raise _bad(f"{TAGS} does not list {MANIFEST}")
    _compare(bag, tags, lambda path: "/" not in path and path != TAGS)
    stray = [path for path in bag.digests if path not in payload and path not in tags and path != TAGS]
    if stray:
        raise _bad(f"{stray[0][:80]} is not listed")
    count = _OXUM.search(bag.texts.get(INFO, b"").decode("utf-8", "replace"))
    sizes = [bag.digests[path][1] for path in payload]
    if count is not None and (int(count[1]), int(count[2])) != (sum(sizes), len(sizes)):
        raise _bad(f"{INFO} counts other files than there are")


def _listed(bag: Bag, manifest: str) -> dict[str, str]:
    text = bag.texts.get(manifest)
    if text is None:
        raise _bad(f"{manifest} is missing")
    found: dict[str, str] = {}
    for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise _bad(f"line {number} of {manifest} cannot be read, or names a file again")
        found[check_path(match[2])] = match[1]
    return found


def _compare(bag: Bag, listed: dict[str, str], belongs: Callable[[str], bool]) -> None:
    here = {path for path in bag.digests if belongs(path)}
    for path in sorted(here | set(listed)):
        if path not in here:
            raise _bad(f"{path[:80]} is listed and missing")
        if path not in listed:
            raise _bad(f"{path[:80]} is there and not listed")
        if bag.digests[path][0] != listed[path]:
            raise _bad(f"{path[:80]} was changed: its digest is another one than listed")


def _decided(bag: Bag, findings: ReceiptFindings) -> str:
    """That the decision inside is the recorded one, as far as the receipt opens it."""
    document = _document(bag)
    facts = {
        "scope_sha256": digest_of(document.get("scope")),
        "plan_sha256": document.get("plan_sha256"),
        "order_ref": document.get("order_ref"),
    }
    compared = []
    for name, value in facts.items():
        sealed = _values(findings, name)
        if sealed and value not in sealed:
            raise BrokenError(
                "other-decision",
                "The decision inside this package is NOT the one that was recorded.",
                why=f"Its {name} is not among those that the receipt opens.",
                do="Do not use the package. Keep it and the receipt: together they are the evidence.",
            )
        compared += [name] if sealed else []
    if not compared:
        return "The receipt opens nothing about the decision, so the decision inside was not compared."
    return f"The decision inside is the one that was recorded in the log of {findings.origin} ({', '.join(compared)})."


def _document(bag: Bag) -> dict[str, Any]:
    value = parse_json(bag.texts.get(DECISION, b"null"), "decision.json")
    document = value.get("decision", {}).get("document") if isinstance(value, dict) else None
    if not isinstance(document, dict):
        raise _bad("data/decision.json holds no decision")
    return document


def _values(findings: ReceiptFindings, name: str) -> set[str]:
    return {str(each.values[name]) for each in findings.records if each.values.get(name)}


def _bad(why: str) -> MalformedError:
    return MalformedError(
        "bad-parcel",
        "This answer package is not complete and unchanged.",
        why=f"{why}.",
        do="Do not use it. Open the encrypted file again; if it stays, ask the operator for the package again.",
        source="RFC 8493 section 3",
    )
