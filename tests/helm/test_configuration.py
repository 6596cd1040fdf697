"""What the chart gives to the gateway: its environment and its configuration are the gateway's own."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pydantic import HttpUrl, ValidationError

from gateway import __version__, config
from gateway.config import Configuration, Upstream
from gateway.settings import Settings
from helm import readme, schema
from helm.configuration import address
from helm.values import CHART, defaults, documented, undocumented
from tests.helm.cases import CASES, CONFIGURATION
from tests.helm.chart import Manifest, one, pod, render


def environment(manifests: list[Manifest]) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in pod(manifests)["containers"][0]["env"]}


def test_the_configuration_arrives_as_it_was_written() -> None:
    manifests = render(CASES["keys and models"])
    held = one(manifests, "ConfigMap")["data"]["polyculture.yaml"]
    assert config.parse(yaml.safe_load(held), origin="chart") == Configuration.model_validate(CONFIGURATION)
    assert config.parse(yaml.safe_load(one(render({}), "ConfigMap")["data"]["polyculture.yaml"]), origin="chart")


def test_a_changed_configuration_restarts_the_pod() -> None:
    sums = {
        one(render({"config": given}), "StatefulSet")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for given in ({}, CONFIGURATION, {"specialists": True})
    }
    assert len(sums) == 3


def test_the_environment_is_the_gateways() -> None:
    found = environment(render(CASES["keys and models"]))
    own = {name.removeprefix("POLYCULTURE_").lower() for name in found if name.startswith("POLYCULTURE_")}
    assert own <= set(Settings.model_fields)
    assert found["POLYCULTURE_DATA_DIR"] == "/data"
    spec = pod(render(CASES["keys and models"]))["containers"][0]
    mounted = {mount["mountPath"] for mount in spec["volumeMounts"]}
    assert {"/data", "/etc/polyculture", "/tmp"} == mounted
    assert found["POLYCULTURE_CONFIG"] == "/etc/polyculture/polyculture.yaml"
    assert int(found["POLYCULTURE_PORT"]) == spec["ports"][0]["containerPort"]


def test_secrets_come_by_reference() -> None:
    manifests = render(CASES["keys and models"])
    found = environment(manifests)
    for name, key, optional in (
        ("API_KEY", "API", False),
        ("ADMIN_KEY", "ADMIN", False),
        ("METRICS_TOKEN", "METRICS", True),
    ):
        assert found[f"POLYCULTURE_{name}"] == {"secretKeyRef": {"name": "keys", "key": key, "optional": optional}}
    sources = pod(manifests)["containers"][0]["envFrom"]
    assert [source["secretRef"]["name"] for source in sources] == ["providers", "tenants"]
    assert "Secret" not in {manifest["kind"] for manifest in manifests}


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://a", True),
        ("HTTPS://a_b.example:8000/v1?x#y", True),
        ("http://user:word@[::1]:65535/", True),
        ("http://a:/v 1", True),
        ("notaurl", False),
        ("ftp://a", False),
        ("http://", False),
        ("http://a b/v1", False),
        ("http://a:65536/v1", False),
        ("http://a:port/v1", False),
        ("http://[zz]/", False),
    ],
)
def test_an_upstreams_address_is_read_as_the_gateway_reads_it(url: str, good: bool) -> None:
    assert bool(re.fullmatch(address(), url)) is good
    taken = True
    try:
        Upstream(base_url=HttpUrl(url), model="a")
    except ValidationError:
        taken = False
    assert taken is good


def test_schema_and_readme_are_up_to_date() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.rendered(), "run: python -m helm"
    text = readme.FILE.read_text(encoding="utf-8")
    assert readme.rendered(text) == text, "run: python -m helm"
    assert all(f"| `{'.'.join(value.path)}` |" in text for value in documented())


def test_every_value_is_told_about_and_in_the_schema() -> None:
    assert undocumented() == []
    assert set(defaults()) == set(schema.schema()["properties"]) - {"global"}


def test_the_chart_installs_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == __version__
    assert pod(render({}))["containers"][0]["image"] == f"polyculture:{__version__}"
