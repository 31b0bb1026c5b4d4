"""What is cut out of postmortems besides credentials, names, mail addresses and numbers of people."""

import re
from typing import Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from bot.catalog.entry import STRICT, Name

_NOT_LINEAR = re.compile(r"\(\?(?![:i])|\\[1-9]|\(\?i(?!\))")


class Redaction(BaseModel):
    """``ip`` cuts the addresses of machines out, ``pattern`` what your own expression finds."""

    model_config = STRICT

    id: Name
    kind: Literal["pattern", "ip"] = "pattern"
    pattern: str = Field(default="", max_length=500, description="without look-around or \\1")
    shown: str = Field(
        default="", max_length=60, description="what stands there instead, in brackets"
    )

    @field_validator("pattern")
    @classmethod
    def _reads(cls, value: str) -> str:
        if _NOT_LINEAR.search(value):
            raise ValueError("has look-around or a reference back, which may take for ever")
        import re2  # noqa: PLC0415 - it is loaded where a catalog has one

        options = re2.Options()
        options.log_errors = False
        try:  # by what will look for it: of what only others can read no paper could be drawn
            found = re2.compile(value, options)
        except re2.error as error:
            said = error.args[0] if error.args else error
            reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            raise ValueError(f"is no regular expression that RE2 takes: {reason}") from None
        if value and found.match(""):
            raise ValueError("matches nothing at all, and so everywhere")
        return value

    @model_validator(mode="after")
    def _of_its_kind(self) -> "Redaction":
        if (self.kind == "pattern") != bool(self.pattern):
            raise ValueError("pattern: the kind `pattern` has one, and no other")
        return self
