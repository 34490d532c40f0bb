// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/spell"
)

// Variables are what a rule must know of the variables that are not in a Pod template
// yet.
type Variables struct {
	// Before returns those that stand before the container's own.
	Before func(container *corev1.Container) []corev1.EnvVar
	// Exported returns those that a shell sets for the command alone, with what it computes;
	// nil for none.
	Exported func(container *corev1.Container) []corev1.EnvVar
	// After are the names of those that come behind the container's own: command, args
	// and subPathExpr see them.
	After []string
	// Peers are the names of all variables of the peers, whether or not they are set:
	// a name that is like one of them was meant to be it.
	Peers []string
	// Runner are variables that only the command sees, because the runner in its container
	// sets them when it starts it.
	Runner RunnerVariables
}

// RunnerVariables are variables that the runner puts into command and args itself.
type RunnerVariables struct {
	// Names are their names.
	Names []string
	// In reports whether the runner of a container sets one of them; nil for none.
	In func(container *corev1.Container, name string) bool
	// Missing says of any other container why it does not have one of them, and what to write,
	// without its subject. ref writes a variable as the text does: "$(NAME)" or "$NAME".
	Missing func(name string, ref func(name string) string) string
}

// References finds "$(NAME)" in command, args and env that uses a variable that is not
// set yet, or never is: the kubelet leaves it as it is then, and reports nothing.
//
//   - A name that is like that of a variable of the peers is reported anywhere.
//   - Another one is not reported where variables come from elsewhere (envFrom, service
//     links) or in a script: there "$(NAME)" is also how a shell calls a command.
//   - A "$NAME" of a variable that is set is reported where no shell reads it: in a
//     command without one, and in the value of a variable of one word. What an image
//     starts by itself may be one.
//
// See https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/.
func References(template *corev1.PodTemplateSpec, variables Variables, path *field.Path) []diag.Warning {
	var w []diag.Warning
	EachContainer(template, path, func(container *corev1.Container, path *field.Path) {
		s := scopeOf(template, container, variables)
		for _, text := range Texts(container, path) {
			if text.Variable == "" && !runsScript(container) {
				for _, name := range plainReferences(text.Value) {
					if s.visible(name) {
						w = append(w, diag.Warn(text.Path(), "uses $%s, and no shell reads it here; write $(%s)", name, name))
					}
				}
			}
			if text.Variable != "" && strings.Contains(text.Value, "$") && isPlainValue(text.Value) && !expandsItself(container) {
				for _, name := range plainReferences(text.Value) {
					if own, isOwn := s.own[name]; s.isBefore(name) || isOwn && own < s.own[text.Variable] {
						w = append(w, diag.Warn(text.Path(), "uses $%s, and no shell reads it here; write $(%s)", name, name))
					}
				}
			}
			for _, name := range Referenced(text.Value) {
				own, isOwn := s.own[name]
				switch {
				case s.isBefore(name), isOwn && own < s.own[text.Variable], text.Variable == "" && (s.visible(name) || s.isRunners(name)):
				case text.Variable == name:
					w = append(w, diag.Warn(text.Path(), "uses $(%s) in its own value, and no variable before it sets it; a variable of the image is not visible here, so set it in the command with a shell", name))
				case isOwn:
					w = append(w, diag.Warn(text.Path(), "uses $(%s), and it sees only the variables before it; move env[%d] up", name, own))
				case slices.Contains(s.runner.Names, name):
					w = append(w, diag.Warn(text.Path(), "uses $(%s), %s", name, s.notRunners(name, func(name string) string { return "$(" + name + ")" })))
				case s.meant(name) != "":
					w = append(w, diag.Warn(text.Path(), "uses $(%s), which no variable sets; did you mean $(%s)?", name, s.meant(name)))
				case slices.Contains(s.peers, name):
					w = append(w, diag.Warn(text.Path(), "uses $(%s), which is not set, and stays in the value as it is; set spec.peerEnv to Enabled", name))
				case !s.mayBeSet(name) && !text.Script && name == "HOSTNAME" && s.isBefore("PEERJOB_NAME"):
					w = append(w, diag.Warn(text.Path(), "uses $(HOSTNAME), which no variable sets, and it stays in the value as it is; write $(PEERJOB_NAME)-$(JOB_COMPLETION_INDEX), which is the host name"))
				case !s.mayBeSet(name) && !text.Script && isVariable(name):
					w = append(w, diag.Warn(text.Path(), "uses $(%s), which no variable sets, and it stays in the value as it is; write $$(%s) if that is meant", name, name))
				}
			}
			names := shellReferences(text.Value)
			if len(names) == 0 {
				continue
			}
			assigned := assignedIn(text.Value)
			for _, name := range names {
				if _, isOwn := s.own[name]; isOwn || assigned[name] {
					continue
				}
				switch {
				case slices.Contains(s.runner.Names, name):
					if s.lacks(name) && !hasDefault(text.Value, name) {
						w = append(w, diag.Warn(text.Path(), "uses $%s, %s", name, s.notRunners(name, func(name string) string { return "$" + name })))
					}
				case s.meant(name) != "":
					w = append(w, diag.Warn(text.Path(), "uses $%s, which no variable sets; did you mean $%s?", name, s.meant(name)))
				}
			}
		}
	})
	return diag.Few(w)
}

