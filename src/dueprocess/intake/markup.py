"""Words out of HTML, with nothing fetched, run or followed.

A page in a mail is a stranger's program. This reader keeps the words and the line breaks and drops tags,
scripts and styles. It is our own because the standard library's parser takes quadratic time on some broken
pages; every step here is linear.
"""

import html
import re

_SILENT = ("script", "style", "head", "title", "template", "svg")
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "hr", "blockquote", "td"})
_TAG = re.compile(r"</?([a-zA-Z!?][a-zA-Z0-9]{0,15})[^<>]{0,4000}>|<!>")


def words(markup: str) -> str:
    """The visible text of ``markup``, one block a line. Broken HTML gives what can be read of it."""
    shown = _without(markup, "<!--", "-->")
    for name in _SILENT:
        shown = _without(shown, f"<{name}", f"</{name}")
    text = _TAG.sub(lambda tag: "\n" if (tag[1] or "").lower() in _BREAKS else "", " ".join(shown.split()))
    lines = (" ".join(line.split()) for line in html.unescape(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _without(text: str, start: str, end: str) -> str:
    """``text`` without what stands from each ``start`` to the next ``end``; without an end, to the last character."""
    kept: list[str] = []
    lower, at = text.lower(), 0
    if len(lower) != len(text):  # a few letters change their length; then case has to match
        lower = text
    while (opened := _opens(lower, start, at)) >= 0:
        kept.append(text[at:opened])
        closed = lower.find(end, opened)
        if closed < 0:
            return "".join(kept)
        at = closed + len(end) if end == "-->" else closed
    return "".join([*kept, text[at:]])


def _opens(text: str, start: str, at: int) -> int:
    """Where ``start`` opens next; ``<head`` does not open ``<header``."""
    while (found := text.find(start, at)) >= 0:
        following = text[found + len(start) : found + len(start) + 1]
        if start == "<!--" or not following.isalnum():
            return found
        at = found + 1
    return -1
