"""The page that `dueprocess --help` prints, and the table from which the commands are loaded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, where it lives, and one line about it."""

    name: str
    target: str
    line: str


FIRST = (
    Command(
        "triage",
        "dueprocess.cli.triage:triage_command",
        "first aid for a demand that has just arrived; needs nothing",
    ),
    Command(
        "try",
        "dueprocess.cli.tryout:try_command",
        "count what your own server holds about your own account; its access token on standard input",
    ),
    Command(
        "verify",
        "dueprocess.cli.verify:verify_command",
        "check a receipt, report, log or answer package; needs nothing",
    ),
    Command(
        "monitor",
        "dueprocess.cli.monitor:monitor_command",
        "watch somebody's public log; says in words if it forks, runs back or stops; needs nothing",
    ),
    Command(
        "witness",
        "dueprocess.cli.witness:app",
        "be an independent timekeeper for a friend's log; needs nothing",
    ),
    Command(
        "demo",
        "dueprocess.cli.demo.command:demo_command",
        "one demand from paper to proof, on a real chat server",
    ),
)
SET_UP = (
    Command("init", "dueprocess.cli.init:init_command", "set up an installation with its two founders"),
    Command("enrol", "dueprocess.cli.enrol:app", "people and authorities who may act; each signed by two"),
    Command(
        "policy",
        "dueprocess.cli.policy:app",
        "the log's independent timekeepers: show them, or let two people change them",
    ),
    Command(
        "unwitnessed",
        "dueprocess.cli.unwitnessed:unwitnessed_command",
        "let work go on while no timekeeper answers; signed by two, marked for ever",
    ),
    Command("datamap", "dueprocess.cli.datamap:app", "what this service holds: check and show the data map"),
    Command(
        "packs",
        "dueprocess.cli.packs:app",
        "the law applied here: list, explain, compare and check rule packs; two people activate them",
    ),
    Command(
        "serve",
        "dueprocess.cli.serve:serve_command",
        "run everything: public pages, worker, production worker",
    ),
    Command("worker", "dueprocess.cli.worker:worker_command", "run one worker alone"),
    Command(
        "portal",
        "dueprocess.cli.portal:portal_command",
        "let authorities fetch the answers that were released to them",
    ),
    Command("keys", "dueprocess.cli.keys:app", "what protects the keys: show, passphrase, rotate"),
    Command("sweep", "dueprocess.cli.sweep:sweep_command", "remove what killed programs left behind"),
    Command(
        "backup",
        "dueprocess.cli.backup:backup_command",
        "everything but the keys into one file, while it runs; --keys the keys alone",
    ),
    Command(
        "restore",
        "dueprocess.cli.restore:restore_command",
        "a backup into an empty folder; signs nothing before recover-log",
    ),
    Command(
        "recover-log",
        "dueprocess.cli.recover:recover_command",
        "let a restored log go on from what the world has seen of it; signed by two",
    ),
)
VERBS = (
    Command(
        "receive", "dueprocess.cli.receive:receive_command", "1  store a paper as it came and open a case"
    ),
    Command(
        "authenticate",
        "dueprocess.cli.authenticate:authenticate_command",
        "2  record evidence about the requester",
    ),
    Command("read", "dueprocess.cli.read:read_command", "3  transcribe the paper; --suggest prints a draft"),
    Command("assess", "dueprocess.cli.assess:assess_command", "4  what the law permits, with citations"),
    Command("narrow", "dueprocess.cli.narrow:narrow_command", "5  cut one target to what the law permits"),
    Command("propose", "dueprocess.cli.decide:propose_command", "6  sign a decision first"),
    Command("approve", "dueprocess.cli.decide:approve_command", "6  sign it second, as another person"),
    Command("reject", "dueprocess.cli.decide:reject_command", "6  refuse it; one person is enough"),
    Command(
        "resolve",
        "dueprocess.cli.resolve:resolve_command",
        "8  find out which account a target means, as two people decided; the answer stays inside",
    ),
    Command(
        "collect",
        "dueprocess.cli.collect:collect_command",
        "8  what a person collects because no program reads it: the tasks, or one answer",
    ),
    Command(
        "produce",
        "dueprocess.cli.produce:produce_command",
        "8  collect what was approved, in a process of its own",
    ),
    Command(
        "deliver",
        "dueprocess.cli.deliver:deliver_command",
        "9  hand the answer package over, once: as a file, as a download, or by hand",
    ),
    Command(
        "hold",
        "dueprocess.cli.hold:hold_command",
        "keep one account's data in the vault, unread; a second person confirms",
    ),
    Command("release", "dueprocess.cli.release:release_command", "end a hold before its time; signed by two"),
    Command(
        "letter",
        "dueprocess.cli.letter:letter_command",
        "what to write back: eleven letters, in three languages, as text, HTML or PDF",
    ),
    Command("notify", "dueprocess.cli.notify:notify_command", "10 tell the user what is owed now"),
    Command(
        "silence",
        "dueprocess.cli.silence:silence_command",
        "10 an order not to tell was extended, or ended before its time",
    ),
    Command("challenge", "dueprocess.cli.challenge:app", "11 object, or decide an objection"),
    Command("close", "dueprocess.cli.close:close_command", "12 finish a case and register it"),
    Command(
        "erase",
        "dueprocess.cli.erase:erase_command",
        "12 destroy what a finished case holds; signed by two",
    ),
)
LOOK = (
    Command("cases", "dueprocess.cli.cases:cases_command", "all cases and their stages"),
    Command("next", "dueprocess.cli.next:next_command", "what needs a person now"),
    Command("show", "dueprocess.cli.show:show_command", "one case: its events, scopes and findings"),
    Command(
        "receipt",
        "dueprocess.cli.receipt:receipt_command",
        "what one reader may see of a case, with its proof",
    ),
    Command("log", "dueprocess.cli.log:log_command", "the public log's head and who has seen it"),
    Command("report", "dueprocess.cli.report:report_command", "publish the report of a half-year"),
    Command(
        "audit",
        "dueprocess.cli.audit:app",
        "an auditor's bundle, recount and sample; the database's own audit log",
    ),
    Command("fsck", "dueprocess.cli.fsck:fsck_command", "read everything again and say what does not fit"),
)
GROUPS = (
    ("Start here", FIRST),
    ("Set up", SET_UP),
    ("The life of a demand (7, sealing, happens by itself)", VERBS),
    ("Look and check", LOOK),
)
COMMANDS = tuple(command for _, group in GROUPS for command in group)

