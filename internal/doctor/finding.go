// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/lint"
)

// Severity is how bad a finding is.
type Severity = lint.Severity

// The severities: an error keeps peers apart now, a warning may, and a note is good to
// know.
const (
	Error   = lint.Error
	Warning = lint.Warning
	Note    = lint.Note
)

// The ids of findings, besides those of lint. They are stable.
const (
	unreadable        = "unreadable"
	noGroup           = "no-group"
	inputIncomplete   = "input-incomplete"
	noJob             = "no-job"
	jobSuspended      = "job-suspended"
	jobPaused         = "job-paused"
	jobFinished       = "job-finished"
	jobFailed         = "job-failed"
	jobElsewhere      = "job-elsewhere"
	podsMissing       = "pods-missing"
	unschedulable     = "unschedulable"
	schedulingGated   = "scheduling-gated"
	notScheduled      = "not-scheduled"
	imagePull         = "image-pull"
	containerConfig   = "container-config"
	containerCreate   = "container-create"
	volume            = "volume"
	sandbox           = "sandbox"
	crashLoop         = "crash-loop"
	restarted         = "restarted"
	peerFailed        = "peer-failed"
	peerEnded         = "peer-ended"
	podDeleting       = "pod-deleting"
	nodeLost          = "node-lost"
	notPublished      = "not-published"
	podLabels         = "pod-labels"
	serviceDeleting   = "service-deleting"
	endpointMissing   = "endpoint-missing"
	insideFinding     = "inside"
	insideAddress     = "inside-address"
	insideDiffers     = "inside-differs"
	insideUnreachable = "inside-unreachable"
	peersBlocked      = "peers-blocked"
	portBlocked       = "port-blocked"
	dnsBlocked        = "dns-blocked"
)

// Rule is a kind of finding.
type Rule struct {
	// ID is its stable name.
	ID string
	// About says in one sentence what is so.
	About string
}

// Catalog returns every kind of finding that lint does not have, in the order of the page
// docs/doctor.md.
func Catalog() []Rule { return slices.Clone(catalog) }

var catalog = []Rule{
	{noJob, "The CronJob has no Job that runs now."},
	{jobSuspended, "The Job is suspended, so it has no Pods. Kueue suspends a Job until it has room for it."},
	{jobPaused, "The parallelism of the Job is 0, so it has no Pods."},
	{jobFinished, "The Job is complete. doctor does not look at it further."},
	{jobFailed, "The Job has failed."},
	{jobElsewhere, "Another controller runs the Job, maybe in another cluster."},
	{podsMissing, "Some indexes have no Pod, and which: the Job controller can't create them because of a quota, Pod Security, an admission webhook, a missing ServiceAccount."},
	{unschedulable, "No node takes the Pod."},
	{schedulingGated, "The Pod has scheduling gates, and no scheduler looks at it before they are gone."},
	{notScheduled, "No scheduler has looked at the Pod."},
	{imagePull, "An image can't be pulled."},
	{containerConfig, "A ConfigMap, a Secret or a key that a container needs is not there, or its user is not allowed."},
	{containerCreate, "The runtime can't create or start a container."},
	{volume, "A volume can't be mounted."},
	{sandbox, "The node can't create the Pod's network or sandbox."},
	{crashLoop, "A container ends again and again."},
	{restarted, "A container has ended and was started again."},
	{peerFailed, "The Pod of a peer has failed: its program, too little memory, an eviction, a preemption."},
	{peerEnded, "A peer has ended while others run. DNS no longer has its name."},
	{podDeleting, "The Pod of a peer is being deleted."},
	{nodeLost, "The node of a Pod does not answer."},
	{notPublished, "DNS has no name for a Pod, because it is not ready."},
	{podLabels, "Somebody changed the labels of a Pod, and the Service no longer selects it."},
	{serviceDeleting, "The Service is being deleted."},
	{endpointMissing, "The EndpointSlices of the Service lack a peer, or its host name."},
	{insideFinding, "What peerjob-runner doctor says in a Pod."},
	{insideAddress, "DNS has another address for a peer than its Pod."},
	{insideDiffers, "Some peers find another one in DNS, and others do not."},
	{insideUnreachable, "Peers do not reach each other, as they see it themselves."},
	{peersBlocked, "NetworkPolicies keep the peers from reaching each other, or those of another role."},
	{portBlocked, "NetworkPolicies let peers, of one role or of two, reach each other, but not at all of their ports."},
	{dnsBlocked, "NetworkPolicies keep the peers from reaching DNS."},
	{inputIncomplete, "The input lacks a kind of object."},
	{noGroup, "The input has no Job whose Pods are peers."},
	{unreadable, "The input can't be read."},
}

