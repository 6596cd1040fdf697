"""A bad value fails at helm, with a message that names it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helm.chart import refusal

MODEL = {"id": "a", "upstream": {"base_url": "http://a/v1", "model": "a"}}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"replicas": 1}, "'replicas' not allowed"),
    ({"replicaCount": "1"}, "'/replicaCount': got string, want integer"),
    ({"autoscaling": {"enabled": True}}, "'autoscaling' not allowed"),
    ({"image": {"tagg": "1"}}, "at '/image': additional properties 'tagg' not allowed"),
    ({"image": {"tag": 1}}, "at '/image/tag'"),
    ({"image": {"digest": "latest"}}, "at '/image/digest'"),
    ({"image": {"pullPolicy": "Sometimes"}}, "at '/image/pullPolicy'"),
    ({"auth": {"existingSecret": "No Such"}}, "at '/auth/existingSecret'"),
    ({"auth": {"apiKeyValue": "pc-1"}}, "'apiKeyValue' not allowed"),
    ({"secretsFrom": [""]}, "at '/secretsFrom/0'"),
    ({"extraEnv": [{"name": "A"}]}, "at '/extraEnv/0': missing property 'value'"),
    ({"extraEnv": [{"name": "A B", "value": ""}]}, "at '/extraEnv/0/name'"),
    ({"extraEnv": [{"name": "A", "value": 1}]}, "at '/extraEnv/0/value'"),
    ({"persistence": {"size": "8 gigabytes"}}, "at '/persistence/size'"),
    ({"persistence": {"size": -4}}, "at '/persistence/size'"),
    ({"persistence": {"accessMode": "ReadWriteMany"}}, "at '/persistence/accessMode'"),
    ({"podSecurityContext": {"runAsNonRoot": False}}, "at '/podSecurityContext/runAsNonRoot': value must be true"),
    ({"podSecurityContext": {"runAsUser": 0}}, "at '/podSecurityContext/runAsUser'"),
    ({"securityContext": {"privileged": True}}, "at '/securityContext/privileged': value must be false"),
    ({"resources": {"requests": {"memory": "1GB"}}}, "at '/resources/requests/memory'"),
    ({"resources": {"limits": {"ram": "1Gi"}}}, "'ram' not allowed"),
    ({"livenessProbe": {"path": "/"}}, "at '/livenessProbe': additional properties 'path' not allowed"),
    ({"service": {"port": 0}}, "at '/service/port'"),
    ({"tolerations": [{"effect": "Never"}]}, "at '/tolerations/0/effect'"),
    ({"topologySpreadConstraints": [{"maxSkew": 1}]}, "at '/topologySpreadConstraints/0': missing properties"),
    ({"networkPolicy": {"ingressFrom": [{"namespace": "a"}]}}, "'namespace' not allowed"),
    ({"config": {"modells": []}}, "at '/config': additional properties 'modells' not allowed"),
    ({"config": {"models": [{"id": "a"}]}}, "at '/config/models/0': missing property 'upstream'"),
    ({"config": {"models": [{**MODEL, "api_key": "sk"}]}}, "at '/config/models/0': additional properties 'api_key'"),
    ({"config": {"routing": {"fallbacks": -1}}}, "at '/config/routing/fallbacks'"),
]

#: What no schema can say, and the reason given.
CONTRARY: list[tuple[dict[str, Any], str]] = [
    ({"replicaCount": 2}, "replicaCount is 2 and must be 1: the gateway keeps its log in one SQLite file"),
    ({"replicaCount": 0}, "replicaCount is 0 and must be 1"),
    ({"serviceMonitor": {"enabled": True}}, "serviceMonitor.enabled needs auth.existingSecret"),
    ({"ingress": {"enabled": True}}, "ingress.enabled needs at least one name in ingress.hosts"),
    ({"extraEnv": [{"name": "POLYCULTURE_PORT", "value": "1"}]}, "extraEnv must not set POLYCULTURE_PORT"),
    ({"extraEnv": [{"name": "POLYCULTURE_DRAIN_S", "value": "1"}]}, "extraEnv must not set POLYCULTURE_DRAIN_S"),
    ({"extraEnv": [{"name": "POLYCULTURE_API_KEY", "value": "k"}]}, "put it into the Secret that auth.existingSecret"),
]


@pytest.mark.parametrize(("values", "message"), BAD + CONTRARY, ids=lambda each: json.dumps(each)[:60])
def test_a_bad_value_is_named(values: dict[str, Any], message: str) -> None:
    assert message in refusal(values)
