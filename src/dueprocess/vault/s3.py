"""Objects in S3-compatible storage, by boto3 (extra ``s3``), which is loaded when such a vault is opened.

A name is written once by a conditional put (``If-None-Match: *``) where the server knows that; it is asked once, with
an object that means nothing. Where it does not, we look before and after, under a lock on a folder of this machine: two
writers on two machines are then not prevented. The server compares what arrives with its MD5.

Source: Amazon S3 API, PutObject (conditional writes, Content-MD5), ListObjectVersions; RFC 9110, 13.1.2.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from itertools import batched
from pathlib import Path
from typing import Any

from dueprocess.errors import UnavailableError
from dueprocess.vault.keystore import locked
from dueprocess.vault.objects import Stored

CONNECT_SECONDS = 5
READ_SECONDS = 60
TRIES = 4
_PROBE = ".put-once"
_GONE = ("NoSuchKey", "NotFound", "404")
_TAKEN = ("PreconditionFailed", "412")
_NOT_TOLD = ("NotImplemented", "501", "AccessDenied", "403", "MethodNotAllowed", "405")
_NO_SUCH = ("NotImplemented", "501")
MOST_AT_ONCE = 200
"""Objects in one listing or one deletion: some servers need long for more."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Which bucket, where, and who asks. ``credentials`` have the names of the AWS environment variables."""

    name: str
    prefix: str
    endpoint: str | None
    region: str | None
    credentials: Mapping[str, str]


