"""One specialist's process as its parent sees it: started, watched, started again, ended."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

from gateway.specialists.environment import environment

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0
SETTLED_S = 30.0
LAST_WORDS = 2_000


class Child:
    """A specialist's process. ``listener`` stays open here, so that callers queue while the process is away."""

    def __init__(self, *, name: str, listener: socket.socket, log: Any) -> None:
        self.name = name
        self._listener = listener
        self._log = log.bind(specialist=name)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def run(self) -> None:
        """Keep the process running until cancelled; then it is killed, for it holds no state."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                code, words = await self._once()
            except OSError as error:
                code, words = None, f"it did not start: {error}"
            failures = 0 if loop.time() - started > SETTLED_S else failures + 1
            pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** max(0, failures - 1))
            self._log.warning("specialist_ended", code=code, last_words=words, restart_in_s=pause)
            await asyncio.sleep(pause)

    async def _once(self) -> tuple[int | None, str]:
        """One life of the process: its exit code and the end of what it said on standard error."""
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __package__ or "", self.name, "--fd", str(self._listener.fileno())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment(),
            pass_fds=(self._listener.fileno(),),
            start_new_session=True,
        )
        try:
            words = await _last_words(process.stderr)
            return await process.wait(), words
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _last_words(stream: asyncio.StreamReader | None) -> str:
    words = b""
    while stream is not None and (chunk := await stream.read(LAST_WORDS)):
        words = (words + chunk)[-LAST_WORDS:]
    return words.decode(errors="replace").strip()
