"""Values that users have: each way to run the chart once."""

from __future__ import annotations

from tests.helm.chart import Values

MODEL = {
    "id": "law-7b",
    "description": "Contract law",
    "upstream": {"base_url": "http://vllm:8000/v1", "model": "law", "api_key_env": "VLLM_KEY"},
    "context_window": 1_000_000,
    "price": {"input": 1e-7, "output": 0.5},
}

CONFIGURATION = {
    "models": [MODEL],
    "routing": {"share_cap": 0.6, "preferences": {"eu": {"tags": ["eu"]}}},
    "metrics": {"minutes": {"worst": 60, "best": 5}},
    "tenants": [{"id": "legal", "key_env": "LEGAL_KEY", "models": ["law-7b"]}],
}

CASES: dict[str, Values] = {
    "nothing said": {},
    "keys and models": {
        "auth": {"existingSecret": "keys", "apiKey": "API", "adminKey": "ADMIN", "metricsToken": "METRICS"},
        "secretsFrom": ["providers", "tenants"],
        "extraEnv": [
            {"name": "POLYCULTURE_EMBEDDER", "value": "static"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ],
        "config": CONFIGURATION,
    },
    "watched": {
        "auth": {"existingSecret": "keys"},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}, "interval": "30s"},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "grafanaDashboard": {"enabled": True},
    },
    "reached from outside": {
        "service": {"type": "LoadBalancer", "port": 443, "annotations": {"a": "b"}},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "annotations": {"nginx.ingress.kubernetes.io/proxy-buffering": "off"},
            "hosts": ["polyculture.example.org", "p.example.org"],
            "tls": [{"secretName": "certificate", "hosts": ["polyculture.example.org"]}],
        },
        "networkPolicy": {
            "enabled": True,
            "ingressFrom": [{"namespaceSelector": {"matchLabels": {"team": "apps"}}}],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 8000}]}],
        },
    },
    "anyone within": {"networkPolicy": {"enabled": True}, "service": {"type": "NodePort"}},
    "without a volume": {"persistence": {"enabled": False}, "serviceAccount": {"create": False}},
    "a volume of one's own": {
        "persistence": {"existingClaim": "old-data"},
        "serviceAccount": {"name": "gateway", "annotations": {"role": "r"}},
    },
    "a volume as asked for": {
        "persistence": {"storageClass": "fast", "accessMode": "ReadWriteOncePod", "size": "100Gi", "annotations": {}}
    },
    "placed": {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]
                }
            }
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
            {
                "maxSkew": 2,
                "topologyKey": "host",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"team": "ai"}},
            },
        ],
        "priorityClassName": "high",
        "terminationGracePeriodSeconds": 1_000_000,
    },
    "named and labelled": {
        "fullnameOverride": "router",
        "nameOverride": "gateway",
        "podLabels": {"team": "ai"},
        "podAnnotations": {"note": "1"},
        "image": {"repository": "registry/polyculture", "digest": f"sha256:{'0' * 64}", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "resources": {"requests": {"cpu": 0.5, "memory": "1.5Gi"}, "limits": {"cpu": "4", "memory": "2Gi"}},
        "startupProbe": {"initialDelaySeconds": 1},
        "podSecurityContext": {"runAsUser": 1001, "supplementalGroups": [7]},
        "securityContext": {"runAsUser": 1001},
        "global": {"any": "thing"},
    },
    "named as YAML names other things": {
        "fullnameOverride": "on",
        "nameOverride": "123",
        "auth": {"existingSecret": "true", "metricsToken": "1"},
        "serviceMonitor": {"enabled": True},
        "secretsFrom": ["7"],
        "persistence": {"storageClass": "1.5", "size": 8_000_000_000},
        "ingress": {"enabled": True, "className": "0", "hosts": ["1.example"]},
        "priorityClassName": "null",
    },
    "at the edge of what is allowed": {
        "fullnameOverride": "a" * 63,
        "image": {"repository": "Registry.example.org:5000/a-b/c__d", "tag": f"1_0@sha256:{'0' * 64}"},
        "ingress": {"enabled": True, "hosts": ["*.example.org", "1.2.3.example"], "tls": [{}]},
        "persistence": {"size": "0.5Gi"},
        "podLabels": {f"example.org/{'k' * 63}": "v" * 63, "empty": "", "app.kubernetes.io/part-of": "1.0_a"},
        "podAnnotations": {"Example.ORG/note": "any text: at all"},
        "resources": {
            "requests": {"cpu": "1500m", "memory": 1_073_741_824, "ephemeral-storage": "1G"},
            "limits": {"cpu": "1.5", "memory": "1Gi", "ephemeral-storage": "1000M"},
        },
        "tolerations": [{"operator": "Exists"}, {"key": "a/b", "effect": "NoExecute", "tolerationSeconds": 60}],
        "auth": {"existingSecret": "keys"},
        "serviceMonitor": {"enabled": True, "interval": "1m", "scrapeTimeout": "60000ms"},
        "config": {
            "models": [
                {"id": "automatic", "upstream": {"model": "a", "base_url": "https://u:p@[::1]:65535/v1?a=b"}},
                {"id": "a/auto", "upstream": {"model": "a", "kind": "litellm", "options": {"aws_region_name": "eu"}}},
            ],
            "overrides": {"math": {"enabled": False}},
        },
    },
}
