{{- /* What a schema cannot say. Each of these would also stop the service itself, later and out of
sight. */}}
{{- define "open-chat.check" -}}
{{- $access := include "open-chat.access" . | replace " " "" }}
{{- if not $access }}
{{- fail (printf "\n\naccess is not set: it says who may open whose panel. Set it to pass, sso, key, device or a list of them (%s/docs/security.md helps to choose), or to open in a closed network; or try everything out with --set simulator.enabled=true." .Chart.Home) }}
{{- end }}

{{- /* Where each variable comes from; NAME_FILE is NAME from a file. */}}
{{- $given := dict }}
{{- range $name, $value := .Values.config }}
{{- if include "open-chat.text" $value }}{{ include "open-chat.give" (list $given $name "config") }}{{ end }}
{{- end }}
{{- range $name, $_ := include "open-chat.map" .Values.secrets | fromYaml }}
{{- include "open-chat.give" (list $given $name "secrets") }}
{{- end }}
{{- range $secret, $keys := include "open-chat.existingSecrets" . | fromJson }}
{{- range $name, $_ := $keys }}{{ include "open-chat.give" (list $given $name (printf "existingSecrets.%s" $secret)) }}{{ end }}
{{- end }}
{{- if include "open-chat.map" .Values.operatorMap }}{{ include "open-chat.give" (list $given "OPERATOR_MAP_FILE" "operatorMap") }}{{ end }}
{{- if .Values.existingOperatorMap }}{{ include "open-chat.give" (list $given "OPERATOR_MAP_FILE" "existingOperatorMap") }}{{ end }}
{{- if .Values.devices.revoked }}{{ include "open-chat.give" (list $given "DEVICES_REVOKED_FILE" "devices.revoked") }}{{ end }}
{{- if .Values.devices.existingRevoked }}{{ include "open-chat.give" (list $given "DEVICES_REVOKED_FILE" "devices.existingRevoked") }}{{ end }}
{{- if .Values.connectors.toml }}{{ include "open-chat.give" (list $given "CONNECTORS_FILE" "connectors.toml") }}{{ end }}
{{- if .Values.connectors.existingSecret }}{{ include "open-chat.give" (list $given "CONNECTORS_FILE" "connectors.existingSecret") }}{{ end }}
{{- range .Values.extraEnv }}
{{- include "open-chat.give" (list $given .name "extraEnv") }}
{{- end }}
{{- if .Values.simulator.enabled }}
{{- range $name := list "CHATHUB_URL" "CHAT_PANEL_URL" "CHATHUB_LOGIN" "CHATHUB_PASSWORD" "CHATHUB_API_KEY" }}
{{- include "open-chat.give" (list $given $name "simulator.enabled") }}
{{- end }}
{{- else }}
{{- $login := and (hasKey $given "CHATHUB_LOGIN") (hasKey $given "CHATHUB_PASSWORD") }}
{{- $half := or (hasKey $given "CHATHUB_LOGIN") (hasKey $given "CHATHUB_PASSWORD") }}
{{- $key := hasKey $given "CHATHUB_API_KEY" }}
{{- if and $half $key }}
{{- fail "\n\nCHATHUB_API_KEY is set beside CHATHUB_LOGIN or CHATHUB_PASSWORD; set one or the other." }}
{{- else if not (or $login $key) }}
{{- fail "\n\nThe credentials for ChatHub are not set. Set CHATHUB_LOGIN and CHATHUB_PASSWORD, or CHATHUB_API_KEY, under existingSecrets (by the name of a Secret) or under secrets (as values); or try everything out with --set simulator.enabled=true." }}
{{- end }}
{{- end }}

{{- $modes := splitList "," $access }}
{{- if and (has "pass" $modes) (not (or (hasKey $given "PASS_SECRET") (hasKey $given "PASS_KEYS"))) }}
{{- fail "\n\naccess has pass, which needs a key: set PASS_SECRET or PASS_KEYS_FILE under existingSecrets or secrets." }}
{{- end }}
{{- if and (has "key" $modes) (not (hasKey $given "API_KEYS")) }}
{{- fail "\n\naccess has key, which needs the keys: set API_KEYS_FILE under existingSecrets or secrets." }}
{{- end }}
{{- range $name := list "SSO_HEADER" "TRUSTED_PROXIES" }}
{{- if and (has "sso" $modes) (not (hasKey $given $name)) }}
{{- fail (printf "\n\naccess has sso, which needs config.%s." $name) }}
{{- end }}
{{- end }}

{{- /* A trial, whose access was not chosen, is for those who may forward a port to it. */}}
{{- if and .Values.simulator.enabled (not (include "open-chat.text" .Values.access)) }}
{{- $way := "" }}
{{- if .Values.ingress.enabled }}{{ $way = "ingress.enabled" }}{{ end }}
{{- if .Values.httpRoute.enabled }}{{ $way = "httpRoute.enabled" }}{{ end }}
{{- if ne .Values.service.type "ClusterIP" }}{{ $way = printf "service.type: %s" .Values.service.type }}{{ end }}
{{- if $way }}
{{- fail (printf "\n\nsimulator.enabled lets anyone in, and %s would open it to the outside. Leave it out and forward a port, as the notes say; or set access, to open where anyone who reaches it may click." $way) }}
{{- end }}
{{- end }}