_HEAD = """\
NAME
    dueprocess - handle what governments demand of an online service

SYNOPSIS
    dueprocess COMMAND [ARGUMENTS] [--install DIR] [--json]
    dueprocess COMMAND --help

DESCRIPTION
    A demand is authenticated, checked against the law with citations, narrowed, approved by
    two people, answered with the least data that the law requires, told to the user, open to
    challenge, sealed in a log that anyone can verify, and counted in a report that anyone can
    recount. It never searches across people and never grants anything by itself.

    Nothing here is legal advice.

COMMANDS
"""

_TAIL = """
OPTIONS OF EVERY COMMAND THAT ACTS ON AN INSTALLATION
    --install DIR     the installation (default: DUEPROCESS_INSTALL, else the current folder)
    --json            print one JSON value instead of text
    --key FILE        the key file of the person who acts (default: DUEPROCESS_KEY)

EXIT STATUS
    0 done   1 a bug   2 usage   3 refused by a rule   4 malformed input   5 conflict: reload
    6 unavailable: run it again   7 integrity lost: stop and look   130 interrupted

    Every refusal says what, why, what to do, and the source of law or specification.
    Every command can be run again after any interruption.
"""


def manual() -> str:
    """The whole page."""
    lines = [_HEAD]
    for title, group in GROUPS:
        lines.append(f"  {title}\n")
        lines += [f"    {command.name:<14}{command.line}\n" for command in group]
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n" + _TAIL
