{{- /* Secrets and the map are mounted as directories: Kubernetes brings changes into those, and
never into a subPath. */}}

{{- define "open-chat.secretNames" -}}
{{- $names := include "open-chat.existingSecrets" . | fromJson | keys | sortAlpha }}
{{- if include "open-chat.map" .Values.secrets }}{{ $names = prepend $names (include "open-chat.fullname" .) }}{{ end }}
{{- toJson $names }}
{{- end }}

{{- define "open-chat.mapName" -}}
{{- .Values.existingOperatorMap | default (ternary (printf "%s-operators" (include "open-chat.fullname" .)) "" (not (empty (include "open-chat.map" .Values.operatorMap)))) }}
{{- end }}

{{- define "open-chat.ownRevokedName" -}}
{{- include "open-chat.fullname" . }}-devices
{{- end }}

{{- /* The chart's own list is there with `device` even while it is empty: so the first pairing that
ends needs no restart, either. */}}
{{- define "open-chat.revokedName" -}}
{{- $elsewhere := include "open-chat.text" .Values.config.DEVICES_REVOKED_FILE }}
{{- range prepend (include "open-chat.existingSecrets" . | fromJson | values) (.Values.secrets | default dict) }}
{{- $elsewhere = get . "DEVICES_REVOKED_FILE" | default $elsewhere }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if eq .name "DEVICES_REVOKED_FILE" }}{{ $elsewhere = .name }}{{ end }}
{{- end }}
{{- $device := has "device" (include "open-chat.access" . | replace " " "" | splitList ",") }}
{{- if .Values.devices.existingRevoked }}{{ .Values.devices.existingRevoked }}
{{- else if or .Values.devices.revoked (and $device (not $elsewhere)) }}{{ include "open-chat.ownRevokedName" . }}
{{- end }}
{{- end }}

{{- define "open-chat.connectorsPath" -}}
/etc/open-chat-connectors
{{- end }}

{{- define "open-chat.ownConnectorsName" -}}
{{- include "open-chat.fullname" . }}-connectors
{{- end }}

{{- /* The Secret with the connectors and the files that they name, if there is one. */}}
{{- define "open-chat.connectorsName" -}}
{{- .Values.connectors.existingSecret | default (ternary (include "open-chat.ownConnectorsName" .) "" (not (empty .Values.connectors.toml))) }}
{{- end }}

{{- define "open-chat.volumeMounts" -}}
{{- range $index, $secret := include "open-chat.secretNames" . | fromJsonArray }}
- name: secret-{{ $index }}
  mountPath: /run/secrets/{{ $secret }}
  readOnly: true
{{- end }}
{{- if include "open-chat.mapName" . }}
- name: operator-map
  mountPath: /etc/open-chat
  readOnly: true
{{- end }}
{{- if include "open-chat.revokedName" . }}
- name: devices
  mountPath: /etc/open-chat-devices
  readOnly: true
{{- end }}
{{- if include "open-chat.connectorsName" . }}
- name: connectors
  mountPath: {{ include "open-chat.connectorsPath" . }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "open-chat.volumes" -}}
{{- range $index, $secret := include "open-chat.secretNames" . | fromJsonArray }}
- name: secret-{{ $index }}
  secret:
    secretName: {{ $secret | quote }}
    # 0440
    defaultMode: 288
{{- end }}
{{- with include "open-chat.mapName" . }}
- name: operator-map
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- with include "open-chat.revokedName" . }}
- name: devices
  configMap:
    name: {{ . | quote }}
{{- end }}
{{- with include "open-chat.connectorsName" . }}
- name: connectors
  secret:
    secretName: {{ . | quote }}
    # 0440
    defaultMode: 288
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
