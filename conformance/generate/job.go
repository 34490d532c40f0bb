// SPDX-License-Identifier: Apache-2.0

package generate

import (
	"strconv"
	"strings"
)

// peerJob grows a PeerJob from the top.
func (g *generator) peerJob() Object {
	tree := g.object(
		field{"apiVersion", always, "peerjob.dev/v1alpha1"},
		field{"kind", always, "PeerJob"},
		field{"metadata", always, g.metadata},
		field{"spec", always, g.spec},
	)
	spec, _ := tree["spec"].(Object)
	metadata, _ := tree["metadata"].(Object)
	if spec["roles"] != nil && metadata["name"] != nil && !g.goesWrong() {
		// The name leaves room for that of a role, too.
		metadata["name"] = g.value(right("a", "train", "my-job", "w0", g.longLabel(40)))
	}
	return tree
}

func (g *generator) metadata() Object {
	return g.object(
		field{"name", always, g.jobName},
		field{"namespace", 0.4, right("ml", "team-a", "9", "n"+strings.Repeat("1", 62)).wrongly("Team", "a_b", "a.b", "", g.longLabel(64))},
		field{"labels", 0.3, g.labels},
		field{"annotations", 0.3, g.annotations},
	)
}

// jobName is a label that leaves room for most indexes, and often is one that
// a Service may have, too.
func (g *generator) jobName() any {
	if g.chance(0.8) {
		return g.value(right("a", "train", "my-job", "w0", "x-1-y", "nccl-tests", g.longLabel(61), g.longLabel(58), g.longLabel(57)).
			wrongly("Train", "my_job", "a.b", "a-", "", g.longLabel(62), g.longLabel(63)))
	}
	return g.label()
}

func (g *generator) spec() Object {
	spec := g.shortForm(g.value(right(1, 2, 3, 4, 8, 10, 11, 100, 101, 1000, 99999, 100000).wrongly(0, -1, 100001, 2147483647)))
	if g.chance(0.15) {
		spec["networkPolicy"] = g.object(field{"ingress", always, right("PeersOnly").wrongly("Nobody", "")})
	}
	if g.chance(0.12) {
		g.setRoles(spec)
	}
	return spec
}

// shortForm grows the spec of a PeerJob with one Pod template.
func (g *generator) shortForm(peers any) Object {
	pod := &pod{generator: g, restartPolicy: "Never"}
	template := g.object(field{"metadata", 0.4, g.templateMetadata}, field{"spec", always, pod.spec})
	spec := g.object(
		field{"peers", always, peers},
		field{"service", 0.5, g.service},
		field{"barrier", 0.15, g.barrier},
		field{"failurePolicy", 0.15, g.failurePolicy},
		field{"peerEnv", 0.2, right("Enabled", "Disabled").wrongly("enabled", "x")},
		field{"clusterDomain", 0.1, g.domain},
		field{"suspend", 0.1, yesOrNo},
		field{"backoffLimit", 0.3, count},
		field{"activeDeadlineSeconds", 0.2, long},
		field{"ttlSecondsAfterFinished", 0.2, count},
		field{"managedBy", g.recent(0.1), right("kueue.x-k8s.io/multikueue", "kubernetes.io/job-controller", "example.com/path/of/it").
			wrongly("", "controller", "Example.com/x", "example.com/", "a b/c", "example.com/"+g.longLabel(60))},
		field{"template", always, template},
	)
	g.perIndex(spec, peers)
	g.policies(spec, pod, peers)
	g.setFramework(spec, pod)
	g.fitFailurePolicy(spec)
	g.setRunner(spec)
	return spec
}

// barrier grows what lets the peers start and leave together.
func (g *generator) barrier() Object {
	seconds := right(1, 25, 30, 600, 86400).wrongly(0, -1, 86401)
	return g.object(
		field{"start", 0.7, right("Enabled", "Enabled", "Disabled").wrongly("enabled")},
		field{"end", 0.7, right("Enabled", "Enabled", "Disabled").wrongly("")},
		field{"startTimeoutSeconds", 0.4, right(0, 0, 1, 600, 86400).wrongly(-1, 86401)},
		field{"endTimeoutSeconds", 0.3, seconds},
	)
}

// failurePolicy grows what the group does when a peer fails.
func (g *generator) failurePolicy() Object {
	policy := g.object(
		field{"action", always, right("FailPeerJob", "RestartPeerJob").wrongly("Restart", "")},
		field{"onDisruption", 0.3, right("Fail", "Continue").wrongly("Ignore", "Restart")},
	)
	if policy["action"] == "RestartPeerJob" || g.goesWrong() {
		policy["maxRestarts"] = g.value(right(0, 1, 3, 10000).wrongly(-1, 10001))
		if g.chance(0.3) {
			policy["backoffSeconds"] = g.value(right(0, 1, 60).wrongly(-1, 61))
		}
		if g.chance(0.2) {
			policy["onDisruption"] = "Restart"
		}
	}
	return policy
}

