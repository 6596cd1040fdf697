"""Heavy work aside: a ``polyculture`` command in a process of its own, so that no request waits for it."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress

#: How much such a process yields to serving.
NICENESS = 10


class AsideFailed(RuntimeError):
    """The command ended with an error; the message is what it said."""


async def aside(*arguments: str) -> bytes:
    """What ``polyculture <arguments>`` prints. Raises :class:`AsideFailed`; cancelled, it ends the process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        output, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise AsideFailed(complaint.decode(errors="replace").strip().removeprefix("Error: "))
    return output
