{{/*
What the schema cannot say: rules between values. Secrets are judged here and not by a
pattern in the schema, because a schema's error repeats the value on the terminal.
*/}}
{{- define "jackline.rules" -}}
{{- $s := .Values.secrets -}}
{{- $several := gt (int .Values.replicas) 1 -}}
{{- if and $several (not (include "jackline.postgresql" .)) -}}
{{- fail "replicas: more than one replica needs PostgreSQL: set database.url or database.existingSecret.name (SQLite is one process's file)" -}}
{{- end -}}
{{- if and $several .Values.persistence.existingClaim -}}
{{- fail "persistence.existingClaim: one claim cannot serve several replicas; leave it empty and each replica gets its own" -}}
{{- end -}}
{{- if and .Values.database.url .Values.database.existingSecret.name -}}
{{- fail "database: set url or existingSecret.name, not both" -}}
{{- end -}}
{{- if and .Values.database.url (not (regexMatch "^(postgres|postgresql|postgresql\\+asyncpg)://" .Values.database.url)) -}}
{{- fail "database.url: must start with postgresql+asyncpg:// (leave it empty for SQLite)" -}}
{{- end -}}
{{- $inline := or $s.slack.botToken $s.slack.appToken $s.slack.signingSecret $s.slack.clientSecret $s.webhooks $s.auditKey $s.consoleSessionKey -}}
{{- if and $s.existingSecret $inline -}}
{{- fail "secrets: existingSecret is set, so the values beside it would be ignored; set one or the other" -}}
{{- end -}}
{{- if and $s.slack.botToken (not (hasPrefix "xoxb-" $s.slack.botToken)) -}}
{{- fail "secrets.slack.botToken: a bot token starts with xoxb-" -}}
{{- end -}}
{{- if and $s.slack.appToken (not (hasPrefix "xapp-" $s.slack.appToken)) -}}
{{- fail "secrets.slack.appToken: an app-level token starts with xapp-" -}}
{{- end -}}
{{- if and $s.slack.botToken (eq .Values.slack.mode "socket") (not $s.slack.appToken) -}}
{{- fail "secrets.slack.appToken: Socket Mode needs an app-level token (or set slack.mode to http)" -}}
{{- end -}}
{{- if and $s.slack.botToken (eq .Values.slack.mode "http") (not $s.slack.signingSecret) -}}
{{- fail "secrets.slack.signingSecret: HTTP mode needs the signing secret" -}}
{{- end -}}
{{- if and (not $s.existingSecret) (ne (empty .Values.slack.clientId) (empty $s.slack.clientSecret)) -}}
{{- fail "slack.clientId and secrets.slack.clientSecret belong together" -}}
{{- end -}}
{{- range $source, $live := $s.webhooks -}}
{{- range $live -}}
{{- if lt (len .) 16 -}}
{{- fail (printf "secrets.webhooks.%s: each secret needs at least 16 characters" $source) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name := list "auditKey" "consoleSessionKey" -}}
{{- $key := get $s $name -}}
{{- if and $key (lt (len $key) 32) -}}
{{- fail (printf "secrets.%s: needs at least 32 characters (openssl rand -hex 32)" $name) -}}
{{- end -}}
{{- end -}}
{{- if and $several (not $s.existingSecret) (not (and $s.auditKey $s.consoleSessionKey)) -}}
{{- fail "secrets: several replicas must share secrets.auditKey and secrets.consoleSessionKey; set both (openssl rand -hex 32)" -}}
{{- end -}}
{{- $sources := 0 -}}
{{- range list .Values.runbooks.files .Values.runbooks.existingConfigMap.name .Values.runbooks.existingClaim -}}
{{- if . -}}{{- $sources = add1 $sources -}}{{- end -}}
{{- end -}}
{{- if gt (int $sources) 1 -}}
{{- fail "runbooks: set one of files, existingConfigMap.name and existingClaim" -}}
{{- end -}}
{{- if and .Values.runbooks.path (not .Values.runbooks.existingClaim) -}}
{{- fail "runbooks.path: only has a meaning with runbooks.existingClaim" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts: name at least one host, for instance [{host: jackline.example.com, paths: [/webhooks]}]" -}}
{{- end -}}
{{- end -}}
