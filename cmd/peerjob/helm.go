// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/peerjob/peerjob/api/v1alpha1"
)

// helmFlag makes "peerjob expand" Helm's post-renderer plugin. Helm 4 drops what a plugin
// writes to stderr, so every finding has to be in what it writes to stdout.
const helmFlag = "helm-plugin"

// filenameAnnotation is where Helm 4 keeps the name of a manifest's template during
// post-rendering. The objects of a PeerJob have it as they have all its annotations.
const filenameAnnotation = "postrenderer.helm.sh/postrender-filename"

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
		findings.WriteString("peerjob: the chart renders no object, and Helm takes no empty output from a post-renderer\n")
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
	file := "\n" + findings + "(Helm stops here; see docs/from-helm.md of peerjob)"
	quoted, err := json.Marshal(file) // which is YAML, on one line
	if err != nil {
		quoted = []byte(`"peerjob found errors"`)
	}
	const invalid = "apiVersion: peerjob.dev/invalid\nkind: {}\nmetadata:\n"
	return []byte(invalid + "  annotations: {" + filenameAnnotation + ": " + string(quoted) + "}\n---\n" + invalid + "  name: invalid\n")
}

// comment puts the findings of a command that succeeded above the first object that
// peerjob made, but for infos, which would be in every release without a PeerJob.
func comment(manifests []byte, findings string) []byte {
	var lines strings.Builder
	for line := range strings.Lines(findings) {
		if !strings.HasPrefix(line, "peerjob: info: ") {
			lines.WriteString("# " + line)
		}
	}
	at := 0
	if made := bytes.Index(manifests, []byte("\n    "+v1alpha1.OwnerAnnotation+": ")); made >= 0 {
		const separator = "\n---\n"
		if before := bytes.LastIndex(manifests[:made], []byte(separator)); before >= 0 {
			at = before + len(separator)
		}
	}
	return slices.Concat(manifests[:at], []byte(lines.String()), manifests[at:])
}
