"""What `make test` does when a few tests failed: each is asked three times more, by itself.

Ten thousand tests on a machine that others use as well: now and then it stands still for a second,
and some test that waits for a server says so. What fails again in one of three fails the whole.
What passes three times is named in the last lines, and is to be mended all the same: its test, or
the race that it saw.
"""

import json
import subprocess
import sys
from pathlib import Path

AT_MOST = 8
"""More failures than this are no moment's trouble."""
TIMES = 3
FAILED = Path(".pytest_cache/v/cache/lastfailed")


def main() -> int:
    """Zero when all that failed passes, each time."""
    failed = sorted(json.loads(FAILED.read_text("utf-8"))) if FAILED.exists() else []
    if not 1 <= len(failed) <= AT_MOST:
        return 1
    for turn in range(1, TIMES + 1):
        print(f"\nWhat failed is asked again, by itself ({turn} of {TIMES}):", flush=True)
        asked = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *failed],
            check=False,
        )
        if asked.returncode:
            return asked.returncode
    print(f"\nFAILED ONCE, THEN PASSED {TIMES} TIMES; each of these is to be mended:")
    print("\n".join(failed))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
