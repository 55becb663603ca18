{{- /* What a schema cannot say. Each of these would also stop the service itself, later and out of
sight. */}}
{{- define "open-chat.check" -}}
{{- include "open-chat.checkNames" . }}
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
{{- if (include "open-chat.derivedUrl" . | fromJson).url }}{{ include "open-chat.give" (list $given "PUBLIC_URL" "the way in") }}{{ end }}
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
{{- else if not (or $login $key .Values.envFrom) }}
{{- fail "\n\nThe credentials for ChatHub are not set. Set CHATHUB_LOGIN and CHATHUB_PASSWORD, or CHATHUB_API_KEY, under existingSecrets (by the name of a Secret) or under secrets (as values); or try everything out with --set simulator.enabled=true." }}
{{- end }}
{{- end }}

{{- $modes := splitList "," $access }}
{{- if and (has "pass" $modes) (not (or (hasKey $given "PASS_SECRET") (hasKey $given "PASS_KEYS") .Values.envFrom)) }}
{{- fail "\n\naccess has pass, which needs a key: set PASS_SECRET or PASS_KEYS_FILE under existingSecrets or secrets." }}
{{- end }}
{{- if and (has "key" $modes) (not (or (hasKey $given "API_KEYS") .Values.envFrom)) }}
{{- fail "\n\naccess has key, which needs the keys: set API_KEYS_FILE under existingSecrets or secrets." }}
{{- end }}
{{- range $name := list "SSO_HEADER" "TRUSTED_PROXIES" }}
{{- if and (has "sso" $modes) (not (or (hasKey $given $name) $.Values.envFrom)) }}
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
{{- include "open-chat.checkService" . }}
{{- include "open-chat.checkPods" . }}

{{- if not .Values.config.OPS_LISTEN }}
{{- fail "\n\nconfig.OPS_LISTEN must be set: in this chart, health and metrics have a port of their own." }}
{{- else if eq (include "open-chat.port" .) (include "open-chat.opsPort" .) }}
{{- fail "\n\nconfig.LISTEN and config.OPS_LISTEN must have different ports." }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "\n\ningress.hosts is empty: name the host that the buttons lead to." }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "\n\nhttpRoute.parentRefs is empty: name the Gateway." }}
{{- end }}
{{- end }}

{{- /* Why PUBLIC_URL could not be taken from the way in, as a sentence of its own, if there is one.
*/}}
{{- define "open-chat.whyNoUrl" -}}
{{- with (include "open-chat.derivedUrl" . | fromJson).why }} It cannot be taken from the way in: {{ . }}.{{ end }}
{{- end }}

{{- /* Names that other charts have for the same, each with a word on what it is called here. */}}
{{- define "open-chat.otherNames" -}}
replicaCount: it is called replicas
hpa: it is called autoscaling
pdb: it is called podDisruptionBudget
probes: they are startupProbe, livenessProbe and readinessProbe
customLabels: it is called commonLabels
labels: it is called commonLabels
annotations: there are deploymentAnnotations, podAnnotations, and annotations of each other object
env: settings stand under config, further variables under extraEnv
extraEnvs: it is called extraEnv
extraEnvVars: it is called extraEnv
extraEnvFrom: it is called envFrom
sidecars: it is called extraContainers
initContainers: it is called extraInitContainers
volumes: it is called extraVolumes
volumeMounts: it is called extraVolumeMounts
extraManifests: it is called extraObjects
extraDeploy: it is called extraObjects
containerSecurityContext: it is called securityContext
updateStrategy: it is called strategy
gatewayApi: it is called httpRoute
gateway: it is called httpRoute
route: it is called httpRoute
certificate: an annotation of the Ingress or the Gateway asks cert-manager for one, or an object of extraObjects
tls: it is called ingress.tls; the pod itself speaks plain HTTP
redis: the chart brings no Redis; REDIS_URL under existingSecrets or secrets names yours
logLevel: it is called config.RUST_LOG
extraArgs: the service has settings in the place of arguments, which stand under config
existingSecret: it is called existingSecrets, and says which key is for which variable
metrics: there are serviceMonitor, scrapeAnnotations, prometheusRule and dashboard
image.pullSecrets: it is called imagePullSecrets
service.portNumber: it is called service.port
service.externalPort: it is called service.port
serviceAccount.enabled: it is called serviceAccount.create
{{- end }}

