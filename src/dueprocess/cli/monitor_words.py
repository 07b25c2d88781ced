"""What each alarm means, for somebody who has never heard of any of this: one entry for each kind.

Used in the letter of an evidence folder and where somebody checks such a folder again.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One kind of alarm in everyday words."""

    title: str
    matters: str
    innocent: str


_GROWS = (
    "Such a log may only grow. If it can show one past to you and another to somebody else, the record of what was"
    " done with people's data can be made to disappear."
)
_PACE = (
    "Every time slot gets one entry, also when nothing happened. If entries are missing or late, something may have"
    " been left out, or dated differently from when it was done."
)
_SIGNED = (
    "A head is believed only if the log's own keys signed it. Without that, anybody could have made it up."
)
_WITNESSED = (
    "Independent timekeepers are other people's machines that sign what they saw and when. Without enough of them the"
    " operator alone says when things were recorded, and could show different logs to different people."
)
_RULES = (
    "The log publishes the rules that it runs under, so that nobody can change them quietly or for the past."
)
_REPORT = (
    "The report is what the public learns about demands. It must be exactly the one that the log names, and every"
    " number must follow from the register, or the public is told something that is not recorded."
)
_BUG = "A fault in the operator's software. A fault of this kind still has to be explained in public."
_STALE = "A web cache or a mirror that hands out an old copy for a while. It should be over within the hour."
_OFF = "The operator's machine or its connection is down, or your own connection is. It should say so when it is back."
_CLOCK = "A clock that is wrong: the operator's, or your computer's. Compare yours first."

MEANINGS: dict[str, Meaning] = {
    "fork": Meaning(
        "two different histories were signed",
        _GROWS,
        "Hardly. The key may have been stolen, or a backup was put back and the log went on from there as if nothing"
        " had been. Either must be announced by the operator, and it cannot be undone.",
    ),
    "rollback": Meaning("entries were taken away", _GROWS, _STALE),
    "other-log": Meaning(
        "another log is shown", _GROWS, "The address was changed, or two logs were mixed up."
    ),
    "false-head": Meaning(
        "the head of the log is not genuine",
        _SIGNED,
        "A file was damaged or half written; the log has new keys and your policy file is old; the address is wrong.",
    ),
    "wrong-files": Meaning(
        "files of the log were changed",
        "The signed head fixes every entry before it. A file that does not fit was changed after that, or damaged.",
        "A damaged disk or a copy that broke off. The operator can put the right file back: it must fit exactly.",
    ),
    "too-few-witnesses": Meaning(
        "too few independent timekeepers confirmed the log",
        _WITNESSED,
        "Timekeepers are down. After a day two people may let the work go on; what is done then is marked for ever.",
    ),
    "stale-witnesses": Meaning("the timekeepers' confirmations are old", _WITNESSED, _CLOCK),
    "epochs-missing": Meaning("time slots are missing", _PACE, _BUG),
    "epoch-repeated": Meaning("a time slot came twice", _PACE, _BUG),
    "wrong-gap": Meaning("the log names the wrong missing slots", _PACE, _BUG),
    "wrong-time": Meaning("a time cannot be true", _PACE, f"{_CLOCK} {_BUG}"),
    "time-ran-back": Meaning("time ran backwards", _PACE, _CLOCK),
    "from-the-future": Meaning("the log is ahead of time", _PACE, _CLOCK),
    "missed-cadence": Meaning("the log stands still", _PACE, _OFF),
    "unknown-entry": Meaning(
        "an entry cannot be understood",
        "Only a few kinds of entries are allowed, so that nothing can be smuggled into a log that never forgets.",
        "The operator runs a newer version than you. Get the newest dueprocess and look again.",
    ),
    "no-rules": Meaning("the log never said its rules", _RULES, _BUG),
    "rules-out-of-order": Meaning("a change of the rules was left out", _RULES, _BUG),
    "rules-backdated": Meaning("the rules were changed for the past", _RULES, _BUG),
    "slots-changed": Meaning(
        "the log changed its time slots", _RULES, "An announced change. Ask for the announcement."
    ),
    "other-policy": Meaning(
        "the keys or the timekeepers changed",
        "Your policy file says whom you trust. If the operator can exchange it quietly, it can choose timekeepers that"
        " say what it likes.",
        "An announced change of keys or timekeepers, decided by two people. Read the new file and ask why before you"
        " use it.",
    ),
    "key-not-vouched": Meaning("a key that nobody vouches for", _SIGNED, _BUG),
    "attest-false": Meaning(
        "an auditor's statement is not genuine",
        "The log claims that an auditor signed something, and the signature is not the auditor's.",
        _BUG,
    ),
    "published-twice": Meaning("a published number was exchanged", _REPORT, _BUG),
    "report-without-register": Meaning("a report that nobody can recount", _REPORT, _BUG),
    "bad-report": Meaning("the report is wrong", _REPORT, _BUG),
    "other-report": Meaning(
        "the report on the site is not the one in the log",
        _REPORT,
        "A copy that broke off, or a page that was changed after the log was written.",
    ),
    "report-withheld": Meaning(
        "a report is named and not shown",
        _REPORT,
        "The files were forgotten or lie at another address. Ask for them.",
    ),
    "incident": Meaning(
        "the operator says that its keys or machines were in other hands",
        "From the time named there, the log's signature proves less: somebody else could have made it.",
        "It is the operator's own announcement, and making it was right. Ask what follows from it.",
    ),
}

WHOM = (
    "1. Keep this folder as it is, and make a copy.",
    "2. Ask the operator in writing what happened. Its answer is no reason to delete anything.",
    "3. Tell others who watch this log, and the timekeepers named in policy.txt: they keep what they saw.",
    "4. If you hold a receipt or a letter from this operator, show this folder to a lawyer, or to the authority",
    "   that supervises data protection where you live.",
)


HEAD = (
    "The head of a log is the operator's signed statement of how many entries it has, with one fingerprint over all of"
    " them. Two signed heads that contradict each other cannot be explained away."
)


def meaning_of(kind: str) -> Meaning:
    """What this kind of alarm means. Of a kind that is not listed, no more than that it is one."""
    return MEANINGS.get(kind, Meaning("something is wrong with the log", _GROWS, _BUG))