// scope is what is known of the variables of a container.
type scope struct {
	// before are the variables that stand before the container's own.
	before map[string]corev1.EnvVar
	// own are the container's own, by their index in env.
	own map[string]int
	// last are the container's own, of two with one name the last one.
	last map[string]corev1.EnvVar
	// exported are what a shell computes for the command alone, by name.
	exported map[string]string
	// after and peers are those of Variables.
	after, peers []string
	// runner are those of Variables, and runs the names of those that the container has.
	runner RunnerVariables
	runs   []string
	// fromElsewhere is whether envFrom brings variables, too, and links whether Services do.
	fromElsewhere, links bool
}

func scopeOf(template *corev1.PodTemplateSpec, container *corev1.Container, variables Variables) scope {
	links := template.Spec.EnableServiceLinks
	s := scope{
		before: map[string]corev1.EnvVar{}, own: map[string]int{}, last: map[string]corev1.EnvVar{}, after: variables.After, peers: variables.Peers,
		runner:        variables.Runner,
		fromElsewhere: len(container.EnvFrom) > 0, links: links == nil || *links,
	}
	for _, name := range variables.Runner.Names {
		if variables.Runner.In != nil && variables.Runner.In(container, name) {
			s.runs = append(s.runs, name)
		}
	}
	for _, variable := range variables.Before(container) {
		s.before[variable.Name] = variable
	}
	if variables.Exported != nil {
		s.exported = map[string]string{}
		for _, variable := range variables.Exported(container) {
			s.exported[variable.Name] = variable.Value
		}
	}
	for i, variable := range container.Env {
		s.last[variable.Name] = variable
		if _, found := s.own[variable.Name]; !found {
			s.own[variable.Name] = i
		}
	}
	return s
}

func (s scope) isBefore(name string) bool {
	_, found := s.before[name]
	return found
}

// set returns the variable of this name in env, as peerjob writes that. Of two with one
// name, the last one counts.
func (s scope) set(name string) (corev1.EnvVar, bool) {
	if variable, found := s.last[name]; found {
		return variable, true
	}
	variable, found := s.before[name]
	if !found && slices.Contains(s.after, name) {
		// Those that come behind are the Job controller's, which takes them from fields.
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{}}, true
	}
	return variable, found
}

// isKnown reports whether a name is that of a variable that the container has, or that
// of a variable of the peers.
func (s scope) isKnown(name string) bool { return s.visible(name) || slices.Contains(s.peers, name) }

// mayBeSet reports whether something may set a variable that can't be known here.
func (s scope) mayBeSet(name string) bool {
	return s.fromElsewhere || s.links && serviceLink.MatchString(name)
}

// serviceLink matches the name of a variable of a Service. See FromServices in
// k8s.io/kubernetes/pkg/kubelet/envvars.
var serviceLink = lazyregexp.New(`^[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_[A-Z0-9_]+)?$`)

// visible reports whether command, args and subPathExpr see a variable.
func (s scope) visible(name string) bool {
	_, isOwn := s.own[name]
	return isOwn || s.isBefore(name) || slices.Contains(s.after, name) || strings.HasPrefix(name, "KUBERNETES_")
}

// meant returns the variable of the peers that a name was probably meant to be, ""
// for a name that is right, set by the user or like none.
func (s scope) meant(name string) string {
	if slices.Contains(s.peers, name) || slices.Contains(s.runner.Names, name) {
		return ""
	}
	return spell.Nearest(name, slices.Concat(s.peers, s.runs))
}

// isRunners reports whether the runner puts a variable into the command of the container.
func (s scope) isRunners(name string) bool { return slices.Contains(s.runs, name) }

// notRunners says why a string does not see a variable of the runner.
func (s scope) notRunners(name string, ref func(string) string) string {
	if s.isRunners(name) {
		return "which only command and args see, because the runner sets it when it starts the command; use it there"
	}
	return s.runner.Missing(name, ref)
}

// lacks reports whether nothing gives a container a variable of the runner: the command has it
// where the runner starts that, and its scripts do.
func (s scope) lacks(name string) bool {
	return !s.isRunners(name) && !s.isBefore(name) && !s.fromElsewhere
}

