{{/* The rights of the operator and of the cleanup: no wildcards but of metrics that are read, no Secrets, writing by name where
it is known. */}}

{{/* The operator's, in every namespace, or as the next three say where. */}}
{{- define "ia.rules" -}}
{{ include "ia.watchedRules" . }}
{{ include "ia.sharedRules" . }}
{{ include "ia.clusterRules" . }}
{{- end }}

{{- define "ia.eventRules" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* Where autoscalers are served, beside the next: what is read beside them, and written of their own. */}}
{{- define "ia.watchedRules" -}}
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
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [list, watch]
{{- range .Values.scaleTargets }}
- apiGroups: [{{ .apiGroup }}]
  resources: [{{ .resource }}/scale]
  verbs: [get]
{{- end }}
# Who else scales the target.
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list, watch]
{{ include "ia.eventRules" . }}
# To the API server a metric of pods is a subresource of theirs.
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
  - pods/custom_num_requests_running
  - pods/custom_num_requests_waiting
  - pods/custom_num_requests_in_flight
  - pods/custom_kv_cache_usage_percent
  - pods/gpu_utilization_percent
  verbs: [get]
{{- end }}

{{/* There too, and where Prometheus, its adapter and the GPU exporter are. */}}
{{- define "ia.sharedRules" -}}
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [list, watch, create, patch, delete]
# There is one rule, and its name is known; creating cannot be limited by name.
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  verbs: {{ ternary "[list, watch, create]" "[list, watch]" .Values.writeShared }}
{{- if .Values.writeShared }}
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  resourceNames: [inference-autoscaler-gpu]
  verbs: [patch, delete]
{{- end }}
- apiGroups: [apps]
  resources: [deployments, daemonsets]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheuses, prometheusagents]
  verbs: [list, watch]
{{- end }}

{{/* What is in no namespace. */}}
{{- define "ia.clusterRules" -}}
# By whose labels a Prometheus selects.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
# Who serves the custom metrics API.
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  verbs: {{ ternary "[list, watch, create]" "[list, watch]" (and .Values.metricsServer.enabled .Values.writeShared) }}
{{- if and .Values.metricsServer.enabled .Values.writeShared }}
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  resourceNames: {{ include "ia.apiServices" . }}
  verbs: [patch, delete]
{{- end }}
{{- if include "ia.passesOn" . }}
# What others ask of the metrics API that was taken over, the operators ask its former owner. Its metrics have any names.
- apiGroups: [custom.metrics.k8s.io]
  resources: ["*"]
  verbs: [get, list]
{{- end }}
# Whoever asks for /explain shows a token: whose it is, and what that one may.
- apiGroups: [authentication.k8s.io]
  resources: [tokenreviews]
  verbs: [create]
- apiGroups: [authorization.k8s.io]
  resources: [subjectaccessreviews]
  verbs: [create]
{{- end }}

{{/* The namespaces that are read beside those that are watched, as a list. Empty where all are watched. */}}
{{- define "ia.sharedNamespaces" -}}
{{- $names := list }}
{{- if .Values.watchNamespaces }}
{{- range concat (ternary (list (include "ia.adapterNamespace" .)) list (eq (include "ia.hasAdapter" .) "true")) .Values.sharedNamespaces .Values.tenants.monitorNamespaces .Values.tenants.exporterNamespaces }}
{{- if eq . "*" }}
{{- fail "tenants.* may not be ['*'] with watchNamespaces: the operator has no rights elsewhere; list namespaces" }}
{{- end }}
{{- if not (has . $.Values.watchNamespaces) }}
{{- $names = append $names . }}
{{- end }}
{{- end }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}

{{/* A Role and its binding: [root, namespace, last part of the name, rules, subjects, labels, annotations]. */}}
{{- define "ia.namespacedRole" -}}
{{- $name := printf "%s:%s" (include "ia.clusterName" (index . 0)) (index . 2) }}
{{- $meta := dict "name" $name "namespace" (index . 1) "labels" (index . 5 | fromYaml) }}
{{- with index . 6 }}
{{- $meta = set $meta "annotations" . }}
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- toYaml $meta | nindent 2 }}
rules:
{{ index . 3 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- toYaml $meta | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
{{ index . 4 }}
{{- end }}

{{/* In the adapter's namespace: its rules, and its restart. Who may patch any Deployment there can run as anybody there. */}}
{{- define "ia.adapterRules" -}}
- apiGroups: [""]
  resources: [configmaps]
  {{- with .Values.adapter.configMap }}
  resourceNames: [{{ . | quote }}]
  {{- end }}
  verbs: {{ ternary "[list, watch, patch]" "[list, watch]" .Values.writeShared }}
{{- if .Values.writeShared }}
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: {{ include "ia.adapterDeployments" . }}
  verbs: [patch]
{{- end }}
{{- end }}

{{/* The cleanup's: who still scales, what nobody owns any more, and the rule for the GPU. */}}
{{- define "ia.cleanupRules" -}}
- apiGroups: [inference-autoscaler.io]
  resources: [inferenceautoscalers]
  verbs: [list]
- apiGroups: [""]
  resources: [services]
  verbs: [list, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [list, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  verbs: [list]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  resourceNames: [inference-autoscaler-gpu]
  verbs: [delete]
{{- end }}

{{/* Of it, what is in no namespace. */}}
{{- define "ia.cleanupClusterRules" -}}
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  verbs: [list]
{{- if or .Values.metricsServer.enabled (include "ia.servesNoMore" .) }}
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  resourceNames: {{ include "ia.apiServices" . }}
  # What was taken over is given back by a patch.
  verbs: [delete, patch]
{{- end }}
{{- end }}
