"""A reply to a fictional European Production Order, for tests."""

import datetime as dt

from dueprocess.parcel.eu_reply import EuManifest, OrderMark, Transmission, sent_file

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
FILE = sent_file("p-7f3k.tar.p7m", [b"cipher", b"text"])
SENT = Transmission(
    means="secure link",
    proof="log entry 7",
    available_at=NOON,
    until=NOON + dt.timedelta(days=20),
    cause="size",
    encryption="x509",
)
MANIFEST = EuManifest(
    reference="p-7f3k",
    sender="Example Host",
    recipient="Juge Beispiel",
    orders=(OrderMark("EPOC", "FR-2026-0007"),),
    transmission=SENT,
    files=(FILE,),
)
