"""A letter is begun once, whoever looks at the same moment."""

import pytest

from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.steps import notify as steps
from office import Office


@pytest.mark.stage("brisk")
def test_two_workers_begin_one_letter(office_on: Office) -> None:
    """The second sees under the lock that the first has begun, although both found it owed before."""
    case_id = office_on.approved_case()
    hand = office_on.desk.hand("worker", office_on.now, case_id)
    steps.start(case_id, hand, "t1", phase="before", letter_sha256="1" * 64)
    with pytest.raises(RefusedError) as caught:
        steps.start(case_id, hand, "t1", phase="before", letter_sha256="2" * 64)
    assert caught.value.code == "half-sent"
    assert [event.kind for event in load_case(case_id).events].count("NoticeStarted") == 1
    steps.notified(case_id, hand, "t1", phase="before", letter_sha256="1" * 64, channel="outbox")
    assert load_case(case_id).target("t1").notified == ("before",)
