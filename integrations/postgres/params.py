"""What the verbs on a PostgreSQL are told: names and values, never SQL."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.contract import Frozen

_PART = r"[A-Za-z_][A-Za-z0-9_$]{0,62}"
Column = Annotated[str, Field(pattern=rf"^{_PART}$")]
Table = Annotated[str, Field(pattern=rf"^{_PART}(\.{_PART})?$")]


class ServerParams(Frozen):
    """Which PostgreSQL."""

    server: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The PostgreSQL: `orders` is the target `postgres/orders` of the catalog."
    )


class Condition(Frozen):
    """One column compared with one value, which PostgreSQL reads as the column's own type."""

    column: Column
    op: Literal["eq", "ne", "lt", "le", "gt", "ge", "missing", "present"]
    value: Annotated[str, Field(max_length=500)] | int | float | bool | None = None

    @model_validator(mode="after")
    def _with_a_value(self) -> Self:
        if self.op in ("missing", "present"):
            if self.value is not None:
                raise ValueError(f"where: {self.column} {self.op} takes no value")
        elif self.value is None:
            raise ValueError(f"where: {self.column} {self.op} needs a value")
        if isinstance(self.value, str) and "\0" in self.value:
            raise ValueError(f"where: the value for {self.column} holds a zero byte")
        return self

    @property
    def text(self) -> str:
        """The value as PostgreSQL reads it."""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


class CountParams(ServerParams):
    """Which rows."""

    table: Table = Field(description="`table` or `schema.table`, upper and lower case told apart.")
    where: list[Condition] = Field(
        default=[],
        max_length=10,
        description="`{column, op, value}`, all of which must hold; `op` is eq, ne, lt, le, gt, ge, "
        "or without a value missing, present.",
    )
    up_to: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        default=None, description="Stop counting there: cheaper where only *none* or *many* counts."
    )
    seconds: Annotated[float, Field(gt=0, le=300)] = Field(
        default=10.0, description="Longest that the server may count."
    )


class BackfillParams(ServerParams):
    """Which job, and how gently."""

    job: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")] = Field(
        description="A backfill of the target's allow-list."
    )
    batch: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=500, description="Rows in one transaction."
    )
    rate: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=500, description="Rows per second at most."
    )
    max_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=40.0,
        description="Longest that one attempt works; the next one goes on where it was. Less than "
        "the step's `timeout`.",
    )
    max_lag_mb: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(
        default=64,
        description="Waits while a standby is further behind, or nobody knows how far; null where "
        "there is no standby.",
    )
    standbys: Annotated[int, Field(ge=1, le=50)] = Field(
        default=1, description="Standbys that must stream for their lag to be known."
    )
    lock_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        default=2.0, description="Longest that a batch waits for rows that others have locked."
    )
    statement_seconds: Annotated[float, Field(gt=0, le=300)] = Field(
        default=5.0, description="Longest that one statement may take."
    )

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.batch > self.rate * self.max_seconds:
            raise ValueError(
                f"batch: {self.batch} rows at {self.rate} per second take longer than max_seconds"
            )
        return self
