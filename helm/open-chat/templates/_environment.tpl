{{- /* A setting as the service reads it, however YAML has read it: `on` as true, 100000 as
1e+05. */}}
{{- define "open-chat.text" -}}
{{- if kindIs "bool" . }}{{ ternary "on" "off" . }}
{{- else if kindIs "float64" . }}{{ eq (floor .) . | ternary (int64 . | toString) (toString .) }}
{{- else if kindIs "slice" . }}{{ join "," . }}
{{- else if kindIs "map" . }}
{{- $pairs := list }}
{{- range $name, $value := . }}
{{- with include "open-chat.text" $value }}{{ $pairs = append $pairs (printf "%s=%s" $name .) }}{{ end }}
{{- end }}
{{- join "," $pairs }}
{{- else if not (kindIs "invalid" .) }}{{ . }}
{{- end }}
{{- end }}

{{- define "open-chat.access" -}}
{{- include "open-chat.text" .Values.access | default (ternary "open" "" .Values.simulator.enabled) }}
{{- end }}

{{- /* The Secrets that are there already, each with which variable a key of it is for, as a JSON
object; less what an overlay has set to null. */}}
{{- define "open-chat.existingSecrets" -}}
{{- $secrets := dict }}
{{- range $secret, $keys := .Values.existingSecrets }}
{{- with include "open-chat.map" $keys | fromYaml }}{{ $_ := set $secrets $secret . }}{{ end }}
{{- end }}
{{- toJson $secrets }}
{{- end }}

{{- /* The variables that the chart sets, as a JSON object. They stand in the pod's template and in
no ConfigMap, so that a pod of an older revision that starts again does so with its own settings.
Secrets and files appear as paths. */}}
{{- define "open-chat.variables" -}}
{{- $variables := dict }}
{{- if .Values.simulator.enabled }}
{{- /* Loopback, since the service shows credentials and tokens to https or to its own machine
only. */}}
{{- $variables = dict "CHATHUB_URL" "http://127.0.0.1:9000" "CHAT_PANEL_URL" "http://127.0.0.1:9000" "CHATHUB_LOGIN" "demo" "CHATHUB_PASSWORD" "demo-password" }}
{{- end }}
{{- range $name, $value := .Values.config }}
{{- with include "open-chat.text" $value }}{{ $_ := set $variables $name . }}{{ end }}
{{- end }}
{{- $_ := set $variables "ACCESS" (include "open-chat.access" .) }}
{{- with (include "open-chat.derivedUrl" . | fromJson).url }}{{ $_ := set $variables "PUBLIC_URL" . }}{{ end }}
{{- if and .Values.service.ipDualStack.enabled (not .Values.config.LISTEN) }}
{{- $_ := set $variables "LISTEN" "[::]:8080" }}
{{- end }}
{{- if not .Values.config.CHATHUB_MAX_RATE }}
{{- /* The service's default is all that a company should send, and counts for each replica. */}}
{{- $_ := set $variables "CHATHUB_MAX_RATE" (div 40 (include "open-chat.mostReplicas" .) | max 1 | toString) }}
{{- end }}
{{- $secrets := include "open-chat.existingSecrets" . | fromJson }}
{{- with include "open-chat.map" .Values.secrets | fromYaml }}
{{- $own := dict }}
{{- range $key, $_ := . }}
{{- if eq $key (upper $key) }}{{ $_ := set $own $key $key }}{{ end }}
{{- end }}
{{- $_ := set $secrets (include "open-chat.fullname" $) $own }}
{{- end }}
{{- range $secret, $keys := $secrets }}
{{- range $variable, $key := $keys }}
{{- $_ := set $variables (printf "%s_FILE" (trimSuffix "_FILE" $variable)) (printf "/run/secrets/%s/%s" $secret $key) }}
{{- end }}
{{- end }}
{{- if include "open-chat.mapName" . }}
{{- $_ := set $variables "OPERATOR_MAP_FILE" "/etc/open-chat/operator-map.toml" }}
{{- end }}
{{- if include "open-chat.revokedName" . }}
{{- $_ := set $variables "DEVICES_REVOKED_FILE" "/etc/open-chat-devices/devices-revoked.toml" }}
{{- end }}
{{- if include "open-chat.connectorsName" . }}
{{- $_ := set $variables "CONNECTORS_FILE" (printf "%s/connectors.toml" (include "open-chat.connectorsPath" .)) }}
{{- end }}
{{- toJson $variables }}
{{- end }}

