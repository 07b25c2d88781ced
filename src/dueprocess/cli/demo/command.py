"""`dueprocess demo --out DIR`."""

from pathlib import Path

from dueprocess.cli.demo.run import run_demo
from dueprocess.cli.demo.telling import Telling


def demo_command(*, out: Path = Path("demo-out"), json: bool = False) -> None:
    """Run one demand from paper to proof on a real Matrix server, and leave a folder that tells it.

    Parameters
    ----------
    out
        The folder to write. Only a folder that a demo made is replaced.
    json
        Print the transcript instead of the account.
    """
    run_demo(out, Telling(quiet=json))
    if json:
        print((out / "transcript.json").read_text(encoding="utf-8"))
