// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/admission"
	strict "github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/spell"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

var (
	specPath     = field.NewPath("spec")
	metadataPath = field.NewPath("metadata")
)

// checkIgnored reports ids in annotations that lint does not have.
func (l *linter) checkIgnored() {
	for _, d := range l.documents {
		for _, id := range d.ignoreList() {
			if slices.Contains(ruleIDs(), id) {
				continue
			}
			hint := ""
			if nearest := spell.Nearest(id, ruleIDs()); nearest != "" {
				hint = fmt.Sprintf("; did you mean %q?", nearest)
			}
			path := metadataPath.Child("annotations").Key(v1alpha1.LintIgnoreAnnotation)
			l.at(d, unknownRule, Warning, path.String(), fmt.Sprintf("there is no finding %q%s", id, hint), id, edit{})
		}
	}
}

// at reports a finding at the field of a document.
func (l *linter) at(d *document, id string, severity Severity, path, message, excerpt string, fix edit) {
	node, _ := locate(d.root(), path)
	l.add(d, Finding{ID: id, Severity: severity, Field: path, Message: message}, node, excerpt, fix)
}

// errors reports errors with one id. fix makes the edit of one; nil is none.
func (l *linter) errors(d *document, id string, errs field.ErrorList, fix func(*field.Error) edit) {
	for _, err := range errs {
		e := edit{}
		if fix != nil {
			e = fix(err)
		}
		l.at(d, id, Error, err.Field, err.ErrorBody(), "", e)
	}
}

// warnings reports warnings with one id.
func (l *linter) warnings(d *document, id string, warnings []diag.Warning, fix edit) {
	for _, w := range warnings {
		l.at(d, id, Warning, w.Field, w.Message, w.Excerpt, fix)
	}
}

// checkJob checks a Job and its Service, if its Pods mean to find each other.
func (l *linter) checkJob(j *job) {
	j.settle(j.errs)
	if !l.wire(j) {
		return
	}
	l.wired = append(l.wired, j)
	j.network = l.network(j)
	var settled field.ErrorList
	collect := func(errs field.ErrorList) field.ErrorList {
		settled = append(settled, errs...)
		return errs
	}
	l.checkService(j)
	l.checkAnnotations(j)
	settled = append(settled, l.checkDecoded(j.document, j.errs)...)
	if !j.isNamedPod() {
		l.checkPeers(j, collect)
	}
	pod := j.template()
	l.errors(j.document, dnsPolicy, collect(rules.DNSPolicy(pod, j.typed, l.options.ClusterDomain, false, j.templatePath())), j.fixDNSPolicy)
	l.errors(j.document, stringLength, collect(rules.StringLengths(pod, nil, j.podFields(), j.templatePath())), nil)
	if j.typed.UID == "" {
		l.errors(j.document, controllerLabel, collect(rules.ControllerLabels(pod.Labels, j.typed, j.templatePath().Child("metadata", "labels"))), nil)
		l.admitJob(j, settled)
	}
	l.errors(j.document, partialAdmission, rules.PartialAdmission(j.typed.Annotations, j.specPath().Child("completions").String(), j.metadataPath()), nil)
	l.errors(j.document, variableReference, collect(rules.SubPathExpressions(pod, controllerVariables, j.templatePath())), nil)
	l.errors(j.document, variableReference, collect(rules.ResourceFields(pod, j.templatePath())), nil)
	l.errors(j.document, nodeValue, collect(rules.NodeValues(pod, j.templatePath())), nil)
	l.warnings(j.document, nodeValue, rules.Capabilities(pod, j.templatePath()), edit{})
	l.warnings(j.document, variableReference, rules.References(pod, controllerVariables, j.templatePath()), edit{})
	l.warnings(j.document, variableReference, rules.Unexpanded(pod, controllerVariables, j.templatePath()), edit{})
	l.warnings(j.document, variableReference, rules.MetadataFields(pod, j.templatePath()), edit{})
	l.warnings(j.document, stringLength, rules.OneWord(pod, j.templatePath()), edit{})
	l.warnings(j.document, imageName, rules.Images(pod, j.templatePath()), edit{})
	l.warnings(j.document, hostNetwork, rules.HostNetwork(pod, j.typed, rules.ContainerPorts(pod, j.templatePath()), nil, j.templatePath()), edit{})
	l.warnings(j.document, gpuProcesses, rules.GPUProcesses(pod, func(string) bool { return false }, 0, nil, j.templatePath()), edit{})
	var others []*corev1.Service
	for _, s := range l.links {
		if sameNamespace(j.document, s.document) && (j.service == nil || s.document != j.service.document) {
			others = append(others, s.typed)
		}
	}
	l.warnings(j.document, serviceLinks, rules.ServiceLinks(others, pod, j.templatePath()), edit{})
}

