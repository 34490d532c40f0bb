// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
)

// PeerNames are the names of the peers of a Job, and those that they had before
// a tool renamed the Job or the Service.
type PeerNames struct {
	// Job and Service are the names of today.
	Job, Service string
	// Peers is the number of peers.
	Peers int32
	// EarlierJobs and EarlierServices are the names of before; they may contain
	// those of today.
	EarlierJobs, EarlierServices []string
	// IsOther reports whether a Service of today is not the Job's. A name under such a
	// Service is not a peer's. Nil if there is no other Service.
	IsOther func(service string) bool
	// IsWorkload reports whether another workload has a name: the Pods of the StatefulSet
	// kafka are kafka-0 and so on. Nil if there is no other workload.
	IsWorkload func(name string) bool
	// Namespace is the namespace of the Job, "" if that is not known.
	Namespace string
	// Siblings are other Jobs under the same Service, those of other roles. A name of one
	// of their peers is not judged.
	Siblings []string
	// Sibling is whether they are not the names of the Pods that are judged, but those of
	// another role: names under the Service that begin with no name of its Job are left alone.
	Sibling bool
	// Groups are the names of the PeerJob, of today and of before.
	Groups []string
	// NameVariable and LeaderVariable are the variables with the name of the Job, and with
	// the name of its peer with index 0. The defaults are PEERJOB_NAME and PEERJOB_LEADER.
	NameVariable, LeaderVariable string
}

// Words are what a text contains that names a peer, or another host under the Service.
func (n PeerNames) Words() []string {
	var words []string
	for _, job := range append([]string{n.Job}, n.EarlierJobs...) {
		words = append(words, job+"-")
	}
	for _, earlier := range slices.Concat(n.EarlierJobs, n.EarlierServices) {
		if earlier != n.Job && earlier != n.Service {
			words = append(words, earlier)
		}
	}
	return append(words, "."+n.Service)
}

// StaleName is a name of a peer, in a text, that leads to none.
type StaleName struct {
	// Name is what the text says, such as "train-0.train".
	Name string
	// Index is the index in it: digits, or a variable such as "$(INDEX)".
	Index string
	// Missing is whether the name is one of today, of an index that is not there.
	// Otherwise it is one of before, or that of a stranger.
	Missing bool
	// Stranger is whether the name is under the Service, and begins with no name of
	// the Job: "master-0.train".
	Stranger bool
	// own is what it is a name of if it is not that of a peer.
	own own
}

// indexForm matches an index: a number, a variable of the kubelet, of a shell, of Python
// or of a format, an arithmetic of a shell, or a list of numbers of a shell or of hostlist.
const indexForm = `\d+|\$\([A-Za-z_]\w*\)|\$\{[A-Za-z_]\w*(?:[:\-+=?#%/][^{}\s]*)?\}|\$[A-Za-z_]\w*|\$\(\([^()\n]*\)\)|` +
	`\{\d+\.\.\d+\}|\{[A-Za-z_][\w+-]*\}|\[\d+(?:[-,]\d+)*\]|%\d*[dgs]`

// peerName matches "name-index.service". A bare "name-index" is not taken for a peer:
// most of those in manifests belong to a StatefulSet.
var peerName = lazyregexp.New(
	`([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-(` + indexForm + `)\.([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`)

// mayNamePeer reports whether a text has what is before and in the index of a peer's name.
// Few texts have, and looking for the names themselves takes many times as long.
func mayNamePeer(text string) bool {
	for {
		_, after, found := strings.Cut(text, "-")
		if !found || after == "" {
			return false
		}
		if c := after[0]; '0' <= c && c <= '9' || strings.IndexByte("${[%", c) >= 0 {
			return true
		}
		text = after
	}
}

// Mentions are the names in a text that may be those of peers, by the Service that each
// is under. A text is scanned once, for all PeerJobs.
type Mentions map[string][]mention

