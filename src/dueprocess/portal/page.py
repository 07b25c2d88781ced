"""The pages of the portal, in plain words: what waits here and how to fetch, check and open it."""

import functools
import re
from dataclasses import dataclass

from dueprocess.delivery.recipients import SUFFIX, Kind, kind_of
from dueprocess.delivery.releases import Release
from dueprocess.ui.rendering import render, stylesheet

_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,45}\])(?::[0-9]{1,5})?")
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?")
_UNITS = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))


@dataclass(frozen=True, slots=True)
class How:
    """How the holder of one kind of key works: what the key is called, and the commands that open a file."""

    words: str
    open_pass: str
    open_file: str


_AGE = How("your age key", "age -d -i YOUR-KEY.txt", "age -d -i YOUR-KEY.txt")
_CMS = "openssl cms -decrypt -inform DER -inkey YOUR-KEY.pem -recip YOUR-CERTIFICATE.pem"
_HOW: dict[Kind, How] = {
    "age": _AGE,
    "handover": _AGE,
    "openpgp": How("your OpenPGP key", "gpg -qd", "gpg -qd"),
    "cms": How("your certificate (CMS)", _CMS, f"{_CMS} -binary -in"),
}


def parcel_page(release: Release, host: str, *, whole: bool) -> bytes:
    """The page of one released parcel. ``host`` is how the reader got here; ``whole``: all of it was sent."""
    context = {
        "r": release,
        "whole": whole,
        "parcel_id": release.parcel_id,
        "how": _HOW[kind_of(release.recipient)],
        "size": size_in_words(release.size_bytes),
        "base": f"{address_of(host)}/parcels/{release.parcel_id}",
        "receipt_name": receipt_name(release),
    }
    return render("portal/parcel.html", stylesheet="../style.css", **context).encode()


@functools.cache
def nothing_page() -> bytes:
    """One page for everything that is not here, is over, or never was."""
    return render("portal/nothing.html", stylesheet="../style.css").encode()


@functools.cache
def style() -> bytes:
    """The one style sheet."""
    return stylesheet()


def challenge_name(release: Release) -> str:
    """The file name of a challenge."""
    return f"{release.parcel_id}.pass{SUFFIX[kind_of(release.recipient)]}"


def receipt_name(release: Release) -> str:
    """The file name of the encrypted receipt."""
    return f"{release.parcel_id}.receipt.json{SUFFIX[kind_of(release.recipient)]}"


def address_of(host: str) -> str:
    """The address to show for a Host header; a placeholder for one that is no plain host."""
    if not _HOST.fullmatch(host):
        return "https://THIS-SITE"
    return f"{'http' if _LOCAL.fullmatch(host) else 'https'}://{host}"


def size_in_words(size_bytes: int) -> str:
    """12.3 MiB (12,897,485 bytes)."""
    exact = f"{size_bytes:,} bytes"
    for unit, one in _UNITS:
        if size_bytes >= one:
            return f"{size_bytes / one:.1f} {unit} ({exact})"
    return exact
