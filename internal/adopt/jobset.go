// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// roleSuffix is what the names of the Pods of a JobSet have behind that of the replicatedJob:
// the number of the Job, which is always the first one here.
const roleSuffix = "-0"

// writeRoles writes the PeerJob of a JobSet with several groups of Pods: each is a role.
func writeRoles(d *draft, object *yaml.Node) string {
	spec, name := get(object, "spec"), text(get(object, "metadata", "name"))
	jobs := elements(get(spec, "replicatedJobs"))
	if len(jobs) > v1alpha1.MaxRoles {
		return fmt.Sprintf("it has %d replicatedJobs, and a PeerJob has no more than %d roles", len(jobs), v1alpha1.MaxRoles)
	}
	for _, job := range jobs {
		if reason := notOneJob(job, "a role of a PeerJob is one Job; write a replicatedJob for each"); reason != "" {
			return reason
		}
		if get(job, "template", "spec", "template") == nil {
			return fmt.Sprintf("its replicatedJob %s has no template", text(get(job, "name")))
		}
	}
	d.groupOfJobSet(spec, jobs, name)
	restarts := text(get(d.spec(), "failurePolicy", "action")) == string(v1alpha1.RestartPeerJob)
	roles := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range jobs {
		roles.Content = append(roles.Content, d.role(spec, jobs, i, restarts))
	}
	set(d.spec(), "roles", roles)
	d.renamePods(roles, jobs, name)
	return ""
}

// notOneJob says why a replicatedJob is not one Job, "" if it is.
func notOneJob(job *yaml.Node, cure string) string {
	switch n := number(get(job, "replicas"), 1); n {
	case 1:
		return ""
	case 0:
		return fmt.Sprintf("its replicatedJob %s has 0 replicas, so there are no such Pods; leave it out", text(get(job, "name")))
	default:
		return fmt.Sprintf("its replicatedJob %s has %d replicas, and %s, or one with all Pods as peers", text(get(job, "name")), n, cure)
	}
}

// roleName is the name of the role for a replicatedJob. With Exact, the Pods keep their names.
func (d *draft) roleName(job string) string {
	if d.options.Exact {
		return job + roleSuffix
	}
	return job
}

// groupOfJobSet takes over what all groups of Pods have in common.
func (d *draft) groupOfJobSet(spec *yaml.Node, jobs []*yaml.Node, name string) {
	own := d.spec()
	entryOr(own, spec, "suspend")
	entryOr(own, spec, "ttlSecondsAfterFinished")
	network := get(spec, "network")
	if subdomain := text(get(network, "subdomain")); subdomain != "" && subdomain != name {
		set(own, "service", mapping("name", subdomain))
	}
	if text(get(network, "publishNotReadyAddresses")) == "false" {
		d.note("network.publishNotReadyAddresses is false; the runner needs the names of Pods that are not ready yet, so they are published")
	}
	if text(get(network, "enableDNSHostnames")) == "false" {
		d.note("network.enableDNSHostnames is false; the peers of a PeerJob always have names")
	}
	set(own, "barrier", mapping("start", string(v1alpha1.Enabled)))
	d.added = append(d.added, "spec.barrier.start: the commands start when all Pods are there, so that a failure reaches every one of them; without it, a Pod that comes later is not told")

	d.failurePolicyOfJobSet(get(spec, "failurePolicy"), jobs)
	d.successPolicyOfJobSet(get(spec, "successPolicy"), jobs)
	if coordinator := get(spec, "coordinator"); coordinator != nil {
		role, index := text(get(coordinator, "replicatedJob")), number(get(coordinator, "podIndex"), 0)
		nameVariable, _, leader := v1alpha1.RoleEnvNames(d.roleName(role))
		address := "$(" + leader + ")"
		if index != 0 {
			address = fmt.Sprintf("$(%s)-%d.$(%s)", nameVariable, index, v1alpha1.EnvService)
		}
		d.note("spec.coordinator puts a label and an annotation with the name of a Pod on all of them; read %s instead", address)
	}
	if text(get(spec, "managedBy")) != "" {
		d.note("spec.managedBy is %s; a PeerJob makes Jobs of Kubernetes, and spec.managedBy is for those", text(get(spec, "managedBy")))
	}
	yamlnode.EachEntry(spec, func(key string, _ *yaml.Node) {
		known := []string{"suspend", "ttlSecondsAfterFinished", "network", "failurePolicy", "successPolicy", "startupPolicy", "coordinator", "managedBy", "replicatedJobs"}
		if !slices.Contains(known, key) {
			d.note("the JobSet has spec.%s, and a PeerJob has nothing like it; it is left out", key)
		}
	})
}

