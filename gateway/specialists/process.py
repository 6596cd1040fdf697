"""A specialist's own process: it loads one library, serves on the socket it was given, and ends with its parent."""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import signal
import socket
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING

import uvicorn

from gateway.specialists.server import Server

if TYPE_CHECKING:
    from gateway.specialists.protocol import Specialist

_PR_SET_PDEATHSIG = 1
_NICENESS = 10
KEEP_ALIVE_S = 300


def load(name: str) -> Specialist:
    """The specialist called ``name``; only here is its library imported."""
    module = importlib.import_module(f"gateway.specialists.{name.replace('-', '_')}")
    specialist: Specialist = module.load()
    return specialist


def end_with_parent() -> None:
    """Let this process die when its parent does, however that ends.

    The parent holds the other end of standard input and never writes: end of file means that it is gone. On Linux
    the kernel is asked to kill this process as well (``PR_SET_PDEATHSIG``, prctl(2)), for when no thread can run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_exit_at_end_of_input, name="parent-watch", daemon=True).start()


def _exit_at_end_of_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def main() -> None:
    """Serve one specialist on an inherited listening socket, until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m gateway.specialists", description=__doc__)
    parser.add_argument("name", help="which specialist to serve")
    parser.add_argument("--fd", type=int, required=True, help="the listening socket's file descriptor")
    arguments = parser.parse_args()
    end_with_parent()
    os.nice(_NICENESS)
    listener = socket.socket(fileno=arguments.fd)
    server = Server(
        name=arguments.name, specialist=load(arguments.name), clock=time.time, new_id=lambda: uuid.uuid4().hex
    )
    config = uvicorn.Config(
        server.application(),
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])
