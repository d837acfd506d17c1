{{/* What every pod of ours is made of: the operator's, and the one that cleans up after it. */}}

{{- define "ia.image" -}}
{{- $name := .Values.image.repository }}
{{- with .Values.image.registry }}
{{- $name = printf "%s/%s" . $name }}
{{- end }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $name .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Where and as whom a pod runs. */}}
{{- define "ia.podSpec" -}}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default .Values.global.priorityClassName .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "hostAliases" "dnsConfig" }}
{{- with index $.Values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* What its container is. */}}
{{- define "ia.container" -}}
image: {{ include "ia.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
env:
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where it works, as arguments. */}}
{{- define "ia.namespaceArgs" -}}
{{- $shared := include "ia.sharedNamespaces" . | fromJsonArray }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces
- {{ join "," . | quote }}
- --shared-namespaces
- {{ join "," $shared | quote }}
{{- end }}
{{- end }}

{{/* What is told of the adapter, as arguments; the rest is found. */}}
{{- define "ia.adapterArgs" -}}
{{- with .Values.adapter.deployment }}
- --adapter-deployment
- {{ . | quote }}
{{- end }}
{{- with .Values.adapter.configMap }}
- --adapter-configmap
- {{ . | quote }}
{{- end }}
{{- with .Values.adapter.configKey }}
- --adapter-config-key
- {{ . | quote }}
{{- end }}
{{- end }}