// mention is one name in a text.
type mention struct {
	// start is where it is in the text.
	start      int
	name       string
	job, index string
	// beginsWord is whether nothing stands before it that it may continue.
	beginsWord bool
	// isAddress is whether a port or the rest of a domain follows.
	isAddress bool
	// own is what a name without an index is a name of, and namespace the one beside it, ""
	// for none.
	own       own
	namespace string
}

// FindMentions returns the names in a text that may be those of peers, or of their Service
// or Job.
func FindMentions(t Text) Mentions {
	mentions, text := Mentions{}, t.Value
	t.addOwn(mentions)
	if !mayNamePeer(text) {
		return mentions
	}
	for _, at := range peerName.FindAllStringSubmatchIndex(text, -1) {
		if isHostName(t, at[0], at[1]) {
			service := text[at[6]:at[7]]
			mentions[service] = append(mentions[service], mention{
				start: at[0], name: text[at[0]:at[1]], job: text[at[2]:at[3]], index: text[at[4]:at[5]],
				beginsWord: beginsWord(text, at[0]), isAddress: isAddress.MatchString(text[at[1]:])})
		}
	}
	return mentions
}

// Stale returns the names in a text that lead to no peer, each once.
func (n PeerNames) Stale(text Text) []StaleName { return n.StaleIn(FindMentions(text)) }

// StaleIn returns those of the names in a text that lead to no peer, each once.
func (n PeerNames) StaleIn(mentions Mentions) []StaleName {
	type located struct {
		StaleName
		start int
	}
	var all []located
	services := slices.Sorted(slices.Values(slices.Concat([]string{n.Service}, n.EarlierServices, n.EarlierJobs)))
	for _, service := range slices.Compact(services) {
		if len(mentions[service]) == 0 {
			continue
		}
		isOther := n.IsOther != nil && n.IsOther(service)
		for _, m := range mentions[service] {
			found := StaleName{Name: m.name, Index: m.index, own: m.own}
			switch {
			case m.own != "":
				// In another namespace there may be another Service of that name.
				isElsewhere := m.namespace != "" && n.Namespace != "" && m.namespace != n.Namespace
				if isOther || isElsewhere || n.Sibling || !n.isEarlier(m.own, service) {
					continue
				}
			case service != n.Service && !slices.Contains(n.EarlierServices, service):
				continue
			case m.job == n.Job && service == n.Service:
				number, err := strconv.ParseInt(m.index, 10, 64)
				if err != nil || number < int64(n.Peers) {
					continue
				}
				found.Missing = true
			case isOther, slices.Contains(n.Siblings, m.job):
				continue
			case m.job != n.Job && !slices.Contains(n.EarlierJobs, m.job):
				if n.Sibling || !m.beginsWord || !m.isAddress && !n.isLike(m.job) {
					continue
				}
				// Only the Service of today is the Job's alone.
				if service != n.Service && spell.Nearest(m.job, append([]string{n.Job}, n.EarlierJobs...)) == "" {
					continue
				}
				found.Stranger = true
			}
			all = append(all, located{found, m.start})
		}
	}
	slices.SortFunc(all, func(a, b located) int { return a.start - b.start })
	var stale []StaleName
	seen := map[StaleName]bool{}
	for _, l := range all {
		if !seen[l.StaleName] {
			seen[l.StaleName] = true
			stale = append(stale, l.StaleName)
		}
	}
	return stale
}

// isEarlier reports whether a name is one that the Service or the Job had before.
func (n PeerNames) isEarlier(of own, name string) bool {
	if of == ownJob {
		return name != n.Job && slices.Contains(n.EarlierJobs, name)
	}
	return name != n.Service && slices.Contains(n.EarlierServices, name)
}

// isAddress matches what follows the name of a host, and no name of a file: a port, or
// the rest of the fully qualified name.
var isAddress = lazyregexp.New(`^(?::\d|` + domain.String()[1:] + `)`)

// roles are what people call the peers where no name of theirs is at hand.
var roles = []string{"master", "worker", "leader", "launcher", "host", "node"}

