"""The stores' credentials: NAME=value lines in a file that only the production worker's user can read."""

from collections.abc import Mapping
from pathlib import Path

from dueprocess.errors import MalformedError, UnavailableError


def read_environment(path: Path, process: Mapping[str, str]) -> dict[str, str]:
    """Values for the ``${NAME}`` of a data map: the file's lines, under the process's own environment."""
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError("no-stores-env", f"{path.name} cannot be read.", why=str(error)) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise MalformedError("bad-stores-env", f"Line {number} of {path.name} is not NAME=value.")
        found[name.strip()] = value.strip()
    return {**found, **process}
