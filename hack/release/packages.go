// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
)

// published is where the files of a version are downloaded from.
func published(s *source, file string) string {
	return fmt.Sprintf("%s/releases/download/%s/%s", home, s.version, file)
}

// download is an archive of the program peerjob.
type download struct {
	OS, Arch    string
	Program     string // its file in the archive
	URL, SHA256 string
}

// manifestData is what the templates below read.
type manifestData struct {
	// Note is a comment for a version that is not published.
	Note      string
	Version   string // with the v
	Number    string // without it
	Home      string
	Downloads []download
}

const unpublished = "# This is a development build. Its archives are published nowhere.\n"

func dataFor(s *source, downloads []download) manifestData {
	data := manifestData{Version: s.version, Number: strings.TrimPrefix(s.version, "v"), Home: home, Downloads: downloads}
	if !s.isRelease() {
		data.Note = unpublished
	}
	return data
}

// krewManifest is the manifest of the kubectl plugin, for krew's index. It is checked by
// krew's own validator.
var krewManifest = template.Must(template.New("krew").Parse(`{{ .Note }}apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: peerjob
spec:
  version: {{ .Version }}
  homepage: {{ .Home }}
  shortDescription: Jobs whose Pods reach each other by name
  description: |
    Expands a short PeerJob into a headless Service and an Indexed Job that
    agree, so that the Pods of the Job reach each other by name. Errors are on
    your own fields, before anything reaches a cluster:

      kubectl peerjob expand jobs.yaml | kubectl apply -f -

    "kubectl peerjob lint" finds what keeps the Pods of a Service and a Job that
    you wrote by hand apart. It needs no controller and no access to a cluster.
  platforms:
{{- range .Downloads }}
  - selector:
      matchLabels:
        os: {{ .OS }}
        arch: {{ .Arch }}
    uri: {{ .URL }}
    sha256: "{{ .SHA256 }}"
    bin: {{ .Program }}
{{- end }}
`))

// formula is the formula of Homebrew, for macOS and Linux.
var formula = template.Must(template.New("formula").Funcs(template.FuncMap{
	"of": func(os string, all []download) (some []download) {
		for _, d := range all {
			if d.OS == os {
				some = append(some, d)
			}
		}
		return some
	},
	"on": func(arch string) string { return map[string]string{"amd64": "on_intel", "arm64": "on_arm"}[arch] },
}).Parse(`{{ .Note }}class Peerjob < Formula
  desc "Jobs on Kubernetes whose Pods reach each other by name"
  homepage "{{ .Home }}"
  version "{{ .Number }}"
  license "Apache-2.0"
{{- range $os, $block := .Blocks }}
{{- with of $os $.Downloads }}

  {{ $block }} do
{{- range . }}
    {{ on .Arch }} do
      url "{{ .URL }}"
      sha256 "{{ .SHA256 }}"
    end
{{- end }}
  end
{{- end }}
{{- end }}

  def install
    bin.install "peerjob"
    bash_completion.install "completions/peerjob.bash" => "peerjob"
    zsh_completion.install "completions/_peerjob"
    fish_completion.install "completions/peerjob.fish"
  end

  test do
    assert_match "peerjob v#{version}", shell_output("#{bin}/peerjob version")
  end
end
`))

// Blocks are Homebrew's words for the systems.
func (manifestData) Blocks() map[string]string {
	return map[string]string{"darwin": "on_macos", "linux": "on_linux"}
}

func (d manifestData) render(t *template.Template) ([]byte, error) {
	var buffer bytes.Buffer
	err := t.Execute(&buffer, d)
	return buffer.Bytes(), err
}
