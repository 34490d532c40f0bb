// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
)

// Address is a host name with an index in a text: "train-0.hub", "train-$i.hub.ml.svc",
// or "train-0" alone.
type Address struct {
	// Text is what the text says.
	Text string
	// Host is the name before the index, Index the index (digits, or a variable), and
	// Domain what follows the first dot, in labels.
	Host, Index string
	Domain      []string
	// Start is where it begins in the text.
	Start int
	// Last is the greatest index that a list or a loop around it gives to Index, 0 if
	// that is not known.
	Last int64
	// Meant is whether the text leaves no doubt that it is a host name: a port or a
	// scheme is beside it, it is in the domain svc, or it is the value of a flag or a
	// variable for addresses. A name without a domain may also be that of a member of some
	// group, so it takes more.
	Meant bool
	// Called is the same for a name that can hardly be anything else: a program that looks up
	// hosts, or a flag for a leader, is enough.
	Called bool
}

// sureWord is the end of the name of a flag or a variable for addresses, and likelyWord of
// one for members of a group, which may have names that are no host names.
const (
	sureWord   = `addr|address|addresses|hosts?|hostnames|endpoints?|ur[il]`
	likelyWord = sureWord + `|leader|master|coordinator|peers?|seeds?|servers?|scheduler|head|join`
)

var (
	// address matches a name with an index, and its domain.
	address = lazyregexp.New(
		`([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-(` + indexForm + `)((?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)`)
	sure, likely = keyEnding(sureWord), keyEnding(likelyWord)
	// looksUp matches a command that looks up or calls the host at the end of a text.
	looksUp = lazyregexp.New(`(?:^|[\s;|&(!])(?:` + lookups + `)\s(?:-\S+\s+|\d+\s+|hosts\s+|ahosts\s+)*["']?$`)
	hasPort = lazyregexp.New(`^:(?:\d|\$)`)
)

// lookBehind is how much of a text before an address is read, in bytes.
const lookBehind = 120

// Addresses returns the host names with an index in a string of a container.
func Addresses(text Text) []Address {
	var found []Address
	if !mayNamePeer(text.Value) {
		return nil
	}
	if text.Script {
		text.Value = withoutComments(text.Value)
	}
	for _, at := range address.FindAllStringSubmatchIndex(text.Value, -1) {
		start, end := at[0], at[1]
		before, after := text.Value[:start], text.Value[end:]
		if start > 0 && isNamePart(before[start-1]) || !beginsWord(text.Value, start) && !strings.HasSuffix(before, "://") || strings.HasSuffix(before, "/") && !strings.HasSuffix(before, "//") {
			continue
		}
		if !text.isHost(start, end) {
			continue
		}
		if after != "" && (isNamePart(after[0]) && after[0] != '.' || after[0] == '.' && len(after) > 1 && isNamePart(after[1])) {
			continue
		}
		a := Address{Text: text.Value[start:end], Host: text.Value[at[2]:at[3]], Index: text.Value[at[4]:at[5]], Start: start}
		if domain := strings.TrimPrefix(text.Value[at[6]:at[7]], "."); domain != "" {
			a.Domain = strings.Split(domain, ".")
		}
		a.Last = lastOf(a.Index, before)
		context := text.context(before)
		flag := flagBefore(context)
		hasScheme, withPort := strings.HasSuffix(before, "://"), hasPort.MatchString(after)
		a.Called = hasScheme || withPort || slices.Contains(a.Domain, "svc") || likely.MatchString(flag) || isLookedUp(context)
		switch {
		case len(a.Domain) > 0:
			a.Meant = a.Called
		case withPort:
			a.Meant = hasScheme || likely.MatchString(flag)
		default:
			a.Meant = sure.MatchString(flag)
		}
		found = append(found, a)
	}
	return found
}

