"""How the page shows what failed in a study."""

from __future__ import annotations

from .record import PageTable, SectionView, SummaryTable

VIEW = SectionView(
    title="Failures",
    reading=lambda spec: (
        "Work that raised an error and is missing above. Running the study again with the same command repeats it."
    ),
    limits="Whether the rest is sound: the loci that failed may be unusual in other ways too.",
    summaries=(SummaryTable("failures", "Errors: counts"),),
    tables=(
        PageTable("failures", "What failed"),
        PageTable("annotation_failures", "Annotation that was left out"),
    ),
    columns={
        "first_message": "message of the first of these errors",
        "what": "the part of the test that failed",
    },
)
