{{/* The custom metrics API that the operators serve. */}}

{{/* The ConfigMap in which they announce their certificates. */}}
{{- define "ia.certificates" -}}
{{- printf "%s-certificates" (include "ia.fullname" . | trunc 50 | trimSuffix "-") }}
{{- end }}

{{/* By which Service they serve, as arguments. */}}
{{- define "ia.metricsServerArgs" -}}
- --metrics-service
- {{ printf "%s/%s:443" .Release.Namespace (include "ia.fullname" .) | quote }}
- --metrics-certificates
- {{ include "ia.certificates" . | quote }}
{{- end }}

{{/* The Secret with the certificate that cert-manager issues; empty where each operator makes its own. */}}
{{- define "ia.givenCertificate" -}}
{{- if and .Values.metricsServer.enabled .Values.metricsServer.certManager.issuerRef }}{{ include "ia.fullname" . }}-metrics-api{{ end }}
{{- end }}

{{- define "ia.certificateFolder" }}/etc/inference-autoscaler/metrics-api{{ end }}

{{- define "ia.certificateVolumes" -}}
{{- with include "ia.givenCertificate" . }}
- name: metrics-api
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- end }}

{{/* True for an upgrade after which they serve no more, while the API still leads to their Service. */}}
{{- define "ia.servesNoMore" -}}
{{- $leads := false }}
{{- range include "ia.apiServices" . | fromYamlArray }}
{{- $to := dig "spec" "service" dict (lookup "apiregistration.k8s.io/v1" "APIService" "" . | default dict) }}
{{- $leads = or $leads (and (eq ($to.namespace | default "") $.Release.Namespace) (eq ($to.name | default "") (include "ia.fullname" $))) }}
{{- end }}
{{- if and $leads (not .Values.metricsServer.enabled) }}true{{ end }}
{{- end }}

{{/* Their registrations. */}}
{{- define "ia.apiServices" -}}
[v1beta1.custom.metrics.k8s.io, v1beta2.custom.metrics.k8s.io]
{{- end }}

{{/* True where they ask the former owner of the custom metrics API: with takeOver, and without it until they have given back
what they took, which they do once they run so. `helm template` asks no cluster. */}}
{{- define "ia.passesOn" -}}
{{- $taken := .Values.metricsServer.takeOver }}
{{- range include "ia.apiServices" . | fromYamlArray }}
{{- $notes := dig "metadata" "annotations" dict (lookup "apiregistration.k8s.io/v1" "APIService" "" . | default dict) }}
{{- $taken = or $taken (hasKey $notes "inference-autoscaler.io/former") }}
{{- end }}
{{- if and .Values.metricsServer.enabled $taken }}true{{ end }}
{{- end }}

{{/* Whether an admission request is about the ConfigMap of their certificates, in CEL. */}}
{{- define "ia.isCertificates" -}}
request.resource.resource == 'configmaps' && request.namespace == '{{ .Release.Namespace }}' && request.name == '{{ include "ia.certificates" . }}'
{{- end }}
