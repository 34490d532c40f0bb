// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/apitype"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// Unexpanded finds "$(NAME)" of a variable of the container in strings in which the
// kubelet does not expand it as in command, args, env and subPathExpr ([References]):
//
//   - In the command of an exec probe, the kubelet puts in only the values that are
//     written in env, as they are written. A variable from a field, a ConfigMap or a
//     Secret becomes empty, and a "$(NAME)" in a value stays.
//   - The command of a lifecycle hook, and every other string, stays as it is.
//
// A name that no variable has is reported where nothing else reads it either: in a word of
// a command without a shell, and in the host, path and headers of a probe or a hook. In a
// script "$(NAME)" is also how a shell calls a command, and any other string may be meant
// as it is. A "$NAME" is reported in a command without a shell.
//
// See ExpandContainerCommandOnlyStatic in k8s.io/kubernetes/pkg/kubelet/container and
// RunInContainer in k8s.io/kubernetes/pkg/kubelet/lifecycle.
func Unexpanded(template *corev1.PodTemplateSpec, variables Variables, path *field.Path) []diag.Warning {
	var w []diag.Warning
	var scopes []scope
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		s := scopeOf(template, container, variables)
		scopes = append(scopes, s)
		for _, command := range Commands(container, path) {
			for i, word := range command.Words {
				w = append(w, s.inCommand(command, word, i)...)
			}
		}
		eachText(reflect.ValueOf(container).Elem(), path, func(text string, at *field.Path) {
			w = append(w, elsewhere(text, at, func(name string) bool { return s.isKnown(name) || s.isRunners(name) }, s.meant)...)
		})
	})
	isKnown := func(name string) bool {
		return slices.ContainsFunc(scopes, func(s scope) bool { return s.isKnown(name) })
	}
	meant := func(name string) string { return scope{peers: variables.Peers, runner: variables.Runner}.meant(name) }
	eachText(reflect.ValueOf(&template.Spec).Elem(), path.Child("spec"), func(text string, at *field.Path) {
		if isForDriver.MatchString(at.String()) {
			return
		}
		w = append(w, elsewhere(text, at, isKnown, meant)...)
	})
	return diag.Few(w)
}

// isForDriver matches the fields that a volume driver reads, which may have a
// "$(NAME)" of its own.
var isForDriver = lazyregexp.New(`\.(volumeAttributes|options)\[`)

// Command is what the kubelet runs in a container that runs already.
type Command struct {
	Words []string
	// Path is the field of the list of words.
	Path *field.Path
	// Probe is whether it is that of a probe. Otherwise it is that of a hook.
	Probe bool
}

// kind is what the kubelet runs the command for.
func (c Command) kind() string {
	if c.Probe {
		return "probe"
	}
	return "hook"
}

// Commands returns the commands of the probes and of the lifecycle hooks of a container.
func Commands(container *corev1.Container, path *field.Path) []Command {
	var commands []Command
	add := func(exec *corev1.ExecAction, probe bool, at *field.Path) {
		if exec != nil {
			commands = append(commands, Command{Words: exec.Command, Path: at.Child("exec", "command"), Probe: probe})
		}
	}
	for _, probe := range []struct {
		name  string
		probe *corev1.Probe
	}{{"livenessProbe", container.LivenessProbe}, {"readinessProbe", container.ReadinessProbe}, {"startupProbe", container.StartupProbe}} {
		if probe.probe != nil {
			add(probe.probe.Exec, true, path.Child(probe.name))
		}
	}
	if lifecycle := container.Lifecycle; lifecycle != nil {
		if hook := lifecycle.PostStart; hook != nil {
			add(hook.Exec, false, path.Child("lifecycle", "postStart"))
		}
		if hook := lifecycle.PreStop; hook != nil {
			add(hook.Exec, false, path.Child("lifecycle", "preStop"))
		}
	}
	return commands
}

// programLike matches a "$(name)" in a script that may well run a program.
var programLike = lazyregexp.New(`[^A-Z0-9_]`)

