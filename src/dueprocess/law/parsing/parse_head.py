"""The head of a pack: whose law it is, which clocks of the wall it follows and which days do not work."""

import re
import zoneinfo

from dueprocess.law.parsing.table import Table

_COUNTRY = re.compile(r"[A-Z]{2}")
_SLIPS = {"UK": "GB", "EL": "GR"}
"""What people write for a country although ISO 3166-1 says something else."""
_REGION = re.compile(r"issuer|[A-Z]{2}(-[A-Z0-9]{1,3})?")
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2}")


def countries(head: Table) -> tuple[str, ...]:
    """The States whose law this is, as codes of ISO 3166-1 alpha-2."""
    found = head.names("countries")
    for n, code in enumerate(found, 1):
        _check_country(head, ("countries", n), code)
    return found


def _check_country(head: Table, inner: tuple[str | int, ...], code: str) -> None:
    if not _COUNTRY.fullmatch(code) or code in _SLIPS:
        wanted = _SLIPS.get(code.upper(), code.upper())
        do = (
            f'Write "{wanted}".'
            if _COUNTRY.fullmatch(wanted)
            else 'Write two upper-case letters such as "DE".'
        )
        head.fail_at(inner, f"{code[:40]!r} is no country code of ISO 3166-1 alpha-2.", do=do)


def zone(head: Table) -> str:
    """The law's time zone, empty where none is named."""
    found = head.text("zone") if head.has("zone") else ""
    if found:
        _check_zone(head, ("zone",), found)
    return found


def zones(head: Table) -> dict[str, str]:
    """Time zones by country of the authority; only countries of the pack, where it lists any."""
    found, listed = head.texts("zones"), head.content.get("countries", [])
    for code, name in found.items():
        _check_country(head, ("zones", code), code)
        _check_zone(head, ("zones", code), name)
        if listed and code not in listed:
            head.fail_at(
                ("zones", code),
                f"{code} is not in `countries`.",
                do=f'Add "{code}" there, or remove it here.',
            )
    return found


def _check_zone(head: Table, inner: tuple[str | int, ...], name: str) -> None:
    """Only names of the shape Area/Place: the folder of zones holds other files, some of them about this machine."""
    try:
        if _ZONE.fullmatch(name):
            zoneinfo.ZoneInfo(name)
            return
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        pass
    head.fail_at(
        inner, f"There is no time zone {name[:60]!r}.", do='Write an IANA name such as "Europe/Berlin".'
    )


def holidays(head: Table) -> str:
    """The region of the calendar for working days, empty where none is named."""
    found = head.text("holidays") if head.has("holidays") else ""
    if found and not _REGION.fullmatch(found):
        head.fail(
            "holidays",
            f"{found[:40]!r} is no region.",
            do='Write a code such as "DE" or "GB-ENG", or "issuer".',
        )
    return found