{{- define "open-chat.checkNames" -}}
{{- range $name, $words := include "open-chat.otherNames" . | fromYaml }}
{{- $value := $.Values }}
{{- range splitList "." $name }}{{ $value = get ($value | default dict) . }}{{ end }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
{{- fail (printf "\n\nThis chart has no value %s: %s." $name $words) }}
{{- end }}
{{- end }}
{{- range $name := list "commonLabels" "deploymentLabels" "podLabels" "service.labels" "ingress.labels" "httpRoute.labels" "serviceMonitor.labels" "prometheusRule.labels" "dashboard.labels" }}
{{- $labels := $.Values }}
{{- range splitList "." $name }}{{ $labels = get $labels . | default dict }}{{ end }}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" }}
{{- if get $labels $label }}
{{- fail (printf "\n\n%s has %s, which is the chart's own: selectors and updates go by it." $name $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.ingress.hosts }}
{{- if kindIs "map" . }}
{{- fail (printf "\n\ningress.hosts are names alone in this chart: [%s]. Which paths are led in stands under publicPaths." (.host | default "chat.example.com")) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "open-chat.checkService" -}}
{{- $service := .Values.service }}
{{- $ports := list "http" }}
{{- range .Values.extraContainers }}
{{- range .ports }}{{ $ports = append $ports (.name | default "") }}{{ end }}
{{- end }}
{{- with $service.targetPort }}
{{- if and (kindIs "string" .) (not (has . $ports)) }}
{{- fail (printf "\n\nservice.targetPort is %s, and no port of the pod has that name: http is the service's own, others are those of extraContainers." .) }}
{{- end }}
{{- end }}
{{- range $name := list "nodePort" "externalTrafficPolicy" }}
{{- if and (get $service $name) (eq $service.type "ClusterIP") }}
{{- fail (printf "\n\nservice.%s is set, which takes service.type NodePort or LoadBalancer." $name) }}
{{- end }}
{{- end }}
{{- range $name := list "loadBalancerIP" "loadBalancerClass" "loadBalancerSourceRanges" }}
{{- if and (get $service $name) (ne $service.type "LoadBalancer") }}
{{- fail (printf "\n\nservice.%s is set, which takes service.type LoadBalancer." $name) }}
{{- end }}
{{- end }}
{{- $listen := .Values.config.LISTEN | default "[::]" }}
{{- if and $service.ipDualStack.enabled (not (or (hasPrefix "[" $listen) (ne (toString ($service.targetPort | default "http")) "http"))) }}
{{- fail (printf "\n\nservice.ipDualStack is enabled, and config.LISTEN is %s, which IPv6 cannot reach. Leave it out, or set it to [::]:8080, which serves both." $listen) }}
{{- end }}
{{- end }}

{{- define "open-chat.checkPods" -}}
{{- $end := include "open-chat.secondsToEnd" . | int }}
{{- with .Values.terminationGracePeriodSeconds }}
{{- if lt (int .) $end }}
{{- fail (printf "\n\nterminationGracePeriodSeconds is %d, but the service may need DRAIN_DELAY and SHUTDOWN_TIMEOUT to end, %d s. Leave it empty, or raise it." (int .) $end) }}
{{- end }}
{{- end }}
{{- $fewest := ternary .Values.autoscaling.minReplicas .Values.replicas .Values.autoscaling.enabled | int }}
{{- $stay := .Values.podDisruptionBudget.minAvailable | default 0 }}
{{- if and .Values.podDisruptionBudget.enabled (or (eq (toString $stay) "100%") (and (not (kindIs "string" $stay)) (gt (int $stay) 0) (ge (int $stay) $fewest))) }}
{{- fail (printf "\n\npodDisruptionBudget.minAvailable is %v, and there may be %d pods: no node with one of them could be emptied. Lower it, or have more pods." $stay $fewest) }}
{{- end }}
{{- with .Values.serviceMonitor.scrapeTimeout }}
{{- if gt (include "open-chat.seconds" . | int) (include "open-chat.seconds" $.Values.serviceMonitor.interval | int) }}
{{- fail (printf "\n\nserviceMonitor.scrapeTimeout is %s, longer than serviceMonitor.interval, which Prometheus refuses." .) }}
{{- end }}
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
{{- if and $length (ne $length $one) (not (or (hasKey (index $ 1) "SSO_PROXY_SECRET") $values.envFrom)) }}
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
{{- if not (or (hasKey $given "DEVICE_SECRET") $values.envFrom) }}
{{- fail "\n\naccess has device, which needs a key: set DEVICE_SECRET, 32 bytes or more, under existingSecrets or secrets." }}
{{- end }}
{{- if not (or (hasKey $given "PUBLIC_URL") $values.envFrom) }}
{{- fail (printf "\n\naccess has device, which needs config.PUBLIC_URL: invitations lead there.%s" (include "open-chat.whyNoUrl" (index . 0))) }}
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
{{- if not (or (hasKey $given "PUBLIC_URL") $values.envFrom) }}
{{- fail (printf "\n\nThere are connectors, which need config.PUBLIC_URL: the links for CRMs lead there.%s" (include "open-chat.whyNoUrl" (index . 0))) }}
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
