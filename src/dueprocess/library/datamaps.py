"""Data maps from disk: the shipped ones and a file of your own. Reading is all that happens here.

What a map means is `dueprocess.plan`; whether the live stores look like it is asked by production.
"""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from dueprocess.errors import BrokenError, ConflictError, MalformedError, RefusedError, UnavailableError
from dueprocess.plan import DataMap, parse_map

MOST_BYTES = 16 * 1024 * 1024
"""A map of 10,000 tables has about 4 MB; a larger file is something else."""


def datamaps_folder() -> Traversable:
    """The shipped maps: inside the package in a wheel, beside ``src`` in a working copy."""
    shipped = resources.files("dueprocess") / "datamaps"
    return shipped if shipped.is_dir() else Path(__file__).resolve().parents[3] / "datamaps"


def shipped_maps() -> dict[str, DataMap]:
    """All shipped maps by id, in the order of their ids. Refuses two maps with one id."""
    found: dict[str, DataMap] = {}
    for file in sorted(datamaps_folder().iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            datamap = parse_map(_text(file), file.name)
            if datamap.id in found:
                raise BrokenError("map-twice", f"Two shipped data maps call themselves {datamap.id}.")
            found[datamap.id] = datamap
    return dict(sorted(found.items()))


def load_map(path: Path) -> DataMap:
    """The map in a file. Refuses what is not a readable, strict map."""
    return parse_map(_text(path), path.name)


def map_source(name: Path) -> Path | Traversable:
    """Where a map lies that a person names: a file, or the name of a shipped map where there is no such file."""
    if name.is_file():
        return name
    shipped = datamaps_folder() / f"{name}.toml"
    if len(name.parts) == 1 and shipped.is_file():
        return shipped
    if name.exists() or name.suffix:
        return name  # reading it says what is wrong with it
    raise RefusedError(
        "no-such-map",
        f"There is no data map {str(name)!r}.",
        do="Name a file, or a shipped map: dueprocess datamap list.",
    )


def named_map(name: Path) -> DataMap:
    """The map that a person names, by its file or its shipped name."""
    source = map_source(name)
    return parse_map(_text(source), source.name)


def write_new(path: Path, text: str) -> None:
    """Writes a draft into a file that is not there yet. Refuses to write over one."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise ConflictError(
            "file-exists",
            f"{path.name} is there already, and a person may have worked on it.",
            do="Name another file with --out.",
        ) from error
    except OSError as error:
        raise UnavailableError(
            "not-writable",
            f"The draft cannot be written to {path.name}.",
            why=str(error),
            do="Name another file.",
        ) from error


def _text(file: Traversable) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnavailableError(
            "map-unreadable",
            f"The data map {file.name} cannot be read.",
            why=str(error),
            do="Check the path and its permissions; `dueprocess datamap list` names the shipped ones.",
        ) from error
    if len(content) > MOST_BYTES:
        raise MalformedError("data-map", f"{file.name}: this is larger than any data map.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("data-map", f"{file.name}: this is not UTF-8.", why=str(error)) from error
