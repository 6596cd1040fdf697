"""What one installation has learned, brought into another: the same to the bit, and so is what it gives each model."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.bench.gate.installation import Installation


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """The file's size in bytes; whether what was brought in is exported as the same file; whether so many prompts get
    the same probabilities, digit for digit.
    """

    size: int
    same_file: bool
    prompts: int
    same_probabilities: bool


def carry(here: Installation, there: Installation, prompts: Sequence[str]) -> Carried:
    """Export here, import there, compare. Neither may be asked anything meanwhile."""
    archive = here.export()
    there.bring(archive, force=False).raise_for_status()
    return Carried(
        size=len(archive),
        same_file=there.export() == archive,
        prompts=len(prompts),
        same_probabilities=all(here.probabilities(prompt) == there.probabilities(prompt) for prompt in prompts),
    )
