"""What `redress up` does, with the small worker: `small_stack.py wait`, or `... work` to be busy meanwhile."""

import asyncio
import sys
from pathlib import Path

from runtime.embedded import Stack
from runtime.settings import load_settings
from runtime.temporal import run

WORKER = (sys.executable, str(Path(__file__).with_name("small_worker.py")))


async def main(do: str) -> None:
    async with Stack(load_settings(), worker_command=WORKER, say=lambda news: print(news, flush=True)) as stack:
        print("ready", flush=True)
        await (stack.wait() if do == "wait" else asyncio.sleep(600))


if __name__ == "__main__":
    run(main(sys.argv[1]))
