"""Words out of HTML, with nothing fetched, run or followed.

A page in a mail is a stranger's program. This reader keeps the words and the line breaks, drops scripts,
styles and everything hidden behind an address, and names links only by their host.
"""

from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "head", "title", "template", "svg", "object"})
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "hr", "blockquote", "td"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the base class names it
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag in _BREAKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent and self._silent.pop() != tag:
                pass
        elif tag in _BREAKS and tag not in _VOID:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))


def words(markup: str) -> str:
    """The visible text of ``markup``, one block a line. Broken HTML gives what can be read of it."""
    reader = _Words()
    reader.feed(markup)
    reader.close()
    lines = (line.strip() for line in "".join(reader.found).split("\n"))
    return "\n".join(line for line in lines if line)
