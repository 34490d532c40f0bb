// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	inside "github.com/peerjob/peerjob/internal/runner/doctor"
)

// view is what one peer sees: the report of "peerjob-runner doctor -o json" in its Pod.
type view = inside.Report

// views are those of the peers of one Job, in the order of their indexes.
type views struct {
	namespace, job string
	all            []*view
	// live is the Job in the input, nil if that has none.
	live *group
}

// viewsOf sorts the reports of peers by their Jobs. Of one Pod, the last report counts.
func (c *cluster) viewsOf(groups []*group) []*views {
	var all []*views
	for _, report := range c.views {
		at := slices.IndexFunc(all, func(v *views) bool { return v.namespace == report.Metadata.Namespace && v.job == report.Job })
		if at < 0 {
			at, all = len(all), append(all, &views{namespace: report.Metadata.Namespace, job: report.Job})
		}
		v := all[at]
		if same := slices.IndexFunc(v.all, func(other *view) bool { return other.Metadata.Name == report.Metadata.Name }); same >= 0 {
			v.all[same] = report
			continue
		}
		v.all = append(v.all, report)
	}
	for _, v := range all {
		slices.SortStableFunc(v.all, func(a, b *view) int { return int(a.Index) - int(b.Index) })
		for _, g := range groups {
			if g.job.Namespace == v.namespace && g.job.Name == v.job {
				v.live = g
			}
		}
	}
	return all
}

// examine reads what the peers of one Job see together.
func (v *views) examine(r *report) {
	v.own(r)
	v.addresses(r)
	if len(v.all) > 1 {
		v.names(r)
		v.connections(r)
	}
}

// own hands on what each peer has found by itself. What several say is said once.
func (v *views) own(r *report) {
	same := map[string]int{}
	for _, seen := range v.all {
		for _, f := range seen.Findings {
			severity := Warning
			if f.Severity == string(Error) {
				severity = Error
			}
			key := string(severity) + strings.ReplaceAll(f.Is, seen.Metadata.Name, "\x00")
			if at, found := same[key]; found {
				r.findings[at].More = append(r.findings[at].More, seen.Metadata.Name)
				continue
			}
			same[key] = len(r.findings)
			r.add(v.finding(seen, insideFinding, severity, "says: "+f.Is, f.Do))
		}
	}
}

// finding is one about the Pod of a peer.
func (v *views) finding(seen *view, id string, severity Severity, is, do string) Finding {
	f := Finding{ID: id, Severity: severity, Kind: "Pod", Namespace: v.namespace, Name: seen.Metadata.Name, Is: is, Do: do}
	if seen.Index >= 0 {
		f.Index = &seen.Index
	}
	return f
}

// group adds a finding about all peers.
func (v *views) group(r *report, id string, severity Severity, is, do string) {
	r.add(Finding{ID: id, Severity: severity, Kind: "Job", Namespace: v.namespace, Name: v.job, Is: is, Do: do})
}

// addresses finds peers whose address in DNS is not that of their Pod.
func (v *views) addresses(r *report) {
	if v.live == nil {
		return
	}
	type wrong struct {
		index     int32
		address   string
		addresses []string
	}
	var found []wrong
	viewers := map[string][]int32{}
	for _, seen := range v.all {
		for _, peer := range seen.Peers {
			pod := v.live.stands[peer.Index]
			if pod == nil || len(peer.DNS.Addresses) == 0 {
				continue
			}
			own := addressesOf(pod)
			if len(own) == 0 || slices.ContainsFunc(peer.DNS.Addresses, func(address string) bool { return slices.Contains(own, address) }) {
				continue
			}
			w := wrong{peer.Index, peer.DNS.Addresses[0], own}
			key := fmt.Sprint(w.index, w.address)
			if viewers[key] == nil {
				found = append(found, w)
			}
			viewers[key] = append(viewers[key], seen.Index)
		}
	}
	for _, w := range found {
		v.group(r, insideAddress, Error, fmt.Sprintf("for %s, DNS has the address %s of peer %d, and its Pod has %s: an earlier Pod of this index had it",
			peersAt(viewers[fmt.Sprint(w.index, w.address)]), w.address, w.index, strings.Join(w.addresses, ", ")),
			"run both doctors again: DNS and its caches have the new address after some seconds")
	}
}

func addressesOf(pod *corev1.Pod) []string {
	var all []string
	for _, ip := range pod.Status.PodIPs {
		all = append(all, ip.IP)
	}
	if len(all) == 0 && pod.Status.PodIP != "" {
		all = append(all, pod.Status.PodIP)
	}
	return all
}

