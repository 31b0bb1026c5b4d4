"""Durations as people write them."""

from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST = 7 * 86_400  # seconds of any duration


def seconds(value: object) -> object:
    """``90s``, ``5m``, ``2h``, ``250ms`` as seconds; numbers are refused: say the unit."""
    text = str(value).strip()
    for unit, factor in _UNITS.items():
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit():
            return float(number) * factor
    raise ValueError("must be a duration such as 30s, 5m or 2h")


def spelled(length: float) -> str:
    """Seconds as they stand in a catalog: ``90s``, ``10m``, ``2h``."""
    unit = next((u for u in ("d", "h", "m") if length % _UNITS[u] == 0), "s")
    return f"{length / _UNITS[unit]:g}{unit}"


Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=LONGEST)]
