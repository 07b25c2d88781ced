"""Dispatch: the manual, the commands (each imported only when called), and errors as exit codes."""

import errno
import json
import os
import sys
from difflib import get_close_matches
from typing import NoReturn

from dueprocess import __version__
from dueprocess.cli.manual import COMMANDS, manual
from dueprocess.errors import EXIT_CODES, DueprocessError, UnavailableError

INTERRUPTED = 130
USAGE = 2


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and exits with the code of its error's family."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("--help", "-h", "help"):
        sys.stdout.write(manual())
        sys.exit(0)
    if words[0] == "--version":
        print(f"dueprocess {__version__}")
        sys.exit(0)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    try:
        return _dispatch(words)
    except DueprocessError as error:
        return _fail(error, as_json="--json" in words)
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing was lost: run the same command again.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(_from_os(error), as_json="--json" in words)
    except ImportError as error:
        return _fail(_missing_extra(error), as_json="--json" in words)


def _dispatch(words: list[str]) -> int:
    from cyclopts import App, CycloptsError  # noqa: PLC0415  not needed for the manual

    app = App(
        name="dueprocess",
        version=__version__,
        help_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,  # else Ctrl-C ends in silence
    )
    known = {command.name for command in COMMANDS}
    if words[0] not in known:
        close = get_close_matches(words[0], sorted(known), n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        return _usage(
            f"dueprocess: there is no command {words[0][:40]!r}; {meant}See dueprocess --help", words
        )
    for command in COMMANDS:
        if command.name == words[0]:
            app.command(command.target, name=command.name, help=command.line)
    try:
        result = app(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _usage(f"dueprocess {words[0]}: {error} See dueprocess {words[0]} --help", words)
    return result if isinstance(result, int) else 0


def _usage(line: str, words: list[str]) -> int:
    if "--json" in words:
        print(json.dumps({"error": {"family": "usage", "code": "usage", "what": line}}, ensure_ascii=False))
    print(line, file=sys.stderr)
    return USAGE


_ADVICE: dict[str, str] = {
    "refused": "Look at the case with dueprocess show; a rule's no stands until a fact changes.",
    "malformed": "Correct what is named above, then run the same command again.",
    "conflict": "Look again at how things stand now, then decide again.",
    "unavailable": "Run the same command again once it answers.",
    "broken": "Stop. Run dueprocess fsck and find out who changed what.",
}
"""What to do where an error does not say it: who must act follows from its family."""


def _fail(error: DueprocessError, *, as_json: bool) -> int:
    error.do = error.do or _ADVICE[error.family]
    if as_json:
        print(json.dumps({"error": error.as_json()}, ensure_ascii=False))
    print(f"{error.family.capitalize()}: {error}", file=sys.stderr)
    return EXIT_CODES[type(error)]


def _from_os(error: OSError) -> UnavailableError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return UnavailableError(
        "disk-full" if full else "os-error",
        "The disk is full; nothing was lost." if full else f"The system refused: {error}",
        do="Make room and run the same command again." if full else "Look at the path and its permissions.",
    )


def _missing_extra(error: ImportError) -> UnavailableError:
    """The advice for a package that only the server extra brings; any other failed import is a bug of ours."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, ModuleNotFoundError) and cause.name):
        cause = cause.__cause__ or cause.__context__
    name = cause.name if isinstance(cause, ModuleNotFoundError) else None
    if name is None or name.startswith("dueprocess"):
        raise error
    return UnavailableError(
        "server-extra",
        f"This command needs the package {name}, which the base install does not bring.",
        do="Install the server extra: pip install 'dueprocess[server]'.",
    )