// names finds peers that some find in DNS and others do not.
func (v *views) names(r *report) {
	found, missing, ttl := map[int32][]int32{}, map[int32][]int32{}, int64(0)
	for _, seen := range v.all {
		for _, peer := range seen.Peers {
			switch peer.DNS.Code {
			case inside.Found.String():
				found[peer.Index] = append(found[peer.Index], seen.Index)
			case inside.NoName.String(), inside.NoAddress.String():
				missing[peer.Index] = append(missing[peer.Index], seen.Index)
				ttl = max(ttl, peer.DNS.TTLSeconds)
			}
		}
	}
	same := map[string][]int32{} // the peers that the same ones do not find
	for index := range missing {
		if len(found[index]) > 0 {
			key := peersAt(missing[index])
			same[key] = append(same[key], index)
		}
	}
	for _, key := range sortedKeys(same) {
		slices.Sort(same[key])
		text := fmt.Sprintf("for %s, DNS has no name of %s, and for others it has", key, peersAt(same[key]))
		do := "look again: DNS was slower for one of them; if it stays so, compare the nameservers in both reports"
		if ttl > 0 {
			text += fmt.Sprintf("; a negative answer may be cached for %d s", ttl)
		}
		v.group(r, insideDiffers, Warning, text, do)
	}
}

// connections finds peers that no other one reaches, that reach no other one, and single
// ways that are closed.
func (v *views) connections(r *report) {
	open, closed := map[int32][]int32{}, map[int32][]int32{} // from whom, by the peer that was called
	reaches, misses := map[int32][]int32{}, map[int32][]int32{}
	for _, seen := range v.all {
		for _, peer := range seen.Peers {
			if peer.Index == seen.Index {
				continue
			}
			switch peer.Connection {
			case inside.Open.String(), inside.Refused.String():
				open[peer.Index], reaches[seen.Index] = append(open[peer.Index], seen.Index), append(reaches[seen.Index], peer.Index)
			case inside.TimedOut.String(), inside.Unreachable.String():
				closed[peer.Index], misses[seen.Index] = append(closed[peer.Index], seen.Index), append(misses[seen.Index], peer.Index)
			}
		}
	}
	var none, cut []int32
	for index := range closed {
		if len(open[index]) == 0 && len(closed[index]) > 1 {
			none = append(none, index)
		}
	}
	for _, seen := range v.all {
		if len(reaches[seen.Index]) == 0 && len(misses[seen.Index]) > 1 {
			cut = append(cut, seen.Index)
		}
	}
	slices.Sort(none)
	const look = "; see peers-blocked and port-blocked with the NetworkPolicies in the input, and the network of the node: kubectl get pods -o wide"
	switch {
	case len(cut) == len(v.all):
		v.group(r, insideUnreachable, Error, fmt.Sprintf("there is no way from one to another of the peers that were asked: %s", peersAt(cut)), "look for what is between all of them"+look)
		return
	case len(cut) > 0:
		v.group(r, insideUnreachable, Error, fmt.Sprintf("there is no way from %s to any other peer", peersAt(cut)), "look for what keeps its traffic in"+look)
	}
	if len(none) > 0 {
		v.group(r, insideUnreachable, Error, fmt.Sprintf("there is no way to %s from any other peer that was asked", peersAt(none)), "look for what keeps traffic from it"+look)
	}
	for _, seen := range v.all {
		some := slices.DeleteFunc(slices.Clone(misses[seen.Index]), func(index int32) bool { return slices.Contains(none, index) })
		if len(some) > 0 && !slices.Contains(cut, seen.Index) {
			v.group(r, insideUnreachable, Error, fmt.Sprintf("there is no way from peer %d to %s, and there are others from and to them", seen.Index, peersAt(some)), "look for what is between the two"+look)
		}
	}
}

// peersAt names peers: "peer 3", or "peers 0-2, 5".
func peersAt(indexes []int32) string {
	if len(indexes) == 1 {
		return fmt.Sprintf("peer %d", indexes[0])
	}
	return "peers " + inside.Ranges(indexes)
}

func sortedKeys(of map[string][]int32) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// summary is the group of peers of which the input has no Job.
func (v *views) summary() Group {
	peers := 0
	for _, seen := range v.all {
		peers = max(peers, len(seen.Peers))
	}
	return Group{Namespace: v.namespace, Job: v.job, Service: v.all[0].Service, Peers: int32(peers), Views: len(v.all), Inside: true}
}