// failurePolicyOfJobSet takes over what happens when a Job fails. A JobSet without a policy
// fails with its first Job.
func (d *draft) failurePolicyOfJobSet(policy *yaml.Node, jobs []*yaml.Node) {
	own := mapping("action", string(v1alpha1.FailPeerJob))
	if restarts := number(get(policy, "maxRestarts"), 0); restarts > 0 {
		own = mapping("action", string(v1alpha1.RestartPeerJob), "maxRestarts", restarts)
		d.note("failurePolicy.maxRestarts: a JobSet makes its Jobs anew; with spec.failurePolicy, the commands start again in their Pods")
	}
	set(d.spec(), "failurePolicy", own)
	if strategy := text(get(policy, "restartStrategy")); strategy != "" {
		d.note("failurePolicy.restartStrategy is %s; a PeerJob does not make its Jobs anew, and starts no command before all Pods have stopped theirs", strategy)
	}
	for _, rule := range elements(get(policy, "rules")) {
		d.note("failurePolicy has the rule %q with the action %s, and spec.failurePolicy has no rules; write podFailurePolicy in the roles for exit codes that are no failure of the group", text(get(rule, "name")), text(get(rule, "action")))
	}
	for _, job := range jobs {
		if limit := get(job, "template", "spec", "backoffLimit"); limit == nil || text(limit) != "0" {
			d.note("the Job %s has retries of its own (backoffLimit) before it fails; with spec.failurePolicy, the first command that fails is a failure of the group", text(get(job, "name")))
		}
	}
}

// successPolicyOfJobSet takes over when the group is done.
func (d *draft) successPolicyOfJobSet(policy *yaml.Node, jobs []*yaml.Node) {
	if policy == nil {
		return
	}
	var targets []string
	for _, target := range elements(get(policy, "targetReplicatedJobs")) {
		targets = append(targets, text(target))
	}
	isAny := text(get(policy, "operator")) == "Any"
	switch {
	case isAny && len(targets) != 1:
		d.note("successPolicy is Any of several replicatedJobs, and a PeerJob is done when all of spec.successRoles are; name the one that decides there, or let all end")
	case len(targets) > 0 && len(targets) < len(jobs):
		roles := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, target := range targets {
			roles.Content = append(roles.Content, scalarOf(d.roleName(target)))
		}
		set(d.spec(), "successRoles", roles)
		d.same = append(d.same, "successPolicy: when the commands of spec.successRoles have ended with 0, the runner ends the others, and their Jobs are Complete")
	}
}

// role writes the role for a replicatedJob.
func (d *draft) role(spec *yaml.Node, jobs []*yaml.Node, i int, restarts bool) *yaml.Node {
	job := jobs[i]
	name, from := text(get(job, "name")), get(job, "template", "spec")
	peers := number(get(from, "completions"), number(get(from, "parallelism"), 1))
	called := scalarOf(d.roleName(name))
	if own := get(job, "name"); own != nil {
		called.LineComment = own.LineComment
	}
	role := mapping("name", called, "peers", peers)
	if dependsOn := d.dependencies(spec, jobs, i); len(dependsOn.Content) > 0 {
		set(role, "dependsOn", dependsOn)
	}
	metadata := mapping()
	for _, key := range []string{"labels", "annotations"} {
		entryOr(metadata, get(job, "template", "metadata"), key)
	}
	if len(metadata.Content) > 0 {
		set(role, "job", metadata)
	}
	yamlnode.EachEntry(from, func(key string, value *yaml.Node) {
		switch {
		case contains(decided, key), key == "template":
		case key == "successPolicy":
			d.note("the Job %s has a successPolicy, and the runner decides when a role is done; give the Pods that decide a role of their own, and name it in spec.successRoles", name)
		case restarts && contains([]string{"backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes"}, key):
			if text(value) != "0" {
				d.note("the Job %s has %s %s, and with RestartPeerJob the limit is spec.failurePolicy.maxRestarts", name, key, text(value))
			}
		default:
			entry(role, from, key, key)
		}
	})
	if text(get(from, "completionMode")) == "NonIndexed" {
		d.note("the Job %s is NonIndexed; the Pods of a PeerJob have an index, and so a name", name)
	}
	if n := number(get(from, "parallelism"), peers); n != peers {
		d.note("the Job %s has the parallelism %d, and completions %d; all peers run at the same time", name, n, peers)
	}
	yamlnode.EachEntry(job, func(key string, value *yaml.Node) {
		if !slices.Contains([]string{"name", "replicas", "template", "dependsOn"}, key) && !(key == "groupName" && text(value) == "default") {
			d.note("the replicatedJob %s has %s, and a role has nothing like it; it is left out", name, key)
		}
	})
	for _, key := range []string{"labels", "annotations"} {
		for _, own := range []*yaml.Node{get(job, "template", "metadata", key), get(get(from, "template"), "metadata", key)} {
			yamlnode.EachEntry(own, func(key string, _ *yaml.Node) {
				if strings.Contains(key, "jobset.sigs.k8s.io/") {
					d.noteOnce(fmt.Sprintf("%s means something to the JobSet controller alone", key))
				}
			})
		}
	}
	template := get(from, "template")
	d.foreignTemplate(template)
	if policy := text(get(template, "spec", "restartPolicy")); policy != "" {
		drop(get(template, "spec"), "restartPolicy")
		d.note("restartPolicy of %s is %s: the kubelet starts a container again in its Pod; with spec.failurePolicy, its failure is one of the group, and RestartPeerJob starts all again in their Pods", name, policy)
	}
	if usesJobSet(template) {
		d.note("the containers of %s read labels or annotations of JobSet (jobset.sigs.k8s.io/...), which the Pods of a PeerJob do not have; read JOB_COMPLETION_INDEX and the variables of the peers instead", name)
	}
	set(role, "template", template)
	return role
}

