{{/* The names and labels that the templates share. */}}

{{- define "ia.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* A release named after the chart would say it twice. */}}
{{- define "ia.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "ia.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "ia.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What is cluster-wide needs a name that two releases in two namespaces do not share. */}}
{{- define "ia.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "ia.fullname" .) }}
{{- end }}

{{- define "ia.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ia.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Who scrapes the operator where that needs a token. */}}
{{- define "ia.metricsReader" -}}
{{- printf "%s-metrics" (include "ia.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{/* The Job that cleans up, and its ServiceAccount. */}}
{{- define "ia.cleanupName" -}}
{{- printf "%s-cleanup" (include "ia.fullname" . | trunc 51 | trimSuffix "-") }}
{{- end }}

{{- define "ia.leaseName" -}}
{{- default (include "ia.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{- define "ia.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ia.labels" -}}
{{ include "ia.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The subject of every binding. */}}
{{- define "ia.subjects" -}}
- kind: ServiceAccount
  name: {{ include "ia.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
