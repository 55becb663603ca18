{{- define "open-chat.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Short enough for what is appended to it, and a name that a Service can have: a release may be
called `my.release` or `1st`, and a parent chart may call this one `Open_Chat`. */}}
{{- define "open-chat.fullname" -}}
{{- $name := include "open-chat.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- $full = regexReplaceAll "[^a-z0-9]+" (.Values.fullnameOverride | default $full | lower) "-" }}
{{- ternary $full (printf "open-chat-%s" $full) (regexMatch "^[a-z]" $full) | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "open-chat.opsName" -}}
{{- include "open-chat.fullname" . }}-ops
{{- end }}

{{- define "open-chat.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "open-chat.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- /* These never change: a Deployment's selector cannot be changed once it is there. */}}
{{- define "open-chat.selectorLabels" -}}
app.kubernetes.io/name: {{ include "open-chat.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* Where the objects are made. */}}
{{- define "open-chat.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- /* What all objects have; some have a name of their own beside it. */}}
{{- define "open-chat.chartLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* (list . labels…): those of an object. Of two of a name the chart's own stands, then the first
of these, and commonLabels last. */}}
{{- define "open-chat.labels" -}}
{{- $own := printf "%s\n%s" (include "open-chat.selectorLabels" (first .)) (include "open-chat.chartLabels" (first .)) }}
{{- include "open-chat.merged" (append (prepend (rest .) (fromYaml $own)) (first .).Values.commonLabels) }}
{{- end }}

{{- /* Maps as one, as YAML, without what is null; of two of a name the first stands. */}}
{{- define "open-chat.merged" -}}
{{- $all := dict }}
{{- range $map := . }}
{{- range $name, $value := $map }}
{{- if not (or (hasKey $all $name) (kindIs "invalid" $value)) }}{{ $_ := set $all $name $value }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $all }}
{{- end }}

{{- /* Other names than the service's, so that no selector takes its pod for one of the
service. */}}
{{- define "open-chat.testLabels" -}}
app.kubernetes.io/name: {{ include "open-chat.name" . | trunc 58 | trimSuffix "-" }}-test
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* A map as YAML, without what an overlay has set to null. */}}
{{- define "open-chat.map" -}}
{{- $map := dict }}
{{- range $name, $value := . }}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $map $name $value }}{{ end }}
{{- end }}
{{- with $map }}{{ toYaml . }}{{ end }}
{{- end }}

{{- /* The document that alerts, dashboard and messages refer to. */}}
{{- define "open-chat.runbook" -}}
{{- include "open-chat.source" . }}/docs/runbook.md
{{- end }}

{{- /* Where the repository is read. */}}
{{- define "open-chat.source" -}}
{{- .Values.prometheusRule.runbookBaseUrl | default .Chart.Home | trimSuffix "/" }}
{{- end }}

{{- define "open-chat.image" -}}
{{- $version := ternary (printf "@%s" .Values.image.digest) (printf ":%s" (.Values.image.tag | default .Chart.AppVersion)) (not (empty .Values.image.digest)) }}
{{- $own := ternary (printf "%s/" .Values.image.registry) "" (not (empty .Values.image.registry)) }}
{{- include "open-chat.fromRegistry" (list . (printf "%s%s%s" $own .Values.image.repository $version)) }}
{{- end }}

{{- /* (list . image): with the registry of global.imageRegistry in the place of its own. */}}
{{- define "open-chat.fromRegistry" -}}
{{- $image := index . 1 }}
{{- with ((index . 0).Values.global | default dict).imageRegistry }}
{{- $image = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $image "") }}
{{- end }}
{{- $image }}
{{- end }}

{{- /* Those of the release and those of all charts around it, which may be names alone. */}}
{{- define "open-chat.imagePullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets | default list }}
{{- range (.Values.global | default dict).imagePullSecrets }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with $secrets }}{{ uniq . | toYaml }}{{ end }}
{{- end }}
