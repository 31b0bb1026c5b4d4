"""Updates for customers, ordinary and hostile."""

from datetime import UTC, datetime

from bot.contract import StatusUpdate

FIRST = StatusUpdate(
    id="jackline-12-1",
    thread="jackline-12-1772334840",
    title="Payments fail: cards",
    text="Some card payments fail. We are looking into it.",
    status="investigating",
    components={"8kbf7d35c070": "major_outage"},
    began_at=datetime(2026, 3, 1, 3, 14, tzinfo=UTC),
    at=datetime(2026, 3, 1, 3, 20, tzinfo=UTC),
)
RESOLVED = FIRST.model_copy(
    update={
        "id": "jackline-12-2", "text": "All is well.", "status": "resolved",
        "components": {"8kbf7d35c070": "operational"}, "at": datetime(2026, 3, 1, 4, 0, tzinfo=UTC),
    }
)  # fmt: skip
HOSTILE = FIRST.model_copy(
    update={
        "title": 'x"\n---\nevil: true',
        "text": "{{< evil >}} {{% evil %}} <script>alert(1)</script> [a](http://x) *b* `c` & \\ --> \n---\n# head",
    }
)  # fmt: skip
