{{- /* The service's own bounds, where a schema cannot hold them or could not say in words what is
wrong. */}}
{{- define "open-chat.checkBounds" -}}
{{- with include "open-chat.text" .Values.config.TOKEN_TTL }}
{{- $ttl := include "open-chat.milliseconds" . | int64 }}
{{- if or (lt $ttl 60000) (gt $ttl 86100000) }}
{{- fail (printf "\n\nconfig.TOKEN_TTL is %s; it must be from 1m to 23h55m." .) }}
{{- end }}
{{- end }}
{{- with include "open-chat.text" .Values.config.DEVICE_TTL }}
{{- $ttl := include "open-chat.milliseconds" . | int64 }}
{{- if or (lt $ttl 3600000) (gt $ttl 34560000000) }}
{{- fail (printf "\n\nconfig.DEVICE_TTL is %s; it must be from 1h to 400d." .) }}
{{- end }}
{{- end }}
{{- range $name := list "CHATHUB_ATTEMPT_TIMEOUT" "CHATHUB_CONNECT_TIMEOUT" "CLICK_BUDGET" "DIRECTORY_REFRESH" "PASS_MAX_TTL" "TOKEN_REUSE" "WIDGET_SESSION" }}
{{- with include "open-chat.text" (get $.Values.config $name) }}
{{- if gt (include "open-chat.milliseconds" . | int64) 3162240000000 }}
{{- fail (printf "\n\nconfig.%s is %s; it must be 100 years at most." $name .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name := list "LISTEN" "OPS_LISTEN" }}
{{- with get $.Values.config $name }}
{{- include "open-chat.checkEach" (list $name . (printf "(%s|\\[[0-9a-fA-F:]+\\]):[0-9]+" (include "open-chat.ip4" .)) "an address with a port, such as 0.0.0.0:8080 or [::]:8080") }}
{{- $port := regexFind "[0-9]+$" . | int64 }}
{{- if or (lt $port 1) (gt $port 65535) }}
{{- fail (printf "\n\nconfig.%s has the port %d; it must be from 1 to 65535." $name $port) }}
{{- end }}
{{- end }}
{{- end }}
{{- $network := printf "(%s(/(3[0-2]|[12]?[0-9]))?|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)" (include "open-chat.ip4" .) }}
{{- range $name := list "ALLOWED_NETWORKS" "TRUSTED_PROXIES" }}
{{- include "open-chat.checkEach" (list $name (include "open-chat.text" (get $.Values.config $name)) $network "a network or an address, such as 10.0.0.0/8 or 192.0.2.7") }}
{{- end }}
{{- $source := "(?i:viber|viberbot|telegrambot|whatsapp|widget|rozetka|facebook|instagram|[0-7])" }}
{{- include "open-chat.checkEach" (list "SENDERS" (include "open-chat.text" .Values.config.SENDERS) (printf "%s *= *[^ ].*" $source) "a source with its sender, such as viber=Acme (no sender has a comma)") }}
{{- $host := "[A-Za-z0-9.-]+(:[0-9]{1,5})?" }}
{{- $loopback := "(localhost|127[.]0[.]0[.]1)(:[0-9]{1,5})?" }}
{{- with .Values.config.WIDGET_FRAME_ANCESTORS }}
{{- include "open-chat.checkEach" (list "WIDGET_FRAME_ANCESTORS" (ternary "" . (eq . "none")) (printf "self|https://([*][.])?%s|http://%s" $host $loopback) "self, or an origin, such as https://crm.example") }}
{{- end }}
{{- with .Values.config.WIDGET_SOURCES }}
{{- include "open-chat.checkEach" (list "WIDGET_SOURCES" (ternary "" . (eq . "none")) (printf "(https|wss)://([*][.])?%s|(http|ws)://%s" $host $loopback) "an origin, such as https://*.smsbat.com") }}
{{- end }}
{{- $secrets := .Values.secrets | default dict }}
{{- range $line := splitList "\n" ($secrets.DEVICE_SECRET | default "") }}
{{- $line = trim $line }}
{{- if and $line (lt (len $line) 32) }}
{{- fail (printf "\n\nsecrets.DEVICE_SECRET has a line of %d bytes; each must have 32 or more." (len $line)) }}
{{- end }}
{{- end }}
{{- with $secrets.PASS_SECRET }}
{{- if lt (len .) 32 }}
{{- fail (printf "\n\nsecrets.PASS_SECRET has %d bytes; it must have 32 or more." (len .)) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* (list variable text pattern words): each entry of a list with commas between is as the
pattern says. */}}
{{- define "open-chat.checkEach" -}}
{{- $variable := index . 0 }}
{{- $pattern := printf "^(%s)$" (index . 2) }}
{{- $words := index . 3 }}
{{- range $entry := splitList "," (index . 1) }}
{{- $entry = trim $entry }}
{{- if and $entry (not (regexMatch $pattern $entry)) }}
{{- fail (printf "\n\nconfig.%s has `%s`, which is not %s." $variable $entry $words) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "open-chat.ip4" -}}
((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})[.]){3}(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})
{{- end }}

{{- /* The milliseconds in `1h 30m`. */}}
{{- define "open-chat.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 }}
{{- $sum := 0 }}
{{- range regexFindAll "[0-9]+ ?(ms|s|m|h|d)" . -1 }}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" .) (get $units (regexFind "[a-z]+$" .))) }}
{{- end }}
{{- $sum }}
{{- end }}
