"""A real S3 server on loopback: `rclone serve s3`, with keys, over a folder that a test can look into."""

import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from dueprocess.vault.s3 import Bucket

RCLONE = Path(sys.executable).with_name("rclone")
KEY, SECRET = "a-fictional-key", "a-fictional-secret"


@dataclass
class S3Server:
    """The server and the folder that it serves; a bucket is a folder in it."""

    folder: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, **changes: str) -> Bucket:
        found = {"name": "vault", "prefix": "of/chat", "secret": SECRET, **changes}
        credentials = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": found["secret"]}
        return Bucket(found["name"], found["prefix"], found.get("endpoint", self.endpoint), None, credentials)

    def start(self) -> None:
        (self.folder / "vault").mkdir(parents=True, exist_ok=True)
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        words = [str(RCLONE), "serve", "s3", str(self.folder), "--addr", f"127.0.0.1:{self.port}"]
        words += [
            "--auth-key",
            f"{KEY},{SECRET}",
            "--config",
            "",
            "--vfs-cache-mode",
            "off",
        ]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("rclone does not serve")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
