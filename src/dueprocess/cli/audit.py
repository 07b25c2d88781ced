"""`dueprocess audit`: an auditor's recount, its bundle, its sample, and the stores' own logs beside the ledger."""

from cyclopts import App

app = App(
    name="audit",
    help="Have the ledger counted again by an auditor, and compare it with the stores' own logs.",
    help_format="plaintext",
)
# Loaded when called: what an auditor runs (check, draw) must not need what only an installation has.
app.command("dueprocess.cli.audit_pack:pack_command", name="pack")
app.command("dueprocess.cli.audit_check:check_command", name="check")
app.command("dueprocess.cli.audit_draw:draw_command", name="draw")
app.command("dueprocess.cli.audit_pack:open_command", name="open")
app.command("dueprocess.cli.audit_export:export_command", name="export")
