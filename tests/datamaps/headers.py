"""What a map's header says, read as a machine: the statements in it, and the names of tables."""

import re
from importlib.resources.abc import Traversable

from dueprocess.library.datamaps import datamaps_folder

_STATEMENT = re.compile(r"^#   (?:GRANT|CREATE) [^;]*;", re.MULTILINE)
_GRANT = re.compile(r"GRANT SELECT(?: \(([^)]*)\))? ON (.*?) TO dueprocess;", re.DOTALL)


def text_of(name: str) -> str:
    """A shipped map as it is written."""
    file: Traversable = datamaps_folder() / f"{name}.toml"
    return file.read_text("utf-8")


def header_of(name: str) -> str:
    """Everything before the first table of the map."""
    return text_of(name).partition("\n[map]")[0]


def statements(name: str) -> list[str]:
    """The SQL that the header tells the operator to run, in its order: views first, rights after them."""
    found = [
        re.sub(r"\n#\s*", " ", each).removeprefix("#   ") for each in _STATEMENT.findall(header_of(name))
    ]
    return sorted(found, key=lambda each: each.startswith("GRANT"))


def rights(name: str) -> set[tuple[str, str | None]]:
    """(table, column) of each right in the header; None for a whole view."""
    found: set[tuple[str, str | None]] = set()
    for statement in statements(name):
        if match := _GRANT.fullmatch(statement):
            columns = [each.strip().strip('"') for each in match[1].split(",")] if match[1] else [None]
            found |= {(table.strip(), column) for table in match[2].split(",") for column in columns}
    return found
