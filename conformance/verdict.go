// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/conformance/apiserver"
	"github.com/peerjob/peerjob/conformance/generate"
	"github.com/peerjob/peerjob/internal/admission"
	"github.com/peerjob/peerjob/internal/decode"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expand"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/manifest"
	"github.com/peerjob/peerjob/internal/peerjob"
)

// kind is how two verdicts on a PeerJob go together.
type kind int

const (
	acceptedByBoth kind = iota
	// unreadable is a PeerJob with unknown fields or values of a wrong type: there
	// is no object to ask the server about.
	unreadable
	// refusedByBoth is also a PeerJob of which the server drops a field that
	// peerjob says it does not have.
	refusedByBoth
	// refusedByNewer is a PeerJob that an older server accepts, and that peerjob
	// refuses in the name of the newest one, which does refuse it: the output must
	// work on all servers from spec.kubernetesVersion on.
	refusedByNewer
	// refusedByOwnRules is a PeerJob that peerjob refuses for reasons of its
	// own alone, and the server accepts.
	refusedByOwnRules
	// wronglyAccepted is a PeerJob that peerjob accepts and the server refuses.
	wronglyAccepted
	// wronglyRefused is a PeerJob that peerjob refuses in the server's name,
	// and the server accepts.
	wronglyRefused
	// readOtherwise is a PeerJob that both accept, but in which the server
	// reads a value that peerjob did not mean, or drops a field, and peerjob did
	// not warn.
	readOtherwise
)

// verdict is what peerjob and the server say to one PeerJob.
type verdict struct {
	text []byte
	// own are the errors of peerjob's own rules, admission those that it says
	// that the server would have.
	own, admission field.ErrorList
	// version are the fields that peerjob says the server does not have,
	// because it refuses or warns of them.
	version field.ErrorList
	warned  []string
	decoded bool
	// answers are what the server says to each object.
	answers []answer
	// derivedPorts is whether the ports of the Service are those of the
	// containers, on which both say the same once.
	derivedPorts bool
	// newestRefuses is whether the newest server refuses what this one accepts.
	newestRefuses bool
	// comparison is about the objects that the server accepted.
	comparison
}

// answer is what the server says to an object.
type answer struct {
	kind string
	// meant is the object as it was sent.
	meant any
	apiserver.Answer
}

// resources are where objects are made, by their kind.
var resources = map[string]string{"Service": apiserver.Services, "ConfigMap": apiserver.ConfigMaps, "NetworkPolicy": apiserver.NetworkPolicies, "Job": apiserver.Jobs}

// judge asks both.
func judge(ctx context.Context, server *apiserver.Server, tree generate.Object) (verdict, error) {
	var v verdict
	text, err := generate.Text(tree)
	if err != nil {
		return v, err
	}
	v.text = text
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return v, err
	}
	pj, errs := decode.PeerJob(document.Content[0], nil)
	if v.own = errs; len(errs) > 0 {
		return v, nil
	}
	v.decoded, v.derivedPorts = true, pj.Spec.Service.Ports == nil
	v1alpha1.Default(pj, v1alpha1.Settings{})
	group := peerjob.NewGroup(pj, "")
	v.own = peerjob.Validate(group, framework.Brings)
	v.own = diag.Append(v.own, framework.Validate(group))
	objects := expand.Group(group)
	refused, warnings := admission.Admit(group, objects)
	version, versionWarnings := admission.CheckVersion(group, objects)
	v.admission, v.version = refused, version
	for _, warning := range slices.Concat(warnings, versionWarnings) {
		v.warned = append(v.warned, warning.Field)
	}
	for _, object := range objects {
		a := answer{kind: object.Object.GetObjectKind().GroupVersionKind().Kind, meant: object.Object}
		if a.Answer, err = create(ctx, server, resources[a.kind], pj.Namespace, object.Object); err != nil {
			return v, err
		}
		v.answers = append(v.answers, a)
		if a.kind == "Job" && a.Accepted() {
			pod, err := createPod(ctx, server, pj.Namespace, a.Object)
			if err != nil {
				return v, err
			}
			v.answers = append(v.answers, pod)
		}
	}
	if v.accepted() {
		err = v.compare()
	}
	return v, err
}