// podFields returns what the downward API reads from the fields of the Pod with the longest
// name.
func (j *job) podFields() func(path string) (string, bool) {
	longest, _ := j.longest()
	last := int32(0)
	if completions := j.typed.Spec.Completions; completions != nil {
		last = max(*completions-1, 0)
	}
	return rules.PodFields(j.template(), longest.Name, j.typed.Namespace, strconv.Itoa(int(last)))
}

// controllerVariables are what the Job controller adds to every container. References to
// it in env, where it is not set yet, are those of the rule indexVariable.
var controllerVariables = rules.Variables{
	Before: func(*corev1.Container) []corev1.EnvVar {
		return []corev1.EnvVar{{Name: "JOB_COMPLETION_INDEX", ValueFrom: &corev1.EnvVarSource{}}}
	},
	Runner: rules.RunnerVariables{
		Names: []string{v1alpha1.EnvAttempt, v1alpha1.EnvRank, v1alpha1.EnvWorldSize},
		In:    runnerSets,
		Missing: func(name string, _ func(string) string) string {
			what := "roles"
			if name == v1alpha1.EnvAttempt {
				what = "spec.failurePolicy"
			}
			return "which only the runner of a PeerJob with " + what + " sets, and it is not in this container; leave it out"
		},
	},
}

// runnerSets reports whether a container is one that peerjob has put a runner into that sets
// a variable: that of a failure policy, or of roles.
func runnerSets(container *corev1.Container, name string) bool {
	flags := container.Command
	if own := slices.Index(flags, "--"); own >= 0 {
		flags = flags[:own]
	}
	flag := v1alpha1.RunnerRole
	if name == v1alpha1.EnvAttempt {
		flag = v1alpha1.RunnerOnFailure
	}
	return len(flags) > 0 && flags[0] == v1alpha1.RunnerProgram &&
		slices.ContainsFunc(flags, func(word string) bool { return strings.HasPrefix(word, flag) })
}