{{- /* What PUBLIC_URL is where it is not set, as a JSON object: `url` and `from`, or `why` it
cannot be told; neither where nothing leads in, or it is set. The service takes https alone, and of an Ingress only `tls` says that it is. */}}
{{- define "open-chat.derivedUrl" -}}
{{- $hosts := list }}
{{- $from := list }}
{{- $url := "" }}
{{- $why := "" }}
{{- if .Values.ingress.enabled }}
{{- $hosts = concat $hosts (.Values.ingress.hosts | default list) }}
{{- $from = append $from "ingress.hosts" }}
{{- end }}
{{- if .Values.httpRoute.enabled }}
{{- $hosts = concat $hosts (.Values.httpRoute.hostnames | default list) }}
{{- $from = append $from "httpRoute.hostnames" }}
{{- end }}
{{- $host := uniq $hosts | first | default "" | toString }}
{{- if or (not $from) (include "open-chat.givesUrl" .) }}
{{- else if .Values.envFrom }}{{ $why = "envFrom may have it" }}
{{- else if not $host }}{{ $why = "httpRoute.hostnames is empty" }}
{{- else if gt (len (uniq $hosts)) 1 }}{{ $why = printf "there are several: %s" (uniq $hosts | join ", ") }}
{{- else if hasPrefix "*" $host }}{{ $why = printf "%s stands for several" $host }}
{{- else if and .Values.ingress.enabled (not (include "open-chat.hasTls" (list . $host))) }}{{ $why = printf "ingress.tls does not have %s, and it must be https" $host }}
{{- else if and .Values.httpRoute.enabled (include "open-chat.isPlain" .) }}{{ $why = "the Gateway's listener in httpRoute.parentRefs is http, and it must be https" }}
{{- else }}{{ $url = printf "https://%s" $host }}
{{- end }}
{{- dict "url" $url "from" (join " and " $from) "why" $why | toJson }}
{{- end }}

{{- /* Not empty where PUBLIC_URL is set. */}}
{{- define "open-chat.givesUrl" -}}
{{- .Values.config.PUBLIC_URL | default "" }}
{{- range .Values.extraEnv }}
{{- if eq .name "PUBLIC_URL" }}{{ .name }}{{ end }}
{{- end }}
{{- end }}

{{- /* (list . host): not empty where the Ingress ends TLS for the host; an entry without hosts is
for all. */}}
{{- define "open-chat.hasTls" -}}
{{- $host := index . 1 }}
{{- $any := regexReplaceAll "^[^.]+" $host "*" }}
{{- range (index . 0).Values.ingress.tls }}
{{- $hosts := .hosts | default (list $host) }}
{{- if or (has $host $hosts) (has $any $hosts) }}yes{{ end }}
{{- end }}
{{- end }}

{{- /* Not empty where the HTTPRoute says that its listener has no TLS, by its name or port. */}}
{{- define "open-chat.isPlain" -}}
{{- range .Values.httpRoute.parentRefs }}
{{- if or (eq (toString .port) "80") (eq (toString .sectionName) "http") }}yes{{ end }}
{{- end }}
{{- end }}