// inCommand finds what the kubelet does not expand in a word of a command.
func (s scope) inCommand(command Command, word string, i int) []diag.Warning {
	at, script, reads := command.Path.Index(i), isScript(command.Words, i), readsVariables(command.Words)
	var w []diag.Warning
	said := map[string]bool{}
	for _, name := range slices.Concat(Referenced(word), plainReferences(word)) {
		value, isExported := s.exported[name]
		if _, isSet := s.set(name); !isExported || isSet || said[name] || sets(word, name) || hasDefault(word, name) {
			continue
		}
		said[name] = true
		w = append(w, diag.Warn(at, "uses %s, which a shell sets for the command of the container alone, and a %s does not have; compute it there: sh -c '%[1]s=%[3]s; …'", name, command.kind(), value))
	}
	if !reads {
		for _, name := range plainReferences(word) {
			if s.isKnown(name) {
				w = append(w, diag.Warn(at, `uses $%s, and no shell reads it here; run it with sh -c, and write "$%[1]s"`, name))
			}
		}
	}
	for _, name := range Referenced(word) {
		if said[name] || script && !command.Probe && programLike.MatchString(name) {
			continue
		}
		variable, isSet := s.set(name)
		cure := fmt.Sprintf(`run it with sh -c, and write "$%s"`, name)
		if script {
			cure = fmt.Sprintf(`write "$%s"`, name)
		}
		if slices.Contains(s.runner.Names, name) {
			cure = "leave it out: the runner sets it for the command alone"
		}
		switch {
		case !s.isKnown(name) && s.meant(name) == "":
			if !script && !reads && isVariable(name) {
				w = append(w, diag.Warn(at, "uses $(%s), which env does not have, and the kubelet leaves it as it is in a %s; %s", name, command.kind(), cure))
			}
		case s.meant(name) != "" && !isSet:
			w = append(w, diag.Warn(at, "uses $(%s), which no variable sets; did you mean $%s?", name, s.meant(name)))
		case !command.Probe:
			w = append(w, diag.Warn(at, "uses $(%s), and the kubelet expands no variables in a hook; %s", name, cure))
		case isSet && variable.ValueFrom != nil:
			w = append(w, diag.Warn(at, "uses $(%s), which is empty in a probe: the kubelet puts in only values that env has itself; %s", name, cure))
		case isSet && len(Referenced(variable.Value)) > 0:
			w = append(w, diag.Warn(at, "uses $(%s), and in a probe the kubelet leaves the variables in its value, %q, as they are; %s", name, variable.Value, cure))
		case !isSet:
			w = append(w, diag.Warn(at, "uses $(%s), which env does not have, and the kubelet leaves it as it is in a probe; %s", name, cure))
		}
	}
	assigned := assignedIn(word)
	for _, name := range shellReferences(word) {
		if _, isSet := s.set(name); !isSet && !assigned[name] && s.meant(name) != "" {
			w = append(w, diag.Warn(at, "uses $%s, which no variable sets; did you mean $%s?", name, s.meant(name)))
		}
	}
	return w
}

// sets reports whether a script sets a variable itself.
func sets(script, name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(script, func(r rune) bool { return strings.ContainsRune(" \t\n;&|(", r) }),
		func(word string) bool { return strings.HasPrefix(word, name+"=") })
}

// isRequest matches the fields of a probe or a hook that the kubelet sends to a host.
var isRequest = lazyregexp.New(`(?:Probe|\.lifecycle\.\w+)\.(?:httpGet|tcpSocket|grpc)\.`)