// hasDefault reports whether a script says what to take where a variable is not set:
// "${NAME:-0}", or asks whether it is.
func hasDefault(script, name string) bool {
	for _, operator := range []string{":", "-", "+", "="} {
		if strings.Contains(script, "${"+name+operator) {
			return true
		}
	}
	return false
}

// isVariable reports whether a name in "$(NAME)" can be that of a variable, and not a
// command with arguments.
func isVariable(name string) bool {
	return variableName.MatchString(name) && !strings.HasPrefix(name, "KUBERNETES_")
}

var variableName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

// shellReference matches a variable of the peers as a shell reads it.
var shellReference = lazyregexp.New(`\$\{?((?:PEERJOB|JOB_COMPLETION)_[A-Za-z0-9_]+)`)

func shellReferences(text string) []string {
	if !strings.Contains(text, "$") {
		return nil
	}
	var names []string
	seen := map[string]bool{}
	for _, match := range shellReference.FindAllStringSubmatch(text, -1) {
		if !seen[match[1]] {
			seen[match[1]] = true
			names = append(names, match[1])
		}
	}
	return names
}

// plainReference matches a variable as a shell reads it, with what is before it: "$$" is
// no variable.
var plainReference = lazyregexp.New(`(?:^|[^$\\])\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)

func plainReferences(text string) []string {
	if !strings.Contains(text, "$") {
		return nil
	}
	var names []string
	for _, match := range plainReference.FindAllStringSubmatch(text, -1) {
		if name := match[1] + match[2]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// reader matches a program that may read "$NAME" itself, or that hands its arguments to
// one that does.
var reader = lazyregexp.New(`^(ba|z|da|k|a|fi|c|tc)?sh$|^(busybox|env|envsubst|eval|ssh|rsh|su|sudo|parallel|xargs|docker|kubectl|make|awk|gawk|sed|grep|perl|ruby|node|php|tclsh|expect|pwsh|[Rr]script)$|\.(sh|bash|pl|rb|js|mk)$|entry-?point|launch|wrapper`)

// isPlainValue reports whether the value of a variable is one word, and no script for
// something that reads it.
func isPlainValue(value string) bool { return len(strings.Fields(value)) == 1 }

// selfExpanding matches a program that puts variables into the values of others.
var selfExpanding = lazyregexp.New(`\b(?:envsubst|eval)\b`)

// expandsItself reports whether a container may read "$NAME" in the value of a variable.
func expandsItself(container *corev1.Container) bool {
	return slices.ContainsFunc(Texts(container, nil), func(t Text) bool {
		return (strings.Contains(t.Value, "envsubst") || strings.Contains(t.Value, "eval")) && selfExpanding.MatchString(t.Value)
	})
}

// runsScript reports whether a container may have a shell, or another program that reads
// "$NAME": its command has one, or is that of the image.
func runsScript(container *corev1.Container) bool {
	return len(container.Command) == 0 || readsVariables(slices.Concat(container.Command, container.Args))
}

// readsVariables reports whether a command may have a shell, or another program that reads
// "$NAME".
func readsVariables(words []string) bool {
	for i, word := range words {
		if isScript(words, i) {
			return true
		}
		for part := range strings.FieldsSeq(word) {
			if reader.MatchString(part[strings.LastIndex(part, "/")+1:]) {
				return true
			}
		}
	}
	return false
}

// peersVariable matches the name of a variable of the peers, or one like it.
var peersVariable = lazyregexp.New(`\b(?:PEERJOB|JOB_COMPLETION)_\w+`)

// assignedIn returns the names like those of the peers' variables that a script sets
// itself: with "NAME=", or as a word alone, such as that of "export", "local" or "read".
func assignedIn(text string) map[string]bool {
	if !strings.Contains(text, "PEERJOB_") && !strings.Contains(text, "JOB_COMPLETION_") {
		return nil
	}
	assigned := map[string]bool{}
	for _, at := range peersVariable.FindAllStringIndex(text, -1) {
		begins := at[0] == 0 || strings.IndexByte(" \t\n\f\r;&|(", text[at[0]-1]) >= 0
		ends := at[1] == len(text) || strings.IndexByte(" \t\n\f\r;=", text[at[1]]) >= 0
		if begins && ends {
			assigned[text[at[0]:at[1]]] = true
		}
	}
	return assigned
}

// Referenced returns the names in the "$(NAME)" of a value, each once, as the kubelet
// reads them.
func Referenced(value string) []string {
	var names []string
	seen := map[string]bool{}
	expand(value, func(name string) string {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
		return ""
	})
	return names
}

// expand is [Expand] with a function that returns what stands in the place of every name.
func expand(value string, of func(name string) string) string {
	return Expand(value, func(name string) (string, bool) { return of(name), true })
}
