"""The shipped packs as the documents need them: by id, with their files and the number of their worked cases."""

import datetime as dt
from functools import cache

from dueprocess.law import Pack, parse_cases
from dueprocess.library.packs import rulepacks_folder, shipped_as_written, shipped_file, shipped_packs


@cache
def written() -> dict[str, Pack]:
    """Each pack as its file says, by id."""
    return shipped_as_written()


@cache
def applied() -> dict[str, Pack]:
    """Each pack as it is applied, by id."""
    return shipped_packs()


@cache
def file_of(pack_id: str) -> str:
    """``us/sca.toml``."""
    return shipped_file(pack_id).name


def case_count(pack_id: str) -> int:
    """How many worked cases stand beside a pack."""
    folder, _, name = file_of(pack_id).partition("/")
    beside = rulepacks_folder() / folder / (name.removesuffix(".toml") + ".cases.toml")
    return len(parse_cases(beside.read_text(encoding="utf-8"), name))


def day_of(pack: Pack) -> dt.date:
    """The day in a pack's version: the documents answer for this day, so that they change only with the pack."""
    year, month, day = pack.version.split(".")[:3]
    return dt.date(int(year), int(month), int(day))
