"""``values.schema.json``: what each value may be. Unknown values are refused, the gateway's configuration included."""

from __future__ import annotations

import json
from typing import Final

from helm.configuration import configuration
from helm.forms import FORMS, OWN_ANNOTATIONS, OWN_LABELS, without
from helm.parts import ANYTHING, COUNT, FLAG, Schema, always, given, known, like, needing, one_of, section, several
from helm.values import CHART, documented

FILE: Final = CHART / "values.schema.json"


def running() -> dict[str, Schema]:
    """What runs, with what, and as whom."""
    user = {
        "runAsNonRoot": always(True),
        "runAsUser": known("user"),
        "runAsGroup": COUNT,
        **dict.fromkeys(("seLinuxOptions", "appArmorProfile", "seccompProfile"), ANYTHING),
    }
    return {
        "replicaCount": {"type": "integer"},
        "image": section(
            repository=known("repository"),
            tag=known("tag"),
            digest=like("(sha256:[0-9a-f]{64})?"),
            pullPolicy=one_of("Always", "IfNotPresent", "Never"),
        ),
        "imagePullSecrets": several(needing("name", name=given("name"))),
        "nameOverride": known("label"),
        "fullnameOverride": known("service"),
        "config": known("Configuration"),
        "auth": section(
            existingSecret=known("name"), **dict.fromkeys(("apiKey", "adminKey", "metricsToken"), known("key"))
        ),
        "secretsFrom": several(given("name")),
        "extraEnv": several(known("variable")),
        "persistence": section(
            enabled=FLAG,
            existingClaim=known("name"),
            storageClass=known("name"),
            accessMode=one_of("ReadWriteOnce", "ReadWriteOncePod"),
            size=known("size"),
            annotations=known("annotations"),
        ),
        "serviceAccount": section(create=FLAG, name=known("name"), annotations=known("annotations")),
        "podLabels": without("labels", OWN_LABELS),
        "podAnnotations": without("annotations", OWN_ANNOTATIONS),
        "podSecurityContext": section(
            **user,
            fsGroup=COUNT,
            fsGroupChangePolicy=one_of("Always", "OnRootMismatch"),
            supplementalGroups=several(COUNT),
            sysctls=several(ANYTHING),
        ),
        "securityContext": section(
            **user,
            allowPrivilegeEscalation=always(False),
            privileged=always(False),
            readOnlyRootFilesystem=FLAG,
            capabilities=ANYTHING,
        ),
        "resources": section(requests=known("amounts"), limits=known("amounts")),
        **dict.fromkeys(("startupProbe", "livenessProbe", "readinessProbe"), known("probe")),
        "terminationGracePeriodSeconds": {"type": "integer", "minimum": 0},
    }


def reached() -> dict[str, Schema]:
    """Where it runs, who reaches it, and who watches it."""
    return {
        "service": section(
            type=one_of("ClusterIP", "NodePort", "LoadBalancer"),
            port={"type": "integer", "minimum": 1, "maximum": 65535},
            annotations=known("annotations"),
        ),
        "ingress": section(
            enabled=FLAG,
            className=known("name"),
            annotations=known("annotations"),
            hosts=several(known("host")),
            tls=several(section(secretName=known("name"), hosts=several(known("host")))),
        ),
        "nodeSelector": known("labels"),
        "tolerations": several(known("toleration")),
        "affinity": section(nodeAffinity=ANYTHING, podAffinity=ANYTHING, podAntiAffinity=ANYTHING),
        "topologySpreadConstraints": several(known("spread")),
        "priorityClassName": known("name"),
        "networkPolicy": section(
            enabled=FLAG,
            ingressFrom=several(section(namespaceSelector=ANYTHING, podSelector=ANYTHING, ipBlock=ANYTHING)),
            egress=several(section(to=several(ANYTHING), ports=several(ANYTHING))),
        ),
        "serviceMonitor": section(
            enabled=FLAG,
            labels=without("labels", OWN_LABELS),
            interval=known("duration"),
            scrapeTimeout=known("duration"),
        ),
        "prometheusRule": section(enabled=FLAG, labels=without("labels", OWN_LABELS), runbook=like(r"[^\s\"'#]+")),
        "grafanaDashboard": section(enabled=FLAG, labels=without("labels", OWN_LABELS)),
    }


def schema() -> Schema:
    """The whole schema, each value described by its comment."""
    found: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **section(**running(), **reached(), **{"global": ANYTHING}),
        "$defs": {**FORMS, **configuration()},
    }
    for value in documented():
        *above, last = value.path
        properties = found["properties"]
        for name in above:
            properties = properties[name]["properties"]
        properties[last] = {"description": value.comment, **properties[last]}
    return found


def rendered() -> str:
    """The file's text."""
    return json.dumps(schema(), indent=2) + "\n"
