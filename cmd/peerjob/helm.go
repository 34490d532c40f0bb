// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
)

// helmFlag makes "peerjob expand" Helm's post-renderer plugin. Helm 4 drops what a plugin
// writes to stderr, so every finding has to be in what it writes to stdout.
const helmFlag = "helm-plugin"

// filenameAnnotation is where Helm 4 keeps the name of a manifest's template during
// post-rendering. The objects of a PeerJob have it as they have all its annotations.
const filenameAnnotation = "postrenderer.helm.sh/postrender-filename"

// noManifests is what is wrong with a chart that renders nothing.
const noManifests = "the chart renders no object, and Helm takes no empty output from a post-renderer"

// isPostRenderer reports whether the command was called as Helm's plugin. The arguments
// decide and not the parsed flags: an error in a flag has to reach the user, too.
func isPostRenderer(args []string) bool {
	return len(args) > 0 && args[0] == "expand" && slices.Contains(args, "--"+helmFlag)
}

// asPostRenderer runs the command for Helm and returns the exit code, 0 also when the
// command failed: of a plugin that fails, Helm shows nothing.
func asPostRenderer(stdout io.Writer, command func(stdout, stderr io.Writer) int) int {
	var out, findings bytes.Buffer
	code := command(&out, &findings)
	if code == 0 && len(bytes.TrimSpace(out.Bytes())) == 0 {
		code = 1
		findings.WriteString("peerjob: " + noManifests + "\n")
	}
	text := out.Bytes()
	if code != 0 {
		text = refusal(findings.String())
	} else {
		text = comment(text, findings.String())
	}
	if _, err := stdout.Write(text); err != nil {
		return 1
	}
	return 0
}

// refusal returns a manifest that Helm refuses with an error that shows the findings:
// "YAML parse error on FILE", where the annotation says what the file is. A kind that is
// no text is invalid for Helm, and for everything that could come after it.
func refusal(findings string) []byte {
	// Helm leaves out files whose base name starts with "_". The last slash is ours, so a
	// finding can't do that. The second manifest has no file and is invalid all the same.
	file := "\n" + withoutInfos(findings) + "(Helm stops here; see docs/from-helm.md of peerjob)"
	quoted, err := json.Marshal(file) // which is YAML, on one line
	if err != nil {
		quoted = []byte(`"peerjob found errors"`)
	}
	const invalid = "apiVersion: peerjob.dev/invalid\nkind: {}\nmetadata:\n"
	return []byte(invalid + "  annotations: {" + filenameAnnotation + ": " + string(quoted) + "}\n---\n" + invalid + "  name: invalid\n")
}

// comment puts the findings of a command that succeeded above the first object that
// peerjob made.
func comment(manifests []byte, findings string) []byte {
	findings = withoutInfos(findings)
	if findings == "" {
		return manifests
	}
	at := 0
	objects, _ := krmlist.ReadFile("", manifests) // what can't be read was not made
	for _, o := range objects {
		if kinds.IsOwned(o.APIVersion, o.Kind, o.Annotations) {
			at = offset(manifests, o.Line)
			break
		}
	}
	var lines strings.Builder
	for line := range strings.Lines(findings) {
		lines.WriteString("# " + line)
	}
	return slices.Concat(manifests[:at], []byte(lines.String()), manifests[at:])
}

// offset is where a line of a text begins, from 1 on.
func offset(text []byte, line int) int {
	at := 0
	for range line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return at
}

// withoutInfos leaves out infos, which would be in every release without a PeerJob, and
// which say of a command that failed that it did something.
func withoutInfos(findings string) string {
	var kept strings.Builder
	for line := range strings.Lines(findings) {
		if !strings.HasPrefix(line, "peerjob: info: ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
