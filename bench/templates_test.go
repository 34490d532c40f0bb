// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/peerjob"
	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/values"
)

// etcdList is the list of names which is what templates are for.
const etcdList = `{{ range $i, $p := .Peers }}{{ if $i }},{{ end }}{{ $p.Hostname }}=http://{{ $p.Host }}:{{ $.Values.port }}{{ end }}`

// fiveTemplates are what a PeerJob of everyday has.
var fiveTemplates = []string{
	`{{ .Values.image }}`,
	`{{ .Leader }}:{{ .Values.port }}`,
	`{{ if .Values.debug }}debug{{ else }}info{{ end }}`,
	`{{ printf "%s-%d" .Name .Size | upper }}`,
	`{{ .Values.tags | join "," | quote }}`,
}

func templateValues() map[string]any {
	return map[string]any{"image": "web:1", "port": int64(8080), "debug": false, "tags": []any{"a", "b"}}
}

func templateGroup(peers int32) *peerjob.Group {
	pj := &v1alpha1.PeerJob{}
	pj.Name = "train"
	pj.Spec.Peers = &peers
	v1alpha1.Default(pj, v1alpha1.Settings{})
	return peerjob.NewGroup(pj, "")
}

// withPeerjob renders texts for each of several PeerJobs.
func withPeerjob(b testing.TB, n int, peers int32, texts []string) []string {
	var out []string
	for range n {
		out = out[:0]
		r := render.New(values.NewData(templateGroup(peers), templateValues()), nil, render.NewBudget())
		for _, text := range texts {
			rendered, err := r.Render(text)
			if err != nil {
				b.Fatal(err)
			}
			out = append(out, rendered)
		}
	}
	return out
}

// helmPeer is a peer as Helm's engine takes it.
type helmPeer struct{ Hostname, Host string }

func helmPeers(peers *values.Peers) []helmPeer {
	all := make([]helmPeer, peers.Len())
	for i := range all {
		peer := peers.At(i).(values.Peer)
		hostname, _ := peer.Field("Hostname")
		host, _ := peer.Field("Host")
		all[i] = helmPeer{hostname.(string), host.(string)}
	}
	return all
}

// withHelm renders the same texts with Helm's engine, one file of a chart for
// each PeerJob, all in one call: what Helm does best.
func withHelm(b testing.TB, n int, peers int32, texts []string) []string {
	data := values.NewData(templateGroup(peers), templateValues())
	known := map[string]any{}
	for _, name := range data.Fields() {
		known[name], _ = data.Field(name)
	}
	known["Peers"] = helmPeers(known["Peers"].(*values.Peers))
	// Helm gives a chart its values below .Values alone.
	const between = "\n=====\n"
	text := strings.Join(texts, between)
	for _, name := range []string{"Peers", "Leader", "Name", "Size"} {
		text = strings.ReplaceAll(text, "."+name, ".Values."+name)
	}
	text = strings.ReplaceAll(text, "$.Values.port", "$.Values.Values.port")
	for _, name := range []string{"image", "debug", "tags"} {
		text = strings.ReplaceAll(text, ".Values."+name, ".Values.Values."+name)
	}
	text = strings.ReplaceAll(text, "}:{{ .Values.port", "}:{{ .Values.Values.port")
	c := &chartv2.Chart{Metadata: &chartv2.Metadata{Name: "c"}}
	for i := range n {
		c.Templates = append(c.Templates, &common.File{Name: fmt.Sprintf("templates/%d", i), Data: []byte(text)})
	}
	rendered, err := engine.Render(c, common.Values{"Values": common.Values(known)})
	if err != nil {
		b.Fatal(err)
	}
	return strings.Split(rendered["c/templates/0"], between)
}

// TestTemplates holds both to the same texts, so that they are measured on the
// same work.
func TestTemplates(t *testing.T) {
	for _, texts := range [][]string{fiveTemplates, {etcdList}} {
		ours, helm := withPeerjob(t, 1, 20, texts), withHelm(t, 1, 20, texts)
		if strings.Join(ours, "|") != strings.Join(helm, "|") {
			t.Errorf("peerjob: %q\n   helm: %q", ours, helm)
		}
	}
}

// BenchmarkTemplates is peerjob's templates beside Helm's engine.
func BenchmarkTemplates(b *testing.B) {
	for _, bm := range []struct {
		name  string
		n     int
		peers int32
		texts []string
	}{
		{"list_of_1000_peers", 1, 1000, []string{etcdList}},
		{"1000_PeerJobs_x_5_templates", 1000, 3, fiveTemplates},
	} {
		b.Run(bm.name+"/peerjob", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				withPeerjob(b, bm.n, bm.peers, bm.texts)
			}
		})
		b.Run(bm.name+"/helm", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				withHelm(b, bm.n, bm.peers, bm.texts)
			}
		})
	}
}
