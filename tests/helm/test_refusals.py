"""A bad value fails at helm, with a message that names it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helm.chart import one, refusal, render

UPSTREAM = {"base_url": "http://a/v1", "model": "a"}
MODEL = {"id": "a", "upstream": UPSTREAM}


def upstream(**said: Any) -> dict[str, Any]:
    """The model with more said of where it is served."""
    return {**MODEL, "upstream": {**UPSTREAM, **said}}


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

#: What Kubernetes, its Prometheus operator or the gateway would refuse, or take and not find again.
ELSEWHERE: list[tuple[dict[str, Any], str]] = [
    ({"fullnameOverride": "1abc"}, "at '/fullnameOverride': '1abc'"),
    ({"fullnameOverride": "a.b"}, "at '/fullnameOverride': 'a.b'"),
    ({"fullnameOverride": "a" * 64}, "at '/fullnameOverride': maxLength: got 64, want 63"),
    ({"nameOverride": "a.b"}, "at '/nameOverride': 'a.b'"),
    ({"image": {"repository": "a b"}}, "at '/image/repository': 'a b'"),
    ({"image": {"repository": "Some/Image"}}, "at '/image/repository': 'Some/Image'"),
    ({"image": {"repository": "image:1"}}, "at '/image/repository': 'image:1'"),
    ({"image": {"tag": "-1"}}, "at '/image/tag': '-1'"),
    ({"imagePullSecrets": [{"name": ""}]}, "at '/imagePullSecrets/0/name'"),
    ({"auth": {"existingSecret": "a..b"}}, "at '/auth/existingSecret': 'a..b'"),
    ({"auth": {"apiKey": ".."}}, "at '/auth/apiKey'"),
    ({"extraEnv": [{"name": "A", "valueFrom": {}}]}, "at '/extraEnv/0/valueFrom': minProperties"),
    ({"extraEnv": [{"name": "A", "valueFrom": {"secret": {}}}]}, "'secret' not allowed"),
    ({"persistence": {"size": 0}}, "at '/persistence/size'"),
    ({"persistence": {"size": "0.0Gi"}}, "at '/persistence/size': '0.0Gi'"),
    ({"persistence": {"size": "8000m"}}, "at '/persistence/size': '8000m'"),
    ({"persistence": {"storageClass": "-"}}, "at '/persistence/storageClass': '-'"),
    ({"persistence": {"annotations": {"a b": ""}}}, "at '/persistence/annotations': additional properties 'a b'"),
    ({"serviceAccount": {"annotations": {"a/b/c": ""}}}, "at '/serviceAccount/annotations': additional properties"),
    ({"podLabels": {"app.kubernetes.io/name": "a"}}, "at '/podLabels/app.kubernetes.io~1name': false schema"),
    ({"podLabels": {"app.kubernetes.io/instance": "a"}}, "at '/podLabels/app.kubernetes.io~1instance': false schema"),
    ({"podLabels": {"helm.sh/chart": "a"}}, "at '/podLabels/helm.sh~1chart': false schema"),
    ({"podLabels": {"a b": "c"}}, "at '/podLabels': additional properties 'a b' not allowed"),
    ({"podLabels": {"Example.org/a": "b"}}, "at '/podLabels': additional properties 'Example.org/a' not allowed"),
    ({"podLabels": {"a" * 64: "b"}}, "at '/podLabels': additional properties"),
    ({"podLabels": {f"{'a.' * 127}a/b": "c"}}, "at '/podLabels/a.a."),
    ({"podLabels": {"a": "b c"}}, "at '/podLabels/a': 'b c'"),
    ({"podLabels": {"a": "b" * 64}}, "at '/podLabels/a'"),
    ({"podAnnotations": {"/a": "b"}}, "at '/podAnnotations': additional properties '/a' not allowed"),
    ({"podAnnotations": {"checksum/config": "a"}}, "at '/podAnnotations/checksum~1config': false schema"),
    ({"podSecurityContext": {"fsGroup": -1}}, "at '/podSecurityContext/fsGroup'"),
    ({"resources": {"requests": {"memory": "512m"}}}, "at '/resources/requests/memory': '512m'"),
    ({"resources": {"requests": {"memory": "2Gi"}}}, "resources.requests.memory is 2Gi, above resources.limits.memory"),
    ({"resources": {"limits": {"memory": "300M"}}}, "resources.requests.memory is 384Mi, above"),
    ({"resources": {"limits": {"cpu": "200m"}}}, "resources.requests.cpu is 250m, above resources.limits.cpu, 200m"),
    ({"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1999m"}}}, "resources.requests.cpu is 2, above"),
    ({"service": {"port": 65536}}, "at '/service/port'"),
    ({"service": {"annotations": {"": "a"}}}, "at '/service/annotations'"),
    ({"ingress": {"enabled": True, "hosts": ["a b"]}}, "at '/ingress/hosts/0': 'a b'"),
    ({"ingress": {"enabled": True, "hosts": ["a.*.b"]}}, "at '/ingress/hosts/0': 'a.*.b'"),
    ({"ingress": {"enabled": True, "hosts": ["10.0.0.1"]}}, "at '/ingress/hosts/0'"),
    ({"ingress": {"className": "A"}}, "at '/ingress/className': 'A'"),
    ({"ingress": {"tls": [{"secretName": "A_b"}]}}, "at '/ingress/tls/0/secretName': 'A_b'"),
    ({"ingress": {"tls": [{"hosts": ["https://a"]}]}}, "at '/ingress/tls/0/hosts/0': 'https://a'"),
    ({"nodeSelector": {"disk": "s s d"}}, "at '/nodeSelector/disk': 's s d'"),
    ({"tolerations": [{"key": "a b", "operator": "Exists"}]}, "at '/tolerations/0/key'"),
    ({"tolerations": [{"operator": "Equal"}]}, "at '/tolerations/0': missing property 'key'"),
    ({"tolerations": [{"operator": "Exists", "value": "a"}]}, "at '/tolerations/0/value'"),
    ({"tolerations": [{"key": "a", "tolerationSeconds": 1}]}, "at '/tolerations/0': missing property 'effect'"),
    ({"topologySpreadConstraints": [{"topologyKey": "a b"}]}, "at '/topologySpreadConstraints/0/topologyKey': 'a b'"),
    ({"priorityClassName": "Bad_Name"}, "at '/priorityClassName': 'Bad_Name'"),
    ({"serviceMonitor": {"interval": "0s"}}, "at '/serviceMonitor/interval': '0s'"),
    ({"serviceMonitor": {"labels": {"helm.sh/chart": "a"}}}, "at '/serviceMonitor/labels/helm.sh~1chart'"),
    (
        {"auth": {"existingSecret": "a"}, "serviceMonitor": {"enabled": True, "scrapeTimeout": "1m"}},
        "serviceMonitor.scrapeTimeout is 1m, longer than serviceMonitor.interval, 15s",
    ),
    ({"grafanaDashboard": {"labels": {"a": "?"}}}, "at '/grafanaDashboard/labels/a': '?'"),
    ({"config": {"models": [upstream(base_url="notaurl")]}}, "at '/config/models/0/upstream/base_url': 'notaurl'"),
    ({"config": {"models": [upstream(base_url=None)]}}, "at '/config/models/0/upstream/base_url': got null"),
    ({"config": {"models": [upstream(options={"a": 1})]}}, "at '/config/models/0/upstream/options'"),
    (
        {"config": {"models": [upstream(kind="litellm", options={"api_Key": "sk"})]}},
        "at '/config/models/0/upstream/options/api_Key': false schema",
    ),
    (
        {"config": {"models": [{**upstream(kind="litellm"), "endpoint": "audio"}]}},
        "at '/config/models/0/endpoint': value must be one of 'chat', 'embeddings'",
    ),
    ({"config": {"models": [{**MODEL, "id": "auto"}]}}, "at '/config/models/0/id'"),
    ({"config": {"models": [{**MODEL, "id": "auto:x"}]}}, "at '/config/models/0/id'"),
    ({"config": {"models": [MODEL, MODEL]}}, "config.models has two of the id a"),
    ({"config": {"tenants": [{"id": "a", "models": ["auto"]}]}}, "at '/config/tenants/0/models/0'"),
    ({"config": {"tenants": [{"id": "a"}, {"id": "a"}]}}, "config.tenants has two of the id a"),
    ({"config": {"overrides": {"auto": {}}}}, "at '/config/overrides/auto'"),
    ({"config": {"overrides": {"a b": {}}}}, "at '/config/overrides': additional properties 'a b' not allowed"),
    ({"config": {"metrics": {"minutes": {"worst": 1}}}}, "config.metrics.minutes: worst and best must differ"),
]


@pytest.mark.parametrize(("values", "message"), BAD + CONTRARY + ELSEWHERE, ids=lambda each: json.dumps(each)[:60])
def test_a_bad_value_is_named(values: dict[str, Any], message: str) -> None:
    assert message in refusal(values)
    assert message in refusal(values, "lint")


@pytest.mark.parametrize("release", ["1abc", "a.b"])
def test_a_release_whose_name_no_service_may_have_is_refused(release: str) -> None:
    assert f"the release's name {release} makes {release}-polyculture the Service's name" in refusal(
        {}, release=release
    )
    assert one(render({"fullnameOverride": "a"}, release), "Service")["metadata"]["name"] == "a"
