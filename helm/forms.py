"""The forms of Kubernetes' names, labels, quantities and the like: what passes here, its API server takes."""

from __future__ import annotations

from typing import Final

from helm.parts import ANYTHING, COUNT, TEXT, Schema, given, known, like, needing, one_of, section, several, where

#: RFC 1123 and, beginning with a letter, RFC 1035.
LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN: Final = rf"{LABEL}(\.{LABEL})*"

#: A label's value, and what follows the prefix of its key.
WORD: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

PORT: Final = "(0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))"

#: Parts of an image's name. Capitals are for registries alone, known by a dot or a port.
HOST: Final = "[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?"
REGISTRY: Final = rf"({HOST}(\.{HOST})+(:[0-9]+)?|{HOST}:[0-9]+|\[[0-9A-Fa-f:]+\](:[0-9]+)?)"
COMPONENT: Final = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"

POSITIVE: Final = r"(0*[1-9][0-9]*(\.[0-9]+)?|0+\.0*[1-9][0-9]*)"
#: Thousandths are for processors: of a byte, nobody means them.
BYTES: Final = "(k|M|G|T|Ki|Mi|Gi|Ti)?"

#: Labels and annotations that the chart itself sets: a second time, they would not be the ones it selects by.
OWN_LABELS: Final = (
    "helm.sh/chart",
    *(f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "managed-by")),
)
OWN_ANNOTATIONS: Final = ("checksum/config",)


def keyed(prefix: str, value: Schema) -> Schema:
    """Labels or annotations."""
    return {
        "type": "object",
        "patternProperties": {"^[^/]{254}": False, f"^({prefix}/)?{WORD}$": value},
        "additionalProperties": False,
    }


def without(name: str, taken: tuple[str, ...]) -> Schema:
    """A known mapping, less the keys that are taken."""
    return {**known(name), "properties": dict.fromkeys(taken, False)}


def toleration() -> Schema:
    """Kubernetes' own rules: no key means all of them, whatever exists has no value, and only eviction waits."""
    exists = {"properties": {"value": {"maxLength": 0}}}
    return {
        **section(
            key=known("label key"),
            operator=one_of("Exists", "Equal"),
            value=known("label value"),
            effect=one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
            tolerationSeconds={"type": "integer"},
        ),
        "anyOf": [{"required": ["key"], "properties": {"key": {"minLength": 1}}}, where("operator", "Exists")],
        "if": where("operator", "Exists"),
        "then": exists,
        "dependentSchemas": {"tolerationSeconds": where("effect", "NoExecute")},
    }


def spread() -> Schema:
    """A topology spread constraint."""
    return {
        **needing(
            "maxSkew",
            "topologyKey",
            "whenUnsatisfiable",
            maxSkew=known("seconds"),
            minDomains=known("seconds"),
            topologyKey=given("label key"),
            whenUnsatisfiable=one_of("DoNotSchedule", "ScheduleAnyway"),
            labelSelector=ANYTHING,
            matchLabelKeys=several(given("label key")),
            nodeAffinityPolicy=one_of("Honor", "Ignore"),
            nodeTaintsPolicy=one_of("Honor", "Ignore"),
        ),
        "dependentSchemas": {"minDomains": where("whenUnsatisfiable", "DoNotSchedule")},
    }


def variable() -> Schema:
    """An environment variable, from one place."""
    sources = ("fieldRef", "resourceFieldRef", "secretKeyRef", "configMapKeyRef", "fileKeyRef")
    return {
        **needing(
            "name",
            name=like("[A-Za-z_][A-Za-z0-9_]*"),
            value=TEXT,
            valueFrom={**section(**dict.fromkeys(sources, ANYTHING)), "minProperties": 1, "maxProperties": 1},
        ),
        "oneOf": [{"required": ["value"]}, {"required": ["valueFrom"]}],
    }


FORMS: Final[dict[str, Schema]] = {
    "name": like(f"({SUBDOMAIN})?", 253),
    "label": like(f"({LABEL})?", 63),
    "service": like(f"({LABEL_1035})?", 63),
    "host": {**like(rf"(\*\.)?{SUBDOMAIN}", 253), "not": {"pattern": r"^[0-9]+(\.[0-9]+){3}$"}},
    "key": {**like("[-._A-Za-z0-9]+", 253), "not": {"pattern": r"^\.(\.|$)"}},
    "repository": like(f"({REGISTRY}/)?{COMPONENT}(/{COMPONENT})*", 255),
    "tag": like("([A-Za-z0-9_][-A-Za-z0-9_.]{0,127}(@sha256:[0-9a-f]{64})?)?"),
    "label key": like(f"(({SUBDOMAIN}/)?{WORD})?"),
    "label value": like(f"({WORD})?"),
    "labels": keyed(SUBDOMAIN, known("label value")),
    "annotations": keyed(SUBDOMAIN.replace("a-z", "A-Za-z"), TEXT),
    "processors": {"type": ["string", "number"], "pattern": r"^[0-9]+(\.[0-9]+)?(m|k)?$", "minimum": 0},
    "bytes": {"type": ["string", "integer"], "pattern": rf"^[0-9]+(\.[0-9]+)?{BYTES}$", "minimum": 0},
    "size": {"type": ["string", "integer"], "pattern": f"^{POSITIVE}{BYTES}$", "minimum": 1},
    "duration": like("0*[1-9][0-9]*(ms|s|m)"),
    "seconds": {**COUNT, "minimum": 1},
    "user": {**COUNT, "minimum": 1},
    "amounts": section(cpu=known("processors"), memory=known("bytes"), **{"ephemeral-storage": known("bytes")}),
    "probe": section(
        initialDelaySeconds=COUNT,
        **dict.fromkeys(("periodSeconds", "timeoutSeconds", "failureThreshold"), known("seconds")),
    ),
    "toleration": toleration(),
    "spread": spread(),
    "variable": variable(),
}