// isLike reports whether a word probably stands for the name of the Job: it is a role,
// it is like a name of the Job or the Service, or it is a part of one, or has one in it.
// Any other word may be of a file: "shard-0.train".
func (n PeerNames) isLike(word string) bool {
	names := slices.Concat([]string{n.Job, n.Service}, n.EarlierJobs, n.EarlierServices)
	return slices.Contains(roles, word) || spell.Nearest(word, names) != "" || slices.ContainsFunc(names, func(name string) bool {
		return name != "" && (strings.Contains("-"+name+"-", "-"+word+"-") || strings.Contains("-"+word+"-", "-"+name+"-"))
	})
}

// peerByVariables matches the name of a peer that is made of the peers' variables, as a
// shell or the kubelet reads them, up to its index.
var peerByVariables = lazyregexp.New(`PEERJOB_(?:[A-Z0-9_]+_)?LEADER\b|PEERJOB_(?:[A-Z0-9_]+_)?NAME[)}]?-`)

// ownIndex matches the index of the peer itself.
var ownIndex = lazyregexp.New(`^\$[({]?JOB_COMPLETION_INDEX\b`)

// Named returns the first name of a peer in a text that is not the peer's own, as the
// text has it: "train-0.train", or "PEERJOB_LEADER". It returns "" if there is none.
func (n PeerNames) Named(t Text) string {
	text := t.Value
	for _, at := range peerByVariables.FindAllStringIndex(text, -1) {
		if !ownIndex.MatchString(text[at[1]:]) {
			return strings.TrimRight(text[at[0]:at[1]], ")}-")
		}
	}
	for _, at := range peerName.FindAllStringSubmatchIndex(text, -1) {
		job, index, service := text[at[2]:at[3]], text[at[4]:at[5]], text[at[6]:at[7]]
		if job == n.Job && service == n.Service && !ownIndex.MatchString(index) && isHostName(t, at[0], at[1]) {
			return text[at[0]:at[1]]
		}
	}
	return ""
}

// longerName matches what follows a name that is the beginning of a longer one, and
// domain what follows a peer's name in its fully qualified form.
var (
	longerName = lazyregexp.New(`^\.?[A-Za-z0-9_-]`)
	domain     = lazyregexp.New(`^\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.svc\b`)
)

// isHostName reports whether a name in a text can be that of a host: it is no part of a
// longer name ("train-0.train.log"), no folder of a path ("/data/train-0.train"), and
// what is around it does not say otherwise ([Text.isHost]).
func isHostName(text Text, start, end int) bool {
	before, after := text.Value[:start], text.Value[end:]
	if start > 0 && isNamePart(before[start-1]) || strings.HasSuffix(before, "/") && !strings.HasSuffix(before, "//") {
		return false
	}
	rest := domain.FindString(after)
	return (rest != "" || !longerName.MatchString(after)) && text.isHost(start, end+len(rest))
}

// beginsWord reports whether a text has a word at start: what stands before is no
// variable or format that the word may continue.
func beginsWord(text string, start int) bool {
	return start == 0 || strings.ContainsRune(" \t\n\"'`=,;:@/[(", rune(text[start-1]))
}

// isNamePart reports whether a character beside a name makes it part of a longer one.
func isNamePart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// Today is the name of today of what a stale name stands for.
func (n PeerNames) Today(stale StaleName) string {
	switch stale.own {
	case ownService:
		return n.Service
	case ownJob:
		return n.Job
	}
	return n.Job + "-" + stale.Index + "." + n.Service
}

// indexesOf says which peers there are: "there are 4 peers, from index 0 to 3".
func indexesOf(peers int32) string {
	if peers == 1 {
		return "there is 1 peer, with index 0"
	}
	return fmt.Sprintf("%s, from index 0 to %d", diag.There(peers, "peer"), peers-1)
}

// oneOf is what to name instead of a peer that is not there.
func oneOf(peers int32) string {
	if peers == 1 {
		return "that one"
	}
	return "one of them"
}

