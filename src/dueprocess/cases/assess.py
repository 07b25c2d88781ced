"""Verb 4, assess: what the law says about this paper, as found by the packs, enters history by digest."""

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft
from dueprocess.errors import RefusedError
from dueprocess.law import Assessment
from dueprocess.wire import Json, digest_of, instant


def assess(case: Case, assessment: Assessment) -> list[Draft]:
    """Records an assessment of the reading that the case now has."""
    if case.read is None:
        raise RefusedError(
            "not-read", "Nobody has read this paper yet.", do="Transcribe it: dueprocess read."
        )
    permitted: dict[str, Json] = {
        ref: list[Json](sorted(item.categories)) if item is not None else None
        for ref in case.targets
        for item in [assessment.permitted[case.place(ref)]]
    }
    notice = assessment.notice
    codes = sorted({finding.code for finding in assessment.findings})
    return [
        Draft(
            "DemandAssessed",
            {
                "assessment_sha256": digest_of(assessment.as_json()),
                "on": assessment.on.isoformat(),
                "outcome": assessment.outcome.name.lower(),
                "producible": assessment.producible,
                "packs": [{"id": p.id, "version": p.version, "sha256": p.sha256} for p in assessment.packs],
                "permitted": permitted,
                "findings": list[Json](codes),
                "notice": {"rule": notice.rule, "until": instant(notice.until) if notice.until else None},
                "basis": list[Json](assessment.legal_basis),
            },
        )
    ]
