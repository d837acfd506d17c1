{{/* Admission policies: what the roles cannot say. */}}

{{/* True where the API server has them. `helm template` asks no cluster, and goes by the version. */}}
{{- define "ia.hasPolicies" -}}
{{- $asked := .Capabilities.APIVersions.Has "v1/Pod" }}
{{- $has := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" }}
{{- if and .Values.admissionPolicies.enabled (or $has (and (not $asked) (semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version))) }}true{{ end }}
{{- end }}

{{/* The name of a policy and of its binding: [root, its last part]. No two releases share it. */}}
{{- define "ia.policyName" -}}
{{- printf "%s.%s.%s" (index . 0).Release.Namespace (include "ia.fullname" (index . 0)) (index . 1) }}
{{- end }}

{{- define "ia.policyMeta" -}}
name: {{ include "ia.policyName" . }}
labels:
  {{- include "ia.labels" (index . 0) | nindent 2 }}
{{- end }}

{{- define "ia.policyBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "ia.policyMeta" . | nindent 2 }}
spec:
  policyName: {{ include "ia.policyName" . }}
  validationActions: [Deny]
{{- end }}

{{/* Whom a policy about the operator is for: it, and the cleanup. A policy is evaluated for nobody else. */}}
{{- define "ia.isOperator" -}}
{{- $accounts := list (include "ia.serviceAccountName" .) }}
{{- if .Values.serviceAccount.create }}
{{- $accounts = append $accounts (include "ia.cleanupName" .) }}
{{- end }}
{{- $names := list }}
{{- range $accounts }}
{{- $names = append $names (printf "'system:serviceaccount:%s:%s'" $.Release.Namespace .) }}
{{- end }}
- name: operator
  expression: request.userInfo.username in [{{ join ", " $names }}]
{{- end }}
