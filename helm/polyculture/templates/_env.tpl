{{/* The container's environment: the chart's own, the keys by reference, what the values add. */}}
{{- define "polyculture.env" -}}
- {name: POLYCULTURE_HOST, value: 0.0.0.0}
- {name: POLYCULTURE_PORT, value: "8080"}
- {name: POLYCULTURE_DATA_DIR, value: /data}
- {name: POLYCULTURE_CONFIG, value: /etc/polyculture/polyculture.yaml}
- {name: POLYCULTURE_DRAIN_S, value: {{ max 0 (sub (int .Values.terminationGracePeriodSeconds) 15) | quote }}}
{{- with .Values.auth }}
{{- if .existingSecret }}
{{ include "polyculture.key" (dict "name" "POLYCULTURE_API_KEY" "secret" .existingSecret "key" .apiKey "optional" false) }}
{{ include "polyculture.key" (dict "name" "POLYCULTURE_ADMIN_KEY" "secret" .existingSecret "key" .adminKey "optional" false) }}
{{ include "polyculture.key" (dict "name" "POLYCULTURE_METRICS_TOKEN" "secret" .existingSecret "key" .metricsToken "optional" (not $.Values.serviceMonitor.enabled)) }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
