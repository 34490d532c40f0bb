// SPDX-License-Identifier: Apache-2.0

package peerjob

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

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
		if _, err := strconv.ParseInt(a.Index, 10, 64); err == nil && a.Text == name && g.isJob(a.Host) && (len(a.Domain) == 0 || a.Domain[0] == g.ServiceName()) {
			return true
		}
	}
	return false
}

// isJob reports whether a name is that of the Job, or of another role's.
func (g *Group) isJob(name string) bool {
	return slices.ContainsFunc(g.All(), func(role *Group) bool { return role.JobName == name })
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
		"counts the failures of all peers together, and ends the Job after %s, before a peer can have failed more often than %s says (%d); leave it out", times(*all+1), g.Path.Child("backoffLimitPerIndex"), *one)}
}

func times(n int32) string {
	if n == 1 {
		return "the first one"
	}
	return fmt.Sprintf("%d of them", n)
}

// warnBareNames finds the host name of a peer alone where an address is meant. Only a Pod
// itself finds its own, in /etc/hosts.
func warnBareNames(g *Group) []diag.Warning {
	if g.Total() < 2 || g.searchesService() {
		return nil
	}
	aliases := map[string]bool{}
	for _, alias := range g.Template().Spec.HostAliases {
		for _, name := range alias.Hostnames {
			aliases[name] = true
		}
	}
	var w []diag.Warning
	g.EachContainer(func(container *corev1.Container, path *field.Path) {
		for _, text := range rules.Texts(container, path) {
			for _, a := range rules.Addresses(text) {
				if a.Meant && g.isJob(a.Host) && len(a.Domain) == 0 && !aliases[a.Text] {
					w = append(w, diag.Warning{Field: text.Path().String(), Excerpt: a.Text, Message: fmt.Sprintf(
						"names the peer %s without its Service, and DNS has no such name; write %s.%s", a.Text, a.Text, g.ServiceName())})
				}
			}
		}
	})
	return diag.Few(w)
}

// searchesService reports whether the resolver of the Pods looks for names in the domain of
// the Service.
func (g *Group) searchesService() bool {
	config := g.Template().Spec.DNSConfig
	return config != nil && slices.ContainsFunc(config.Searches, func(search string) bool { return strings.HasPrefix(search, g.ServiceName()+".") })
}

// warnSpread finds topology spread constraints that do not count the peers.
// See https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#implicit-conventions.
func warnSpread(g *Group) []diag.Warning {
	own := labels.Set{}
	maps.Copy(own, g.Template().Labels)
	var w []diag.Warning
	for i, constraint := range g.Template().Spec.TopologySpreadConstraints {
		at := g.PodPath().Child("topologySpreadConstraints").Index(i).Child("labelSelector")
		selector, err := metav1.LabelSelectorAsSelector(constraint.LabelSelector)
		if err != nil {
			continue
		}
		requirements, selectable := selector.Requirements()
		if slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return isControllers(r.Key()) }) {
			continue
		}
		if !selectable || !selector.Matches(own) {
			w = append(w, diag.Warn(at, "selects none of the peers, so they are not spread; write a label of the Pod template's metadata"))
		}
	}
	return w
}

// isControllers reports whether a label is one that a controller or a webhook may give to
// the Pods.
func isControllers(key string) bool {
	domain, _, found := strings.Cut(key, "/")
	return rules.IsJobNameLabel(key) || key == "controller-uid" || found && domain != "app.kubernetes.io"
}
