// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/results"
)

// Count returns how many findings have a severity.
func (d *Diagnosis) Count(severity Severity) int {
	n := 0
	for i := range d.Findings {
		if d.Findings[i].Severity == severity {
			n++
		}
	}
	return n
}

// WriteText writes two lines for each finding, and nothing else:
//
//	error: Pod ml/train-1-x7k2p (index 1): is Pending, because ... [unschedulable]
//	    label a node, or ...
func (d *Diagnosis) WriteText(w io.Writer) error {
	var out strings.Builder
	for i := range d.Findings {
		f := &d.Findings[i]
		var parts []string
		for _, part := range []string{f.object(), f.Field} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		separator := " "
		if f.Field != "" || len(parts) == 0 {
			separator = ": "
		}
		fmt.Fprintf(&out, "%s: %s [%s]\n", f.Severity, results.Plain(strings.TrimPrefix(strings.Join(parts, ": ")+separator+f.Is, ": ")), f.ID)
		if f.Do != "" {
			fmt.Fprintf(&out, "    %s\n", results.Plain(f.Do))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteJSON writes one JSON object with the lists "groups" and "findings".
func (d *Diagnosis) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// manyGroups is how many groups a summary names.
const manyGroups = 10

// WriteSummary writes one line for each group, and one with the number of findings.
func (d *Diagnosis) WriteSummary(w io.Writer) error {
	var out strings.Builder
	for i, g := range d.Groups {
		if i == manyGroups {
			fmt.Fprintf(&out, "peerjob: and %d more groups\n", len(d.Groups)-manyGroups)
			break
		}
		fmt.Fprintf(&out, "peerjob: Job %s: of %s, ", results.Plain(strings.TrimPrefix(g.Namespace+"/"+g.Job, "/")), diag.Count(g.Peers, "peer"))
		var parts []string
		if !g.Inside {
			parts = append(parts, fmt.Sprintf("%d run and %d are ready", g.Running, g.Ready))
		}
		if g.Views > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", g.Views, map[bool]string{true: "says what it sees", false: "say what they see"}[g.Views == 1]))
		}
		out.WriteString(strings.Join(parts, ", ") + "\n")
	}
	fmt.Fprintf(&out, "peerjob: %s, %s\n", diag.Count(d.Count(Error), "error"), diag.Count(d.Count(Warning), "warning"))
	_, err := io.WriteString(w, out.String())
	return err
}
