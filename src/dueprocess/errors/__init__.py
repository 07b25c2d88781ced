"""Five families of error, by who must act.

=====================  ==========================================  =========
family                 meaning                                     who acts
=====================  ==========================================  =========
``RefusedError``       a rule says no; carries its source          the asker
``MalformedError``     input bytes are not what they claim         the sender
``ConflictError``      somebody else was faster                    reload
``UnavailableError``   something outside does not answer           wait
``BrokenError``        integrity is lost; never caught             page someone
=====================  ==========================================  =========

Each error says what, why, what to do, and the source (a statute, a section of a specification).
The tables ``EXIT_CODES`` and ``HTTP_STATUS`` are the only places that translate a family.
"""


class DueprocessError(Exception):
    """One thing that went wrong, in a form a hurried person can act on.

    ``code`` is stable and may be matched by programs; the sentences may change.
    """

    family = "error"

    def __init__(self, code: str, what: str, *, why: str = "", do: str = "", source: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.do = do
        self.source = source

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """What, why, what to do, source: one line each, empty ones left out."""
        parts = [self.what]
        parts += [f"Why: {self.why}"] if self.why else []
        parts += [f"What to do: {self.do}"] if self.do else []
        parts += [f"Source: {self.source}"] if self.source else []
        return parts

    def as_json(self) -> dict[str, str]:
        return {
            "family": self.family,
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "do": self.do,
            "source": self.source,
        }


class RefusedError(DueprocessError):
    """A rule says no. Asking again changes nothing until a fact changes."""

    family = "refused"


class MalformedError(DueprocessError):
    """The input is not what it claims to be. ``why`` names the place (line, field, offset)."""

    family = "malformed"


class ConflictError(DueprocessError):
    """Somebody else wrote first. Nothing was lost: reload and decide again."""

    family = "conflict"


class UnavailableError(DueprocessError):
    """Something outside does not answer. The same command can be run again."""

    family = "unavailable"


class BrokenError(DueprocessError):
    """Integrity is lost: what is stored contradicts itself. Never caught, never retried."""

    family = "broken"


EXIT_CODES: dict[type[DueprocessError], int] = {
    RefusedError: 3,
    MalformedError: 4,
    ConflictError: 5,
    UnavailableError: 6,
    BrokenError: 7,
}
"""Exit code of a command per family. 0 is success, 1 a bug, 2 a usage error, 130 an interruption."""

HTTP_STATUS: dict[type[DueprocessError], int] = {
    RefusedError: 403,
    MalformedError: 400,
    ConflictError: 409,
    UnavailableError: 503,
    BrokenError: 500,
}
"""HTTP status per family (RFC 9110)."""
