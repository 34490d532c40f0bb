// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// own is what a name alone, without an index, is a name of; "" for that of a peer.
type own string

const (
	ownService own = "Service"
	ownJob     own = "Job"
)

var (
	// serviceURL matches a URL whose host has no domain: "http://train:9000/x".
	serviceURL = lazyregexp.New(`([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\s/@"']*@)?([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:[:/\s"'` + "`" + `?#,;)\]}]|$)`)
	// serviceDomain matches a name of a Service with its namespace: "train.team-a.svc".
	serviceDomain = lazyregexp.New(`(?:^|[^A-Za-z0-9_.$)}\]-])([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.svc\b`)
	// forService and forJob match the name of a variable for the name of a Service, and of
	// a Job: "HEADLESS_SVC", "serviceName", "job_name".
	forService = lazyregexp.New(`(?i)(?:svc|service|subdomain)(?:[_.-]?(?:name|host|addr|address))?$`)
	forJob     = lazyregexp.New(`(?i)job[_.-]?name$`)
	// plainName matches the name of an object.
	plainName = lazyregexp.New(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)
)

// addOwn adds what may be a name of the Service or of the Job itself: the host of a URL,
// a name in the domain svc, and the whole value of a variable for such a name. Any other
// word may be anything.
func (t Text) addOwn(mentions Mentions) {
	add := func(name string, start int, of own) {
		mentions[name] = append(mentions[name], mention{start: start, name: name, own: of})
	}
	if strings.Contains(t.Value, "://") {
		for _, at := range serviceURL.FindAllStringSubmatchIndex(t.Value, -1) {
			if !store.MatchString(t.Value[at[2]:at[3]]) {
				add(t.Value[at[4]:at[5]], at[4], ownService)
			}
		}
	}
	if strings.Contains(t.Value, ".svc") {
		for _, at := range serviceDomain.FindAllStringSubmatchIndex(t.Value, -1) {
			name := t.Value[at[2]:at[3]]
			add(name, at[2], ownService)
			mentions[name][len(mentions[name])-1].namespace = t.Value[at[4]:at[5]]
		}
	}
	if t.Variable == "" || !plainName.MatchString(t.Value) {
		return
	}
	switch {
	case forService.MatchString(t.Variable):
		add(t.Value, 0, ownService)
	case forJob.MatchString(t.Variable):
		add(t.Value, 0, ownJob)
	}
}
