// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"strconv"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/rules"
)

// warnPod finds fields of the Pod and of the Job with which peers do not find each other,
// or that take the effect from another field.
func warnPod(g *Group) []diag.Warning {
	var w []diag.Warning
	for i, alias := range g.Template().Spec.HostAliases {
		for j, name := range alias.Hostnames {
			if g.isPeer(name) {
				w = append(w, diag.Warn(g.PodPath().Child("hostAliases").Index(i).Child("hostnames").Index(j),
					"gives the peer %s the address %s in every Pod, and DNS is not asked for it; remove it", name, alias.IP))
			}
		}
	}
	return append(append(diag.Few(w), warnDots(g)...), warnBackoff(g)...)
}

// isPeer reports whether a host name is that of a peer, with or without the Service.
func (g *Group) isPeer(name string) bool {
	for _, a := range rules.Addresses(rules.Text{Value: name}) {
		if _, err := strconv.ParseInt(a.Index, 10, 64); err == nil && a.Text == name && a.Host == g.JobName && (len(a.Domain) == 0 || a.Domain[0] == g.ServiceName()) {
			return true
		}
	}
	return false
}

// warnDots finds the option ndots with which a name with one dot, as the peers have, is
// looked up without the search domains.
// See https://man7.org/linux/man-pages/man5/resolv.conf.5.html and
// https://git.musl-libc.org/cgit/musl/tree/src/network/lookup_name.c (name_from_dns_search).
func warnDots(g *Group) []diag.Warning {
	config := g.Template().Spec.DNSConfig
	if config == nil {
		return nil
	}
	var w []diag.Warning
	for i, option := range config.Options {
		if option.Name != "ndots" || option.Value == nil {
			continue
		}
		if dots, err := strconv.Atoi(*option.Value); err == nil && dots <= 1 {
			w = append(w, diag.Warn(g.PodPath().Child("dnsConfig", "options").Index(i).Child("value"),
				"with ndots %d, peers' names, which have one dot, are first looked up without the search domains, and in images with musl (Alpine) only so; set it to 2 or more", dots))
		}
	}
	return w
}

// warnBackoff finds a limit of the failures of all peers that is reached before that of one.
// See https://kubernetes.io/docs/concepts/workloads/controllers/job/#backoff-limit-per-index.
func warnBackoff(g *Group) []diag.Warning {
	all, one := g.Job.BackoffLimit, g.Job.BackoffLimitPerIndex
	if all == nil || one == nil || *all > *one {
		return nil
	}
	return []diag.Warning{diag.Warn(g.Path.Child("backoffLimit"),
		"counts the failures of all peers together, and ends the Job after %s, before a peer can have failed more often than spec.backoffLimitPerIndex says (%d); leave it out", times(*all+1), *one)}
}

func times(n int32) string {
	if n == 1 {
		return "the first one"
	}
	return fmt.Sprintf("%d of them", n)
}
