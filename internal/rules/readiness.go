// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// fullDomain is the least number of labels after the host name of a fully qualified
// name. A Pod finds its own in /etc/hosts, before DNS has it.
const fullDomain = 4

// NotReady finds a Service that has no names of Pods that are not ready. Peers look each
// other up while they start, so that is a warning; it is an error if an init container
// waits for a peer, because no Pod is ready before its init containers end. It reads
// spec.publishNotReadyAddresses of the Service, whose spec stands at the path.
// See https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/.
func NotReady(service *corev1.Service, template *corev1.PodTemplateSpec, network Network, spec *field.Path) (field.ErrorList, []diag.Warning) {
	if service.Spec.PublishNotReadyAddresses {
		return nil, nil
	}
	at := spec.Child("publishNotReadyAddresses")
	for i := range template.Spec.InitContainers {
		container := &template.Spec.InitContainers[i]
		if sidecar := container.RestartPolicy; sidecar != nil && *sidecar == corev1.ContainerRestartPolicyAlways {
			continue
		}
		texts := Texts(container, nil)
		// One that tells the peers apart may wait in some of them only.
		if slices.ContainsFunc(texts, func(t Text) bool { return tellsApart.MatchString(t.Value) }) {
			continue
		}
		for _, text := range texts {
			for _, a := range Addresses(text) {
				if text.Variable == "" && network.IsOwn(a) && len(a.Domain) < fullDomain {
					return field.ErrorList{field.Required(at, "the init container "+container.Name+" waits for "+a.Text+
						", and without it DNS has no name of a Pod whose init containers run: no Pod ever starts; write publishNotReadyAddresses: true")}, nil
				}
			}
		}
	}
	return nil, []diag.Warning{diag.Warn(at, "without it DNS has a Pod's name only once it is ready, and peers look each other up while they start; write publishNotReadyAddresses: true")}
}

// tellsApart matches what a script uses to do one thing on one peer and another thing
// on the others.
var tellsApart = lazyregexp.New(`JOB_COMPLETION_INDEX|job-completion-index|HOSTNAME|\bhostname\b|RANK|INDEX`)

// lookups are commands that look up or call another host.
const lookups = `ping6?|nslookup|getent|dig|host|drill|nc|ncat|telnet|curl|wget|ssh|fping|arping`

var (
	// lookup matches a command that looks up or calls another host.
	lookup = lazyregexp.New(`(?:^|[\s;|&(!])(?:` + lookups + `)\s`)
	// comment matches a comment of a shell.
	comment = lazyregexp.New(`(?m)(?:^|[ \t])#.*$`)
	// idle matches a command after which a script does no work.
	idle = lazyregexp.New(`^(?:echo|printf|exit|true|:|date|wait|fi|esac|done|else|set|\}|\))(?:\s|$)`)
	// commandEnd matches the parts of a script between which a command ends.
	commandEnd = lazyregexp.New(`[;\n]|&&|\|\||\bdo\b|\bthen\b`)
)

// RaceAtEnd finds scripts that wait in a loop until they have reached every peer, and
// end then. A peer that ended is no longer in DNS, and one that is a little later waits
// for it forever. It reads completions of the Job.
func RaceAtEnd(template *corev1.PodTemplateSpec, job *batchv1.Job, network Network, path *field.Path) []diag.Warning {
	if lastIndex(job) < 1 {
		return nil
	}
	var w []diag.Warning
	pod := path.Child("spec")
	for i := range template.Spec.Containers {
		for _, text := range Texts(&template.Spec.Containers[i], pod.Child("containers").Index(i)) {
			if a, found := waitsLast(text, network); found {
				w = append(w, diag.Warning{Field: text.Path().String(), Excerpt: a.Text, Message: "waits until it has reached " + a.Text +
					", and then ends; a peer that ended is no longer in DNS, and a slower peer waits for it forever; let all peers stay until every one is done, or limit the wait"})
			}
		}
	}
	return w
}

// waitsLast returns the address of a peer that a script waits for in a loop, if nothing
// but output follows that loop.
func waitsLast(text Text, network Network) (Address, bool) {
	if !text.Script || text.Variable != "" {
		return Address{}, false
	}
	var last Address
	found, depth, waits := false, 0, []int{}
	for _, command := range commands(text.silent()) {
		first, rest, _ := strings.Cut(command, " ")
		if first == "while" || first == "until" || first == "for" {
			depth++
			if first != "for" {
				waits = append(waits, depth)
			}
			command = rest
		}
		if lookup.MatchString(command+" ") && len(waits) > 0 {
			for _, a := range Addresses(Text{Value: command}) {
				if network.IsOwn(a) || a.Host == network.Job && len(a.Domain) == 0 {
					last, found = a, true
				}
			}
		}
		if first == "done" {
			if depth--; len(waits) > 0 && waits[len(waits)-1] > depth {
				waits = waits[:len(waits)-1]
			}
		}
		if found && depth <= 0 && !idle.MatchString(first+" ") {
			return Address{}, false // it goes on with something else
		}
	}
	return last, found
}

// commands are the commands of a script, without comments, in their order, with the loops
// around them.
func commands(script string) []string {
	var all []string
	script = strings.ReplaceAll(withoutComments(script), "\\\n", " ")
	for _, line := range strings.Split(script, "\n") {
		for _, command := range commandEnd.Split(line, -1) {
			if command = strings.TrimSpace(command); command != "" {
				all = append(all, command)
			}
		}
	}
	return all
}