var (
	// braces matches a list of numbers of bash.
	braces = lazyregexp.New(`^\{(\d+)\.\.(\d+)\}$`)
	// loop matches the head of a loop over numbers: its variable, and what it counts to.
	loop = lazyregexp.New(`\bfor\s+(?:(\w+)\s+in\s+(?:\$\(\s*seq\s+(?:\d+\s+)?(\d+)\s*\)|` + "`\\s*seq\\s+(?:\\d+\\s+)?(\\d+)\\s*`" + `|\{\d+\.\.(\d+)\}|((?:\d+[ \t]*)+))\s*(?:;|\n)|\(\(\s*(\w+)\s*=\s*\d+\s*;\s*(\w+)\s*(<=?)\s*(\d+)\s*;)`)
)

// loopBehind is how much of a text before an address is read for a loop, in bytes.
const loopBehind = 1024

// lastOf is the greatest number that an index stands for: of a list in braces, or of a
// variable in the nearest loop before it, if that is not far; 0 if that is not known.
func lastOf(index, before string) int64 {
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return 0
		}
		return n
	}
	if list := braces.FindStringSubmatch(index); list != nil {
		return max(number(list[1]), number(list[2]))
	}
	before = before[max(0, len(before)-loopBehind):]
	variable := strings.Trim(index, "${}()")
	if variable == index || !strings.Contains(before, "for") {
		return 0
	}
	last := int64(0)
	for _, m := range loop.FindAllStringSubmatch(before, -1) {
		switch {
		case m[1] == variable:
			last = max(number(m[2]), number(m[3]), number(m[4]))
			for _, word := range strings.Fields(m[5]) {
				last = max(last, number(word))
			}
		case m[6] == variable && m[7] == variable:
			if last = number(m[9]); m[8] == "<" {
				last--
			}
		}
	}
	return last
}

// withoutComments is a script with spaces in the place of comments.
func withoutComments(script string) string {
	if !strings.Contains(script, "#") {
		return script
	}
	return comment.ReplaceAllStringFunc(script, func(found string) string { return strings.Repeat(" ", len(found)) })
}

// context is what stands before a part of a text: of one that is the value of a
// variable or a flag, its name too.
func (t Text) context(before string) string {
	before = before[max(0, len(before)-lookBehind):]
	switch {
	case t.Variable != "":
		return t.Variable + "=" + before
	case !t.Script && strings.HasPrefix(t.Previous, "-") && !strings.Contains(t.Previous, "="):
		return t.Previous + " " + before
	}
	return before
}

// Network is what a rule must know to judge the addresses of the peers of a Job.
type Network struct {
	// Job, Service and Namespace are the names of the Job, of its Service or subdomain,
	// and of their namespace, "" if that is not known.
	Job, Service, Namespace string
	// Generated is what the name of the Job begins with, if that is another one each time
	// and Job is "": the name of a CronJob, or generateName.
	Generated string
	// Subdomain is the subdomain of the Pods, if it is not the name of the Service.
	Subdomain string
	// Peers is the number of peers.
	Peers int32
	// Selected is the Job whose Pods alone the Service selects, "" if it selects by labels
	// that other Jobs may have, too.
	Selected string
	// IsOther reports whether another workload has this name: the Pods of the
	// StatefulSet kafka are kafka-0 and so on. IsService does that for Services.
	IsOther, IsService func(name string) bool
	// FindsBare is whether the Pods find peers by their host names alone, because of
	// their DNS configuration.
	FindsBare bool
	// EarlierJobs and EarlierServices are names that the Job and the Service had before a
	// tool renamed them.
	EarlierJobs, EarlierServices []string
	// groups are the names of the PeerJob, of today and of before; none for a Job of nobody's.
	groups []string
	// hasRoles is whether the Job is one of several.
	hasRoles bool
}

// Misaddressed is what is wrong with an address.
type Misaddressed int

