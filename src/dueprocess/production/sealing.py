"""A program of its own that encrypts its standard input to one age recipient, so that encryption has its own core.

    python -I -m dueprocess.production.sealing KEY OUT [REPORT]

``KEY`` is the recipient (``age1…``), ``OUT`` and ``REPORT`` are open descriptors. The ciphertext goes to ``OUT``;
with ``REPORT`` it is digested on the way, and one line of JSON says digest and size, or the error number of a write
that failed. It holds no secret but the file key, which the age library makes, and lives as long as one parcel.

Source: C2SP age v1 (c2sp.org/age).
"""

import hashlib
import io
import json
import os
import queue
import signal
import sys
import threading

import pyrage

PIECE = 1024 * 1024
_WAITING = 8


class Writing(threading.Thread):
    """Collects pieces of about a megabyte; digests and writes each while the next is encrypted."""

    def __init__(self, out: int, *, digesting: bool) -> None:
        super().__init__(daemon=True)
        self._sink = io.FileIO(out, "wb", closefd=False)
        self._digest = hashlib.sha256() if digesting else None
        self._size = 0
        self._piece = bytearray()
        self._pieces: queue.Queue[bytearray | None] = queue.Queue(maxsize=_WAITING)
        self.failure: OSError | None = None

    def run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            if self.failure is None:
                try:
                    self._put(memoryview(piece))
                except OSError as error:
                    self.failure = error

    def _put(self, piece: memoryview) -> None:
        self._size += len(piece)
        if self._digest is not None:
            self._digest.update(piece)
        while piece:
            piece = piece[self._sink.write(piece) :]

    def write(self, piece: bytes) -> int:
        """Takes what the age library gives. Raises what ended the writing, so that encrypting ends too."""
        if self.failure is not None:
            raise self.failure
        self._piece += piece
        if len(self._piece) >= PIECE:
            self.flush()
        return len(piece)

    def flush(self) -> None:
        self._pieces.put(self._piece)
        self._piece = bytearray()

    def close(self) -> dict[str, object]:
        """Ends the writing. Digest and size, or the number of the error that ended it before."""
        self.flush()
        self._pieces.put(None)
        self.join()
        if self.failure is not None:
            return {"errno": self.failure.errno}
        return {"sha256": self._digest.hexdigest() if self._digest is not None else "", "size": self._size}


def main(key: str, out: int, report: int | None = None) -> int:
    """Encrypts until the input ends. Returns 0, or 1 after a write that failed, which the report then tells."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever feeds this decides when it ends
    writing = Writing(out, digesting=report is not None)
    writing.start()
    source = io.BufferedReader(io.FileIO(0, closefd=False), PIECE)
    try:
        pyrage.encrypt_io(source, writing, [pyrage.x25519.Recipient.from_str(key)])
    except (OSError, pyrage.EncryptError):
        if writing.failure is None:
            raise
    told = writing.close()
    if report is not None:
        os.write(report, json.dumps(told).encode())
    return 0 if "size" in told else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:4])))
