"""Column types that mean the same on SQLite and PostgreSQL, rows by number, and the one clock."""

from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import JSON, DateTime, Dialect, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB


def now() -> datetime:
    """The time now, UTC, to the microsecond (what both databases can hold)."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time. Naive values are refused; what comes back is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - SQLAlchemy's signature
        del dialect
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


JsonColumn = JSON().with_variant(JSONB(), "postgresql")


class _Row(Protocol):
    id: int | None


class Numbered:
    """What tables share whose rows the database numbers."""

    @property
    def number(self: _Row) -> int:
        """The id of a stored row."""
        if self.id is None:
            raise ValueError("not stored yet")
        return self.id
