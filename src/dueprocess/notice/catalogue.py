"""Catalogue: the words of the letters in each language, from the ``.po`` files beside the templates.

The templates are English. A language exists once its file does, and a letter is never half in one language and half
in another: a sentence without translation stops it. No compiled file is kept; the ``.po`` file is read at first use.
"""

import functools
import gettext
import io
from importlib.resources import files

from dueprocess.errors import BrokenError, RefusedError

SOURCE_LANGUAGE = "en"
_FOLDER = files("dueprocess.notice") / "locale"


def languages() -> tuple[str, ...]:
    """Codes of the languages in which letters exist, English first."""
    found = sorted(each.name for each in _FOLDER.iterdir() if each.joinpath("LC_MESSAGES").is_dir())
    return (SOURCE_LANGUAGE, *found)


@functools.cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The translations into one language. Refuses a language that does not exist, and names those that do."""
    if language not in languages():
        raise RefusedError(
            "unknown-language",
            f"No letters are written in {language[:20]!r}.",
            why="A letter in a language that nobody has checked could say something else.",
            do=f"Choose one of: {', '.join(languages())}.",
        )
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    translations = gettext.GNUTranslations(io.BytesIO(_compiled(language)))
    translations.add_fallback(_Untranslated())
    return translations


def known(language: str, text: str) -> str | None:
    """The translation of a rule pack's sentence; None where the catalogue has none."""
    if language == SOURCE_LANGUAGE:
        return text
    try:
        return catalogue(language).gettext(text)
    except BrokenError:
        return None


def _compiled(language: str) -> bytes:
    # Here and not above: only letters need babel's reader, dates are wanted far more often.
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - see above
    from babel.messages.pofile import read_po  # noqa: PLC0415 - see above

    file = _FOLDER / language / "LC_MESSAGES" / "letters.po"
    out = io.BytesIO()
    write_mo(out, read_po(io.BytesIO(file.read_bytes()), locale=language))
    return out.getvalue()


class _Untranslated(gettext.NullTranslations):
    """What is asked when the catalogue has no translation."""

    def gettext(self, message: str) -> str:
        raise BrokenError(
            "untranslated",
            f"A letter has a sentence without translation: {message[:80]!r}.",
            do="Add it to the catalogue of this language, or write the letter in English.",
        )
