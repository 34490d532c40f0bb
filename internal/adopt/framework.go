// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/framework"
	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/rules"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

// indexWord stands for the index of a peer where values are compared.
const indexWord = "<index>"

// contract is what a container tells a framework.
type contract struct {
	entry framework.Entry
	// container is its place among the containers.
	container int
	// variables are those that the preset sets, by their place in env.
	variables []int
	// flags are those of torchrun, by their place in words, and words the command with its
	// arguments.
	flags []flag
	// port and processes are what the preset is told, "" for the default.
	port, processes string
	// values are what the preset must set.
	values map[string]string
}

// preset writes spec.framework in the place of variables and flags, if the preset gives
// them the same values.
func (d *draft) preset(job *batchv1.Job) {
	if get(d.spec(), "framework") != nil || d.template == nil {
		return
	}
	template := typed[corev1.PodTemplateSpec](d.template)
	var best *contract
	for i := range template.Spec.Containers {
		for _, c := range d.contracts(job, template, i) {
			if best == nil || len(c.values) > len(best.values) {
				if d.fits(c, template) {
					best = &c
				}
			}
		}
	}
	if best == nil {
		d.noteMPI(template)
		return
	}
	before := template.Spec.Containers[best.container]
	d.write(*best, template)
	d.same = append(d.same, fmt.Sprintf("container %s: %s: spec.framework (%s) sets them to the same values", before.Name, strings.Join(best.named(before), ", "), best.entry.Type))
}

// named are the variables and flags that the preset replaces.
func (c contract) named(container corev1.Container) []string {
	var names []string
	for _, i := range c.variables {
		names = append(names, container.Env[i].Name)
	}
	for _, f := range c.flags {
		names = append(names, "--"+f.name)
	}
	return names
}

// contracts returns what a container may tell a framework.
func (d *draft) contracts(job *batchv1.Job, template *corev1.PodTemplateSpec, i int) []contract {
	container := &template.Spec.Containers[i]
	// The Job's own template, with annotations that the PeerJob does not have.
	fields := rules.PodFields(&job.Spec.Template, job.Name, job.Namespace, indexWord)
	values := rules.Resolve(container.Env, fields)
	if _, found := values.ByName[v1alpha1.EnvIndex]; !found {
		values.ByName[v1alpha1.EnvIndex] = indexWord // behind all others
	}
	var found []contract
	for _, entry := range framework.Entries() {
		if entry.Leader != nil || entry.Hostfile != nil || entry.SSH {
			continue // it brings more than variables
		}
		c := contract{entry: entry, container: i, values: map[string]string{}}
		for at, variable := range container.Env {
			if slices.ContainsFunc(entry.Variables, func(v framework.Variable) bool { return v.Name == variable.Name && !v.Yields }) {
				c.variables = append(c.variables, at)
				c.values[variable.Name] = values.List[at]
			}
		}
		if len(c.variables) > 0 {
			c.guess()
			found = append(found, c)
		}
	}
	if c, ok := torchrunFlags(container, i, values); ok {
		found = append(found, c)
	}
	return found
}

// guess reads the settings of the preset off the values: what it sets to a number that
// the variables have in another place.
func (c *contract) guess() {
	for _, v := range c.entry.Variables {
		value, set := c.values[v.Name]
		if !set {
			continue
		}
		switch {
		case strings.HasSuffix(v.Name, "_PORT") && isNumber(value):
			c.port = value
		case strings.HasSuffix(v.Name, "NPROC_PER_NODE"):
			c.processes = value
		case c.port == "":
			if match := portBehind.FindStringSubmatch(value); match != nil {
				c.port = match[1]
			}
		}
	}
	if c.port == strconv.Itoa(int(c.entry.Ports[0].Number)) {
		c.port = ""
	}
}

