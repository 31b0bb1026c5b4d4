"""`python -m tests.slackstub --port N`: the stub on its own, for an app in another process."""

import argparse
import asyncio
import contextlib
import json
import signal

from .server import SlackStub


async def serve(port: int, host: str, settings: dict[str, object]) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with SlackStub(port=port, host=host, **settings) as slack:
        print(json.dumps(slack.connection()), flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--settings", default="{}", help="settings as JSON, see settings.py")
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given.port, given.host, json.loads(given.settings)))


if __name__ == "__main__":
    main()