// fitFailurePolicy takes away what can't work with a failure policy, or the policy where
// the Pods can't have one.
func (g *generator) fitFailurePolicy(spec Object) {
	policy, ok := spec["failurePolicy"].(Object)
	if !ok || g.goesWrong() {
		return
	}
	template, _ := spec["template"].(Object)
	podSpec, _ := template["spec"].(Object)
	containers, _ := podSpec["containers"].(List)
	framework, _ := spec["framework"].(Object)
	rules, _ := spec["podFailurePolicy"].(Object)
	for _, rule := range listOf(rules["rules"]) {
		// One that matches 76 must fail the Job.
		if rule, ok := rule.(Object); !ok || rule["action"] != "FailJob" {
			delete(spec, "failurePolicy")
			return
		}
	}
	if len(containers) != 1 || framework["elastic"] != nil {
		delete(spec, "failurePolicy")
		return
	}
	if podSpec["restartPolicy"] == "OnFailure" {
		delete(podSpec, "restartPolicy")
	}
	if container, ok := containers[0].(Object); ok {
		delete(container, "restartPolicy")
		delete(container, "restartPolicyRules")
	}
	delete(spec, "podReplacementPolicy")
	if policy["action"] != "RestartPeerJob" {
		if spec["backoffLimitPerIndex"] != nil {
			spec["maxFailedIndexes"] = 0
		}
		return
	}
	for _, name := range []string{"barrier", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes"} {
		delete(spec, name)
	}
	if g.chance(0.3) {
		spec["barrier"] = Object{"startTimeoutSeconds": g.value(right(0, 60, 86400).wrongly(-1))}
	}
}

func listOf(value any) List {
	list, _ := value.(List)
	return list
}

// setRunner grows the runner of a barrier or of a failure policy, and gives its container the command that it
// starts. The image is always set, as the one that expands would.
func (g *generator) setRunner(spec Object) {
	if spec["barrier"] == nil && spec["failurePolicy"] == nil && !g.goesWrong() {
		return
	}
	delivery := right("InitContainer").wrongly("Image", "imageVolume")
	if g.chance(g.recent(0.5)) {
		delivery = right("ImageVolume")
	}
	runner := g.object(
		field{"delivery", 0.4, delivery},
		field{"image", always, right("example.com/runner:v1", "x").wrongly("", " x")},
		field{"imagePullPolicy", 0.2, right("Always", "Never", "IfNotPresent").wrongly("always")},
		field{"port", 0.3, right(1024, 7450, 8080, 65535).wrongly(0, 80, 65536)},
		field{"keySecretName", 0.2, right("keys", "a.b").wrongly("A_b")},
	)
	if runner["delivery"] != "ImageVolume" && g.chance(0.3) {
		runner["resources"] = (&pod{generator: g}).resources()
	}
	spec["runner"] = runner
	if g.goesWrong() {
		return
	}
	template, _ := spec["template"].(Object)
	podSpec, _ := template["spec"].(Object)
	containers, _ := podSpec["containers"].(List)
	if len(containers) == 0 {
		return
	}
	container, ok := containers[len(containers)-1].(Object)
	if !ok {
		return
	}
	if len(containers) > 1 || g.chance(0.2) {
		runner["container"] = container["name"]
	}
	if container["command"] == nil {
		container["command"] = g.list(1, 3, command)
	}
	// They may kill a peer that waits.
	delete(container, "startupProbe")
	delete(container, "livenessProbe")
	if lifecycle, ok := container["lifecycle"].(Object); ok {
		delete(lifecycle, "postStart")
	}
}

// perIndex sets the limits of single indexes.
func (g *generator) perIndex(spec Object, peers any) {
	if !g.chance(0.2) && !g.goesWrong() {
		return
	}
	spec["backoffLimitPerIndex"] = g.value(count)
	if g.chance(0.5) || peers == 100000 && !g.goesWrong() {
		spec["maxFailedIndexes"] = g.value(right(0, 1, peers).wrongly(-1, 100001, 10001))
	}
	if g.goesWrong() {
		delete(spec, "backoffLimitPerIndex")
	}
}

// policies sets what the end of a Pod means for the Job.
func (g *generator) policies(spec Object, pod *pod, peers any) {
	if g.chance(0.2) && (pod.restartPolicy == "Never" || g.goesWrong()) {
		_, perIndex := spec["backoffLimitPerIndex"]
		spec["podFailurePolicy"] = g.object(field{"rules", always, func() any {
			return g.list(1, 3, func() any { return g.failureRule(pod, perIndex) })
		}})
		if g.chance(0.3) {
			spec["podReplacementPolicy"] = g.value(right("Failed").wrongly("TerminatingOrFailed", "Never", ""))
		}
	} else if g.chance(0.1) {
		spec["podReplacementPolicy"] = g.value(right("Failed", "TerminatingOrFailed").wrongly("failed", "Never", ""))
	}
	if g.chance(g.recent(0.15)) {
		spec["successPolicy"] = g.object(field{"rules", always, func() any { return g.list(1, 2, func() any { return g.successRule(peers) }) }})
	}
}

