// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"fmt"
	"strings"
)

// graph is a picture of descriptions: what comes out of each PeerJob, and what ties it.
type graph struct {
	groups []cluster
}

// cluster is one PeerJob with its nodes and edges.
type cluster struct {
	title string
	nodes []node
	edges []edge
}

type node struct {
	id string
	// lines are what the node says.
	lines []string
	// isPod and isSource tell the shapes apart.
	isPod, isSource bool
}

type edge struct {
	from, to, label string
	// isName is whether the edge is a name in DNS, and isGap one that stands for peers
	// that are not shown.
	isName bool
}

// graphOf returns the picture.
func graphOf(all []Description) graph {
	var g graph
	for i, roles := range peerJobs(all) {
		g.groups = append(g.groups, clusterOf(fmt.Sprintf("g%d", i), roles))
	}
	return g
}

// clusterOf is the picture of one PeerJob: what its roles share is in it once.
func clusterOf(id string, roles []Description) cluster {
	first := &roles[0]
	c := cluster{title: "PeerJob " + first.Name}
	if first.Role != "" && len(roles) == 1 {
		c.title += ", role " + first.Role
	}
	source := id + "_peerjob"
	c.nodes = append(c.nodes, node{id: source, lines: []string{"PeerJob", first.Name}, isSource: true})
	drawn := map[string]string{} // the nodes of objects, by kind and name
	for i := range roles {
		own := id
		if len(roles) > 1 {
			own = fmt.Sprintf("%s_r%d", id, i)
		}
		roles[i].draw(&c, id, own, source, drawn)
	}
	return c
}

// draw adds the objects and the peers of a description. id begins the nodes of the PeerJob,
// own those of the role.
func (d *Description) draw(c *cluster, id, own, source string, drawn map[string]string) {
	job, service := own+"_Job", id+"_Service"
	for i, o := range d.Objects {
		at, known := drawn[o.Kind+" "+o.Name]
		if !known {
			switch o.Kind {
			case "Job":
				at = job
			case "ConfigMap":
				at = fmt.Sprintf("%s_%s%d", own, o.Kind, i)
			default:
				at = id + "_" + o.Kind
			}
			drawn[o.Kind+" "+o.Name] = at
			c.nodes = append(c.nodes, node{id: at, lines: d.linesOf(o)})
			c.edges = append(c.edges, edge{from: source, to: at})
		}
		if o.Kind == "ConfigMap" {
			c.edges = append(c.edges, edge{from: at, to: job, label: "files"})
		}
	}
	for i, peer := range d.Peers.Shown {
		at := fmt.Sprintf("%s_%d", own, peer.Index)
		if d.Peers.isLeftOut() && i == len(d.Peers.Shown)-1 {
			gap := own + "_more"
			c.nodes = append(c.nodes, node{id: gap, lines: []string{fmt.Sprintf("%d more", int(d.Peers.Count)-len(d.Peers.Shown))}, isPod: true})
			c.edges = append(c.edges, edge{from: job, to: gap}, edge{from: service, to: gap, isName: true})
		}
		lines := []string{"Pod", peer.HostName}
		if peer.Index == 0 && d.leads {
			lines[0] = "Pod, the leader"
		}
		c.nodes = append(c.nodes, node{id: at, lines: lines, isPod: true})
		c.edges = append(c.edges, edge{from: job, to: at}, edge{from: service, to: at, label: peer.Name, isName: true})
	}
}

// linesOf are what the node of an object says.
func (d *Description) linesOf(o Object) []string {
	lines := []string{o.Kind, o.Name}
	switch o.Kind {
	case "Service":
		lines[0] = "headless Service"
		lines = append(lines, "selector "+d.selector)
		for _, port := range d.Ports {
			lines = append(lines, fmt.Sprintf("%s %d/%s", port.Name, port.Port, port.Protocol))
		}
	case "Job":
		lines[0] = "Indexed Job"
		if d.Role != "" {
			lines[0] += " of the role " + d.Role
		}
		lines = append(lines, "subdomain "+d.serviceName, fmt.Sprintf("completions = parallelism = %d", d.Peers.Count))
	}
	return lines
}

// WriteDOT writes a picture for Graphviz.
func WriteDOT(out *bytes.Buffer, all []Description) {
	out.WriteString("digraph peerjob {\n  rankdir=LR\n  node [shape=box, fontname=\"Helvetica\"]\n  edge [fontname=\"Helvetica\", fontsize=10]\n")
	for i, c := range graphOf(all).groups {
		fmt.Fprintf(out, "  subgraph cluster_%d {\n    label=%s\n    fontname=\"Helvetica\"\n", i, dotText(c.title))
		for _, n := range c.nodes {
			style := ""
			switch {
			case n.isPod:
				style = ", style=rounded"
			case n.isSource:
				style = ", style=bold"
			}
			fmt.Fprintf(out, "    %s [label=%s%s]\n", n.id, dotText(n.lines...), style)
		}
		for _, e := range c.edges {
			var attributes []string
			if e.label != "" {
				attributes = append(attributes, "label="+dotText(e.label))
			}
			if e.isName {
				attributes = append(attributes, "style=dashed")
			}
			fmt.Fprintf(out, "    %s -> %s", e.from, e.to)
			if len(attributes) > 0 {
				fmt.Fprintf(out, " [%s]", strings.Join(attributes, ", "))
			}
			out.WriteString("\n")
		}
		out.WriteString("  }\n")
	}
	out.WriteString("}\n")
}

// dotText is a text of Graphviz, with line ends between the lines.
func dotText(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(line))
	}
	return `"` + strings.Join(escaped, `\n`) + `"`
}

// WriteMermaid writes a picture for Mermaid, as Markdown of GitHub and GitLab shows it.
func WriteMermaid(out *bytes.Buffer, all []Description) {
	out.WriteString("flowchart LR\n")
	for i, c := range graphOf(all).groups {
		fmt.Fprintf(out, "  subgraph cluster_%d[%s]\n", i, mermaidText(c.title))
		for _, n := range c.nodes {
			before, after := "[", "]"
			if n.isPod {
				before, after = "(", ")"
			}
			fmt.Fprintf(out, "    %s%s%s%s\n", n.id, before, mermaidText(n.lines...), after)
		}
		for _, e := range c.edges {
			arrow := "-->"
			if e.isName {
				arrow = "-.->"
			}
			if e.label != "" {
				arrow += "|" + mermaidText(e.label) + "|"
			}
			fmt.Fprintf(out, "    %s %s %s\n", e.from, arrow, e.to)
		}
		out.WriteString("  end\n")
	}
}

// mermaidText is a text of Mermaid, which reads entities, with line breaks between lines.
func mermaidText(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;").Replace(oneLine(line))
	}
	return `"` + strings.Join(escaped, "<br>") + `"`
}