// checkPeers checks what holds for the peers of an Indexed Job.
func (l *linter) checkPeers(j *job, collect func(field.ErrorList) field.ErrorList) {
	pod := j.template()
	usesIndex := rules.UsesIndex(pod) || slices.ContainsFunc(j.addresses(), func(a rules.Address) bool { return j.network.IsOwn(a) || a.Host == j.name && a.Meant })
	errs, warnings := rules.Indexed(j.typed, usesIndex, j.specPath())
	mode := edit{}
	if j.typed.Spec.Completions != nil {
		mode = edit{op: setKey, node: j.at(j.specPath().String()), key: "completionMode", value: "Indexed", after: "completions"}
	}
	l.errors(j.document, completionMode, collect(errs), func(*field.Error) edit { return mode })
	l.warnings(j.document, completionMode, warnings, edit{})

	errs, warnings = rules.Parallelism(j.typed, rules.CountsAll(pod, j.typed, j.network), j.specPath())
	l.errors(j.document, parallelism, collect(errs), func(*field.Error) edit {
		return edit{op: setKey, node: j.at(j.specPath().String()), key: "parallelism", value: strconv.Itoa(int(*j.typed.Spec.Completions)), after: "completions"}
	})
	if !rules.IsElastic(pod) {
		l.warnings(j.document, parallelism, warnings, edit{})
	}

	if rules.IsIndexed(j.typed) {
		l.errors(j.document, podHostname, collect(rules.PodHostname(pod, j.templatePath())), func(err *field.Error) edit {
			return edit{op: removeKey, node: j.at(j.podPath()), key: err.Field[strings.LastIndex(err.Field, ".")+1:]}
		})
		l.errors(j.document, indexVariable, rules.IndexVariables(pod, j.templatePath()), func(err *field.Error) edit {
			return edit{op: insertIndex, node: j.at(err.Field[:strings.LastIndex(err.Field, "[")])}
		})
		if job, name := j.longest(); name != "" {
			l.errors(j.document, nameLength, collect(rules.Hostnames(job, name, metadataPath.Child("name"))), nil)
		}
	}
	if s := j.service; s != nil {
		job, _ := j.longest()
		l.errors(j.document, fqdnLength, collect(rules.FQDN(s.typed, pod, job, l.options.ClusterDomain, j.templatePath())), nil)
	}
	if completions := j.typed.Spec.Completions; completions != nil {
		roles := l.rolesOf(j)
		l.warnings(j.document, count, rules.CountsOfRoles(pod, j.typed, 0, strconv.Itoa(int(*completions)), roles, j.templatePath()), edit{})
		peers := *completions
		if len(roles) > 1 {
			// A gang may be of all roles.
			peers = int32(min(sum(roles), math.MaxInt32))
		}
		for _, m := range []struct {
			values map[string]string
			path   *field.Path
		}{
			{j.typed.Labels, j.metadataPath().Child("labels")}, {j.typed.Annotations, j.metadataPath().Child("annotations")},
			{pod.Labels, j.templatePath().Child("metadata", "labels")}, {pod.Annotations, j.templatePath().Child("metadata", "annotations")},
		} {
			l.warnings(j.document, gangSize, rules.GroupSize(m.values, peers, m.path), edit{})
		}
		if name := rules.KueueGroup(pod); name != "" && !slices.ContainsFunc(l.documents, func(d *document) bool { return d != j.document && d.mentions(name) }) {
			l.warnings(j.document, gangSize, rules.KueueTotalCount(pod, int64(*completions), j.templatePath()), edit{})
		}
	}
	l.warnings(j.document, raceAtEnd, rules.RaceAtEnd(pod, j.typed, j.network, j.templatePath()), edit{})
	l.checkAddresses(j)
}

// rolesOf are the numbers of peers of the Jobs whose Pods are in one domain with those of a
// Job, its own first: they may be the roles of one group. Another Job with its name is no
// role, but the same one for another place.
func (l *linter) rolesOf(j *job) []int32 {
	key := func(j *job) string { return j.typed.Namespace + "/" + j.typed.Spec.Template.Spec.Subdomain }
	if l.roles == nil {
		l.roles = map[string]map[string]int32{}
		for _, other := range l.jobs {
			if other.typed.Spec.Completions == nil || other.typed.Spec.Template.Spec.Subdomain == "" {
				continue
			}
			if l.roles[key(other)] == nil {
				l.roles[key(other)] = map[string]int32{}
			}
			l.roles[key(other)][other.typed.Name] = *other.typed.Spec.Completions
		}
	}
	roles := []int32{*j.typed.Spec.Completions}
	for _, name := range slices.Sorted(maps.Keys(l.roles[key(j)])) {
		if name != j.typed.Name {
			roles = append(roles, l.roles[key(j)][name])
		}
	}
	return roles
}

func sum(numbers []int32) int64 {
	total := int64(0)
	for _, number := range numbers {
		total += int64(number)
	}
	return total
}

// manyNames is how many wrong names of one string are reported one by one.
const manyNames = 20