{{- include "open-chat.checkSso" (list . $given $modes) }}

{{- if has "device" $modes }}{{ include "open-chat.checkDevice" (list . $given) }}{{ end }}

{{- include "open-chat.checkConnectorFiles" . }}
{{- if hasKey $given "CONNECTORS" }}{{ include "open-chat.checkConnectors" (list . $given $modes) }}{{ end }}

{{- include "open-chat.checkBounds" . }}

{{- if not .Values.config.OPS_LISTEN }}
{{- fail "\n\nconfig.OPS_LISTEN must be set: in this chart, health and metrics have a port of their own." }}
{{- else if eq (include "open-chat.port" .) (include "open-chat.opsPort" .) }}
{{- fail "\n\nconfig.LISTEN and config.OPS_LISTEN must have different ports." }}
{{- end }}
{{- $end := include "open-chat.secondsToEnd" . | int }}
{{- with .Values.terminationGracePeriodSeconds }}
{{- if lt (int .) $end }}
{{- fail (printf "\n\nterminationGracePeriodSeconds is %d, but the service may need DRAIN_DELAY and SHUTDOWN_TIMEOUT to end, %d s. Leave it empty, or raise it." (int .) $end) }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "\n\ningress.hosts is empty: name the host that the buttons lead to." }}
{{- end }}
{{- $ports := list "http" }}
{{- range .Values.extraContainers }}
{{- range .ports }}{{ $ports = append $ports (.name | default "") }}{{ end }}
{{- end }}
{{- with .Values.service.targetPort }}
{{- if and (kindIs "string" .) (not (has . $ports)) }}
{{- fail (printf "\n\nservice.targetPort is %s, and no port of the pod has that name: http is the service's own, others are those of extraContainers." .) }}
{{- end }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "\n\nhttpRoute.parentRefs is empty: name the Gateway." }}
{{- end }}
{{- end }}

{{- /* (list . given modes): what an identity that a proxy names needs to be believed. */}}
{{- define "open-chat.checkSso" -}}
{{- $values := (index . 0).Values }}
{{- $set := dict }}
{{- range $name := list "SSO_HEADER" "TRUSTED_PROXIES" }}
{{- $_ := set $set $name (include "open-chat.text" (get $values.config $name)) }}
{{- range $values.extraEnv }}
{{- if eq .name $name }}{{ $_ := set $set $name (.value | default "") }}{{ end }}
{{- end }}
{{- end }}
{{- if has "sso" (index . 2) }}
{{- range $network := splitList "," $set.TRUSTED_PROXIES }}
{{- $length := regexFind "/[0-9]+$" (trim $network) }}
{{- $one := ternary "/128" "/32" (contains ":" $network) }}
{{- if and $length (ne $length $one) (not (hasKey (index $ 1) "SSO_PROXY_SECRET")) }}
{{- fail (printf "\n\naccess has sso, and TRUSTED_PROXIES has a network (%s): every pod and machine in it could name any agent. Set SSO_PROXY_SECRET, 16 characters or more, under existingSecrets or secrets, and have the proxy send it in X-Proxy-Secret; or name the proxies' single addresses in TRUSTED_PROXIES." (trim $network)) }}
{{- end }}
{{- end }}
{{- end }}
{{- $header := lower $set.SSO_HEADER }}
{{- $users := list "x-forwarded-email" "x-forwarded-preferred-username" "x-forwarded-user" }}
{{- $taken := "^((age|authorization|connection|cookie2?|date|dnt|expect|forwarded|from|host|keep-alive|max-forwards|origin|pragma|priority|purpose|range|referer|te|trailer|upgrade|upgrade-insecure-requests|user-agent|via|x-http-method-override|x-moz|x-proxy-secret|x-purpose|x-widget-ticket)$|accept|access-control-|cache-|content-|if-|proxy-|sec-|set-cookie|trace|transfer-|x-forwarded-|x-original-|x-real-|x-request-)" }}
{{- if and (regexMatch $taken $header) (not (has $header $users)) }}
{{- fail (printf "\n\nSSO_HEADER is %s, which means something else already: name the header in which the proxy puts the agent, such as X-Auth-Request-Email." $set.SSO_HEADER) }}
{{- end }}
{{- end }}

