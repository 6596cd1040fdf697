"""Each scenario runs on asyncio's own loop and on uvloop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

Run = Callable[[Coroutine[Any, Any, Any]], Any]

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def watched(scenario: Coroutine[Any, Any, Any]) -> Any:
    """Run a scenario; fail if it hangs, leaves a task behind, or an event loop callback raises."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    result = await asyncio.wait_for(scenario, 30)
    await asyncio.sleep(0)
    assert not complaints
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
    return result


@pytest.fixture(params=sorted(LOOPS))
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine to its end on a new loop of each kind."""

    def runner(scenario: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as loop:
            return loop.run(watched(scenario))

    return runner
