"""Rule packs from disk: the shipped ones, a file of your own, those an installation keeps, and their worked cases.

Reading is all that happens here; what a pack means is `dueprocess.law`. Packs are parsed as a set, because only
together can they show that no overlay widens and none goes below the baseline. A set that was parsed once stays
parsed for as long as the program runs; its texts are read again each time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.law import Pack, effective, parse_cases, parse_pack, parse_packs, run_case

MOST_BYTES = 4 * 1024 * 1024
"""A rule pack is text that a person reads; a larger file is something else."""

_CASES = ".cases.toml"

type Texts = tuple[tuple[str, str], ...]
"""Names of files with their texts."""


@dataclass(frozen=True, slots=True)
class PackFile:
    """A pack as it was written, with the text it came from and the name of its file."""

    name: str
    text: str
    pack: Pack


@dataclass(frozen=True, slots=True)
class CaseReport:
    """How the worked cases of a pack went. ``failures``: name of the case, and what differs."""

    pack: Pack
    cases: tuple[str, ...]
    failures: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def agrees(self) -> bool:
        return not self.failures


# ---------------------------------------------------------------------------------------------- shipped


def rulepacks_folder() -> Traversable:
    """The shipped packs: inside the package in a wheel, beside ``src`` in a working copy."""
    shipped = resources.files("dueprocess") / "rulepacks"
    return shipped if shipped.is_dir() else Path(__file__).resolve().parents[3] / "rulepacks"


def shipped_packs() -> dict[str, Pack]:
    """All shipped packs by id, the baseline among them, overlays applied. Not what an installation applies.

    Refuses a set that does not hold together, such as two packs of one id, and an empty one.
    """
    return {each.id: each for each in _shipped(_effective)}


def shipped_as_written() -> dict[str, Pack]:
    """All shipped packs by id, each as its file says, overlays among them."""
    return {each.id: each for each in _shipped(_parsed)}


def _shipped(read: Callable[[Texts], tuple[Pack, ...]]) -> tuple[Pack, ...]:
    try:
        return read(_shipped_texts())
    except MalformedError as error:
        raise BrokenError(
            "bad-shipped-packs",
            f"The rule packs that this program brings do not hold together: {error.what}",
            why=error.why,
            do="Install it again; nothing can be assessed.",
        ) from error


def shipped_file(pack_id: str) -> PackFile:
    """A shipped pack with its text. Refuses an id that is not shipped."""
    first = pack_id.replace(".", "/", 1) + ".toml"
    for name, text in sorted(_shipped_texts(), key=lambda each: each[0] != first):
        pack = parse_pack(text, name)
        if pack.id == pack_id:
            return PackFile(name, text, pack)
    raise RefusedError(
        "no-such-pack",
        f"This program brings no pack {pack_id[:80]!r}.",
        do=f"Choose from: {', '.join(shipped_as_written())}. Or name a file.",
    )


def _shipped_texts() -> Texts:
    texts = tuple((name, _text(file)) for name, file in sorted(_pack_files(rulepacks_folder()).items()))
    if not texts:
        raise BrokenError(
            "no-packs",
            "This installation has no rule packs.",
            do="Install it again; nothing can be assessed.",
        )
    return texts


def _pack_files(folder: Traversable) -> dict[str, Traversable]:
    """Two levels, as shipped: a folder for each jurisdiction, with its packs. By name: ``us/sca.toml``."""
    inner = [(outer, each) for outer in folder.iterdir() if outer.is_dir() for each in outer.iterdir()]
    return {
        f"{outer.name}/{file.name}": file
        for outer, file in inner
        if file.name.endswith(".toml") and not file.name.endswith(_CASES)
    }


# ---------------------------------------------------------------------------------------------- a file


def load_pack(path: Path) -> Pack:
    """The pack in a file. Refuses what is not a readable, strict pack."""
    return load_file(path).pack


def load_file(path: Path) -> PackFile:
    """The pack in a file, with its text."""
    text = _text(path)
    return PackFile(path.name, text, parse_pack(text, path.name))


def own_packs(paths: Iterable[Path]) -> tuple[Pack, ...]:
    """Packs from files as one set, overlays applied, with the shipped packs that they are used with."""
    files = [load_file(path) for path in paths]
    below = {pack_id for file in files for pack_id in _used_with(file.pack)} - {
        each.pack.id for each in files
    }
    return pack_set([*files, *(shipped_file(each) for each in sorted(below))])


def pack_set(files: Iterable[PackFile]) -> tuple[Pack, ...]:
    """These packs as one set, overlays applied. Refuses a set that does not hold together, by file and line."""
    return _effective(tuple((each.name, each.text) for each in files))


@lru_cache(maxsize=16)
def _parsed(texts: Texts) -> tuple[Pack, ...]:
    return parse_packs(texts)


@lru_cache(maxsize=16)
def _effective(texts: Texts) -> tuple[Pack, ...]:
    return effective(_parsed(texts))


# ---------------------------------------------------------------------------------------------- kept


def kept_file(folder: Path, sha256: str) -> PackFile:
    """The pack of this digest as an installation keeps it. Refuses a text that is missing or has another digest."""
    name = f"{sha256}.toml"
    try:
        file = load_file(folder / name)
    except DueprocessError as error:
        raise _altered(name, error.what) from error
    if file.pack.sha256 != sha256:
        raise _altered(name, "Its content has another digest.")
    return file


def kept_packs(folder: Path, digests: Iterable[str]) -> tuple[Pack, ...]:
    """The packs of these digests as one set, overlays applied. Refuses texts that were altered since."""
    wanted = sorted(set(digests))
    files = tuple((f"{each}.toml", _kept_text(folder, f"{each}.toml")) for each in wanted)
    try:
        written, packs = _parsed(files), _effective(files)
    except MalformedError as error:
        raise _altered("", f"They do not hold together any more: {error.what}") from error
    found = {each.sha256 for each in written}
    for each in wanted:
        if each not in found:
            raise _altered(f"{each}.toml", "Its content has another digest.")
    return packs


def _kept_text(folder: Path, name: str) -> str:
    try:
        return _text(folder / name)
    except DueprocessError as error:
        raise _altered(name, error.what) from error


def _altered(name: str, why: str) -> BrokenError:
    return BrokenError(
        "pack-altered",
        f"packs/{name} is not what two people put in force.",
        why=why,
        do="Put the file back from a backup, then run dueprocess fsck. Until then nothing is assessed by it.",
        source="formats.md, Rosters",
    )


# ---------------------------------------------------------------------------------------------- worked cases


def check_pack(path: Path) -> CaseReport:
    """Runs the worked cases that stand beside a pack (``sca.toml``: ``sca.cases.toml``). Cases are required.

    They run with the shipped baseline, an overlay also with the shipped pack below it, and with what the cases ask for.
    """
    file, beside = load_file(path), path.with_name(path.name.removesuffix(".toml") + _CASES)
    cases = parse_cases(_text(beside), beside.name)
    named = {name for case in cases for name in case.beside} - {file.pack.id}
    packs = pack_set([file, *(shipped_file(each) for each in sorted(_used_with(file.pack) | named))])
    outcomes = [(case.name, tuple(run_case(case, packs))) for case in cases]
    return CaseReport(
        file.pack, tuple(case.name for case in cases), tuple(each for each in outcomes if each[1])
    )


def _used_with(pack: Pack) -> set[str]:
    """Ids of the shipped packs that a pack is used with: the baseline, and those below an overlay; never itself."""
    shipped = shipped_as_written()
    found = {each.id for each in shipped.values() if each.kind == "baseline" and pack.kind != "baseline"}
    parent = pack.overlays
    while parent in shipped and parent not in found:
        found.add(parent)
        parent = shipped[parent].overlays
    return found - {pack.id}


def _text(file: Traversable) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "cannot-read",
            f"{file.name} cannot be read.",
            why=error.strerror or str(error),
            do="Check the path and its permissions.",
        ) from error
    if len(content) > MOST_BYTES:
        raise MalformedError(
            "too-large", f"{file.name} is larger than a rule pack can be ({MOST_BYTES} bytes)."
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", f"{file.name} is not UTF-8.", why=str(error)) from error
