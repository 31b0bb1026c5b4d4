"""What all commands print with: answers to stdout, as text or as JSON."""

import sys
from typing import Annotated

import typer
from rich.console import Console

# into a pipe or a file goes every word: only a terminal has an edge
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 1000)
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
