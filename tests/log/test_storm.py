"""After anything that can happen, in any order, and kill -9 at any moment: the saved and the live state are the log's.

This is the short one; ``python -m tests.log.storm DIRECTORY`` goes on for 50,000 events and 20 kills.
"""

from __future__ import annotations

from pathlib import Path

from tests.log.storm import survive


def test_the_state_is_what_the_log_says_after_a_storm(tmp_path: Path) -> None:
    assert survive(tmp_path / "home", events=1_500, kills=1, seed=3) > 0
