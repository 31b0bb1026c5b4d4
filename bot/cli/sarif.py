"""Problems as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.located import Problem

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> dict[str, Any]:
    """One run of one tool; paths are relative to the current folder where they lie below it."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "jackline check",
                        "rules": [
                            {
                                "id": "runbook",
                                "shortDescription": {"text": "A runbook must be able to run."},
                            }
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    *(_result(problem, "error") for problem in problems),
                    *(_result(doubt, "warning") for doubt in warnings),
                ],
            }
        ],
    }


def _result(problem: Problem, level: str) -> dict[str, Any]:
    region = {"startLine": problem.line, "startColumn": problem.column}
    return {
        "ruleId": "runbook",
        "level": level,
        "message": {"text": problem.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(Path(problem.path))},
                    "region": region,
                }
            }
        ],
    }


def _uri(path: Path) -> str:
    here = Path.cwd()
    full = path.absolute()
    return full.relative_to(here).as_posix() if full.is_relative_to(here) else full.as_uri()