// accepted reports whether the server accepts all objects.
func (v *verdict) accepted() bool {
	return v.decoded && !slices.ContainsFunc(v.answers, func(a answer) bool { return !a.Accepted() })
}

// compare compares what the server accepted with what was meant.
func (v *verdict) compare() error {
	for _, a := range v.answers {
		found, err := compare(a.meant, a.Object)
		if err != nil {
			return err
		}
		if a.kind == "Pod" {
			found = found.below("spec.template.")
		}
		v.misread = append(v.misread, found.misread...)
		v.dropped = append(v.dropped, found.dropped...)
		v.emptied = append(v.emptied, found.emptied...)
	}
	return nil
}

func create(ctx context.Context, server *apiserver.Server, resource, namespace string, object any) (apiserver.Answer, error) {
	node, err := manifest.Encode(object)
	if err != nil {
		return apiserver.Answer{}, err
	}
	content, err := manifest.Bytes(node)
	if err != nil {
		return apiserver.Answer{}, err
	}
	return ask(ctx, server, resource, namespace, content)
}

// createPod asks for a Pod of the Job that the server took.
func createPod(ctx context.Context, server *apiserver.Server, namespace string, job []byte) (answer, error) {
	pod, err := podOf(job)
	if err != nil {
		return answer{}, err
	}
	content, err := json.Marshal(pod)
	if err != nil {
		return answer{}, err
	}
	a := answer{kind: "Pod", meant: pod}
	a.Answer, err = ask(ctx, server, apiserver.Pods, namespace, content)
	return a, err
}

func ask(ctx context.Context, server *apiserver.Server, resource, namespace string, content []byte) (apiserver.Answer, error) {
	answer, err := server.Create(ctx, resource, namespace, content)
	if err == nil && !answer.Judged() {
		err = fmt.Errorf("the server did not judge: %d %s", answer.Code, answer.Message)
	}
	return answer, err
}

func (v *verdict) kind() kind {
	accepted := v.accepted()
	switch {
	case !v.decoded:
		return unreadable
	case accepted && v.newestRefuses && len(v.wrongVersion()) == 0:
		return refusedByNewer
	case accepted && len(v.wrongErrors()) > 0:
		return wronglyRefused
	case len(v.admission)+len(v.version) > 0:
		return refusedByBoth
	case len(v.own) > 0 && !accepted:
		return refusedByBoth
	case len(v.own) > 0:
		return refusedByOwnRules
	case accepted && len(v.silentlyChanged()) > 0:
		return readOtherwise
	case accepted:
		return acceptedByBoth
	}
	return wronglyAccepted
}

