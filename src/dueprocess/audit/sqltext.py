"""SQL as it stands in a database's log: shown without the values in it, and looked at for what it reads.

Values may be personal data, so nothing here hands out a literal or a comment. Whether a statement reads a table is
judged on the safe side: what cannot be told counts as reading.
"""

import re
from collections.abc import Iterable

SHOWN = 200
"""The most characters of a statement that are shown."""

_PIECES = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<text> [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | (?:[bBxX]|[uU]&)?'(?:[^']|'')*(?:'|\Z) )
    | (?P<dollar> \$(?P<tag>[A-Za-z_]\w*|)\$ .*? (?:\$(?P=tag)\$|\Z) )
    | (?P<name> "(?:[^"]|"")*(?:"|\Z) )
    | (?P<place> \$\d+ )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<number> (?:\d[\w.]*|\.\d[\w.]*) )
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = re.compile(r'"((?:[^"]|"")*)"|([^\W\d][\w$]*)')

_WRITING = frozenset({
    "insert", "update", "delete", "merge", "create", "alter", "drop", "truncate", "grant", "revoke", "comment",
    "analyze", "vacuum", "reindex", "cluster", "checkpoint", "lock", "set", "reset", "begin", "start", "commit",
    "end", "rollback", "abort", "savepoint", "release", "close", "discard", "listen", "unlisten", "notify", "show",
})  # fmt: skip
_GIVING = frozenset({"select", "returning", "perform"})


def without_values(text: str) -> str:
    """The statement on one line with ``?`` for each literal and number, without comments, cut to ``SHOWN``."""
    shown = " ".join(_PIECES.sub(_hidden, text).split())
    shown = "".join(each if each.isprintable() else "?" for each in shown)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def _hidden(piece: re.Match[str]) -> str:
    if piece["comment"] is not None:
        return " "
    return piece[0] if piece.lastgroup in ("name", "place", "word") else "?"


def one_line(text: str) -> str:
    """The statement with single spaces: how two spellings of one query are compared."""
    return " ".join(text.split())


def names_one(text: str, tables: Iterable[str]) -> bool:
    """Whether the statement names one of these tables anywhere, also inside of a literal that it may run."""
    wanted = {each.lower() for each in tables}
    found = (match[1] if match[1] is not None else match[2] for match in _WORD.finditer(text))
    return any(each.replace('""', '"').lower() in wanted for each in found)


def may_read(text: str) -> bool:
    """Whether the statement may give out rows. False only for what plainly writes, changes or rules."""
    bare = _PIECES.sub(lambda each: " " if each["comment"] is not None else each[0], text)
    words = [each.lower() for each in re.findall(r"[^\W\d]\w*", bare)]
    if not words:
        return False
    if words[0] == "copy":
        return "to" in words or "select" in words
    return words[0] not in _WRITING or not _GIVING.isdisjoint(words)
