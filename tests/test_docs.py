"""README.md says what the code does: its generated tables are what the code generates."""

from __future__ import annotations

from pathlib import Path

from gateway.docs import TABLES, rendered

README = Path(__file__).parent.parent / "README.md"


def test_generated_tables_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert rendered(text) == text, "run: python -m gateway.docs"


def test_every_table_is_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    for name in TABLES:
        assert f"<!-- {name}:begin -->" in text