// portBehind matches the port of the first address in a value.
var portBehind = lazyregexp.New(`^(?:[a-z+]+://)?[\w.-]+:(\d+)`)

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// write writes the preset into the PeerJob.
func (d *draft) write(c contract, template *corev1.PodTemplateSpec) {
	own := mapping("type", c.entry.Type)
	if c.port != "" {
		set(own, "port", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: c.port})
	}
	if c.processes != "" {
		value := scalarOf(c.processes)
		if isNumber(c.processes) {
			value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: c.processes}
		}
		set(own, "processesPerPeer", value)
	}
	if len(template.Spec.Containers) > 1 {
		set(own, "containers", scalarOf([]string{template.Spec.Containers[c.container].Name}))
	}
	set(d.spec(), "framework", own)
	at := field.NewPath("spec", "template", "spec", "containers").Index(c.container)
	d.dropVariables(at, func(i int) bool { return slices.Contains(c.variables, i) })
	d.dropFlags(at, c.flags)
}

// fits reports whether the preset sets what the container had: every variable that the
// user set, to the same value, and no variable that says which peer this is, or how many
// there are, without the user's having said so.
func (d *draft) fits(c contract, template *corev1.PodTemplateSpec) bool {
	trial := &draft{options: d.options}
	node, err := clone(d.node)
	if err != nil {
		return false
	}
	trial.node, trial.template = node, get(node, "spec", "template")
	trial.write(c, template)
	before := expand(d.node, d.options)
	x := expand(trial.node, d.options)
	if len(x.errs) > 0 || x.job == nil {
		return false
	}
	if len(x.warnings) > len(before.warnings) {
		return false
	}
	container := &x.job.Spec.Template.Spec.Containers[c.container]
	values := rules.Resolve(container.Env, rules.PodFields(&x.job.Spec.Template, x.job.Name, x.job.Namespace, indexWord))
	told := map[string]bool{}
	for _, v := range c.entry.Variables {
		got, isSet := values.ByName[v.Name]
		want, wanted := c.values[v.Name]
		switch {
		case wanted && (!isSet || got != want):
			return false
		case wanted:
			for _, what := range tells(got, x) {
				told[what] = true
			}
		case isSet && len(tells(got, x)) > 0 && !v.Yields:
			return false
		}
	}
	return len(told) > 1
}

// tells returns what a value says of the peers: an index, a name or their number.
func tells(value string, x expanded) []string {
	var told []string
	if strings.Contains(value, indexWord) {
		told = append(told, "index")
	}
	if strings.Contains(value, x.group.PeerName(0)) {
		told = append(told, "name")
	}
	if value == strconv.Itoa(int(x.group.Peers())) {
		told = append(told, "number")
	}
	return told
}

// flag is a flag of torchrun in the words of a command.
type flag struct {
	name, value string
	// first is the place of its first word, and words how many it has.
	first, words int
}

// torchrunVariables are the variables from which torchrun reads its flags.
var torchrunVariables = map[string]string{
	"nnodes": "PET_NNODES", "nproc-per-node": "PET_NPROC_PER_NODE", "node-rank": "PET_NODE_RANK", "master-addr": "PET_MASTER_ADDR", "master-port": "PET_MASTER_PORT",
}