// Explain says what is wrong with a stale name.
func (n PeerNames) Explain(stale StaleName) string {
	if stale.Missing {
		return fmt.Sprintf("names the peer %s, and %s", stale.Name, indexesOf(n.Peers))
	}
	if stale.Stranger {
		return fmt.Sprintf("names %s, and the Service %s has no such host; if a peer is meant, its name is %s", stale.Name, n.Service, n.Today(stale))
	}
	if stale.own != "" {
		return fmt.Sprintf("names the %s %s by an earlier name; its name is now %s", stale.own, stale.Name, n.Today(stale))
	}
	return fmt.Sprintf("names the peer %s by an earlier name; its name is now %s", stale.Name, n.Today(stale))
}

// References returns the variables of the peers that stand for a name, for a text in which they are expanded.
func (n PeerNames) References(stale StaleName) string {
	switch stale.own {
	case ownService:
		return "$(PEERJOB_SERVICE)"
	case ownJob:
		return "$(" + cmp.Or(n.NameVariable, "PEERJOB_NAME") + ")"
	}
	if n.NameVariable == "" {
		return PeerReference(stale.Index)
	}
	if stale.Index == "0" {
		return "$(" + n.LeaderVariable + ")"
	}
	return "$(" + n.NameVariable + ")-" + stale.Index + ".$(PEERJOB_SERVICE)"
}

// PeerReference is the name of the peer with an index, written with the variables of the
// peers. The index may be a variable.
func PeerReference(index string) string {
	if index == "0" {
		return "$(PEERJOB_LEADER)"
	}
	return "$(PEERJOB_NAME)-" + index + ".$(PEERJOB_SERVICE)"
}

// PeerNamesIn finds names in the strings of a Pod template that lead to no peer.
// The variables of the peers can be used where they are set.
func PeerNamesIn(template *corev1.PodTemplateSpec, names PeerNames, variables bool, path *field.Path) []diag.Warning {
	var w []diag.Warning
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for _, text := range Texts(container, path) {
			w = append(w, names.In(text, func(stale StaleName) string { return names.Cure(stale, variables) })...)
		}
		// The kubelet puts no variables of the peers into these.
		for _, command := range Commands(container, path) {
			for i, word := range command.Words {
				text := Text{Value: word, Script: isScript(command.Words, i)}.At(command.Path.Index(i))
				if i > 0 {
					text.Previous = command.Words[i-1]
				}
				w = append(w, names.In(text, func(stale StaleName) string { return names.shellCure(stale, variables) })...)
			}
		}
	})
	for _, text := range plainTexts(template, path) {
		w = append(w, names.In(text, func(stale StaleName) string { return names.Cure(stale, false) })...)
	}
	return diag.Few(w)
}

// plainTexts are the texts of a Pod template with hosts in which nothing is expanded: of
// probes and hooks, of the search list, and annotations.
func plainTexts(template *corev1.PodTemplateSpec, path *field.Path) (texts []Text) {
	add := func(value, key string, at *field.Path) {
		if value != "" {
			texts = append(texts, Text{Value: value, Previous: "--" + key}.At(at))
		}
	}
	handler := func(http *corev1.HTTPGetAction, tcp *corev1.TCPSocketAction, at *field.Path) {
		if http != nil {
			add(http.Host, "host", at.Child("httpGet", "host"))
		}
		if tcp != nil {
			add(tcp.Host, "host", at.Child("tcpSocket", "host"))
		}
	}
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		for _, probe := range []struct {
			*corev1.Probe
			name string
		}{{container.StartupProbe, "startupProbe"}, {container.LivenessProbe, "livenessProbe"}, {container.ReadinessProbe, "readinessProbe"}} {
			if probe.Probe != nil {
				handler(probe.HTTPGet, probe.TCPSocket, path.Child(probe.name))
			}
		}
		if container.Lifecycle == nil {
			return
		}
		if hook := container.Lifecycle.PostStart; hook != nil {
			handler(hook.HTTPGet, hook.TCPSocket, path.Child("lifecycle", "postStart"))
		}
		if hook := container.Lifecycle.PreStop; hook != nil {
			handler(hook.HTTPGet, hook.TCPSocket, path.Child("lifecycle", "preStop"))
		}
	})
	if dns := template.Spec.DNSConfig; dns != nil {
		for i, search := range dns.Searches {
			add(search, "domain", path.Child("spec", "dnsConfig", "searches").Index(i))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(template.Annotations)) {
		add(template.Annotations[key], key, path.Child("metadata", "annotations").Key(key))
	}
	return texts
}