func (g *generator) failureRule(pod *pod, perIndex bool) Object {
	actions := right("FailJob", "Ignore", "Count").wrongly("Fail", "", "FailIndex")
	if perIndex {
		actions.right = append(actions.right, "FailIndex")
	}
	rule := g.union(
		field{"onExitCodes", always, func() any { return g.exitCodes(pod) }},
		field{"onPodConditions", always, func() any { return g.list(1, 2, g.podCondition) }},
	)
	rule["action"] = g.value(actions)
	return rule
}

func (g *generator) exitCodes(pod *pod) Object {
	return g.object(
		field{"containerName", 0.3, func() any { return g.reference(pod.containers) }},
		field{"operator", always, right("In", "NotIn").wrongly("in", "Exists", "")},
		field{"values", always, right(List{1}, List{42, 137}, List{1, 2, 255}).
			wrongly(List{0}, List{}, List{2, 1}, List{1, 1}, List{-1}, List{256})},
	)
}

func (g *generator) podCondition() any {
	return g.object(
		field{"type", always, right("DisruptionTarget", "example.com/Done", "Ready").wrongly("", "a b", "-")},
		field{"status", 0.5, right("True", "False", "Unknown").wrongly("true", "", "Yes")},
	)
}

func (g *generator) successRule(peers any) Object {
	last, _ := peers.(int)
	indexes := right("0").wrongly("", "x", "1-", "0,0", "2-1", strconv.Itoa(last), "0 ,1", "-1", "00")
	if last > 3 {
		indexes.right = append(indexes.right, "0,2", "1-3", "0-1,3", "3")
	}
	rule := g.object(field{"succeededIndexes", 0.6, indexes})
	if len(rule) == 0 || g.chance(0.2) || g.goesWrong() {
		rule["succeededCount"] = g.value(right(1).wrongly(0, -1, last, last+1, 100001))
	}
	return rule
}

// service grows the Service's part of a PeerJob. It is small beside the Pod:
// at the same rate, its faults would be too few.
func (g *generator) service() Object {
	defer func(rate float64) { g.rate = rate }(g.rate)
	g.rate = one(g, g.rate, g.rate, g.rate, 0.1)
	return g.object(
		field{"name", 0.5, right("hub", "peers", "a", g.longLabel(63)).wrongly("", "7", "Hub", "a.b", "a_b", "-a", g.longLabel(64))},
		field{"labels", 0.3, g.labels},
		field{"annotations", 0.3, g.annotations},
		field{"publishNotReadyAddresses", 0.2, yesOrNo},
		field{"ipFamilyPolicy", 0.3, right("PreferDualStack", "RequireDualStack").wrongly("SingleStack", "DualStack", "")},
		field{"ipFamilies", 0.3, right(List{"IPv4"}, List{"IPv6"}, List{"IPv4"}, List{"IPv6"}, List{"IPv4", "IPv6"}).
			wrongly(List{"IPv6", "IPv4"}, List{"IPv4", "IPv4"}, List{"IPv5"}, List{}, List{"IPv4", "IPv6", "IPv4"}, List{""})},
		field{"ports", 0.4, g.servicePorts},
	)
}

func (g *generator) servicePorts() any {
	var ports List
	for i := range 1 + g.IntN(3) {
		port := g.object(
			field{"name", always, g.value(right([]any{"http", "grpc-tls", "a", "x-1", g.longLabel(63)}[(i+g.IntN(2)*3)%5]).
				wrongly("", "HTTP", "a b", "a.b", g.longLabel(64), "http"))},
			field{"port", always, g.value(right(80+i, 443+i, 29500+i, 65535-i).wrongly(0, -1, 65536, 80))},
			field{"protocol", 0.5, right("TCP", "UDP", "SCTP").wrongly("tcp", "HTTP", "")},
			field{"appProtocol", 0.2, right("http", "kubernetes.io/h2c", "example.com/x").wrongly("", "a b", "kubernetes.io/", "a/b/c")},
			field{"targetPort", 0.2, anyPort},
		)
		if g.goesWrong() {
			port["nodePort"] = one(g, 0, 30000, 80, 65536, -1)
		}
		ports = append(ports, port)
	}
	if g.goesWrong() {
		return one(g, List{}, append(ports, ports[0]))
	}
	return ports
}

func (g *generator) templateMetadata() Object {
	return g.object(field{"labels", 0.7, g.labels}, field{"annotations", 0.5, g.annotations})
}
