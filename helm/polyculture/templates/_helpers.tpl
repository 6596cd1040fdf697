{{- define "polyculture.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "polyculture.fullname" -}}
{{- $name := include "polyculture.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "polyculture.selectorLabels" -}}
app.kubernetes.io/name: {{ include "polyculture.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "polyculture.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "polyculture.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "polyculture.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "polyculture.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "polyculture.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "polyculture.claim" -}}
{{- default (printf "%s-data" (include "polyculture.fullname" .)) .Values.persistence.existingClaim }}
{{- end }}

{{/* A variable from a key of the Secret with the gateway's keys. */}}
{{- define "polyculture.key" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
      optional: {{ .optional }}
{{- end }}

{{/* What no schema can say: fails with a message that names the value and tells why. */}}
{{- define "polyculture.validate" -}}
{{- if ne (int .Values.replicaCount) 1 }}
{{- fail (printf "replicaCount is %v and must be 1: the gateway keeps its log in one SQLite file with one writer, so a second replica could not start" .Values.replicaCount) }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not (and .Values.auth.existingSecret .Values.auth.metricsToken)) }}
{{- fail "serviceMonitor.enabled needs auth.existingSecret and auth.metricsToken: /metrics is open to other machines by token alone" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.enabled needs at least one name in ingress.hosts" }}
{{- end }}
{{- $set := list "POLYCULTURE_HOST" "POLYCULTURE_PORT" "POLYCULTURE_DATA_DIR" "POLYCULTURE_CONFIG" "POLYCULTURE_DRAIN_S" }}
{{- $secret := list "POLYCULTURE_API_KEY" "POLYCULTURE_ADMIN_KEY" "POLYCULTURE_METRICS_TOKEN" }}
{{- range .Values.extraEnv }}
{{- if has .name $set }}
{{- fail (printf "extraEnv must not set %s: the chart does" .name) }}
{{- end }}
{{- if has .name $secret }}
{{- fail (printf "extraEnv must not set %s: put it into the Secret that auth.existingSecret names" .name) }}
{{- end }}
{{- end }}
{{- end }}