// wrongErrors are peerjob's errors in the name of a server that accepts. An error
// about a field that the server is said not to have is wrong if the server kept
// the field as it was meant. Any other is wrong unless it is on a field that the
// server rightly is said not to have: it did not judge that one.
func (v *verdict) wrongErrors() field.ErrorList {
	wrong := v.wrongVersion()
	for _, err := range v.admission {
		if !v.isMissing(err.Field) {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

func (v *verdict) wrongVersion() field.ErrorList {
	var wrong field.ErrorList
	for _, err := range v.version {
		if !v.isMissing(err.Field) {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// isMissing reports whether peerjob says that the server does not have a field,
// and the server dropped it or read it otherwise.
func (v *verdict) isMissing(path string) bool {
	said := func(err *field.Error) bool { return overlap(path, err.Field) }
	changed := func(changed string) bool { return overlap(path, changed) }
	return slices.ContainsFunc(v.version, said) && slices.ContainsFunc(v.changed(), changed)
}

// changed are the paths of what the server read otherwise or dropped.
func (v *verdict) changed() []string {
	paths := slices.Concat(v.dropped, v.emptied)
	for _, misread := range v.misread {
		path, _, _ := strings.Cut(misread, ": ")
		paths = append(paths, path)
	}
	return paths
}

// silentlyChanged are the fields that the server read otherwise or dropped, and
// of which peerjob did not warn.
func (v *verdict) silentlyChanged() []string {
	var changed []string
	for _, misread := range v.misread {
		if path, _, _ := strings.Cut(misread, ": "); !v.hasWarned(path) {
			changed = append(changed, misread)
		}
	}
	for _, path := range v.dropped {
		if !v.hasWarned(path) {
			changed = append(changed, path+": dropped")
		}
	}
	return changed
}

func (v *verdict) hasWarned(path string) bool {
	return slices.ContainsFunc(v.warned, func(field string) bool { return overlap(path, field) })
}

// overlap reports whether one path is, or lies below, the other, wherever in
// their lists they are: the places in an environment are not the same in a
// PeerJob and its Job.
func overlap(a, b string) bool {
	a, b = place(a), place(b)
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// roleOf matches the role that a field of a PeerJob is in. Its Job has the field in spec.
var roleOf = regexp.MustCompile(`^spec\.roles\[\d+\]`)

// place is a path without the indexes. The resources of a runner are those of the init
// container that expansion adds, and its delivery is the volume.
func place(path string) string {
	path = roleOf.ReplaceAllString(path, "spec")
	path = strings.Replace(path, "spec.runner.resources", "spec.template.spec.initContainers[0].resources", 1)
	path = strings.Replace(path, "spec.runner.delivery", "spec.template.spec.volumes[0].image", 1)
	return indexes.ReplaceAllString(path, ".[]") + "."
}

// reason tells findings of the same cause from others: what the side that
// refuses says first, without the values.
func (v *verdict) reason() string {
	switch v.kind() {
	case wronglyRefused:
		return plain(v.wrongErrors()[0].ErrorBody())
	case readOtherwise:
		return plain(v.silentlyChanged()[0])
	}
	for _, answer := range v.answers {
		switch {
		case answer.Accepted():
		case len(answer.Causes) > 0:
			return plain(answer.Causes[0].Message)
		default:
			return plain(answer.Message)
		}
	}
	return ""
}

var values = regexp.MustCompile(`\{".*\}|\[\]|null|"(\\.|[^"\\])*"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+`)

// plain is a message without the values in it.
func plain(message string) string { return values.ReplaceAllString(message, "_") }

// untold returns what the server says to a PeerJob that both refuse and
// peerjob does not: every run of peerjob should name all errors.
func (v *verdict) untold() []string {
	told, missing := map[string]bool{}, map[string]bool{}
	for _, err := range slices.Concat(v.own, v.admission, v.version) {
		told[plain(err.ErrorBody())] = true
		if diag.Misses(err) {
			missing[place(err.Field)] = true
		}
	}
	var untold []string
	for _, answer := range v.answers {
		if !answer.Accepted() && len(answer.Causes) == 0 {
			untold = append(untold, plain(answer.Message))
		}
		for _, cause := range answer.Causes {
			fromContainer := v.derivedPorts && strings.HasPrefix(cause.Field, "spec.ports[")
			if message := plain(cause.Message); !told[message] && !fromContainer && !(ofMissing.MatchString(cause.Message) && missing[place(cause.Field)]) {
				untold = append(untold, indexes.ReplaceAllString(cause.Field, "[]")+": "+message)
			}
		}
	}
	return untold
}

// ofMissing matches what the server says of a value that is missing: several things, of which
// peerjob says one.
var ofMissing = regexp.MustCompile(`^(?:Required value|(?:Invalid|Unsupported) value: ""|Not found: "")`)

var indexes = regexp.MustCompile(`\[\d+\]`)

// keys are the indexes of lists and the keys of maps in a path.
var keys = regexp.MustCompile(`\[[^\]]*\]`)

// rules returns what errors say, each rule once, without the values.
func rules(errs field.ErrorList) []string {
	var rules []string
	for _, err := range errs {
		if rule := ruleOf(err); !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return rules
}

// same are places and words in which errors of one rule differ, and what stands for all of
// them.
var same = struct{ path, text []replacement }{
	path: []replacement{
		{keys, "[]"},
		{regexp.MustCompile(`^spec\.roles\[\]\.template\b`), "spec.template"},
		{regexp.MustCompile(`\.(?:initC|ephemeralC)ontainers\[\]`), ".containers[]"},
		{regexp.MustCompile(`\.(?:livenessProbe|readinessProbe|startupProbe|lifecycle\.(?:postStart|preStop))(?:\.(?:exec|httpGet|tcpSocket|grpc|sleep))?\b`), ".probeOrHook"},
		{regexp.MustCompile(`\.volumes\[\]\.(?:projected\.sources\[\]\.)?downwardAPI\b`), ".volumes[].downwardAPI"},
	},
	text: []replacement{
		{regexp.MustCompile(`\bspec\.roles\[\d+\]`), "spec.roles[]"},
		{values, "_"},
		{regexp.MustCompile(`-_\b`), "_"}, // a number below 0
		{regexp.MustCompile(`\b(?:` + strings.Join(frameworkTypes(), "|") + `)\b`), "_"},
		{regexp.MustCompile(`\bcontainer [^\s,;]+(,| never starts| does not run| has)`), "container _$1"},
		{regexp.MustCompile(`\brole [^\s,;]+ has\b`), "role _ has"},
		{regexp.MustCompile(`\broles (?:[^\s,;]+, )*[^\s,;]+ have\b`), "role _ has"},
		{regexp.MustCompile(`, of (?:[^\s,;]+, )*[^\s,;]+ and [^\s,;]+`), ", of _"},
		{regexp.MustCompile(`\$\(\w+\)`), "$$(_)"},
		{regexp.MustCompile(`\b_(?:, _)+`), "_"},
		{regexp.MustCompile(`; did you mean _\?$`), ""},
	},
}

// replacement is what stands for everything that an expression matches.
type replacement struct {
	of *regexp.Regexp
	by string
}

// ruleOf is what an error says, with "_" in the place of names and values, and one place for
// all those in which the rule holds in the same way: every kind of container, probe and hook,
// in a role or not.
func ruleOf(err *field.Error) string {
	path, text := err.Field, err.ErrorBody()
	for _, one := range same.path {
		path = one.of.ReplaceAllString(path, one.by)
	}
	for _, one := range same.text {
		text = one.of.ReplaceAllString(text, one.by)
	}
	return path + ": " + text
}

func frameworkTypes() []string {
	var types []string
	for _, entry := range framework.Entries() {
		types = append(types, regexp.QuoteMeta(entry.Type))
	}
	return types
}

// report tells both sides of a finding.
func (v *verdict) report() string {
	var out strings.Builder
	section := func(title string, lines ...string) {
		fmt.Fprintf(&out, "%s:\n", title)
		for _, line := range lines {
			fmt.Fprintf(&out, "    %s\n", strings.ReplaceAll(strings.TrimSpace(line), "\n", "\n    "))
		}
	}
	section("PeerJob", string(v.text))
	section("peerjob's own rules", messages(v.own)...)
	section("peerjob in the server's name", messages(slices.Concat(v.admission, v.version))...)
	for _, a := range v.answers {
		section("the server to the "+a.kind, answerText(a.Answer))
	}
	if changed := v.silentlyChanged(); len(changed) > 0 {
		section("read otherwise by the server, or dropped, and peerjob did not warn", changed...)
	}
	return out.String()
}

func messages(errs field.ErrorList) []string {
	if len(errs) == 0 {
		return []string{"accepted"}
	}
	var lines []string
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	return lines
}

func answerText(answer apiserver.Answer) string {
	if answer.Accepted() {
		return "accepted"
	}
	return fmt.Sprintf("%d %s", answer.Code, answer.Message)
}