{{- /* (list . name): not empty where a variable is set, by itself or by a file, wherever it is
set. */}}
{{- define "open-chat.isSet" -}}
{{- $variables := include "open-chat.variables" (index . 0) | fromJson }}
{{- range (index . 0).Values.extraEnv }}{{ $_ := set $variables .name "extraEnv" }}{{ end }}
{{- $name := index . 1 }}
{{- if or (hasKey $variables $name) (hasKey $variables (printf "%s_FILE" $name)) }}yes{{ end }}
{{- end }}

{{- define "open-chat.mostReplicas" -}}
{{- if .Values.simulator.enabled }}1
{{- else }}{{ ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled | max 1 }}
{{- end }}
{{- end }}

{{- /* With an autoscaler, how many pods run, within its bounds; empty where none do yet, where helm
asks no cluster, and where the number is the autoscaler's alone. */}}
{{- define "open-chat.runningReplicas" -}}
{{- $running := lookup "apps/v1" "Deployment" (include "open-chat.namespace" .) (include "open-chat.fullname" .) }}
{{- if $running }}
{{- if include "open-chat.setsReplicas" (list . $running) }}
{{- $running.spec.replicas | int | max .Values.autoscaling.minReplicas | min .Values.autoscaling.maxReplicas }}
{{- end }}
{{- end }}
{{- end }}

{{- /* (list . deployment): not empty where helm has set the number of pods before, which it would
take away if the manifest had none. Helm 4 applies on the server's side, where each field tells who
has set it. Helm 3 goes by the manifest before, which had a number unless the autoscaler came with
the Deployment. */}}
{{- define "open-chat.setsReplicas" -}}
{{- $metadata := (index . 1).metadata }}
{{- $isApplied := false }}
{{- $isOurs := false }}
{{- range $metadata.managedFields }}
{{- if eq .operation "Apply" }}
{{- $isApplied = true }}
{{- if hasKey (get .fieldsV1 "f:spec" | default dict) "f:replicas" }}{{ $isOurs = true }}{{ end }}
{{- end }}
{{- end }}
{{- if not $isApplied }}
{{- $scaler := lookup "autoscaling/v2" "HorizontalPodAutoscaler" $metadata.namespace $metadata.name }}
{{- $isOurs = not $scaler }}
{{- if $scaler }}
{{- $later := sub (include "open-chat.epoch" $scaler | int64) (include "open-chat.epoch" (index . 1) | int64) }}
{{- $isOurs = gt $later 1 }}
{{- end }}
{{- end }}
{{- if $isOurs }}yes{{ end }}
{{- end }}

{{- /* When an object was made, in seconds. */}}
{{- define "open-chat.epoch" -}}
{{- toDate "2006-01-02T15:04:05Z07:00" .metadata.creationTimestamp | unixEpoch }}
{{- end }}

{{- /* The port of an address, and the address's setting. */}}
{{- define "open-chat.port" -}}
{{- .Values.config.LISTEN | default "0.0.0.0:8080" | regexFind "[0-9]+$" }}
{{- end }}
{{- define "open-chat.opsPort" -}}
{{- .Values.config.OPS_LISTEN | default "" | regexFind "[0-9]+$" }}
{{- end }}

{{- /* The seconds in `20s` or `1m`. */}}
{{- define "open-chat.seconds" -}}
{{- mul (regexFind "^[0-9]+" .) (ternary 60 1 (hasSuffix "m" .)) }}
{{- end }}

{{- /* How long a pod needs to end: it sleeps first where lifecycle says so, then clicks are taken
for DRAIN_DELAY more, and what runs may finish within SHUTDOWN_TIMEOUT. */}}
{{- define "open-chat.secondsToEnd" -}}
{{- $drain := include "open-chat.seconds" (include "open-chat.text" .Values.config.DRAIN_DELAY | default "5s") }}
{{- $shutdown := include "open-chat.seconds" (.Values.config.SHUTDOWN_TIMEOUT | default "20s") }}
{{- $sleep := (((.Values.lifecycle | default dict).preStop | default dict).sleep | default dict).seconds | default 0 }}
{{- add $sleep $drain $shutdown }}
{{- end }}
