{{/* Where prometheus-adapter is, for the rights: an install and an upgrade let Helm look, `helm template` does not. */}}

{{/* {namespace, deployments}: what is behind the custom metrics API and has flags of prometheus-adapter; {} = nothing. */}}
{{- define "ia.adapterFound" -}}
{{- $found := dict }}
{{- $api := lookup "apiregistration.k8s.io/v1" "APIService" "" "v1beta1.custom.metrics.k8s.io" }}
{{- $at := dig "spec" "service" dict $api | default dict }}
{{- if $at.name }}
{{- $service := lookup "v1" "Service" $at.namespace $at.name }}
{{- $selector := dig "spec" "selector" dict $service | default dict }}
{{- range ternary (lookup "apps/v1" "Deployment" $at.namespace "").items list (gt (len $selector) 0) }}
{{- $labels := dig "spec" "template" "metadata" "labels" dict . | default dict }}
{{- $flags := dig "spec" "template" "spec" "containers" list . | toJson }}
{{- $is := or (contains "--prometheus-url" $flags) (contains "--metrics-relist-interval" $flags) }}
{{- range $key, $value := $selector }}
{{- $is = and $is (eq $value (get $labels $key)) }}
{{- end }}
{{- if $is }}
{{- $found = dict "namespace" $at.namespace "deployments" (append (get $found "deployments" | default list) .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{- define "ia.adapterNamespace" -}}
{{- $found := include "ia.adapterFound" . | fromJson }}
{{- coalesce .Values.adapter.namespace $found.namespace "monitoring" }}
{{- end }}

{{/* The Deployments that it may be, as a list. */}}
{{- define "ia.adapterDeployments" -}}
{{- $found := include "ia.adapterFound" . | fromJson }}
{{- $names := ternary $found.deployments list (eq ($found.namespace | default "") (include "ia.adapterNamespace" .)) }}
{{- if .Values.adapter.deployment }}
{{- $names = list .Values.adapter.deployment }}
{{- end }}
{{- $names | default (list "prometheus-adapter") | toJson }}
{{- end }}

{{/* Whether the operator gets rights there: not in a namespace of which Helm sees that it does not exist. */}}
{{- define "ia.hasAdapter" -}}
{{- $looks := lookup "v1" "Namespace" "" "kube-system" }}
{{- if and .Values.adapter.enabled (or (not $looks) (lookup "v1" "Namespace" "" (include "ia.adapterNamespace" .))) }}
{{- "true" }}
{{- end }}
{{- end }}
