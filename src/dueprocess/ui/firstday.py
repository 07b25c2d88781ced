"""What a host can do on the first day so that less is held: settings of the platform, each with its source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do: what for, the setting, what counts where nobody set it, and where this is written."""

    title: str
    setting: str
    default: str
    says: str
    source: str


_MANUAL = "https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html"
_SYNAPSE = (
    Advice(
        "Keep addresses of sessions for a shorter time",
        "user_ips_max_age: 7d",
        "28d",
        "How long Synapse tracks when and from which address a user was last seen. Set to null, it never clears them.",
        f"{_MANUAL}#user_ips_max_age",
    ),
    Advice(
        "Let devices that nobody uses be forgotten",
        "delete_stale_devices_after: 90d",
        "never",
        "Once a day Synapse logs out and deletes each device that was not used for so long. Tell your users first.",
        f"{_MANUAL}#delete_stale_devices_after",
    ),
    Advice(
        "Give messages an end",
        "retention: {enabled: true, default_policy: {max_lifetime: 1y}}",
        "off: messages stay for ever",
        "Messages older than this are purged, except the last one of each room; state events (names, joins, settings) "
        "stay. This deletes what people wrote: decide it with them.",
        f"{_MANUAL}#retention",
    ),
    Advice(
        "Let deleted messages go sooner",
        "redaction_retention_period: 1d",
        "7d",
        "How long the server keeps the words of a message that was deleted (redacted).",
        f"{_MANUAL}#redaction_retention_period",
    ),
    Advice(
        "Give uploads an end",
        "media_retention: {local_media_lifetime: 1y, remote_media_lifetime: 30d}",
        "off: uploads stay for ever",
        "Files that nobody opened for so long are purged. Their thumbnails go with them.",
        f"{_MANUAL}#media_retention",
    ),
    Advice(
        "Drop rooms that everybody has left",
        "forgotten_room_retention_period: 28d",
        "off: they stay",
        "Rooms that all local users have left and forgotten are purged after this time.",
        f"{_MANUAL}#forgotten_room_retention_period",
    ),
    Advice(
        "Look at the logs as well",
        "log_config",
        "as your logging is set up",
        "Synapse's request log has the address, the account and the program of each request, and your web server "
        "keeps one of its own. This page counts no logs.",
        "https://element-hq.github.io/synapse/latest/usage/administration/request_log.html",
    ),
)

FIRST_DAY: Mapping[str, tuple[Advice, ...]] = {"synapse": _SYNAPSE}
"""By the id of the map."""


@dataclass(frozen=True, slots=True)
class MapNotes:
    """What the head of a map says in words: what it leaves out and why, and what to know about the platform."""

    left_out: tuple[tuple[str, str], ...]
    """Pairs: the kind and why, and the names of tables and columns."""
    traps: str


def map_notes(text: str) -> MapNotes:
    """The notes in the comments at the head of a map's text; empty where it has none."""
    left_out = [" ".join(lines) for lines in _items(_block(text, r"deliberately not listed:$"))]
    traps = " ".join(line.strip() for line in _block(text, r"^traps:$"))
    return MapNotes(tuple(_split(item) for item in left_out), traps)


def _block(text: str, heading: str) -> list[str]:
    """The comment lines below a heading, until an empty comment or the end of the comments."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        said = line.removeprefix("#")
        if not line.startswith("#") or (inside and not said.strip()):
            if inside:
                break
        elif inside:
            found.append(said)
        else:
            inside = re.search(heading, said.strip(), re.IGNORECASE) is not None
    return found


def _items(lines: list[str]) -> list[list[str]]:
    """Lines in groups: each item begins with three spaces, its further lines with more."""
    found: list[list[str]] = []
    for line in lines:
        if found and line.startswith("    "):
            found[-1].append(line.strip())
        else:
            found.append([line.strip()])
    return found


def _split(item: str) -> tuple[str, str]:
    title, colon, names = item.rstrip(";.").partition(": ")
    return (title, names) if colon else ("also", title)
