"""``values.schema.json``: what each value may be. Unknown values are refused, the gateway's configuration included."""

from __future__ import annotations

import json
from typing import Any, Final

from gateway.config import Configuration
from helm.values import CHART, documented

Schema = dict[str, Any]

FILE: Final = CHART / "values.schema.json"

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
WHOLE: Final[Schema] = {"type": "integer"}
#: Parts of Kubernetes' own API that the chart hands on as they are.
ANYTHING: Final[Schema] = {"type": "object"}


def section(**properties: Schema) -> Schema:
    """A mapping of known values."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def needing(*names: str, **properties: Schema) -> Schema:
    """A mapping of known values, some of which must be there."""
    return {**section(**properties), "required": list(names)}


def several(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def one_of(*values: str) -> Schema:
    """One of a few words."""
    return {"enum": list(values)}


def always(value: bool) -> Schema:
    """What cannot be otherwise."""
    return {"const": value}


def known(name: str) -> Schema:
    """What is defined once, below."""
    return {"$ref": f"#/$defs/{name}"}


DEFINITIONS: Final[dict[str, Schema]] = {
    "strings": {"type": "object", "additionalProperties": TEXT},
    "name": {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$", "maxLength": 253},
    "key": {"type": "string", "pattern": "^[-._A-Za-z0-9]+$"},
    "quantity": {
        "type": ["string", "integer"],
        "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$",
        "minimum": 0,
    },
    "duration": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
    "seconds": {"type": "integer", "minimum": 1},
    "user": {"type": "integer", "minimum": 1},
    "amounts": section(
        **dict.fromkeys(("cpu", "memory", "ephemeral-storage"), known("quantity")),
    ),
    "probe": section(
        initialDelaySeconds={"type": "integer", "minimum": 0},
        **dict.fromkeys(("periodSeconds", "timeoutSeconds", "failureThreshold"), known("seconds")),
    ),
    "variable": {
        **needing(
            "name",
            name={"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            value=TEXT,
            valueFrom=ANYTHING,
        ),
        "oneOf": [{"required": ["value"]}, {"required": ["valueFrom"]}],
    },
}


def running() -> dict[str, Schema]:
    """What runs, with what, and as whom."""
    user = {
        "runAsNonRoot": always(True),
        "runAsUser": known("user"),
        "runAsGroup": WHOLE,
        **dict.fromkeys(("seLinuxOptions", "appArmorProfile", "seccompProfile"), ANYTHING),
    }
    return {
        "replicaCount": WHOLE,
        "image": section(
            repository={"type": "string", "minLength": 1},
            tag=TEXT,
            digest={"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
            pullPolicy=one_of("Always", "IfNotPresent", "Never"),
        ),
        "imagePullSecrets": several(needing("name", name=known("name"))),
        "nameOverride": known("name"),
        "fullnameOverride": known("name"),
        "config": known("Configuration"),
        "auth": section(
            existingSecret=known("name"), **dict.fromkeys(("apiKey", "adminKey", "metricsToken"), known("key"))
        ),
        "secretsFrom": several({**known("name"), "minLength": 1}),
        "extraEnv": several(known("variable")),
        "persistence": section(
            enabled=FLAG,
            existingClaim=known("name"),
            storageClass=TEXT,
            accessMode=one_of("ReadWriteOnce", "ReadWriteOncePod"),
            size=known("quantity"),
            annotations=known("strings"),
        ),
        "serviceAccount": section(create=FLAG, name=known("name"), annotations=known("strings")),
        "podLabels": known("strings"),
        "podAnnotations": known("strings"),
        "podSecurityContext": section(
            **user,
            fsGroup=WHOLE,
            fsGroupChangePolicy=one_of("Always", "OnRootMismatch"),
            supplementalGroups=several(WHOLE),
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
    spread = needing(
        "maxSkew",
        "topologyKey",
        "whenUnsatisfiable",
        maxSkew=known("seconds"),
        minDomains=WHOLE,
        topologyKey=TEXT,
        whenUnsatisfiable=one_of("DoNotSchedule", "ScheduleAnyway"),
        labelSelector=ANYTHING,
        matchLabelKeys=several(TEXT),
        nodeAffinityPolicy=one_of("Honor", "Ignore"),
        nodeTaintsPolicy=one_of("Honor", "Ignore"),
    )
    toleration = section(
        key=TEXT,
        operator=one_of("Exists", "Equal"),
        value=TEXT,
        effect=one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
        tolerationSeconds=WHOLE,
    )
    return {
        "service": section(
            type=one_of("ClusterIP", "NodePort", "LoadBalancer"),
            port={"type": "integer", "minimum": 1, "maximum": 65535},
            annotations=known("strings"),
        ),
        "ingress": section(
            enabled=FLAG,
            className=TEXT,
            annotations=known("strings"),
            hosts=several({"type": "string", "minLength": 1}),
            tls=several(section(secretName=known("name"), hosts=several(TEXT))),
        ),
        "nodeSelector": known("strings"),
        "tolerations": several(toleration),
        "affinity": section(nodeAffinity=ANYTHING, podAffinity=ANYTHING, podAntiAffinity=ANYTHING),
        "topologySpreadConstraints": several(spread),
        "priorityClassName": TEXT,
        "networkPolicy": section(
            enabled=FLAG,
            ingressFrom=several(section(namespaceSelector=ANYTHING, podSelector=ANYTHING, ipBlock=ANYTHING)),
            egress=several(section(to=several(ANYTHING), ports=several(ANYTHING))),
        ),
        "serviceMonitor": section(
            enabled=FLAG,
            labels=known("strings"),
            interval=known("duration"),
            scrapeTimeout=known("duration"),
        ),
        "prometheusRule": section(
            enabled=FLAG, labels=known("strings"), runbook={"type": "string", "pattern": r"^[^\s\"'#]+$"}
        ),
        "grafanaDashboard": section(enabled=FLAG, labels=known("strings")),
    }


def configuration() -> dict[str, Schema]:
    """The gateway's own configuration and its sections, by name."""
    made = Configuration.model_json_schema(ref_template="#/$defs/{model}")
    sections: dict[str, Schema] = made.pop("$defs")
    return {"Configuration": made, **sections}


def schema() -> Schema:
    """The whole schema, each value described by its comment."""
    found: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **section(**running(), **reached(), **{"global": ANYTHING}),
        "$defs": {**DEFINITIONS, **configuration()},
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