const (
	// Fine is an address that leads to a peer, or is none of a peer.
	Fine Misaddressed = iota
	// BeyondLast is that of an index that is not there.
	BeyondLast
	// Elsewhere is one of a peer that leads nowhere.
	Elsewhere
	// Earlier is one with the names of the Job and the Service without the prefix or
	// suffix that they have now. It may be meant for others that are called so.
	Earlier
	// OfOperator is one that the operator of Kubeflow gave a Pod of a job of this name, which
	// a PeerJob stands for now.
	OfOperator
)

// IsOwn reports whether an address is that of a peer of the Job.
func (n Network) IsOwn(a Address) bool {
	return a.Host == n.Job && len(a.Domain) > 0 && a.Domain[0] == n.Service && n.Service != ""
}

// Judge says what is wrong with an address, and what to write instead, "" if that is not
// known.
func (n Network) Judge(a Address) (wrong Misaddressed, message, right string) {
	wrong, why, cure, right := n.judge(a)
	return wrong, why + cure, right
}

// judge is Judge, with the message in two parts: what is wrong, and what to do.
func (n Network) judge(a Address) (wrong Misaddressed, why, cure, right string) {
	service := ""
	if len(a.Domain) > 0 {
		service = a.Domain[0]
	}
	jobs, services := append([]string{n.Job}, n.EarlierJobs...), append([]string{n.Service}, n.EarlierServices...)
	own, inService := slices.Contains(jobs, a.Host), service != "" && (service == n.Service || service == n.Subdomain)
	right = n.Job + "-" + a.Index + "." + n.Service
	write := "; write " + right
	kind := n.ofOperator(a)
	switch {
	case kind != "" && (own && len(a.Domain) > 1 && a.Domain[1] == "svc" || !own && !n.IsOther(a.Host)) && !n.IsService(a.Text):
		why = fmt.Sprintf("names %s, as the operator of Kubeflow called a Pod, and DNS has no such name", a.Text)
		switch {
		case own, !n.hasRoles && kind != "worker" && a.Index == "0":
			return OfOperator, why, write, right
		case n.hasRoles:
			return OfOperator, why, "; peerjob explain lists the names of today", ""
		}
		return OfOperator, why, fmt.Sprintf("; the peers are %s-<index>.%s, and %s", n.Job, n.Service, indexesOf(n.Peers)), ""
	case len(a.Domain) > 1 && !a.Meant:
		// A longer name may be that of a file: "train-0.hub.log".
	case len(a.Domain) > 2 && a.Domain[2] != "svc":
		// It is in no cluster: "train-0.hub.example.com".
	case n.Job == "":
		if a.Host == strings.TrimSuffix(n.Generated, "-") && (inService || service == "" && a.Meant) && !n.IsOther(a.Host) {
			return Elsewhere, fmt.Sprintf("names the peer %s, and the Job has another name each time, %s-<number>", a.Text, strings.TrimSuffix(n.Generated, "-")),
				fmt.Sprintf("; take the name from the Pod: ${HOSTNAME%%-*}-%s.%s in a shell, or a variable from the field metadata.labels['%s']", a.Index, n.Service, batchv1.JobNameLabel), ""
		}
	case own && service == "":
		if a.Meant && n.Peers > 1 && !n.FindsBare && n.Service != "" && !n.IsService(a.Text) {
			return Elsewhere, fmt.Sprintf("names the peer %s without its Service, and DNS has no such name", a.Text), write, right
		}
	case own && service == n.Service:
		if namespace := a.namespace(); namespace != "" && n.Namespace != "" && namespace != n.Namespace {
			return Elsewhere, fmt.Sprintf("names the peer %s in the namespace %s, and the Job is in %s", a.Text, namespace, n.Namespace), write, right
		}
		if a.Last >= int64(n.Peers) && n.Peers > 0 {
			return BeyondLast, fmt.Sprintf("names the peers %s up to index %d, and %s", a.Text, a.Last, indexesOf(n.Peers)), "; change the list, or the number of peers", ""
		}
		if index, err := strconv.ParseInt(a.Index, 10, 64); err == nil && index >= int64(n.Peers) && n.Peers > 0 {
			return BeyondLast, fmt.Sprintf("names the peer %s, and %s", a.Text, indexesOf(n.Peers)), "; name " + oneOf(n.Peers) + ", or change the number of peers", ""
		}
	case own && n.Service != "":
		isLike := spell.Nearest(service, services) != "" || slices.ContainsFunc(services, func(own string) bool { return IsAffixed(service, own) || IsAffixed(own, service) })
		if !n.IsOther(a.Host) && (isLike || a.Meant && !a.mayBeOutside()) {
			return Elsewhere, fmt.Sprintf("names the peer %s under %s, and the Service of the peers is %s", a.Text, service, n.Service), write, right
		}
	case inService:
		if !n.IsOther(a.Host) && (n.Selected == n.Job || n.Selected == a.Host) {
			return Elsewhere, fmt.Sprintf("names %s, and the Service %s has only the Pods of the Job %s", a.Text, n.Service, n.Job), write, right
		}
	case n.isAffixed(a.Host, service) && !n.IsOther(a.Host) && !n.IsService(service):
		return Earlier, fmt.Sprintf("names %s, and the peers are %s", a.Text, right), "; write that, if they are meant", right
	}
	return Fine, "", "", ""
}

