"""Builds the example mails and their PDF by hand, the same bytes each time. Run it to write examples/mail."""

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

ORDER = """IN THE DISTRICT COURT OF NORTHPORT
Case No. 4:26-mc-00123

ORDER PURSUANT TO 18 U.S.C. SECTION 2703(d)

November 3, 2026

To: Custodian of Records, Fernhill Chat

The Court finds that the applicant has offered specific and articulable facts
showing that there are reasonable grounds to believe that the records sought
are relevant and material to an ongoing criminal investigation.

IT IS ORDERED that you provide, no later than November 24, 2026, any and all
records and other information for the accounts listed below, including the
name and address of the subscriber, session times, IP logs and the contents
of all messages, from September 1, 2026 to September 30, 2026:

Account: @eva:fernhill.example
Account: @finn:fernhill.example

IT IS FURTHER ORDERED under 18 U.S.C. Section 2705(b) that you shall not
notify any person of the existence of this order for a period of ninety (90) days.
There is reason to believe that such notification will result in flight.

SO ORDERED.
/s/ Mara Lindqvist
Magistrate Judge
"""

LETTER = """Dear colleagues,

please find attached a court order under 18 U.S.C. 2703(d).
Please call me at +1 555 0100 if you have questions, or write to
holt@cybercrime.northport.example.

Detective Sam Holt
Northport Police
"""

EMERGENCY = """URGENT - emergency disclosure request

There is imminent danger of death or serious physical injury to a child.
Under 18 U.S.C. 2702(b)(8) you must send us within 30 minutes the name, address,
location data and password of the user account "eva.lind".
Call me only on my mobile, +1 555 0199. Do not notify the user.

Captain R. Stone, Police
"""

AREA = """Please provide all users who were located within a radius of 200 meters of
Harbour Square, Northport, on 3 October 2026, and everyone who searched for the
word "harbour".

Sheriff's Office
"""


def pdf(pages: list[str], *, scans: int = 0) -> bytes:
    """A small PDF with one text page each, and ``scans`` pages that only draw an image."""
    objects: list[bytes] = []
    kids = []
    for text in pages:
        lines = "".join(f"({_escaped(line)}) Tj T*\n" for line in text.split("\n"))
        stream = f"BT /F1 10 Tf 12 TL 40 760 Td\n{lines}ET".encode("latin-1")
        kids.append(
            _page(objects, stream, b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >>")
        )
    for _ in range(scans):
        image = (
            b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
            b"/Length 1 >> stream\n\x00\nendstream"
        )
        objects.append(image)
        kids.append(
            _page(
                objects, b"q 500 0 0 700 0 0 cm /Im0 Do Q", b"/XObject << /Im0 %d 0 R >>" % (len(objects) + 2)
            )
        )
    tree = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (
        len(kids),
        b" ".join(b"%d 0 R" % kid for kid in kids),
    )
    return assemble([b"<< /Type /Catalog /Pages 2 0 R >>", tree, *objects])


def _page(objects: list[bytes], stream: bytes, resources: bytes) -> int:
    objects.append(b"<< /Length %d >> stream\n%s\nendstream" % (len(stream), stream))
    contents = len(objects) + 2
    objects.append(
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << %s >> >>"
        % (contents, resources)
    )
    return len(objects) + 2


def assemble(objects: list[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from one; the first is the catalogue."""
    found = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(found))
        found += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(found)
    found += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    found += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    found += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )
    return bytes(found)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def mail(
    subject: str, sender: str, text: str, *, attached: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """One mail with fixed date, boundary and message id."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = "legal@fernhill.example"
    message["Subject"] = subject
    message["Date"] = "Tue, 03 Nov 2026 10:15:00 +0000"
    message["Message-ID"] = "<2026110301@northport.example>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    if attached:
        message.add_attachment(attached, maintype="application", subtype="pdf", filename="order.pdf")
        message.set_boundary("=-northport-1")
    return message.as_bytes()


def examples() -> dict[str, bytes]:
    """File name → bytes of every example mail."""
    holt = "Sam Holt <holt@cybercrime.northport.example>"
    odd = {"Reply-To": "captain.stone@inbox.example"}
    return {
        "order.eml": mail("Court order 4:26-mc-00123", holt, LETTER, attached=pdf([ORDER])),
        "emergency.eml": mail(
            "URGENT", "Northport Police <r.stone@northport.gov.mailhost.example>", EMERGENCY, headers=odd
        ),
        "area.eml": mail("Request", "Sheriff <desk@sheriff.northport.example>", AREA),
    }


if __name__ == "__main__":
    folder = Path(__file__).parents[2] / "examples" / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in examples().items():
        (folder / name).write_bytes(content)
