{{/* What no schema can say: fails with a message that names the value and tells why. */}}
{{- define "polyculture.validate" -}}
{{- if ne (int .Values.replicaCount) 1 }}
{{- include "polyculture.refuse" (printf "replicaCount is %v and must be 1: the gateway keeps its log in one SQLite file with one writer, so a second replica could not start" .Values.replicaCount) }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not (and .Values.auth.existingSecret .Values.auth.metricsToken)) }}
{{- include "polyculture.refuse" "serviceMonitor.enabled needs auth.existingSecret and auth.metricsToken: /metrics is open to other machines by token alone" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- include "polyculture.refuse" "ingress.enabled needs at least one name in ingress.hosts" }}
{{- end }}
{{- $set := list "POLYCULTURE_HOST" "POLYCULTURE_PORT" "POLYCULTURE_DATA_DIR" "POLYCULTURE_CONFIG" "POLYCULTURE_DRAIN_S" }}
{{- $secret := list "POLYCULTURE_API_KEY" "POLYCULTURE_ADMIN_KEY" "POLYCULTURE_METRICS_TOKEN" }}
{{- range .Values.extraEnv }}
{{- if has .name $set }}
{{- include "polyculture.refuse" (printf "extraEnv must not set %s: the chart does" .name) }}
{{- end }}
{{- if has .name $secret }}
{{- include "polyculture.refuse" (printf "extraEnv must not set %s: put it into the Secret that auth.existingSecret names" .name) }}
{{- end }}
{{- end }}
{{- include "polyculture.validate.name" . }}
{{- include "polyculture.validate.resources" . }}
{{- include "polyculture.validate.config" . }}
{{- with .Values.serviceMonitor }}
{{- if and .enabled (gt (include "polyculture.milliseconds" .scrapeTimeout | int64) (include "polyculture.milliseconds" .interval | int64)) }}
{{- include "polyculture.refuse" (printf "serviceMonitor.scrapeTimeout is %s, longer than serviceMonitor.interval, %s: the Prometheus operator refuses that" .scrapeTimeout .interval) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The schema has seen to the overrides; a release's name may begin with a digit and hold dots, a Service's may not. */}}
{{- define "polyculture.validate.name" -}}
{{- $name := include "polyculture.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
{{- include "polyculture.refuse" (printf "the release's name %s makes %s the Service's name, which must begin with a letter and hold lower-case letters, digits and hyphens alone: choose another, or set fullnameOverride" .Release.Name $name) }}
{{- end }}
{{- end }}

{{- define "polyculture.validate.resources" -}}
{{- $resources := default dict .Values.resources }}
{{- range $kind, $limit := $resources.limits }}
{{- $request := get (default dict $resources.requests) $kind }}
{{- if gt (include "polyculture.amount" $request | float64) (include "polyculture.amount" $limit | float64) }}
{{- include "polyculture.refuse" (printf "resources.requests.%s is %v, above resources.limits.%s, %v: Kubernetes refuses such a pod" $kind $request $kind $limit) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What the gateway would refuse at its start. */}}
{{- define "polyculture.validate.config" -}}
{{- $config := default dict .Values.config }}
{{- range $kind := list "models" "tenants" }}
{{- $seen := dict }}
{{- range index $config $kind }}
{{- if hasKey $seen .id }}
{{- include "polyculture.refuse" (printf "config.%s has two of the id %s" $kind .id) }}
{{- end }}
{{- $_ := set $seen .id true }}
{{- end }}
{{- end }}
{{- range $name, $metric := $config.metrics }}
{{- if eq (dig "worst" 0 $metric | float64) (dig "best" 1 $metric | float64) }}
{{- include "polyculture.refuse" (printf "config.metrics.%s: worst and best must differ" $name) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A quantity as a number: 0 for none. */}}
{{- define "polyculture.amount" -}}
{{- if kindIs "string" . }}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- $unit := regexFind "[A-Za-z]+$" . }}
{{- mulf (trimSuffix $unit . | float64) (get $units $unit | default 1 | float64) }}
{{- else }}
{{- float64 . }}
{{- end }}
{{- end }}

{{- define "polyculture.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- mul (trimSuffix $unit . | atoi) (get $units $unit) }}
{{- end }}

{{/* Fails. helm lint goes on after a failure that it has told about, so it finds a text where no YAML may have one. */}}
{{- define "polyculture.refuse" -}}
{{- fail . }}
{{ quote . }}
{{ end }}