// operatorKinds are the kinds of Pods in jobs of Kubeflow, as they are in host names.
var operatorKinds = []string{"master", "worker", "chief", "ps", "evaluator", "launcher"}

// MayNameOperators reports whether a text has what is in the host names of a job of Kubeflow.
func MayNameOperators(text string) bool {
	return slices.ContainsFunc(operatorKinds, func(kind string) bool { return strings.Contains(text, "-"+kind+"-") })
}

// ofOperator is the kind of Pods of an address that the operator of Kubeflow gave a Pod, ""
// if it did not: "train-master-0", alone or in its namespace. The operator made a Service for
// each Pod.
func (n Network) ofOperator(a Address) string {
	switch {
	case !a.Called, len(a.Domain) == 1 && a.Domain[0] != n.Namespace, len(a.Domain) > 1 && a.Domain[1] != "svc":
		return ""
	}
	for _, group := range n.groups {
		if kind, found := strings.CutPrefix(a.Host, group+"-"); found && slices.Contains(operatorKinds, kind) {
			return kind
		}
	}
	return ""
}

// isAffixed reports whether the Job and the Service have these names and a prefix or a
// suffix.
func (n Network) isAffixed(job, service string) bool {
	has := func(names []string, plain string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return IsAffixed(name, plain) })
	}
	return has(append([]string{n.Job}, n.EarlierJobs...), job) && has(append([]string{n.Service}, n.EarlierServices...), service)
}

// mayBeOutside reports whether an address may also be one outside of the cluster: its
// domain is a Service and a namespace, or "example.com".
func (a Address) mayBeOutside() bool {
	return len(a.Domain) == 2 && slices.Contains(topDomains, a.Domain[1])
}

// topDomains end domains that are often in configurations, and those of private networks.
var topDomains = []string{"ai", "app", "cloud", "co", "com", "corp", "de", "dev", "edu", "eu", "gov", "home", "internal", "intranet", "io", "lan", "local", "net", "org", "test", "uk", "us"}

// namespace is the namespace in a longer form of an address, "" in the short one.
func (a Address) namespace() string {
	if len(a.Domain) >= 2 {
		return a.Domain[1]
	}
	return ""
}

// IsAffixed reports whether a name is another one with a prefix or a suffix, as
// kustomize and Helm give them.
func IsAffixed(name, plain string) bool {
	return plain != "" && (strings.HasSuffix(name, "-"+plain) || strings.HasPrefix(name, plain+"-"))
}
