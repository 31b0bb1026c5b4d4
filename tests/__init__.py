"""Tests, and what they share. Whatever imports one of them comes by here first."""

import sys

# httpcore looks for it with each request and never finds it: a quarter of what a request costs.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # says that there is none
