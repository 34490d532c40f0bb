// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/results"
)

// WriteJSON writes descriptions as one JSON object with the list "peerJobs".
func WriteJSON(out *bytes.Buffer, all []Description) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"peerJobs": all})
}

// longestValue is the longest value that a table or a picture shows, in characters.
const longestValue = 72

// oneLine is a value as it fits into a line. No control character of the input reaches a
// terminal.
func oneLine(value string) string {
	value = results.Line(value)
	if runes := []rune(value); len(runes) > longestValue {
		return string(runes[:longestValue-1]) + "…"
	}
	return value
}

// WriteTable writes descriptions for people.
func WriteTable(out *bytes.Buffer, all []Description) {
	for i, d := range all {
		if i > 0 {
			out.WriteString("\n")
		}
		d.writeTable(out)
	}
}

func (d *Description) writeTable(out *bytes.Buffer) {
	title := "PeerJob " + d.Name
	if d.Namespace != "" {
		title = "PeerJob " + d.Namespace + "/" + d.Name
	}
	if d.Role != "" {
		title += ", role " + d.Role
	}
	if d.File != "" {
		title += " (" + d.File + ")"
	}
	fmt.Fprintln(out, oneLine(title))

	leader := ""
	if d.leads {
		leader = "; index 0 is the leader"
	}
	t := newTable(out, fmt.Sprintf("%s, all at the same time%s", diag.Count(d.Peers.Count, "peer"), leader))
	t.row("INDEX", "HOST NAME", "NAME FOR PEERS", "FULLY QUALIFIED NAME")
	for i, peer := range d.Peers.Shown {
		if d.Peers.isLeftOut() && i == len(d.Peers.Shown)-1 {
			t.row("...", "...", "...", "...")
		}
		t.row(fmt.Sprint(peer.Index), peer.HostName, peer.Name, peer.FQDN)
	}
	t.end()

	t = newTable(out, "What comes out")
	t.row("KIND", "NAME", "WHAT IT DOES")
	for _, o := range d.Objects {
		t.row(o.Kind, o.Name, o.Purpose)
	}
	t.end()

	t = newTable(out, "What ties it together")
	t.row("WHAT", "VALUE", "FROM", "MUST BE EQUAL IN")
	for _, tie := range d.Ties {
		t.row(tie.What, tie.Value, tie.From, strings.Join(tie.Fields, ", "))
	}
	t.end()

	if len(d.Ports) > 0 {
		t = newTable(out, "Ports of the Service")
		t.row("NAME", "PORT", "PROTOCOL", "FROM")
		for _, port := range d.Ports {
			t.row(port.Name, fmt.Sprint(port.Port), port.Protocol, d.from(port.Source))
		}
		t.end()
	}

	for _, c := range d.Containers {
		d.writeContainer(out, c)
	}

	fmt.Fprintf(out, "\nRoom for names\n")
	more, with, of, whose := diag.Count(d.NameBudget.Characters, "more character"), " with "+diag.Count(d.Peers.Count, "peer"), "", ""
	if d.Role != "" {
		with, of, whose = "", " (of the role "+d.NameBudget.Role+")", " of this role"
	}
	fmt.Fprintf(out, "  metadata.name may have %s%s: %s%s is the longest name, and may have %d characters.\n",
		more, with, results.Plain(d.NameBudget.Longest), of, d.NameBudget.Limit)
	fmt.Fprintf(out, "  With this name there is room for %s%s.\n", diag.Count(d.NameBudget.Peers, "peer"), whose)

	fmt.Fprintf(out, "\nIf a peer fails\n")
	for _, sentence := range d.OnFailure {
		fmt.Fprintf(out, "  - %s\n", results.Plain(sentence))
	}
}

func (d *Description) writeContainer(out *bytes.Buffer, c Container) {
	title := "Variables of container " + c.Name
	if c.Init {
		title = "Variables of init container " + c.Name
	}
	if c.Runner {
		title += ", whose command the runner starts"
	}
	if len(c.Variables)+len(c.EnvFrom) == 0 {
		title += ": none"
	}
	t := newTable(out, title)
	if len(c.Variables)+len(c.EnvFrom) > 0 {
		t.row("NAME", "VALUE", "FROM")
	}
	for _, v := range c.Variables {
		t.row(v.Name, v.Value, d.from(v.Source))
	}
	for _, source := range c.EnvFrom {
		t.row("*", "<every entry of "+source+">", byYou)
	}
	t.end()
}

// from is a source in words.
func (d *Description) from(s Source) string {
	switch s.By {
	case byFramework:
		return byFramework + " " + d.Framework
	case byKubernetes:
		return "the Job controller"
	case byPeerjob:
		return byPeerjob + ", " + s.Field
	}
	return s.By + ", " + s.Field
}

// table is a table below a title.
type table struct {
	out *bytes.Buffer
	w   *tabwriter.Writer
	buf *bytes.Buffer
}

func newTable(out *bytes.Buffer, title string) *table {
	fmt.Fprintf(out, "\n%s\n", oneLine(title))
	t := &table{out: out, buf: &bytes.Buffer{}}
	const gap = 2
	t.w = tabwriter.NewWriter(t.buf, 0, 0, gap, ' ', 0)
	return t
}

func (t *table) row(cells ...string) {
	for i := range cells {
		if i < len(cells)-1 {
			cells[i] = oneLine(cells[i])
		} else {
			cells[i] = results.Plain(cells[i])
		}
	}
	fmt.Fprintf(t.w, "  %s\n", strings.Join(cells, "\t"))
}

func (t *table) end() {
	_ = t.w.Flush() // into memory
	for line := range strings.Lines(t.buf.String()) {
		t.out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
}
