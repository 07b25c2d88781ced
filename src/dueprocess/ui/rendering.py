"""One environment for all pages: escaped by default, no name may be missing, no script, no inline style."""

import functools
import importlib.resources
import re
from typing import Any

import jinja2

from dueprocess.errors import MalformedError
from dueprocess.notice.words import clean, counted, day, moment, plain
from dueprocess.ui.serving_words import FILTERS

_ADDRESS = re.compile(r"(https?://)?[\w.~%@+#-][\w./~%@+#-]*")
_PACKAGE = "dueprocess.ui"


def render(template: str, **context: Any) -> str:
    """A page from its template. Every value is escaped; a missing one is an error, not an empty place."""
    return _environment().get_template(template).render(**context)


def stylesheet() -> bytes:
    """The one CSS file of all pages and letters."""
    return importlib.resources.files(_PACKAGE).joinpath("tokens.css").read_bytes()


def address(value: str) -> str:
    """A link to a file beside the page or to a web address. Refuses every other scheme, scripts among them."""
    if not _ADDRESS.fullmatch(value):
        raise MalformedError(
            "bad-address",
            f"A page does not link to {clean(value)[:60]!r}.",
            why="A link leads to a file beside the page, by its relative path, or to https:// or http://.",
        )
    return value


@functools.cache
def _environment() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"day": day, "moment": moment, "counted": counted, "plain": plain, "address": address}
    pages.filters |= filters | FILTERS
    return pages