// elsewhere finds the variables in a string in which the kubelet expands none.
func elsewhere(text string, at *field.Path, isKnown func(string) bool, meant func(string) string) []diag.Warning {
	var w []diag.Warning
	for _, name := range slices.Concat(Referenced(text), shellReferences(text)) {
		if !isKnown(name) && meant(name) == "" && !(isRequest.MatchString(at.String()) && isVariable(name)) {
			continue
		}
		cure := "write the value itself"
		switch path := at.String(); {
		case strings.HasSuffix(path, ".subPath"):
			cure = fmt.Sprintf("write $(%s) in subPathExpr instead", name)
		case strings.HasSuffix(path, ".workingDir"):
			cure = fmt.Sprintf(`let the command do it: sh -c 'cd "%s" && …'`, forShell(text))
		case strings.Contains(path, "Probe."), strings.Contains(path, ".lifecycle."):
			cure = fmt.Sprintf(`use exec with sh -c and "$%s", or write the value itself`, name)
		}
		w = append(w, diag.Warn(at, "uses the variable %s, and the kubelet expands no variables in this field; %s", name, cure))
	}
	return w
}

// forShell returns a text with "$(NAME)" as a shell writes it.
func forShell(text string) string {
	for _, name := range Referenced(text) {
		text = strings.ReplaceAll(text, "$("+name+")", "${"+name+"}")
	}
	return needlessBraces.ReplaceAllString(text, "$$$1$2")
}

// needlessBraces matches a "${NAME}" that no letter of a name follows.
var needlessBraces = lazyregexp.New(`\$\{([A-Za-z0-9_]+)\}([^A-Za-z0-9_]|$)`)

// expanded are the fields in which the kubelet expands variables, and those that other
// parts of the rule visit.
var expanded = map[reflect.Type][]string{
	reflect.TypeFor[corev1.Container]():   {"name", "command", "args"},
	reflect.TypeFor[corev1.EnvVar]():      {"name", "value"},
	reflect.TypeFor[corev1.VolumeMount](): {"subPathExpr"},
	reflect.TypeFor[corev1.ExecAction]():  {"command"},
	reflect.TypeFor[corev1.PodSpec]():     {"containers", "initContainers", "ephemeralContainers"},
}

// eachText visits the strings of a value with a "$" in which the kubelet expands no
// variables.
func eachText(value reflect.Value, path *field.Path, visit func(text string, at *field.Path)) {
	w := textWalk{root: path, visit: visit}
	w.walk(value)
}

// textWalk is a way into a value, which becomes a path only where there is something to
// say: nearly all fields are visited for nothing.
type textWalk struct {
	root  *field.Path
	steps []step
	visit func(text string, at *field.Path)
}

// step is a field, the key of a map if isKey, or without a name the index of a list.
type step struct {
	name  string
	isKey bool
	index int
}

// path returns the way as a path.
func (w *textWalk) path() *field.Path {
	path := w.root
	for _, s := range w.steps {
		switch {
		case s.isKey:
			path = path.Key(s.name)
		case s.name != "":
			path = path.Child(s.name)
		default:
			path = path.Index(s.index)
		}
	}
	return path
}

// into walks a value one step further.
func (w *textWalk) into(value reflect.Value, s step) {
	w.steps = append(w.steps, s)
	w.walk(value)
	w.steps = w.steps[:len(w.steps)-1]
}

func (w *textWalk) walk(value reflect.Value) {
	switch value.Kind() {
	case reflect.String:
		if text := value.String(); strings.Contains(text, "$") {
			w.visit(text, w.path())
		}
	case reflect.Pointer:
		if !value.IsNil() {
			w.walk(value.Elem())
		}
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range value.Len() {
			w.into(value.Index(i), step{index: i})
		}
	case reflect.Map:
		keys := value.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			w.into(value.MapIndex(key), step{name: key.String(), isKey: true})
		}
	case reflect.Struct:
		if value.Type() == reflect.TypeFor[intstr.IntOrString]() {
			w.walk(value.FieldByName("StrVal"))
			return
		}
		skip := expanded[value.Type()]
		fields := apitype.Of(value.Type()).Fields
		for i := range fields {
			f := &fields[i]
			if !slices.Contains(skip, f.Name) {
				w.into(value.FieldByIndex(f.Index), step{name: f.Name})
			}
		}
	}
}