// In finds names in a text that lead to no peer, and says with cure what to write.
func (n PeerNames) In(text Text, cure func(StaleName) string) (w []diag.Warning) {
	stale := n.Stale(text)
	for _, s := range stale {
		w = append(w, diag.Warn(text.Path(), "%s%s", n.Explain(s), cure(s)))
	}
	return append(w, n.Misaddressed(text, stale, cure)...)
}

// Misaddressed finds the other addresses in a text that lint refuses, each once: those of
// a peer under another Service or in another namespace, those without the prefix of a
// release, and the end of a list that is too long.
func (n PeerNames) Misaddressed(text Text, stale []StaleName, cure func(StaleName) string) (w []diag.Warning) {
	network := n.network()
	said := map[string]bool{}
	for _, a := range Addresses(text) {
		isStale := slices.ContainsFunc(stale, func(s StaleName) bool { return a.Text == s.Name || strings.HasPrefix(a.Text, s.Name+".") })
		// A host name of today alone is for who knows the other host names of the Pod.
		if isStale || said[a.Text] || slices.Contains(n.Siblings, a.Host) || a.Host == n.Job && len(a.Domain) == 0 {
			continue
		}
		said[a.Text] = true
		if a.Host != n.Job && len(a.Domain) > 0 && network.IsService(a.Domain[0]) {
			continue // of others, who have the names that these had
		}
		wrong, why, what, right := network.judge(a)
		ofOthers := wrong == Earlier && (n.Sibling || slices.Contains(wellKnown, a.Host)) || wrong == OfOperator && n.Sibling && a.Host != n.Job
		if wrong == Fine || ofOthers {
			continue
		}
		// The name of today may be another one tomorrow.
		if better := cure(StaleName{Name: a.Text, Index: a.Index}); right != "" && better != writeThat {
			what = better
			if wrong == Earlier {
				what += ", if they are meant"
			}
		}
		w = append(w, diag.Warn(text.Path(), "%s%s", why, what))
	}
	return w
}

// network is what lint judges the addresses by.
func (n PeerNames) network() Network {
	none := func(string) bool { return false }
	network := Network{
		Job: n.Job, Service: n.Service, Namespace: n.Namespace, Peers: n.Peers, IsOther: n.IsWorkload, IsService: n.IsOther,
		EarlierJobs: n.EarlierJobs, EarlierServices: n.EarlierServices, groups: n.Groups, hasRoles: len(n.Siblings) > 0,
	}
	if network.IsOther == nil {
		network.IsOther = none
	}
	if network.IsService == nil {
		network.IsService = none
	}
	return network
}

// wellKnown are servers whose Pods are known by their numbers. "load-redis" is no redis
// of a release called load.
var wellKnown = []string{
	"cassandra", "clickhouse", "cockroachdb", "consul", "elasticsearch", "etcd", "kafka", "mariadb", "memcached", "minio", "mongo", "mongodb",
	"mysql", "nats", "opensearch", "postgres", "postgresql", "rabbitmq", "redis", "scylla", "vault", "zookeeper",
}

// shellCure is the cure where only a shell puts in the variables of the peers.
func (n PeerNames) shellCure(stale StaleName, variables bool) string {
	if stale.Missing || !variables {
		return n.Cure(stale, false)
	}
	return fmt.Sprintf(`; use sh -c and "%s"`, strings.NewReplacer("$(", "${", ")", "}").Replace(n.References(stale)))
}

// Cure says what to write instead of a stale name in a string of a container.
func (n PeerNames) Cure(stale StaleName, variables bool) string {
	switch {
	case stale.Missing:
		return "; name " + oneOf(n.Peers) + ", or change the number of peers"
	case variables:
		return "; write " + n.References(stale)
	}
	return writeThat
}

// writeThat is the cure where the name of today is all there is to write.
const writeThat = "; write that"