// checkAddresses judges the names of peers in the strings of a Job, and in the
// ConfigMaps that it uses.
func (l *linter) checkAddresses(j *job) {
	judge := func(d *document, text rules.Text) {
		severity := Error
		if text.Script {
			severity = Warning
		}
		said := map[string]bool{}
		for _, a := range rules.Addresses(text) {
			wrong, message, right := j.network.Judge(a)
			if wrong == rules.Fine || text.Script && said[a.Text] {
				continue
			}
			said[a.Text] = true
			if len(said) > manyNames {
				continue
			}
			id, severity, fix := peerName, severity, edit{}
			switch wrong {
			case rules.BeyondLast:
				id = peerIndex
			case rules.Earlier:
				severity = Warning
			}
			// Without a Service nobody knows whether the subdomain or the name is wrong.
			if severity == Error && right != "" && (j.service != nil || len(a.Domain) == 0) {
				fix = edit{op: replaceText, node: d.at(text.Path().String()), at: a.Start, key: a.Text, value: right}
			}
			l.at(d, id, severity, text.Path().String(), message, a.Text, fix)
		}
		if more := len(said) - manyNames; more > 0 {
			l.at(d, peerName, severity, text.Path().String(), fmt.Sprintf("%d more names lead to no peer", more), "", edit{})
		}
	}
	for _, text := range j.texts {
		judge(j.document, text)
	}
	for _, s := range j.scripts {
		judge(s.doc, s.text)
	}
}

// wire finds the Service of a Job, and reports what keeps the two apart. It reports false
// if the Pods do not mean to find each other.
func (l *linter) wire(j *job) bool {
	near := l.servicesOf(j)
	if j.subdomain() != "" {
		if j.isAlone() && !j.isNamedPod() && !rules.UsesIndex(j.template()) && len(j.addresses()) == 0 {
			return false // one Pod without a name
		}
		l.wireSubdomain(j, near)
		return true
	}
	if j.isAlone() {
		return false // its Pod is no peer; a name like its own is that of another workload
	}
	namesPeers := false
	var named *service
	for _, a := range j.addresses() {
		if a.Host != j.name || l.podNames[a.Host] || len(a.Domain) == 0 && (!a.Meant || !rules.IsIndexed(j.typed) || l.serviceNames[a.Text]) {
			continue
		}
		var s *service
		if len(a.Domain) > 0 {
			s = nearest(j, l.byName[a.Domain[0]], func(s *service) bool { return sameNamespace(j.document, s.document) })
			if s == nil && !a.Meant {
				continue
			}
		}
		namesPeers = true
		if named == nil {
			named = s
		}
	}
	j.service = l.selecting(j, near)
	if j.service == nil {
		j.service = named
	}
	if j.service == nil && rules.IsIndexed(j.typed) {
		j.service = l.almostSelecting(j)
	}
	if j.service == nil && !namesPeers {
		return false
	}
	at := j.podPath()
	message := "the Pods have no subdomain, so DNS has no names for them; write subdomain: <name of a headless Service>, and add that Service"
	fix := edit{}
	if s := j.service; s != nil {
		message = fmt.Sprintf("the Pods have no subdomain, so the Service %s has no names for them; write subdomain: %s", s.name, s.name)
		fix = edit{op: setKey, node: j.at(at), key: "subdomain", value: s.name}
	}
	switch {
	case namesPeers:
		l.at(j.document, subdomainMissing, Error, j.subdomainPath(), field.Required(j.specPath(), message).ErrorBody(), "", fix)
	case j.says(j.service.name), rules.Selects(j.service.typed, j.template(), j.typed) == rules.SelectsOne:
	default:
		l.at(j.document, subdomainMissing, Warning, j.subdomainPath(), message, "", fix)
	}
	return true
}

