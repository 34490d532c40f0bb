// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	inside "github.com/peerjob/peerjob/internal/runner/doctor"
)

// seen is the report of a peer of four that finds and reaches all, changed, as the runner
// writes it.
func seen(t *testing.T, index int32, change func(o *inside.Observation)) File {
	t.Helper()
	o := &inside.Observation{Resolv: inside.ParseResolv("search ml.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"), Port: 7450}
	own := fmt.Sprintf("10.0.0.%d", index+1)
	hosts := fmt.Sprintf("%s\ttrain-%d.hub.ml.svc.cluster.local\ttrain-%[2]d\n", own, index)
	o.Self = inside.Identify(fmt.Sprintf("train-%d", index), hosts, func(string) string { return "" }, o.Resolv, nil)
	o.Service = inside.Answer{Code: inside.Found, Server: "10.96.0.10"}
	for i := range int32(4) {
		address := netip.MustParseAddr(fmt.Sprintf("10.0.0.%d", i+1))
		o.Service.Addresses = append(o.Service.Addresses, address)
		o.Peers = append(o.Peers, inside.Peer{Index: i, Answer: inside.Answer{Code: inside.Found, Addresses: []netip.Addr{address}}, Connection: inside.Refused})
	}
	o.Servers = []inside.Answer{o.Service}
	if change != nil {
		change(o)
	}
	text, err := o.JSON(o.Judge())
	if err != nil {
		t.Fatal(err)
	}
	return File{Name: fmt.Sprintf("train-%d.json", index), Content: []byte(text)}
}

// TestFiles_inside reads what several peers see together.
func TestFiles_inside(t *testing.T) {
	noWayTo := func(indexes ...int32) func(o *inside.Observation) {
		return func(o *inside.Observation) {
			for i := range o.Peers {
				if slices.Contains(indexes, o.Peers[i].Index) && o.Peers[i].Index != o.Self.Index {
					o.Peers[i].Connection = inside.TimedOut
				}
			}
		}
	}
	noName := func(o *inside.Observation) {
		o.Peers[2].Answer, o.Peers[2].Connection = inside.Answer{Code: inside.NoName, TTL: 5e9}, inside.NotTried
	}
	dump := File{Name: "dump.yaml", Content: []byte(strings.Join([]string{goodService, jobWith("", "", ""), running(0), running(1)}, "\n---\n"))}
	for name, test := range map[string]struct {
		files []File
		want  []string // the id, and a part of what is said
	}{
		"one that sees all":  {[]File{seen(t, 0, nil)}, nil},
		"all of them":        {[]File{seen(t, 0, nil), seen(t, 1, nil), seen(t, 2, nil)}, nil},
		"nobody has a name":  {[]File{seen(t, 0, noName), seen(t, 1, noName)}, []string{"inside Pod ml/train-0 (index 0, and 1 more) says: DNS does not have 1 of 4 peers (2)"}},
		"one has no name":    {[]File{seen(t, 0, noName), seen(t, 1, nil), seen(t, 3, nil)}, []string{"inside Pod ml/train-0 (index 0) says: DNS does not have", "inside-differs Job ml/train for peer 0, DNS has no name of peer 2, and for others it has; a negative answer may be cached for 5 s"}},
		"no way to one":      {[]File{seen(t, 0, noWayTo(3)), seen(t, 1, noWayTo(3))}, []string{"inside ", "inside-unreachable Job ml/train there is no way to peer 3 from any other peer"}},
		"no way from one":    {[]File{seen(t, 0, nil), seen(t, 1, noWayTo(0, 2, 3))}, []string{"inside ", "inside-unreachable Job ml/train there is no way from peer 1 to any other peer"}},
		"no way between two": {[]File{seen(t, 0, noWayTo(1)), seen(t, 1, nil), seen(t, 2, nil)}, []string{"inside ", "inside-unreachable Job ml/train there is no way from peer 0 to peer 1, and there are others"}},
		"no way at all":      {[]File{seen(t, 0, noWayTo(1, 2, 3)), seen(t, 1, noWayTo(0, 2, 3))}, []string{"inside ", "inside ", "inside-unreachable Job ml/train there is no way from one to another"}},
		"with the objects":   {[]File{dump, seen(t, 0, nil)}, nil},
		"an address of an earlier Pod": {[]File{dump, seen(t, 0, func(o *inside.Observation) {
			o.Peers[1].Answer.Addresses = []netip.Addr{netip.MustParseAddr("10.0.9.9")}
		})},
			[]string{"inside-address Job ml/train for peer 0, DNS has the address 10.0.9.9 of peer 1, and its Pod has 10.0.0.2"}},
		"twice from one Pod": {[]File{seen(t, 0, noName), seen(t, 0, nil)}, nil},
		"not a report":       {[]File{{Name: "x", Content: []byte(`{"apiVersion": "peerjob.dev/v1alpha1", "kind": "DoctorReport", "peers": 3, "metadata": []}`)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := Files(test.files, Options{})
			var got []string
			for _, f := range d.Findings {
				text := f.ID + " " + f.object() + " " + f.Is
				if at := slices.IndexFunc(test.want, func(want string) bool { return strings.HasPrefix(text, want) }); at >= 0 {
					text = test.want[at]
				}
				if got = append(got, text); f.Do == "" {
					t.Errorf("does not say what to do: %s", text)
				}
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(test.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFiles_insideSummary counts the peers that say what they see.
func TestFiles_insideSummary(t *testing.T) {
	d := Files([]File{seen(t, 0, nil), seen(t, 1, nil)}, Options{})
	var out bytes.Buffer
	if err := d.WriteSummary(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("peerjob: Job ml/train: of 4 peers, 2 say what they see\npeerjob: 0 errors, 0 warnings\n", out.String()); diff != "" {
		t.Error(diff)
	}
	want := []Group{{Namespace: "ml", Job: "train", Service: "hub", Peers: 4, Views: 2, Inside: true}}
	if diff := cmp.Diff(want, d.Groups); diff != "" {
		t.Error(diff)
	}
	var report inside.Report
	if err := json.Unmarshal(seen(t, 1, nil).Content, &report); err != nil || report.Index != 1 || report.Peers[2].DNS.Code != "found" || report.Peers[2].Connection != "refused" {
		t.Errorf("%v: %+v", err, report)
	}
}
