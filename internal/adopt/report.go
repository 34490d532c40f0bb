// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/results"
)

// WriteReport writes what differs between what a PeerJob stands for and what it expands
// to, for people.
func (p *Proposal) WriteReport(out *bytes.Buffer) {
	title := fmt.Sprintf("PeerJob %s stands for %s", p.Object.Name, p.Source)
	if p.File != "" {
		title += " (" + p.File + ")"
	}
	fmt.Fprintf(out, "%s:\n", results.Plain(title))
	for _, text := range p.Same {
		fmt.Fprintf(out, "  the same: %s\n", results.Plain(text))
	}
	for _, text := range p.Added {
		fmt.Fprintf(out, "  adds: %s\n", results.Plain(text))
	}
	for _, text := range p.Differs {
		fmt.Fprintf(out, "  differs: %s\n", results.Plain(text))
	}
	for _, text := range p.Notes {
		fmt.Fprintf(out, "  not said: %s\n", results.Plain(text))
	}
	if !p.Compared {
		return
	}
	differs := false
	for _, adds := range []bool{false, true} {
		for _, d := range p.Differences {
			if d.Adds == adds {
				differs = differs || !adds
				fmt.Fprintf(out, "  %s\n", results.Plain(d.String()))
			}
		}
		if !adds && !differs {
			out.WriteString("  nothing differs\n")
		}
	}
}

// String is a difference in one line.
func (d Difference) String() string {
	word, text := "differs", ""
	switch {
	case d.Adds:
		word, text = "adds", d.Is
	case d.Was == "" && d.Is == "":
		text = "is empty"
	case d.Was == "" && d.Field == "":
		text = "was not in the input, is " + d.Is
	case d.Was == "":
		text = "was not set, is " + short(d.Is)
	case d.Is == "":
		text = "was " + short(d.Was) + ", is not set"
	default:
		text = "was " + short(d.Was) + ", is " + short(d.Is)
	}
	at := d.Object
	if d.Field != "" {
		at += ": " + d.Field
	}
	if d.Why != "" {
		text += "; " + d.Why
	}
	return word + ": " + at + ": " + text
}

// longest is the longest value that is shown, in characters.
const longest = 120

// short is a value as it fits into a line.
func short(value string) string {
	value = strings.Join(strings.Fields(value), " ")
	if runes := []rune(value); len(runes) > longest {
		value = string(runes[:longest-1]) + "…"
	}
	return fmt.Sprintf("%q", value)
}

// WriteRetargets writes which places of kustomizations to change.
func WriteRetargets(out *bytes.Buffer, retargets []lint.Retarget) {
	if len(retargets) == 0 {
		return
	}
	out.WriteString("Kustomizations to change:\n")
	for _, r := range retargets {
		fmt.Fprintf(out, "  %s:%d: %s\n", results.Plain(r.File), r.Line, results.Plain(r.Text))
	}
}