// wireSubdomain finds the Service that the subdomain of the Pods names.
func (l *linter) wireSubdomain(j *job, near []*service) {
	subdomain := j.subdomain()
	// The same name elsewhere may be that of the Service of another Job.
	same := func(s *service) bool {
		other := jobNameOf(s)
		return sameNamespace(j.document, s.document) &&
			(distance(j.document, s.document) == 0 || other == "" || other == j.name || !l.jobNames[other])
	}
	if j.service = nearest(j, l.byName[subdomain], same); j.service != nil {
		return
	}
	if far := nearest(j, l.byName[subdomain], func(s *service) bool { return !sameNamespace(j.document, s.document) }); far != nil {
		l.at(j.document, serviceNamespace, Error, j.subdomainPath(), field.Invalid(j.specPath(), subdomain, fmt.Sprintf(
			"the Service %s is in the namespace %s, and the %s is in %s; Pods have names only in a Service of their own namespace; move one of the two", subdomain, far.namespace, j.kind, j.namespace)).ErrorBody(), "", edit{})
		return
	}
	candidate := l.selecting(j, near)
	if candidate == nil {
		candidate = nearest(j, near, func(s *service) bool {
			return rules.IsHeadless(s.typed) && rules.Selects(s.typed, j.template(), j.typed) == rules.SelectsAll && !l.subdomains[s.name]
		})
	}
	if candidate == nil {
		candidate = l.almostSelecting(j)
	}
	if candidate == nil {
		candidate = nearest(j, near, func(s *service) bool {
			return rules.IsHeadless(s.typed) && isSimilar(s.name, subdomain) && !l.subdomains[s.name] && (jobNameOf(s) == "" || !l.jobNames[jobNameOf(s)])
		})
	}
	if candidate == nil {
		candidate = nearest(j, near, func(s *service) bool { return l.isMeant(j, s) })
	}
	if candidate == nil && slices.ContainsFunc(l.leftOut, func(d *document) bool { return distance(j.document, d) < elsewhere }) {
		return // it may be the one, and the input says that it was left out
	}
	if candidate == nil {
		l.at(j.document, serviceMissing, Error, j.subdomainPath(), field.Invalid(j.specPath(), subdomain, fmt.Sprintf(
			"there is no Service %s in the input, and without it DNS has no names for the Pods; add a headless Service with %s, or lint both together", subdomain, j.selects())).ErrorBody(), "", edit{})
		return
	}
	j.service = candidate
	l.at(j.document, subdomainMismatch, Error, j.subdomainPath(), field.Invalid(j.specPath(), subdomain, fmt.Sprintf(
		"there is no Service of this name, and the Service for the Pods is %s; write subdomain: %s", candidate.name, candidate.name)).ErrorBody(), "",
		edit{op: setKey, node: j.at(j.podPath()), key: "subdomain", value: candidate.name})
}

// isMeant reports whether a Service with an address was probably meant for the peers of a
// Job: it is for this Job, or for one of a similar name that is not there, and the subdomain is
// its name misspelled, or the Job names a peer under it.
func (l *linter) isMeant(j *job, s *service) bool {
	job := jobNameOf(s)
	if rules.IsHeadless(s.typed) || l.subdomains[s.name] || job == "" || job != j.name && (l.jobNames[job] || !isSimilar(job, j.name)) {
		return false
	}
	return spell.Nearest(s.name, []string{j.subdomain()}) != "" ||
		slices.ContainsFunc(j.addresses(), func(a rules.Address) bool { return a.Host == j.name && len(a.Domain) > 0 && a.Domain[0] == s.name })
}

