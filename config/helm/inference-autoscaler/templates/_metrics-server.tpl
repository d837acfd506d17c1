{{/* The custom metrics API that the operators serve. */}}

{{/* The ConfigMap in which they announce their certificates. */}}
{{- define "ia.certificates" -}}
{{- printf "%s-certificates" (include "ia.fullname" . | trunc 50 | trimSuffix "-") }}
{{- end }}

{{/* By which Service they serve, as arguments. */}}
{{- define "ia.metricsServerArgs" -}}
{{- if .Values.metricsServer.enabled }}
- --metrics-service
- {{ printf "%s/%s:443" .Release.Namespace (include "ia.fullname" .) | quote }}
- --metrics-certificates
- {{ include "ia.certificates" . | quote }}
{{- end }}
{{- end }}

{{/* Their registrations. */}}
{{- define "ia.apiServices" -}}
[v1beta1.custom.metrics.k8s.io, v1beta2.custom.metrics.k8s.io]
{{- end }}