// dependencies are the roles that a replicatedJob waits for: those it names, or with the order
// of startupPolicy the one before it.
func (d *draft) dependencies(spec *yaml.Node, jobs []*yaml.Node, i int) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	add := func(name string, status v1alpha1.RoleStatus) {
		dependency := mapping("name", d.roleName(name), "status", string(status))
		dependency.Style = yaml.FlowStyle
		list.Content = append(list.Content, dependency)
	}
	const (
		created = "all Pods are made at once, and those that wait for another role hold their resources"
		ready   = "a JobSet waits until the Pods are ready, and a role until every command runs (Started)"
	)
	for _, dependency := range elements(get(jobs[i], "dependsOn")) {
		status := v1alpha1.RoleStarted
		if text(get(dependency, "status")) == "Complete" {
			status = v1alpha1.RoleComplete
		}
		add(text(get(dependency, "name")), status)
		d.noteOnce("dependsOn: " + created)
		if status == v1alpha1.RoleStarted {
			d.noteOnce("dependsOn: " + ready)
		}
	}
	if len(list.Content) == 0 && i > 0 && text(get(spec, "startupPolicy", "startupPolicyOrder")) == "InOrder" {
		add(text(get(jobs[i-1], "name")), v1alpha1.RoleStarted)
		d.noteOnce("startupPolicy is InOrder, and each role depends on the one before: " + ready)
		d.noteOnce("startupPolicy: " + created)
	}
	return list
}

// noteOnce is a note that is the same for several roles.
func (d *draft) noteOnce(text string) {
	if !slices.Contains(d.notes, text) {
		d.note("%s", text)
	}
}

// renamePods gives host names in the templates those of the peers: without the number of the
// Job, which a PeerJob does not have.
func (d *draft) renamePods(roles *yaml.Node, jobs []*yaml.Node, name string) {
	if d.options.Exact {
		return
	}
	var examples []string
	for _, job := range jobs {
		host := name + "-" + text(get(job, "name")) + "-"
		was, found := host+roleSuffix[1:]+"-", false
		eachText(roles, func(node *yaml.Node) {
			renamed := withoutNumber(node.Value, was, host)
			found, node.Value = found || renamed != node.Value, renamed
		})
		if found {
			examples = append(examples, was+"N is "+host+"N")
		}
	}
	changed := ""
	if len(examples) > 0 {
		changed = "; in the templates, " + strings.Join(examples, ", ")
	}
	d.note("the Pods of a JobSet are called %s-<replicatedJob>-0-N, and the peers %s-<role>-N%s", name, name, changed)
}

// withoutNumber gives host names in a text that begin with was, and have an index behind it,
// another beginning.
func withoutNumber(text, was, is string) string {
	var out strings.Builder
	for {
		at := strings.Index(text, was)
		if at < 0 {
			return out.String() + text
		}
		before, after := text[:at], text[at+len(was):]
		out.WriteString(before)
		if begins := before == "" || !strings.ContainsAny(before[len(before)-1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"); begins && after != "" && strings.Contains("0123456789${", after[:1]) {
			out.WriteString(is)
		} else {
			out.WriteString(was)
		}
		text = after
	}
}

// eachText visits the texts of a node that are values.
func eachText(node *yaml.Node, visit func(*yaml.Node)) {
	switch node.Kind {
	case yaml.ScalarNode:
		visit(node)
	case yaml.MappingNode:
		for i := 1; i < len(node.Content); i += 2 {
			eachText(node.Content[i], visit)
		}
	default:
		for _, child := range node.Content {
			eachText(child, visit)
		}
	}
}
