{{/* How the operator gets at Prometheus: arguments, and one volume with all files that they name. */}}

{{- define "ia.prometheusFolder" -}}
/etc/inference-autoscaler/prometheus
{{- end }}

{{/* Of the ways to say who asks, those that are set, and what does not go together. */}}
{{- define "ia.prometheusCheck" -}}
{{- $tls := .Values.prometheus.tls }}
{{- $auth := .Values.prometheus.auth }}
{{- $ways := list }}
{{- if $auth.serviceAccountToken.enabled }}{{ $ways = append $ways "serviceAccountToken" }}{{ end }}
{{- if $auth.tokenSecret }}{{ $ways = append $ways "tokenSecret" }}{{ end }}
{{- if or $auth.username $auth.passwordSecret }}{{ $ways = append $ways "username" }}{{ end }}
{{- if gt (len $ways) 1 }}
{{- fail (printf "prometheus.auth.%s and prometheus.auth.%s exclude each other: set one of them" (first $ways) (last $ways)) }}
{{- end }}
{{- if and $ways (not .Values.prometheus.url) }}
{{- fail (printf "prometheus.auth.%s needs prometheus.url: credentials are sent only to an address that you set" (first $ways)) }}
{{- end }}
{{- if and .Values.prometheus.headers (not .Values.prometheus.url) }}
{{- fail "prometheus.headers needs prometheus.url: they are sent only to an address that you set" }}
{{- end }}
{{- if ne (empty $auth.username) (empty $auth.passwordSecret) }}
{{- fail "prometheus.auth.username and prometheus.auth.passwordSecret need each other: set both" }}
{{- end }}
{{- if and $tls.caSecret $tls.caConfigMap }}
{{- fail "prometheus.tls.caSecret and prometheus.tls.caConfigMap exclude each other: set one of them" }}
{{- end }}
{{- if and $tls.insecureSkipVerify (or $tls.caSecret $tls.caConfigMap) }}
{{- fail "prometheus.tls.insecureSkipVerify would make the CA useless: set one of them" }}
{{- end }}
{{- end }}

{{- define "ia.prometheusArgs" -}}
{{- include "ia.prometheusCheck" . }}
{{- $tls := .Values.prometheus.tls }}
{{- $auth := .Values.prometheus.auth }}
{{- $folder := include "ia.prometheusFolder" . }}
{{- with .Values.prometheus.url }}
- --prometheus-url
- {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.prometheus.headers }}
- --prometheus-header
- {{ printf "%s: %s" $name $value | quote }}
{{- end }}
{{- if or $tls.caSecret $tls.caConfigMap }}
- --prometheus-ca-file
- {{ $folder }}/ca.crt
{{- end }}
{{- if $tls.clientSecret }}
- --prometheus-client-tls-cert-file
- {{ $folder }}/tls.crt
- --prometheus-client-tls-key-file
- {{ $folder }}/tls.key
{{- end }}
{{- with $tls.serverName }}
- --prometheus-tls-server-name
- {{ . | quote }}
{{- end }}
{{- if $tls.insecureSkipVerify }}
- --prometheus-insecure-skip-verify
{{- end }}
{{- if or $auth.serviceAccountToken.enabled $auth.tokenSecret }}
- --prometheus-token-file
- {{ $folder }}/token
{{- end }}
{{- with $auth.username }}
- --prometheus-username
- {{ . | quote }}
- --prometheus-password-file
- {{ $folder }}/password
{{- end }}
{{- end }}

{{/* One file of a projected volume: of (Secret or ConfigMap, {name, key}, key by default, path). */}}
{{- define "ia.prometheusFile" -}}
{{- $kind := index . 0 }}
{{- with index . 1 }}
- {{ $kind }}:
    name: {{ .name | quote }}
    items:
    - {key: {{ default (index $ 2) .key | quote }}, path: {{ index $ 3 }}}
{{- end }}
{{- end }}

{{- define "ia.prometheusSources" -}}
{{- $tls := .Values.prometheus.tls }}
{{- $auth := .Values.prometheus.auth }}
{{- include "ia.prometheusFile" (list "secret" $tls.caSecret "ca.crt" "ca.crt") }}
{{- include "ia.prometheusFile" (list "configMap" $tls.caConfigMap "ca.crt" "ca.crt") }}
{{- with $tls.clientSecret }}
- secret:
    name: {{ . | quote }}
    items:
    - {key: tls.crt, path: tls.crt}
    - {key: tls.key, path: tls.key}
{{- end }}
{{- include "ia.prometheusFile" (list "secret" $auth.tokenSecret "token" "token") }}
{{- if $auth.serviceAccountToken.enabled }}
- serviceAccountToken:
    path: token
    {{- with $auth.serviceAccountToken.audience }}
    audience: {{ . | quote }}
    {{- end }}
{{- end }}
{{- include "ia.prometheusFile" (list "secret" $auth.passwordSecret "password" "password") }}
{{- end }}

{{/* The pod's volumes, and where they are mounted: the user's and ours. */}}
{{- define "ia.operatorVolumes" -}}
{{- $sources := include "ia.prometheusSources" . | fromYamlArray }}
{{- $ours := list (dict "name" "prometheus-access" "projected" (dict "sources" $sources)) }}
{{- with concat .Values.volumes (ternary $ours list (gt (len $sources) 0)) (include "ia.certificateVolumes" . | fromYamlArray) }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ia.operatorVolumeMounts" -}}
{{- $ours := list (dict "name" "prometheus-access" "mountPath" (include "ia.prometheusFolder" .) "readOnly" true) }}
{{- $given := ternary (list (dict "name" "metrics-api" "mountPath" (include "ia.certificateFolder" .) "readOnly" true)) list (ne (include "ia.givenCertificate" .) "") }}
{{- with concat .Values.volumeMounts (ternary $ours list (gt (len (include "ia.prometheusSources" . | fromYamlArray)) 0)) $given }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
