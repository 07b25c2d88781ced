"""Rule packs from disk: the shipped ones, a file of your own, and the run of their worked cases.

Reading is all that happens here; what a pack means is `dueprocess.law`.
"""

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.law import Pack, parse_cases, parse_pack, run_case

MOST_BYTES = 4 * 1024 * 1024
"""A rule pack is text that a person reads; a larger file is something else."""

_CASES = ".cases.toml"


@dataclass(frozen=True, slots=True)
class CaseReport:
    """How the worked cases of a pack went. ``failures``: name of the case, and what differs."""

    pack: Pack
    cases: tuple[str, ...]
    failures: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def agrees(self) -> bool:
        return not self.failures


def rulepacks_folder() -> Traversable:
    """The shipped packs: inside the package in a wheel, beside ``src`` in a working copy."""
    shipped = resources.files("dueprocess") / "rulepacks"
    return shipped if shipped.is_dir() else Path(__file__).resolve().parents[3] / "rulepacks"


def shipped_packs() -> dict[str, Pack]:
    """All shipped packs by id, in the order of their ids. Refuses two packs with one id."""
    found: dict[str, Pack] = {}
    for file in sorted(_pack_files(rulepacks_folder()), key=str):
        pack = parse_pack(_text(file), file.name)
        if pack.id in found:
            raise BrokenError("pack-twice", f"Two shipped packs call themselves {pack.id}.")
        found[pack.id] = pack
    if not found:
        raise BrokenError(
            "no-packs",
            "This installation has no rule packs.",
            do="Install it again; nothing can be assessed.",
        )
    return dict(sorted(found.items()))


def _pack_files(folder: Traversable) -> list[Traversable]:
    """Two levels, as shipped: a folder for each jurisdiction, with its packs."""
    inner = [each for folder_ in folder.iterdir() if folder_.is_dir() for each in folder_.iterdir()]
    return [file for file in inner if file.name.endswith(".toml") and not file.name.endswith(_CASES)]


def load_pack(path: Path) -> Pack:
    """The pack in a file. Refuses what is not a readable, strict pack."""
    return parse_pack(_text(path), path.name)


def check_pack(path: Path) -> CaseReport:
    """Runs the worked cases that stand beside a pack (``sca.toml``: ``sca.cases.toml``). Cases are required."""
    pack, beside = load_pack(path), path.with_name(path.name.removesuffix(".toml") + _CASES)
    cases = parse_cases(_text(beside), beside.name)
    outcomes = [(case.name, tuple(run_case(case, pack))) for case in cases]
    return CaseReport(pack, tuple(case.name for case in cases), tuple(each for each in outcomes if each[1]))


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
