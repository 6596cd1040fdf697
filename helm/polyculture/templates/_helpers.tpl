{{- define "polyculture.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "polyculture.fullname" -}}
{{- $name := include "polyculture.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimAll "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimAll "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimAll "-" }}
{{- end }}
{{- end }}

{{- define "polyculture.selectorLabels" -}}
app.kubernetes.io/name: {{ include "polyculture.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
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
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
      optional: {{ .optional }}
{{- end }}
