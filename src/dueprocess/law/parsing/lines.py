"""Where a place of a TOML text stands: the line of ``instrument[3].reach[1].rule``.

`tomllib` keeps no positions, so this walks over the source once more, and only when there is something to say about it.
It expects a text that `tomllib` has read.
"""

import re
import tomllib

type Path = tuple[str | int, ...]
"""Keys, and numbers from 1 for the entries of lists: ``("instrument", 3, "reach", 1, "rule")``."""

_TEXTS = (
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}',
    r"'''(?:[^']++|'{1,2}(?!'))*+'{3,5}",
    r'"(?:[^"\\]++|\\.)*+"',
    r"'[^'\n]*'",
)
_TOKEN = re.compile(
    r"(?P<skip>[ \t\r]+|#[^\n]*)|" + "|".join(_TEXTS) + r"|[][{},=.\n]|[^][{},=.\s\"'#]+|.",
    re.DOTALL,
)
_DEEPEST = 12
"""A pack has nothing below this depth; what lies deeper is stepped over."""


def place_name(path: Path) -> str:
    """The path as people read it: ``instrument[3].reach[1].rule``."""
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name


def line_of(text: str, path: Path) -> int:
    """The line, from 1, on which this place begins; of the nearest thing around it where it is missing."""
    lines = _Walk(text).lines
    while path not in lines:
        path = path[:-1]
    return lines[path]


class _Walk:
    """One pass over the tokens. ``lines`` holds the line of every key, table and list entry."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._tokens = _tokens(text)
        self._at = 0
        base: Path = ()
        while self._look():
            if self._look() == "\n":
                self._next()
            elif self._look() == "[":
                base = self._header()
            else:
                self._pair(base)

    def _look(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)][1]

    def _next(self) -> str:
        token = self._look()
        self._at += 1
        return token

    def _header(self) -> Path:
        line = self._line()
        repeated = self._tokens[self._at + 1][0] == "["
        self._at += 2 if repeated else 1
        *outer, last = self._keys("]")
        self._at += 2 if repeated else 1
        path: Path = ()
        for key in outer:
            path = self._newest((*path, key))
            self.lines.setdefault(path, line)
        path = (*path, last)
        self.lines.setdefault(path, line)
        if repeated:
            self._counts[path] = self._counts.get(path, 0) + 1
        path = self._newest(path)
        self.lines.setdefault(path, line)
        return path

    def _newest(self, path: Path) -> Path:
        """The newest entry, where the path is that of repeated tables."""
        return (*path, self._counts[path]) if path in self._counts else path

    def _keys(self, end: str) -> list[str]:
        found = []
        while (part := self._next()) not in (end, ""):
            if part != ".":
                found.append(_key(part))
        return found or [""]

    def _pair(self, base: Path) -> None:
        line, path = self._line(), base
        for key in self._keys("="):
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._look()
        if opening == "[" and len(path) < _DEEPEST:
            self._inside(path, "]")
        elif opening == "{" and len(path) < _DEEPEST:
            self._inside(path, "}")
        else:
            self._step_over()

    def _inside(self, path: Path, end: str) -> None:
        """A list or an inline table, from its opening to its end."""
        self._next()
        count = 0
        while self._look() not in (end, ""):
            if self._look() in ("\n", ","):
                self._next()
            elif end == "}":
                self._pair(path)
            else:
                count += 1
                self.lines[*path, count] = self._line()
                self._value((*path, count))
        self._next()

    def _step_over(self) -> None:
        depth = 0
        while (token := self._look()) and (depth or token not in ("\n", ",", "]", "}")):
            depth += (token in ("[", "{")) - (token in ("]", "}"))
            self._next()


def _tokens(text: str) -> list[tuple[str, int]]:
    found, line = [], 1
    for match in _TOKEN.finditer(text):
        token = match.group()
        if match.lastgroup != "skip":
            found.append((token, line))
        line += token.count("\n")
    return found


def _key(token: str) -> str:
    return next(iter(tomllib.loads(f"{token} = 0"))) if token[0] in "\"'" else token
