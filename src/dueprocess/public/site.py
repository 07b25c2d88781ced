"""A WSGI application that hands out the public pages and the public log, with strict headers.

It reads two folders and nothing else; the same files can be served by any web server.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from whitenoise import WhiteNoise

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def site(root: Path) -> Application:
    """The site of one installation: ``public/`` at the root, ``log/`` under ``log/``. Files may change meanwhile."""

    def nothing(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8"), *HEADERS])
        return [b"There is no such page.\n"]

    def add_headers(headers: object, path: str, url: str) -> None:
        del path, url
        for name, value in HEADERS:
            headers[name] = value  # type: ignore[index]  # wsgiref.headers.Headers

    files = WhiteNoise(nothing, autorefresh=True, index_file=True, add_headers_function=add_headers)
    files.add_files(str(root / "public"), prefix="/")
    files.add_files(str(root / "log"), prefix="log/")
    application: Application = files
    return application


def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Entry point for WSGI servers: the installation is named by DUEPROCESS_INSTALL."""
    return site(Path(os.environ["DUEPROCESS_INSTALL"]))(environ, start)