class S3Objects:
    """Objects in a bucket, below a prefix."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        lock: Path | None = None,
        read_seconds: float = READ_SECONDS,
        tries: int = TRIES,
    ) -> None:
        self._lock = lock
        self._bucket = bucket
        self._before = f"{bucket.prefix}/" if bucket.prefix else ""
        self._client = _client(bucket, read_seconds, tries)
        self._conditional: bool | None = None

    @property
    def conditional(self) -> bool:
        """Whether the server itself refuses to replace an object. Asked once, with an object that means nothing."""
        if self._conditional is None:
            self._conditional = self._refuses()
        return self._conditional

    def put(self, name: str, content: bytes) -> bool:
        if self.conditional:
            return self._sent(name, content, once=True) is not None
        with locked(self._lock, exclusive=True) if self._lock else nullcontext():
            return not self.has(name) and self._sent(name, content, once=False) == self._head(name)

    def get(self, name: str) -> bytes | None:
        found = self._asked("get_object", but=_GONE, Key=self._before + name)
        content: bytes | None = found["Body"] if found else None
        return content

    def has(self, name: str) -> bool:
        return self._head(name) is not None

    def listed(self, folder: str = "") -> Iterator[Stored]:
        below = f"{self._before}{folder}/" if folder else self._before
        more: dict[str, Any] = {}
        while True:
            page = self._asked("list_objects_v2", Prefix=below, MaxKeys=MOST_AT_ONCE, **more)
            for each in page.get("Contents", []):
                name = str(each["Key"]).removeprefix(self._before)
                if not name.startswith("."):
                    yield Stored(name, int(each["Size"]), each["LastModified"].astimezone(dt.UTC))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": str(page["NextContinuationToken"])}

    def drop(self, name: str) -> None:
        self._destroy(f"{self._before}{name}", only=True)

    def remove(self, folder: str) -> int:
        return self._destroy(f"{self._before}{folder}/", only=False)

    def leftovers(self, before: dt.datetime) -> list[str]:  # noqa: ARG002  an object is there whole or not at all
        return []

    def about(self) -> str:
        once = "refuses to replace objects" if self.conditional else "cannot refuse to replace objects"
        versions = {
            True: "keeps old versions, which an erasure removes too",
            False: "keeps no old versions",
            None: "does not tell whether it keeps old versions",
        }[self._versioned()]
        where = self._bucket.endpoint or "Amazon S3"
        return f"bucket {self._bucket.name}/{self._bucket.prefix} at {where}, which {once} and {versions}"

    # ------------------------------------------------------------------------------------------ destroying

    def _versioned(self) -> bool | None:
        """Whether the bucket keeps old versions; None where it does not tell."""
        found = self._asked("get_bucket_versioning", but=_NOT_TOLD)
        return None if found is None else found.get("Status") in ("Enabled", "Suspended")

    def _destroy(self, below: str, *, only: bool) -> int:
        """Removes the objects below a prefix, or the one that is called so, with every version of each."""
        found = [each for each in self._doomed(below) if not only or each["Key"] == below]
        for several in batched(found, MOST_AT_ONCE):
            wanted = {"Objects": list(several), "Quiet": True}
            answer = self._asked("delete_objects", Delete=wanted)
            for failed in answer.get("Errors", []):
                raise UnavailableError(
                    "cannot-destroy",
                    "The object storage did not remove an object.",
                    why=f"{failed.get('Code', '')} {failed.get('Message', '')}".strip()[:200],
                    do="Look for object locks and rights (docs/vault.md), then run the same command again.",
                )
        return len({each["Key"] for each in found})

    def _doomed(self, below: str) -> Iterator[dict[str, str]]:
        if not self._versioned():
            folder = below.removeprefix(self._before).rstrip("/")
            if below.endswith("/"):
                yield from ({"Key": self._before + each.name} for each in self.listed(folder))
            else:
                yield {"Key": below}
            return
        more: dict[str, Any] = {}
        while True:
            page = self._asked("list_object_versions", Prefix=below, MaxKeys=MOST_AT_ONCE, **more)
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                yield {"Key": str(each["Key"]), "VersionId": str(each["VersionId"])}
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    # ------------------------------------------------------------------------------------------ asking

    def _sent(self, name: str, content: bytes, *, once: bool) -> str | None:
        """Sends an object; returns its tag, or None where the server refuses to replace the one that is there."""
        md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        words: dict[str, Any] = {"Key": self._before + name, "Body": content, "ContentMD5": md5}
        if not once:
            return str(self._asked("put_object", **words).get("ETag", ""))
        found = self._asked("put_object", but=_TAKEN, IfNoneMatch="*", **words)
        return None if found is None else str(found.get("ETag", ""))

    def _refuses(self) -> bool:
        """Whether the server refuses the second of two conditional puts."""
        words: dict[str, Any] = {"Key": self._before + _PROBE, "Body": b"", "IfNoneMatch": "*"}
        answers = [self._asked("put_object", but=(*_TAKEN, *_NO_SUCH), **words) for _ in range(2)]
        return answers[1] is None and self._head(_PROBE) is not None

    def _head(self, name: str) -> str | None:
        """The tag of an object, None where there is none."""
        found = self._asked("head_object", but=_GONE, Key=self._before + name)
        return None if found is None else str(found.get("ETag", ""))

    def _asked(self, method: str, *, but: tuple[str, ...] = (), **words: Any) -> Any:
        """What the server answers, None for a refusal that ``but`` names. All others are ``UnavailableError``."""
        failures = _module("botocore.exceptions")
        try:
            answer: dict[str, Any] = getattr(self._client, method)(Bucket=self._bucket.name, **words)
            return {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer
        except failures.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in but:
                return None
            raise self._silent(f"It answered {code} to {method}.") from error
        except (failures.BotoCoreError, failures.HTTPClientError, OSError) as error:
            raise self._silent(str(error)[:200]) from error

    def _silent(self, why: str) -> UnavailableError:
        return UnavailableError(
            "object-storage",
            f"The object storage of the vault does not do what it should (bucket {self._bucket.name}).",
            why=why,
            do="Check its address, the credentials and their rights (docs/vault.md), then run the same command again: "
            "nothing was recorded that is not kept.",
            source="docs/vault.md",
        )


def _client(bucket: Bucket, read_seconds: float, tries: int) -> Any:
    given = bucket.credentials
    session = _module("boto3.session").Session(
        aws_access_key_id=given.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=given.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=given.get("AWS_SESSION_TOKEN"),
        region_name=bucket.region or "us-east-1",
    )
    config = _module("botocore.config").Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": tries},
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
        request_checksum_calculation="when_required",  # few servers but Amazon's know its newer checksums
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=bucket.endpoint, config=config)


def _module(name: str) -> Any:
    """A module of the extra ``s3``, loaded when it is needed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise UnavailableError(
            "s3-extra", "A vault in object storage needs the package boto3.",
            do="Install dueprocess[server,s3].", source="docs/vault.md",
        ) from error  # fmt: skip
