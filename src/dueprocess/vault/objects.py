"""What the vault needs of a place that keeps bytes: names that are written once, and folders that go as a whole.

A name is ``ab/<32 hex digits>/<64 hex digits>``: the first two digits of the case id, then HMACs that only the case's
key gives. So a place learns how many objects a case has, how large they are and when they came, and nothing else.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as the place lists it."""

    name: str
    size: int
    changed_at: dt.datetime


class Objects(Protocol):
    """A place for ciphertext. Every method refuses with ``UnavailableError`` when the place does not answer."""

    def put(self, name: str, content: bytes) -> bool:
        """Keeps an object, whole and safe when it returns. False, and nothing changed, if the name is taken."""

    def get(self, name: str) -> bytes | None:
        """The object's bytes, None where there is none."""

    def has(self, name: str) -> bool:
        """Whether there is an object of this name."""

    def listed(self, folder: str = "") -> Iterator[Stored]:
        """Every object below a folder, in order of names; half-written ones are none."""

    def drop(self, name: str) -> None:
        """Removes one object, whether it is there or not."""

    def remove(self, folder: str) -> int:
        """Removes everything below a folder, half-written objects too. Returns how many. Can be run again."""

    def leftovers(self, before: dt.datetime) -> list[str]:
        """Names of half-written objects that are older than this."""

    def about(self) -> str:
        """Where it is and what it promises, in one line for people."""