{{- /* (list . given): what paired browsers need. */}}
{{- define "open-chat.checkDevice" -}}
{{- $values := (index . 0).Values }}
{{- $given := index . 1 }}
{{- if not (hasKey $given "DEVICE_SECRET") }}
{{- fail "\n\naccess has device, which needs a key: set DEVICE_SECRET, 32 bytes or more, under existingSecrets or secrets." }}
{{- end }}
{{- if not (hasKey $given "PUBLIC_URL") }}
{{- fail "\n\naccess has device, which needs config.PUBLIC_URL: invitations lead there." }}
{{- end }}
{{- $url := $values.config.PUBLIC_URL | default "" }}
{{- range $values.extraEnv }}
{{- if eq .name "PUBLIC_URL" }}{{ $url = .value | default "" }}{{ end }}
{{- end }}
{{- if and $url (not (regexMatch "^(https://[^/?#]+|http://(localhost|127[.]0[.]0[.]1|\\[::1\\])(:[0-9]+)?)/?$" $url)) }}
{{- fail (printf "\n\nPUBLIC_URL is %s; with device in access it must be https and have no path: a paired browser's cookie goes to the whole host, and to nothing in the clear." $url) }}
{{- end }}
{{- $replicas := include "open-chat.mostReplicas" (index . 0) | int }}
{{- if and (gt $replicas 1) (not (hasKey $given "REDIS_URL")) (not $values.devices.acceptOncePerReplica) }}
{{- fail (printf "\n\naccess has device, and an invitation is to be good once: with up to %d replicas it would be good once in each. Set REDIS_URL under existingSecrets or secrets, or one replica; or devices.acceptOncePerReplica: true, if that is what you want." $replicas) }}
{{- end }}
{{- end }}

{{- /* (list . given modes): what links for CRMs need. */}}
{{- define "open-chat.checkConnectors" -}}
{{- $values := (index . 0).Values }}
{{- $given := index . 1 }}
{{- if not (hasKey $given "PUBLIC_URL") }}
{{- fail "\n\nThere are connectors, which need config.PUBLIC_URL: the links for CRMs lead there." }}
{{- end }}
{{- if not (has "pass" (index . 2)) }}
{{- fail "\n\nThere are connectors, and the links for CRMs are passes: access must have pass in it, and a key that can sign, PASS_SECRET under existingSecrets or secrets." }}
{{- end }}
{{- $keys := ($values.secrets | default dict).PASS_KEYS_FILE }}
{{- if and $keys (not (regexMatch `algorithm\s*=\s*["']HS` $keys)) }}
{{- fail "\n\nThere are connectors, and no key of secrets.PASS_KEYS_FILE can sign the links for CRMs: that takes PASS_SECRET instead, or one entry more with algorithm = \"HS256\" and a secret of its own." }}
{{- end }}
{{- $replicas := include "open-chat.mostReplicas" (index . 0) | int }}
{{- if and (gt $replicas 1) (not (hasKey $given "REDIS_URL")) (not $values.connectors.acceptOncePerReplica) }}
{{- fail (printf "\n\nThere are connectors, and a CRM's proof is to be good once: with up to %d replicas it would be good once in each, and a CRM would be asked %d times as often as it allows. Set REDIS_URL under existingSecrets or secrets, or one replica; or connectors.acceptOncePerReplica: true, if that is what you want." $replicas $replicas) }}
{{- end }}
{{- end }}

{{- /* Each file that the connectors name where files of theirs are mounted is there, and none is
there for nothing. */}}
{{- define "open-chat.checkConnectorFiles" -}}
{{- $connectors := .Values.connectors }}
{{- $files := include "open-chat.map" $connectors.files | fromYaml }}
{{- $path := include "open-chat.connectorsPath" . }}
{{- if and $connectors.existingSecret $files }}
{{- fail "\n\nconnectors.files is set beside connectors.existingSecret: put the files into that Secret, each under a key of its own." }}
{{- end }}
{{- with $connectors.toml }}
{{- if not (regexMatch `(?m)^\s*\[` .) }}
{{- fail "\n\nconnectors.toml has no section: one begins with its CRM, such as [kommo]." }}
{{- end }}
{{- range regexFindAll (printf `(?m)^[^#\n]*_file\s*=\s*["']%s/[^"']*` $path) . -1 }}
{{- $name := regexReplaceAll `^.*["']` . "" | trimPrefix (printf "%s/" $path) }}
{{- if not (hasKey $files $name) }}
{{- fail (printf "\n\nconnectors.toml names the file %s/%s, and connectors.files has no %s." $path $name $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $_ := $files }}
{{- if not (contains (printf "%s/%s" $path $name) ($connectors.toml | default "")) }}
{{- fail (printf "\n\nconnectors.files has %s, and connectors.toml does not name %s/%s." $name $path $name) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* (list given name where): remembers where a variable comes from, and fails if it does
twice. */}}
{{- define "open-chat.give" -}}
{{- $given := index . 0 }}
{{- $name := index . 1 | trimSuffix "_FILE" }}
{{- $where := index . 2 }}
{{- with get $given $name }}
{{- fail (printf "\n\n%s is set twice, by %s and by %s." $name . $where) }}
{{- end }}
{{- $_ := set $given $name $where }}
{{- end }}
