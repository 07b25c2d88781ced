"""Searches for bytes that make a reader fail in a way it must not.

    fuzz_parsers.py TARGET CORPUS … [-options]      one target; the first folder takes what is found
    fuzz_parsers.py all FOLDER CORPORA [-options]   every target, one after the other; corpora has a folder for each

The options are libFuzzer's. An input that broke something is written to a file ``crash-…``.
"""

import os
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
with atheris.instrument_imports(include=["dueprocess", "targets"]):
    import targets
import mutate


def search(name: str, arguments: list[str]) -> None:
    """Runs one target until libFuzzer's own limits stop it, and with it the process."""

    def change(data: bytes, most: int, seed: int) -> bytes:
        """Every second time by structure, where the target reads documents; else as libFuzzer does it."""
        changed = mutate.mutated(name, data, seed) if seed % 2 else None
        return changed[:most] if changed else bytes(atheris.Mutate(data, most))

    mutator = {"custom_mutator": change} if name in mutate.DOCUMENTS else {}
    atheris.Setup(["fuzz_parsers.py", *arguments], lambda data: targets.accepts(name, data), **mutator)
    atheris.Fuzz()


def search_all(found: Path, corpora: Path, options: list[str]) -> int:
    """Every target in a child of its own, so that the readers are made ready once. How many failed."""
    failed = 0
    for name in targets.TARGETS:
        (found / name).mkdir(parents=True, exist_ok=True)
        print(f"TARGET {name}", file=sys.stderr, flush=True)  # noqa: T201  (beside libFuzzer's own report)
        child = os.fork()
        if child == 0:
            search(
                name, [str(found / name), str(corpora / name), f"-artifact_prefix={found / name}-", *options]
            )
        failed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    return failed


def main() -> None:
    """Reads the command line."""
    names = [*targets.TARGETS, "all"]
    if len(sys.argv) < 3 or sys.argv[1] not in names:
        sys.exit(f"{__doc__}\ntargets: {' '.join(names)}")
    name, *rest = sys.argv[1:]
    options = [f"-max_len={targets.MOST_BYTES}", *(each for each in rest if each.startswith("-"))]
    folders = [each for each in rest if not each.startswith("-")]
    if name == "all":
        sys.exit(search_all(Path(folders[0]), Path(folders[1]), options))
    search(name, [*folders, *options])


if __name__ == "__main__":
    main()
