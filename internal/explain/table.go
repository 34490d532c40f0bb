// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
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
	for i, roles := range peerJobs(all) {
		if i > 0 {
			out.WriteString("\n")
		}
		if len(roles) == 1 {
			roles[0].writeTable(out)
		} else {
			writeRoles(out, roles)
		}
	}
}

// peerJobs are the descriptions of each PeerJob: one, or one for each role.
func peerJobs(all []Description) [][]Description {
	var groups [][]Description
	for i := range all {
		if len(groups) == 0 || all[i].leads {
			groups = append(groups, nil)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, all[i])
	}
	return groups
}

func (d *Description) writeTable(out *bytes.Buffer) {
	title := d.title()
	if d.Role != "" {
		title += ", role " + d.Role
	}
	d.writeTitle(out, title)
	d.writePeers(out)
	writeObjects(out, d.Objects)
	writeTies(out, d.Ties)
	d.writePorts(out)
	for _, c := range d.Containers {
		d.writeContainer(out, c)
	}
	writeRoom(out, d.nameRoom(), d.peerRoom())
	writeSentences(out, "If a peer fails", d.OnFailure)
	writeSentences(out, "When the group is done", d.OnSuccess)
}

// writeRoles says of a PeerJob with roles what all have in common, and then what each has
// for itself.
func writeRoles(out *bytes.Buffer, roles []Description) {
	first := &roles[0]
	objects, rest := inCommon(roles, func(d *Description) []Object { return d.Objects })
	for _, own := range rest {
		objects = append(objects, own...)
	}
	ties, ownTies := inCommon(roles, func(d *Description) []Tie { return d.Ties })
	said, ownSaid := inCommon(roles, func(d *Description) []string { return d.OnFailure })
	total := int64(0)
	for i := range roles {
		total += int64(roles[i].Peers.Count)
	}

	first.writeTitle(out, first.title())
	fmt.Fprintf(out, "\n%s in %s, all at the same time; index 0 of the role %s is the leader\n", diag.Count(total, "peer"), diag.Count(len(roles), "role"), results.Plain(first.Role))
	writeObjects(out, objects)
	writeTies(out, ties)
	first.writePorts(out)
	writeRoom(out, first.nameRoom())
	writeSentences(out, "If a peer of any role fails", said)
	writeSentences(out, "When the group is done", first.OnSuccess)
	for i := range roles {
		d := &roles[i]
		fmt.Fprintf(out, "\n%s\n", oneLine("Role "+d.Role+" of PeerJob "+d.Name))
		d.writePeers(out)
		writeTies(out, ownTies[i])
		for _, c := range d.Containers {
			d.writeContainer(out, c)
		}
		writeRoom(out, d.peerRoom())
		writeSentences(out, "If a peer of this role fails", ownSaid[i])
	}
}

// inCommon are the things that all descriptions have, and those that each has besides.
func inCommon[T any](all []Description, of func(*Description) []T) (common []T, rest [][]T) {
	has := func(list []T, one T) bool {
		return slices.ContainsFunc(list, func(other T) bool { return reflect.DeepEqual(one, other) })
	}
	for _, one := range of(&all[0]) {
		inAll := true
		for i := range all {
			inAll = inAll && has(of(&all[i]), one)
		}
		if inAll {
			common = append(common, one)
		}
	}
	for i := range all {
		rest = append(rest, slices.DeleteFunc(slices.Clone(of(&all[i])), func(one T) bool { return has(common, one) }))
	}
	return common, rest
}

func (d *Description) title() string {
	if d.Namespace != "" {
		return "PeerJob " + d.Namespace + "/" + d.Name
	}
	return "PeerJob " + d.Name
}

func (d *Description) writeTitle(out *bytes.Buffer, title string) {
	if d.File != "" {
		title += " (" + d.File + ")"
	}
	fmt.Fprintln(out, oneLine(title))
}

func (d *Description) writePeers(out *bytes.Buffer) {
	title := diag.Count(d.Peers.Count, "peer")
	if d.Peers.Count > 1 {
		title += ", all at the same time"
	}
	if d.leads {
		title += "; index 0 is the leader"
	}
	t := newTable(out, title)
	t.row("INDEX", "HOST NAME", "NAME FOR PEERS", "FULLY QUALIFIED NAME")
	for i, peer := range d.Peers.Shown {
		if d.Peers.isLeftOut() && i == len(d.Peers.Shown)-1 {
			t.row("...", "...", "...", "...")
		}
		t.row(fmt.Sprint(peer.Index), peer.HostName, peer.Name, peer.FQDN)
	}
	t.end()
}

func writeObjects(out *bytes.Buffer, objects []Object) {
	t := newTable(out, "What comes out")
	t.row("KIND", "NAME", "WHAT IT DOES")
	for _, o := range objects {
		t.row(o.Kind, o.Name, o.Purpose)
	}
	t.end()
}

func writeTies(out *bytes.Buffer, ties []Tie) {
	t := newTable(out, "What ties it together")
	t.row("WHAT", "VALUE", "FROM", "MUST BE EQUAL IN")
	for _, tie := range ties {
		t.row(tie.What, tie.Value, tie.From, strings.Join(tie.Fields, ", "))
	}
	t.end()
}

func (d *Description) writePorts(out *bytes.Buffer) {
	if len(d.Ports) == 0 {
		return
	}
	t := newTable(out, "Ports of the Service")
	t.row("NAME", "PORT", "PROTOCOL", "FROM")
	for _, port := range d.Ports {
		t.row(port.Name, fmt.Sprint(port.Port), port.Protocol, d.from(port.Source))
	}
	t.end()
}

// nameRoom says how much longer the name may be, and peerRoom how many peers there may be.
func (d *Description) nameRoom() string {
	with, of := " with "+diag.Count(d.Peers.Count, "peer"), ""
	if d.Role != "" {
		with, of = "", " (of the role "+d.NameBudget.Role+")"
	}
	return fmt.Sprintf("metadata.name may have %s%s: %s%s is the longest name, and may have %d characters.",
		diag.Count(d.NameBudget.Characters, "more character"), with, d.NameBudget.Longest, of, d.NameBudget.Limit)
}

func (d *Description) peerRoom() string {
	whose := ""
	if d.Role != "" {
		whose = " of this role"
	}
	return fmt.Sprintf("With this name there is room for %s%s.", diag.Count(d.NameBudget.Peers, "peer"), whose)
}

func writeRoom(out *bytes.Buffer, sentences ...string) {
	fmt.Fprintf(out, "\nRoom for names\n")
	for _, sentence := range sentences {
		fmt.Fprintf(out, "  %s\n", results.Plain(sentence))
	}
}

func writeSentences(out *bytes.Buffer, title string, sentences []string) {
	if len(sentences) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", title)
	for _, sentence := range sentences {
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
