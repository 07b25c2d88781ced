"""`dueprocess portal`: let authorities fetch the answers that were released to them."""

import os
import sys
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.library.installation import open_installation

_KEPT = ("PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV")


def portal_command(
    *,
    host: Annotated[
        str, Parameter(help="where to listen; put a web server with https before it")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="0: a free one")] = 8081,
    place: Place | None = None,
) -> None:
    """Serve released answer packages until it is stopped. It gets two folders, no key and no database."""
    at = place or Place()
    words, environment = portal_words(at, host, port)
    os.execve(sys.executable, words, environment)  # noqa: S606  our own program takes this one's place


def portal_words(at: Place, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command line of the portal and all that it may see of the environment."""
    found = open_installation(at.folder)
    words = [sys.executable, "-m", "dueprocess.portal.server", "--host", host, "--port", str(port)]
    words += ["--releases", str(found.root / "releases"), "--fetched", str(found.root / "fetched")]
    if found.clock_mode == "simulated":
        words += ["--clock", str(found.clock_file)]
    return words, {name: os.environ[name] for name in _KEPT if name in os.environ}