// checkService checks the Service of a Job.
func (l *linter) checkService(j *job) {
	s := j.service
	if s == nil {
		return
	}
	s.settle(s.errs)
	spec := s.at("spec")
	errs := rules.Selector(s.typed, j.template(), j.typed, specPath)
	if other := jobNameOf(s); l.jobNames[other] && j.typed.Name != "" {
		for _, err := range errs {
			if err.BadValue == other {
				err.Detail = fmt.Sprintf("the Service is that of the Job %s, and has no Pods of the Job %s; give each Job a Service of its own, or let it select a label that both Pod templates have", other, j.name)
			}
		}
	}
	l.errors(s.document, selectorMismatch, errs, func(err *field.Error) edit {
		name := jobNameOf(s)
		if len(s.typed.Spec.Selector) != 1 || name == "" || l.jobNames[name] || j.typed.Name == "" {
			return edit{}
		}
		for key := range s.typed.Spec.Selector {
			return edit{op: setKey, node: s.at("spec.selector"), key: key, value: j.name}
		}
		return edit{}
	})
	if l.judged[s.document] {
		return
	}
	l.judged[s.document] = true
	settled := slices.Concat(errs, l.checkDecoded(s.document, s.errs))
	headless := rules.Headless(s.typed, specPath)
	l.errors(s.document, serviceNotHeadless, headless, func(*field.Error) edit {
		plain := s.typed.Spec.Type == "" || s.typed.Spec.Type == corev1.ServiceTypeClusterIP
		if s.typed.Spec.ClusterIP != "" || !plain || len(rules.TargetPorts(s.typed, rules.ContainerPorts(j.template(), j.templatePath()), specPath)) > 0 {
			return edit{}
		}
		return edit{op: setKey, node: spec, key: "clusterIP", value: "None"}
	})
	if rules.IsHeadless(s.typed) {
		l.warnings(s.document, targetPort, rules.TargetPorts(s.typed, rules.ContainerPorts(j.template(), j.templatePath()), specPath.Child("ports")), edit{})
	}
	if s.typed.UID == "" && len(headless) == 0 {
		l.admit(s.document, s.typed, settled)
	}
	if !l.hasPeers(j) {
		return
	}
	publish := edit{op: setKey, node: spec, key: "publishNotReadyAddresses", value: "true", after: "clusterIP"}
	refused, warned := rules.NotReady(s.typed, j.template(), j.network, specPath)
	l.errors(s.document, publishNotReady, refused, func(*field.Error) edit { return publish })
	l.warnings(s.document, publishNotReady, warned, publish)
}

// hasPeers reports whether the Pods of a Job have peers: of the same Job, or of another
// one with its Service.
func (l *linter) hasPeers(j *job) bool {
	completions, parallelism := j.typed.Spec.Completions, j.typed.Spec.Parallelism
	if completions == nil || *completions > 1 || parallelism != nil && *parallelism > 1 {
		return true
	}
	return slices.ContainsFunc(l.jobs, func(other *job) bool { return other != j && other.subdomain() == j.subdomain() })
}

// settle notes the fields whose YAML is wrong, and those that were misspelled.
func (d *document) settle(errs field.ErrorList) {
	d.settled = map[string]bool{}
	for _, err := range errs {
		d.settled[err.Field] = true
		if unknown, ok := err.BadValue.(diag.UnknownField); ok && unknown.Nearest != "" {
			d.settled[strings.TrimSuffix(err.Field, unknown.Name)+unknown.Nearest] = true
		}
	}
}

// checkDecoded reports what is wrong with the YAML of an object, and returns it on the
// fields of the object.
func (l *linter) checkDecoded(d *document, errs field.ErrorList) field.ErrorList {
	for _, err := range errs {
		id := wrongType
		switch {
		case strict.IsUnknownField(err):
			id = unknownField
		case err.Type == field.ErrorTypeDuplicate:
			id = duplicateKey
		}
		node, _ := locate(d.root(), err.Field)
		fix := edit{}
		if unknown, ok := err.BadValue.(diag.UnknownField); ok && strings.EqualFold(unknown.Name, unknown.Nearest) {
			above := strings.TrimSuffix(strings.TrimSuffix(err.Field, unknown.Name), ".")
			fix = edit{op: renameKey, node: d.at(above), key: unknown.Name, value: unknown.Nearest}
		}
		if id == duplicateKey {
			if again := duplicateOf(d.root(), err.Field); again != nil {
				node = again
			}
		}
		l.add(d, Finding{ID: id, Severity: Error, Field: err.Field, Message: err.ErrorBody()}, node, "", fix)
	}
	return errs
}

