{{/* The chart's name, for labels. */}}
{{- define "terminal-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the operator's objects: the release's, with the chart's appended unless it is in there. */}}
{{- define "terminal-operator.fullname" -}}
{{- $name := include "terminal-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What selects the operator's pods. A Deployment's selector can never change: nothing with a version here. */}}
{{- define "terminal-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "terminal-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of every object. */}}
{{- define "terminal-operator.labels" -}}
{{- $own := include "terminal-operator.selectorLabels" . | fromYaml }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end }}

{{- define "terminal-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "terminal-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required with serviceAccount.create=false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* An image reference. Takes a dict of image (registry, repository, tag, digest), tag (where it has none), registry. */}}
{{- define "terminal-operator.image" -}}
{{- $name := printf "%s/%s" (default .image.registry .registry) .image.repository }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .tag .image.tag) }}
{{- end }}
{{- end }}
