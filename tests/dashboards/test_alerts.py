"""The alert rules: promtool agrees with each, and each can be looked up in the runbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from dashboards import FILES, HERE, alerts
from dashboards.alerts import GROUPS, RUNBOOK
from tests.support.programs import prometheus, run

CASES = Path(__file__).with_name("alerts.test.yaml")
ALERTS = {alert.name: alert for group in GROUPS.values() for alert in group}
PARTS = ("Meaning", "Impact", "Diagnosis", "Mitigation")


def test_the_files_are_up_to_date() -> None:
    for folder in (HERE, FILES):
        assert (folder / alerts.NAME).read_text(encoding="utf-8") == alerts.rendered(), "run: python -m dashboards"


def test_promtool_can_read_every_rule() -> None:
    assert f"{len(ALERTS)} rules found" in run(prometheus() / "promtool", "check", "rules", HERE / alerts.NAME)


def test_promtool_can_read_the_readmes_configuration(tmp_path: Path) -> None:
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(# prometheus.yml\n.*?)```", text, re.DOTALL)
    (tmp_path / "prometheus.yml").write_text(block, encoding="utf-8")
    (tmp_path / alerts.NAME).write_text(alerts.rendered(), encoding="utf-8")
    command = (prometheus() / "promtool", "check", "config", "--syntax-only", tmp_path / "prometheus.yml")
    assert "is valid prometheus config file syntax" in run(*command)


def test_each_rule_fires_when_it_should_and_then_only() -> None:
    assert "SUCCESS" in run(prometheus() / "promtool", "test", "rules", CASES)
    told: dict[str, set[bool]] = {name: set() for name in ALERTS}
    for case in yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]:
        each: dict[str, Any]
        for each in case["alert_rule_test"]:
            told[each["alertname"]].add(bool(each.get("exp_alerts")))
    assert {name for name, seen in told.items() if seen != {True, False}} == set()


def test_the_runbook_has_every_alert_and_no_other() -> None:
    text = (HERE.parent / RUNBOOK).read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=\n## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(ALERTS)
    for name, section in sections.items():
        assert tuple(re.findall(r"^\*\*(\w+)\.\*\* \S", section, re.MULTILINE)) == PARTS, name
        assert set(re.findall(r"As for (\w+)", section)) <= set(ALERTS)
        assert ALERTS[name].rule()["annotations"]["runbook_url"] == f"{RUNBOOK}#{name.lower()}"