// admit reports what the API server says of an object, but for what was reported.
func (l *linter) admit(d *document, object kinds.Object, settled field.ErrorList) {
	errs, warnings, tooNew := admission.VerdictSince(l.options.KubernetesVersion, object)
	l.errors(d, apiServer, diag.Append(settled, errs)[len(settled):], nil)
	l.errors(d, kubernetesVersion, tooNew, nil)
	l.warnings(d, apiServer, warnings, edit{})
}

// admitJob reports what the API server says of a Job or a CronJob.
func (l *linter) admitJob(j *job, settled field.ErrorList) {
	if right := batchv1.SchemeGroupVersion.String(); j.apiVersion != right {
		l.errors(j.document, apiServer, field.ErrorList{field.NotSupported(field.NewPath("apiVersion"), j.apiVersion, []string{right})}, func(*field.Error) edit {
			return edit{op: setKey, node: j.root(), key: "apiVersion", value: right}
		})
		return
	}
	if j.cron != nil {
		l.admit(j.document, j.cron, settled)
		return
	}
	l.admit(j.document, j.typed, settled)
}

// checkShared finds Services behind which are two Jobs that do not name each other.
func (l *linter) checkShared() {
	behind := map[*document][]*job{}
	for _, j := range l.jobs {
		if j.service != nil && j.subdomain() == j.service.name && rules.Selects(j.service.typed, j.template(), j.typed) != rules.SelectsNone {
			behind[j.service.document] = append(behind[j.service.document], j)
		}
	}
	for _, s := range l.services {
		jobs := behind[s.document]
		// The roles of one PeerJob are one group.
		_, isGroup := s.typed.Spec.Selector[v1alpha1.GroupLabel]
		if len(jobs) < 2 || isGroup || slices.ContainsFunc(jobs, (*job).isNamedPod) {
			continue
		}
		for i, j := range jobs[1:] {
			first := jobs[0]
			speak := first.name == j.name || first.cronJob() != "" && first.cronJob() == j.cronJob() || jobs[i].says(j.name) || j.says(first.name) || first.says(j.name) ||
				slices.ContainsFunc(jobs, func(other *job) bool { return other != j && (other.speaksOf(j) || j.speaksOf(other)) })
			if !speak {
				l.at(s.document, sharedService, Warning, "spec.selector", fmt.Sprintf(
					"the %s and the %s are both behind this Service and do not name each other; its own name leads to the Pods of both; give each of them a Service of its own, or write both as roles of one PeerJob", first.title(), j.title()), "", edit{})
				break
			}
		}
	}
}

// speaksOf reports whether a Job names the peers of another one.
func (j *job) speaksOf(other *job) bool {
	return slices.ContainsFunc(j.addresses(), func(a rules.Address) bool { return a.Host == other.name })
}

// findScripts reads the ConfigMaps that the Jobs use.
func (l *linter) findScripts() {
	wanted := map[string][]*job{}
	for _, j := range l.jobs {
		for name := range rules.ConfigMaps(&j.template().Spec) {
			wanted[name] = append(wanted[name], j)
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, d := range l.documents {
		if d.isPatch || !d.is("", "ConfigMap") || len(wanted[d.name]) == 0 || d.root() == nil {
			continue
		}
		for _, j := range wanted[d.name] {
			if !sameNamespace(j.document, d) || distance(j.document, d) == 2 && len(wanted[d.name]) > 1 {
				continue
			}
			data := yamlnode.Get(d.root(), "data")
			for _, key := range slices.Sorted(maps.Keys(plainData(data))) {
				j.scripts = append(j.scripts, script{d, rules.Text{Value: plainData(data)[key], Script: true}.At(field.NewPath("data").Key(key))})
			}
		}
	}
}
