"""A process that may be killed: it runs one function on untrusted text within bounds of time and memory.

The bounds are the kernel's: an interval timer whose signal ends the process, even within a library's C code, and a
limit on its address space. A worker that died of one is replaced, and the caller is told. It ends with its parent:
at the end of its input when idle, and when its time is up at the latest.
"""

from __future__ import annotations

import importlib
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable

from gateway.specialists.environment import environment

Function = Callable[[str], str | None]

MEMORY_BYTES = 1 << 30


class OutOfBounds(Exception):
    """The function took more time or memory than it may."""


class Worker:
    """Runs ``function``, named ``module:name``, with ``seconds`` of processor time for each call. Not thread-safe."""

    def __init__(self, *, function: str, seconds: float) -> None:
        self._command = [sys.executable, "-P", "-m", __name__, function, str(seconds)]
        self._process = self._start()

    def call(self, text: str) -> str | None:
        """The function's result for ``text``. Raises :class:`OutOfBounds`."""
        requests, replies = self._process.stdin, self._process.stdout
        assert requests is not None
        assert replies is not None
        try:
            requests.write(json.dumps(text).encode() + b"\n")
            requests.flush()
            line = replies.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            self._process = self._start()
            raise OutOfBounds
        result: str | None = json.loads(line)
        return result

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())


def serve(function: Function, *, seconds: float) -> None:
    """Answer lines of standard input, JSON in and JSON out, until it ends or a bound is passed."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        reply = function(json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Load the function that the command line names, and serve it."""
    module, _, name = sys.argv[1].partition(":")
    function: Function = getattr(importlib.import_module(module), name)
    serve(function, seconds=float(sys.argv[2]))


if __name__ == "__main__":
    main()
