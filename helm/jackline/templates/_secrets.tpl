{{/*
The one table of secrets: environment name → key in the Secret → value, as JSON.
Both the Secret and the container's environment are drawn from it.
*/}}
{{- define "jackline.secretTable" -}}
{{- $s := .Values.secrets -}}
{{- $rows := list
  (dict "env" "JACKLINE_SLACK__BOT_TOKEN" "key" "slack-bot-token" "value" $s.slack.botToken)
  (dict "env" "JACKLINE_SLACK__APP_TOKEN" "key" "slack-app-token" "value" $s.slack.appToken)
  (dict "env" "JACKLINE_SLACK__SIGNING_SECRET" "key" "slack-signing-secret" "value" $s.slack.signingSecret)
  (dict "env" "JACKLINE_SLACK__CLIENT_SECRET" "key" "slack-client-secret" "value" $s.slack.clientSecret)
  (dict "env" "JACKLINE_AUDIT_KEY" "key" "audit-key" "value" $s.auditKey)
  (dict "env" "JACKLINE_CONSOLE__SESSION_KEY" "key" "console-session-key" "value" $s.consoleSessionKey)
-}}
{{- $sources := keys $s.webhooks | sortAlpha -}}
{{- if $s.existingSecret -}}{{- $sources = $s.existingSecretWebhooks -}}{{- end -}}
{{- range $source := $sources -}}
{{- $live := get $s.webhooks $source -}}
{{- $row := dict "env" (printf "JACKLINE_WEBHOOKS__%s__SECRETS" (upper $source)) "key" (printf "webhook-%s-secrets" ($source | replace "_" "-")) "value" (ternary (toJson $live) "" (not (empty $live))) -}}
{{- $rows = append $rows $row -}}
{{- end -}}
{{- toJson $rows -}}
{{- end -}}

{{/* The rendered Secret's data; empty when everything comes from Secrets of the user's. */}}
{{- define "jackline.secretData" -}}
{{- $data := dict -}}
{{- if not .Values.secrets.existingSecret -}}
{{- range include "jackline.secretTable" . | fromJsonArray -}}
{{- if .value -}}{{- $_ := set $data .key (b64enc .value) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.database.url -}}{{- $_ := set $data "database-url" (b64enc .) -}}{{- end -}}
{{- if $data -}}{{- toYaml $data -}}{{- end -}}
{{- end -}}

{{- define "jackline.secretEnv" -}}
{{- $own := include "jackline.fullname" . -}}
{{- $existing := .Values.secrets.existingSecret -}}
{{- range include "jackline.secretTable" . | fromJsonArray }}
{{- if or $existing .value }}
- name: {{ .env }}
  valueFrom:
    secretKeyRef:
      name: {{ $existing | default $own }}
      key: {{ .key }}
      {{- if $existing }}
      optional: true # which keys your Secret holds is yours to decide
      {{- end }}
{{- end }}
{{- end }}
{{- end -}}
