{{/* The names and labels that the templates share, and the operator's rights. */}}

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

{{- define "ia.leaseName" -}}
{{- default (include "ia.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{- define "ia.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
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

{{/* What is read everywhere, and what is written of an autoscaler's own. */}}
{{- define "ia.rules" -}}
- apiGroups: [inference-autoscaler.io]
  resources: [inferenceautoscalers]
  verbs: [list, watch]
- apiGroups: [inference-autoscaler.io]
  resources: [inferenceautoscalers/status]
  verbs: [patch]
# The children block their owner's deletion; some clusters allow that only to who may set its finalizers.
- apiGroups: [inference-autoscaler.io]
  resources: [inferenceautoscalers/finalizers]
  verbs: [update]
# What is deleted: the children of a mode that the spec left, an HPA whose target an older autoscaler has, and what
# autoscalers share once none needs it.
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, prometheusrules]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheuses]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# To the API server a metric of pods is a subresource of theirs; a rule for all of them would be a wildcard.
- apiGroups: [custom.metrics.k8s.io]
  resources:
  - pods/vllm_num_requests_running
  - pods/vllm_num_requests_waiting
  - pods/vllm_num_requests_in_flight
  - pods/vllm_kv_cache_usage_percent
  - pods/sglang_num_requests_running
  - pods/sglang_num_requests_waiting
  - pods/sglang_num_requests_in_flight
  - pods/sglang_kv_cache_usage_percent
  - pods/tgi_num_requests_running
  - pods/tgi_num_requests_waiting
  - pods/tgi_num_requests_in_flight
  - pods/trtllm_num_requests_running
  - pods/trtllm_num_requests_waiting
  - pods/trtllm_num_requests_in_flight
  - pods/trtllm_kv_cache_usage_percent
  - pods/triton_trtllm_num_requests_running
  - pods/triton_trtllm_num_requests_waiting
  - pods/triton_trtllm_num_requests_in_flight
  - pods/triton_trtllm_kv_cache_usage_percent
  - pods/lmdeploy_num_requests_running
  - pods/lmdeploy_num_requests_waiting
  - pods/lmdeploy_num_requests_in_flight
  - pods/lmdeploy_kv_cache_usage_percent
  - pods/nim_num_requests_running
  - pods/nim_num_requests_waiting
  - pods/nim_num_requests_in_flight
  - pods/nim_kv_cache_usage_percent
  - pods/llamacpp_num_requests_running
  - pods/llamacpp_num_requests_waiting
  - pods/llamacpp_num_requests_in_flight
  - pods/llamacpp_kv_cache_usage_percent
  - pods/gpu_utilization_percent
  verbs: [get]
{{- end }}
