"""What a mail's headers say about who sent it, and, beside each, what that does not prove.

Nothing here asks the network, and nothing is ever called verified: a mailbox can be stolen, and every header
below the ones that your own server wrote can be typed by anybody.

Source: RFC 5322 section 3.6 (headers are written by the sender); RFC 8601 section 1.6 and 5 (an
Authentication-Results header counts only when your own server added it); RFC 6376 (DKIM).
"""

import re
import unicodedata
from dataclasses import dataclass
from email.utils import parseaddr

from dueprocess.intake.paper import Paper
from dueprocess.intake.places import clean
from dueprocess.wire import Json

_FREE = """gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com icloud.com
me.com proton.me protonmail.com pm.me tutanota.com tuta.com gmx.de gmx.net gmx.com web.de t-online.de mail.com
mail.ru yandex.ru yandex.com zoho.com fastmail.com posteo.de mailbox.org qq.com 163.com"""
FREE_MAIL = frozenset(_FREE.split())
_GOVERNMENT = re.compile(
    r"(^|\.)(gov|mil|gouv|gob|gov\.[a-z]{2}|police\.uk|gouv\.[a-z]{2}|gob\.[a-z]{2}|bund\.de|europa\.eu|"
    r"admin\.ch|gv\.at|gc\.ca|go\.jp)$"
)
_JOINED = re.compile(r"(^|-)(gov|police|polizei|fbi|europol|court)-|-(gov|police|polizei|fbi|europol|court)$")
_GOVERNMENT_WORD = re.compile(r"(gov|police|polizei|court|justice|justiz|fbi|europol|bka|sheriff|ministry)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the headers. ``proves`` is small on purpose; nothing here says that the sender is real."""

    code: str
    text: str
    proves: str
    does_not_prove: str

    def as_json(self) -> dict[str, Json]:
        return {
            "code": self.code,
            "text": self.text,
            "proves": self.proves,
            "does_not_prove": self.does_not_prove,
        }


def address_of(header: str) -> tuple[str, str]:
    """Display name and address of a From-like header, both cleaned; empty where there is none."""
    name, address = parseaddr(header[:2000])
    if "@" not in address:
        found = re.search(r"[^\s<>,;\"']{1,64}@[^\s<>,;\"']{1,255}", header[:2000])
        address = found[0] if found else ""
    return clean(name), clean(address).lower()


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip(".> ").lower()


def sender_evidence(paper: Paper) -> tuple[Finding, ...]:
    """What the headers of this paper show, each with what it does not prove. Empty headers are a finding too."""
    signed = _signatures(paper)
    if not paper.headers:
        return (
            *signed,
            Finding(
                "no-headers",
                "There are no mail headers in this file.",
                "nothing about who sent it",
                "a paper alone shows no sender: letterheads and seals can be copied",
            ),
        )
    name, address = address_of(paper.header("From"))
    domain = domain_of(address)
    found = [
        *signed,
        *_sender(paper, address, domain),
        *_name(name, address),
        *_domain(domain),
        *_lookalike(domain),
        *_authentication(paper),
    ]
    return tuple(found)


def _signatures(paper: Paper) -> list[Finding]:
    return [
        Finding(
            "pdf-signature",
            f"{name} carries a field for a PDF signature; it was not checked here.",
            "nothing until it is checked, with the certificate's owner and issuer",
            "an authority, by itself: anyone can make a certificate",
        )
        for name in paper.signature_fields
    ]


def _sender(paper: Paper, address: str, domain: str) -> list[Finding]:
    found = [
        Finding(
            "from",
            f"The From header says {address or 'nothing'}.",
            "what somebody wrote there",
            "that this mailbox sent it, or that its owner did",
        )
    ]
    for header in ("Reply-To", "Return-Path", "Sender"):
        _, other = address_of(paper.header(header))
        if other and domain_of(other) != domain:
            found.append(
                Finding(
                    f"{header.lower()}-differs",
                    f"{header} is {other}: another domain than From.",
                    "your answer or the bounce goes somewhere else than the name you see",
                    "fraud by itself: mailing services do it too",
                )
            )
    return found


def _name(name: str, address: str) -> list[Finding]:
    _, shown = address_of(name)
    if shown and domain_of(shown) != domain_of(address):
        return [
            Finding(
                "name-shows-another-address",
                f"The display name shows {shown}, the address is {address}.",
                "somebody wants you to see another address",
                "who that is",
            )
        ]
    if _GOVERNMENT_WORD.search(name.lower()) and not _GOVERNMENT.search(domain_of(address)):
        return [
            Finding(
                "name-claims-authority",
                f"The display name {name[:60]!r} names an authority, the address is not on a government domain.",
                "that the name was typed in; anyone can",
                "that it is false: not every authority has a government domain",
            )
        ]
    return []


def _domain(domain: str) -> list[Finding]:
    if domain in FREE_MAIL:
        return [
            Finding(
                "free-mail",
                f"{domain} is a free-mail service.",
                "anyone can have such an address in a minute",
                "that it is false; but no authority serves papers from there without another way to check",
            )
        ]
    if _GOVERNMENT.search(domain):
        return [
            Finding(
                "government-ending",
                f"{domain} has a government ending.",
                "the text of the header only",
                "the sender: From can be forged, and real police mailboxes are stolen and sold",
            )
        ]
    return []


def _lookalike(domain: str) -> list[Finding]:
    reasons = []
    labels = domain.split(".")
    if not _GOVERNMENT.search(domain):
        if {"gov", "gouv", "gob"} & set(labels[:-1]):
            reasons.append("a government ending stands before the real ending")
        elif any(_JOINED.search(each) for each in labels):
            reasons.append("a government word is part of a name that anyone could register")
    if any(each.startswith("xn--") for each in labels):
        reasons.append("it is written in punycode (xn--): it shows as other letters than it has")
    if len(_scripts(domain)) > 1:
        reasons.append("it mixes letters of several scripts")
    return [
        Finding(
            "look-alike",
            f"{domain}: {'; '.join(reasons)}. The part that counts is its end: {'.'.join(labels[-2:])}.",
            "that the name can be mistaken for another",
            "intent; but answer nothing to it before a call-back",
        )
    ][: 1 if reasons else 0]


def _scripts(domain: str) -> set[str]:
    """Scripts of the letters, by the first word of their Unicode names."""
    return {unicodedata.name(each, "UNKNOWN").split()[0] for each in domain if each.isalpha()}


def _authentication(paper: Paper) -> list[Finding]:
    found = []
    results = paper.all_headers("Authentication-Results")
    if results:
        said = re.findall(r"\b(dkim|spf|dmarc)\s*=\s*([a-z]+)", results[0].lower())
        shown = ", ".join(f"{method}={result}" for method, result in said[:4]) or "no result"
        writer = clean(results[0].split(";")[0])[:60]
        found.append(
            Finding(
                "authentication-results",
                f"A header claims: {shown} (written by {writer or 'nobody named'}).",
                "something only if your own mail server wrote it: compare that name with yours",
                "anything else: anyone can type this header; and a pass means the domain, not the person",
            )
        )
    if paper.header("DKIM-Signature"):
        signer = re.search(r"\bd\s*=\s*([^;\s]+)", paper.header("DKIM-Signature"))
        found.append(
            Finding(
                "dkim-present",
                f"A DKIM signature for {clean(signer[1])[:80] if signer else 'no domain'} is there; "
                "it was not checked here.",
                "nothing until it is checked against the domain's key",
                "the person, even when it checks out: a stolen mailbox signs too",
            )
        )
    if not found:
        found.append(
            Finding(
                "no-authentication",
                "No mail server left a check of the sender (SPF, DKIM, DMARC) in this file.",
                "nothing either way",
                "that the mail is false: some programs drop these headers when they save a mail",
            )
        )
    return found