// torchrunFlags reads the flags of a command that is torchrun itself, not a script that
// calls it.
func torchrunFlags(container *corev1.Container, i int, values rules.Resolved) (contract, bool) {
	words := slices.Concat(container.Command, container.Args)
	first := startOfFlags(words)
	if first < 0 {
		return contract{}, false
	}
	entry, _ := framework.Find("Torchrun")
	c := contract{entry: *entry, container: i, values: map[string]string{}}
	for at := first; at < len(words) && strings.HasPrefix(words[at], "-"); at++ {
		name, value, hasValue := strings.Cut(strings.TrimLeft(words[at], "-"), "=")
		name = strings.ReplaceAll(name, "_", "-")
		f := flag{name: name, value: value, first: at, words: 1}
		if name == "m" || name == "module" || name == "no-python" {
			break // the program follows
		}
		if strings.HasPrefix(name, "rdzv") || name == "standalone" {
			return contract{}, false // another way to meet
		}
		if !hasValue && torchrunVariables[name] != "" && at+1 < len(words) {
			f.value, f.words = words[at+1], 2
		}
		at += f.words - 1
		if variable := torchrunVariables[name]; variable != "" {
			f.value = rules.Expand(f.value, values.Value)
			c.flags = append(c.flags, f)
			c.values[variable] = f.value
			continue
		}
		if !hasValue && at+1 < len(words) && !strings.HasPrefix(words[at+1], "-") && torchrunTakesValue(name) {
			at++
		}
	}
	if len(c.flags) == 0 {
		return contract{}, false
	}
	c.port, c.processes = c.values["PET_MASTER_PORT"], c.values["PET_NPROC_PER_NODE"]
	if c.port == strconv.Itoa(int(entry.Ports[0].Number)) {
		c.port = ""
	}
	return c, true
}

// torchrunTakesValue reports whether another flag of torchrun has a value behind it.
func torchrunTakesValue(name string) bool {
	return contains([]string{"max-restarts", "monitor-interval", "start-method", "role", "log-dir", "redirects", "tee", "local-addr", "local-ranks-filter", "logs-specs", "t", "r", "event-log-handler"}, name)
}

// startOfFlags is the place of the first word behind torchrun, -1 if the command is not
// torchrun.
func startOfFlags(words []string) int {
	switch {
	case len(words) > 0 && path.Base(words[0]) == "torchrun":
		return 1
	case len(words) > 2 && strings.HasPrefix(path.Base(words[0]), "python") && words[1] == "-m" && words[2] == "torch.distributed.run":
		return 3
	}
	return -1
}

// dropFlags takes flags out of the command and the arguments of a container.
func (d *draft) dropFlags(container *field.Path, flags []flag) {
	if len(flags) == 0 {
		return
	}
	node := at(d.node, container.String())
	command, args := get(node, "command"), get(node, "args")
	isDropped := func(place int) bool {
		return slices.ContainsFunc(flags, func(f flag) bool { return place >= f.first && place < f.first+f.words })
	}
	place := 0
	for _, list := range []*yaml.Node{command, args} {
		var kept []*yaml.Node
		for _, word := range elements(list) {
			if !isDropped(place) {
				kept = append(kept, word)
			}
			place++
		}
		if list != nil {
			list.Content = kept
		}
	}
	dropEmpty(node, "args")
}

// mpiStarter matches a call that starts MPI processes on other hosts. horovodrun calls
// mpirun.
var mpiStarter = lazyregexp.New(`\b(?:horovodrun|` + strings.ReplaceAll(strings.Join(framework.MPIStarters, "|"), ".", `\.`) + `)\b`)

// noteMPI says why a command that starts MPI is left as it is.
func (d *draft) noteMPI(template *corev1.PodTemplateSpec) {
	for i := range template.Spec.Containers {
		container := &template.Spec.Containers[i]
		for _, text := range rules.Texts(container, nil) {
			if found := mpiStarter.FindString(text.Value); found != "" {
				d.note("container %s runs %s, which stays as it is; spec.framework (OpenMPI, MPICH, IntelMPI) would bring ssh, its keys and a hostfile instead of the user's own: see peerjob frameworks", container.Name, cmp.Or(found, "mpirun"))
				return
			}
		}
	}
}

// text is the value of a scalar, "" for anything else.
func text(node *yaml.Node) string { return yamlnode.Text(node) }

// typedJob is what a draft says of its Job, for [draft.preset].
func typedJob(d *draft, name string) *batchv1.Job {
	job := &batchv1.Job{}
	job.Name, job.Namespace = name, text(get(d.node, "metadata", "namespace"))
	return job
}
