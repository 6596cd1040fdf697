"""Every way to run the chart: helm has nothing against it, and Kubernetes would take each manifest."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from dashboards import alerts, overview
from helm.values import CHART
from tests.helm.cases import CASES
from tests.helm.chart import NAMESPACE, Manifest, Values, lint, one, pod, render

#: The oldest Kubernetes that the chart says it runs on, and the newest whose API is described.
OLDEST, NEWEST = "1.25", kubernetes_validate.latest_version()

#: Kinds of the Prometheus operator, which Kubernetes' own API does not describe.
OPERATORS = {"ServiceMonitor", "PrometheusRule"}

matrix = pytest.mark.parametrize("values", CASES.values(), ids=CASES)

_seen: set[str] = set()


def check_manifest(manifest: Manifest, version: str) -> None:
    """Kubernetes' own description, strictly; what was found sound once is not looked at again."""
    key = version + yaml.safe_dump(manifest)
    if key not in _seen:
        kubernetes_validate.validate(manifest, version, strict=True)
        _seen.add(key)


@matrix
def test_helm_has_nothing_to_say(values: Values) -> None:
    lint(values)
    assert values is not None


@matrix
def test_kubernetes_takes_every_manifest(values: Values) -> None:
    manifests = render(values)
    for manifest in manifests:
        if manifest["kind"] not in OPERATORS:
            check_manifest(manifest, NEWEST)
        assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"]
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", ["nothing said", "placed"])
def test_the_oldest_kubernetes_takes_them_too(case: str) -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"
    for manifest in render(CASES[case]):
        check_manifest(manifest, OLDEST)


@matrix
def test_the_pod_has_no_privileges(values: Values) -> None:
    """What the restricted Pod Security Standard asks for, and more."""
    spec = pod(render(values))
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert {"hostNetwork", "hostPID", "hostIPC"}.isdisjoint(spec)


@matrix
def test_parts_find_each_other(values: Values) -> None:
    manifests = render(values)
    stateful, service = one(manifests, "StatefulSet"), one(manifests, "Service")
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    selectors: list[dict[str, Any]] = [stateful["spec"]["selector"]["matchLabels"], service["spec"]["selector"]]
    by_kind = {manifest["kind"]: manifest for manifest in manifests if manifest["kind"] != "ConfigMap"}
    if "NetworkPolicy" in by_kind:
        selectors.append(by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"])
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()
    spec = pod(manifests)
    (port,) = spec["containers"][0]["ports"]
    assert [each["targetPort"] for each in service["spec"]["ports"]] == [port["name"]]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert {mount["name"] for mount in spec["containers"][0]["volumeMounts"]} == set(volumes)
    claimed = volumes["data"].get("persistentVolumeClaim", {}).get("claimName")
    made = by_kind.get("PersistentVolumeClaim")
    given = values.get("persistence", {}).get("existingClaim")
    assert claimed == (made["metadata"]["name"] if made else given)
    accounts = [manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "ServiceAccount"]
    assert [spec["serviceAccountName"]] == (accounts or ["default"])


def test_what_watches_it() -> None:
    manifests = render(CASES["watched"])
    monitor, service = one(manifests, "ServiceMonitor"), one(manifests, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["path"] == "/metrics"
    assert endpoint["authorization"] == {"credentials": {"name": "keys", "key": "metrics-token"}}
    assert one(manifests, "PrometheusRule")["spec"] == yaml.safe_load(alerts.rendered())
    (shown,) = [each["data"] for each in manifests if each["metadata"]["name"].endswith("-dashboard")]
    assert shown["polyculture-overview.json"].strip() == overview.rendered().strip()


def test_spreading_counts_the_charts_own_pods_unless_told_otherwise() -> None:
    manifests = render(CASES["placed"])
    first, second = pod(manifests)["topologySpreadConstraints"]
    assert first["labelSelector"] == one(manifests, "StatefulSet")["spec"]["selector"]
    assert second["labelSelector"] == {"matchLabels": {"team": "ai"}}


def test_the_readmes_example_works() -> None:
    text = (CHART / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(# my-values.yaml\n.*?)```", text, re.DOTALL)
    values = yaml.safe_load(block)
    lint(values)
    assert {"ServiceMonitor", "PrometheusRule"} <= {manifest["kind"] for manifest in render(values)}


def test_every_name_is_the_releases() -> None:
    assert NAMESPACE
    assert {each["metadata"]["name"] for each in render({})} == {"mine-polyculture", "mine-polyculture-data"}
    assert {each["metadata"]["name"] for each in render({"fullnameOverride": "r"})} == {"r", "r-data"}