// Finding is one thing that keeps peers apart, or that is good to know.
type Finding struct {
	// ID is the id of its rule, in the catalog of doctor or of lint.
	ID string `json:"id"`
	// Severity is how bad it is.
	Severity Severity `json:"severity"`
	// Kind, Namespace and Name are those of the object; "" for the input as a whole.
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Field is the path of the field in the object, "" for the object as a whole.
	Field string `json:"field,omitempty"`
	// Index is the completion index of a Pod.
	Index *int32 `json:"index,omitempty"`
	// More are the names of other Pods of which the same is so.
	More []string `json:"more,omitempty"`
	// Is says what is so, and Do what to do.
	Is string `json:"is"`
	Do string `json:"do,omitempty"`
}

// object is the object of a finding, in words.
func (f *Finding) object() string {
	text := strings.TrimSpace(f.Kind + " " + strings.TrimPrefix(f.Namespace+"/"+f.Name, "/"))
	var notes []string
	if f.Index != nil {
		notes = append(notes, fmt.Sprintf("index %d", *f.Index))
	}
	if len(f.More) > 0 {
		notes = append(notes, fmt.Sprintf("and %d more", len(f.More)))
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return text
}

// report collects findings.
type report struct {
	findings []Finding
	// same are the places of the findings that other Pods join.
	same map[string]int
}

func (r *report) add(f Finding) {
	f.Is, f.Do = oneLine(f.Is), oneLine(f.Do)
	r.findings = append(r.findings, f)
}

// pod adds a finding about a Pod of a group. Another Pod of which the same is so joins it:
// the key is the same, or without a key what is said.
func (r *report) pod(g *group, pod *corev1.Pod, id string, severity Severity, key, is, do string) {
	if key == "" {
		key = anonymous(is, pod) + "\x00" + anonymous(do, pod)
	}
	key = strings.Join([]string{g.job.Namespace, g.job.Name, id, string(severity), key}, "\x00")
	if at, found := r.same[key]; found {
		r.findings[at].More = append(r.findings[at].More, pod.Name)
		return
	}
	if r.same == nil {
		r.same = map[string]int{}
	}
	r.same[key] = len(r.findings)
	f := Finding{ID: id, Severity: severity, Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, Is: is, Do: do}
	if index := indexOf(pod); index >= 0 {
		f.Index = &index
	}
	r.add(f)
}

// anonymous is a text without what tells one Pod of a group from another.
func anonymous(text string, pod *corev1.Pod) string {
	for _, own := range []string{pod.Name, string(pod.UID), pod.Spec.Hostname} {
		if own != "" {
			text = strings.ReplaceAll(text, own, "\x01")
		}
	}
	return identifier.ReplaceAllString(text, "\x02")
}

// identifier matches the id of a container or a sandbox.
var identifier = lazyregexp.New(`\b[0-9a-f]{32,}\b`)

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

var order = map[Severity]int{Error: 0, Warning: 1, Note: 2}

// sort sorts findings: the worst first, by namespace, and else as they were found, which
// is from cause to effect.
func (r *report) sort() []Finding {
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(order[a.Severity], order[b.Severity]), cmp.Compare(a.Namespace, b.Namespace))
	})
	return r.findings
}
