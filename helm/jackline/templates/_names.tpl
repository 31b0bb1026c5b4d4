{{- define "jackline.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* 50 characters: a StatefulSet's pods carry the name plus a hash in a 63-character label. */}}
{{- define "jackline.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "jackline.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "jackline.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "jackline.selector" -}}
app.kubernetes.io/name: {{ include "jackline.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The bot's own pods, told apart from the pod of `helm test`. */}}
{{- define "jackline.botSelector" -}}
{{ include "jackline.selector" . }}
app.kubernetes.io/component: bot
{{- end -}}

{{- define "jackline.labels" -}}
{{ include "jackline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "jackline.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "jackline.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "jackline.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* "yes" with PostgreSQL, nothing with SQLite. */}}
{{- define "jackline.postgresql" -}}
{{- if or .Values.database.url .Values.database.existingSecret.name -}}yes{{- end -}}
{{- end -}}

{{/* A path inside the runbooks folder as a ConfigMap key, which may hold no slash. */}}
{{- define "jackline.fileKey" -}}
{{- . | replace "/" "__" -}}
{{- end -}}

{{- define "jackline.runbooksVolume" -}}
{{- if or .Values.runbooks.files .Values.runbooks.existingConfigMap.name .Values.runbooks.existingClaim -}}yes{{- end -}}
{{- end -}}

{{- define "jackline.runbooksDir" -}}
{{- if include "jackline.runbooksVolume" . -}}
/runbooks{{ with .Values.runbooks.path }}/{{ . }}{{ end }}
{{- else -}}
/app/runbooks
{{- end -}}
{{- end -}}
