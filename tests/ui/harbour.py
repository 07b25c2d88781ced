"""An operator with a fictional law, its page for authorities and its profile, to be read by tests."""

import datetime as dt
import json
import pathlib
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from dueprocess.law import Pack, effective, parse_packs
from dueprocess.library.packs import shipped_packs
from dueprocess.notice import Sender
from dueprocess.ui import WELL_KNOWN, LogHead, PublicFacts, render_public_site

ROOT = pathlib.Path(__file__).parents[2]
SPEC = ROOT / "specs" / "intake"
HARBOUR = (pathlib.Path(__file__).parent / "data" / "harbour.toml").read_text(encoding="utf-8")
TODAY = dt.date(2026, 11, 22)
SHIPPED = shipped_packs()
LOG = LogHead(
    "chat.example/dueprocess/1", 7, "00", dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
    "chat.example/dueprocess/1+0a+QQ==", "log/", "policy.txt",
)  # fmt: skip


def harbour(text: str = HARBOUR) -> tuple[Pack, ...]:
    """The fictional law, as it applies."""
    return effective(parse_packs([("harbour.toml", text)]))


def facts(packs: tuple[Pack, ...], **changes: Any) -> PublicFacts:
    given: dict[str, Any] = {
        "origin": "chat.example/dueprocess/1",
        "operator": Sender("Chat at Home", "privacy@chat.example", "1 Harbour Street, Exampletown"),
        "about": "A small chat server.",
        "country": "XA",
        "serve_at": "papers@chat.example",
        "emergency_at": "+1 555 0100",
        "languages": ("en", "de", "tlh"),
        "on": TODAY,
        "packs": packs,
        "log": LOG,
    }
    return PublicFacts(**{**given, **changes})


class Page(HTMLParser):
    """A page as text, with its tags, ids and links, and the text under each heading of a paper."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.section = ""
        self.sections: dict[str, list[str]] = {}
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag in ("h2", "h3"):
            self.section = given.get("id") or ""

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        self.sections.setdefault(self.section, []).append(data)

    @property
    def text(self) -> str:
        return spaced("".join(self.words))

    def under(self, section: str) -> str:
        return spaced("".join(self.sections[section]))


def spaced(text: str) -> str:
    return " ".join(text.split())


ALL = tuple(SHIPPED.values())
OF_HARBOUR = (*harbour(), SHIPPED["baseline"])


def both(packs: tuple[Pack, ...], **changes: Any) -> tuple[Page, Any]:
    """The page and the parsed profile."""
    site = render_public_site(facts(packs, **changes))
    return Page(site["serve.html"]), json.loads(site[WELL_KNOWN])


def papers(profile: Any) -> Iterator[tuple[Any, Any]]:
    for pack in profile["packs"]:
        for paper in pack["instruments"]:
            yield pack, paper


def texts(value: Any, within: str = "") -> Iterator[tuple[str, str]]:
    """Every sentence for people in the profile, with the member that it stands in."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, f"{within}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, within)
    elif isinstance(value, str):
        yield within, value
