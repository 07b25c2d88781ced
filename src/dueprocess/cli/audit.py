"""`dueprocess audit`: an auditor's recount, its bundle, its sample, and the stores' own logs beside the ledger."""

from cyclopts import App

app = App(
    name="audit",
    help="Have the ledger counted again by an auditor, and compare it with the stores' own logs.",
    help_format="plaintext",
)
# Loaded when called: what an auditor runs (check, draw) must not need what only an installation has.
app.command(
    "dueprocess.cli.audit_pack:pack_command",
    name="pack",
    help="Make the bundle that an auditor gets: seeds and openings of a period, no name and no account.",
)
app.command(
    "dueprocess.cli.audit_check:check_command",
    name="check",
    help="Count a bundle again against the public log: the auditor's side, offline.",
)
app.command(
    "dueprocess.cli.audit_draw:draw_command",
    name="draw",
    help="Draw demands to look at, with a future head of a log as the dice.",
)
app.command(
    "dueprocess.cli.audit_pack:open_command",
    name="open",
    help="Open one drawn demand: the court's receipt of its case.",
)
app.command(
    "dueprocess.cli.audit_export:export_command",
    name="export",
    help="Hold a database's own audit log against the ledger: what was read beside the tool.",
)
