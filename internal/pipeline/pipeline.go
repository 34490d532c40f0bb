// SPDX-License-Identifier: Apache-2.0

// Package pipeline answers: what does the function make of a list of objects?
//
// # The way of a list
//
//	Run        list in, list out; a panic becomes an error
//	Expand     the objects of a list or of files
//	  find         the settings, and the PeerJobs to expand
//	  expansion    each PeerJob by itself, side by side
//	  conflicts    what can't be in one cluster, or could not be told apart
//	  neighbors    what would get in the way of the peers
//	  merge        where the objects go
//
// Each step takes values and returns values, and none calls an earlier one.
//
// # Rules
//
//   - On any error, the list goes out as it came in, with the errors in its results.
//   - One run reports every error.
//   - A list with items is written whatever happens.
//
// # Never
//
// It never reads or writes a stream, and never ends the process.
package pipeline

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/kinds"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/lint"
	"github.com/peerjob/peerjob/internal/merge"
	"github.com/peerjob/peerjob/internal/neighbors"
	"github.com/peerjob/peerjob/internal/parallel"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/values"
)

// Options are the caller's options.
type Options struct {
	// RunnerImage is the default of spec.runner.image.
	RunnerImage string
	// Values are files with values for templates. Later ones override earlier ones, and
	// all override those of every PeerJob.
	Values []values.File
	// Assignments change single values after everything was merged. Each that no
	// template reads is warned of.
	Assignments []values.Assignment

	// onlyCheck is whether nobody wants the objects.
	onlyCheck bool
}

// Reader reads a ResourceList with all annotations that the function reads of
// objects that are no PeerJobs.
var Reader = krmlist.NewReader(func(key string) bool {
	return v1alpha1.IsReservedKey(key) || strings.HasSuffix(key, selectorSuffix)
})

// Run runs the function on the text of a ResourceList and returns the list to
// write, with the findings in its results. A panic, which no input should cause,
// becomes an error like any other.
func Run(data []byte, read krmlist.Reader, options Options, report *results.Report) (out krmlist.Output) {
	defer func() {
		if cause := recover(); cause != nil {
			report.AddPanic(cause)
			out = unchanged(data, report)
		}
	}()
	list, err := read(data)
	objects := list.Objects()
	if err != nil {
		report.Errorf(nil, "%v", err)
	} else {
		objects, _ = expandAll(objects, list.FunctionConfig(), options, report)
	}
	return encode(list, objects, report)
}

// Refuse returns an empty list with the findings in its results.
func Refuse(report *results.Report) krmlist.Output { return encode(krmlist.Empty(), nil, report) }

// Expand runs the function on the objects of files. It returns the objects to write,
// which are all but the PeerJobs, and what it found to expand.
func Expand(objects []*krmlist.Object, options Options, report *results.Report) ([]*krmlist.Object, []*expansion.Expansion) {
	out, expansions := expandAll(objects, nil, options, report)
	return slices.DeleteFunc(slices.Clone(out), isPeerJob), expansions
}

// Check runs the function on the objects of files and makes no object. It returns how many
// PeerJobs it has found.
func Check(objects []*krmlist.Object, options Options, report *results.Report) (peerJobs int) {
	options.onlyCheck = true
	_, expansions := expandAll(objects, nil, options, report)
	return len(expansions)
}

// encode encodes a list with these objects and the findings in it.
func encode(list krmlist.List, objects []*krmlist.Object, report *results.Report) krmlist.Output {
	out, err := list.Encode(objects, report.Results())
	if errors.Is(err, krmlist.ErrTooLarge) {
		report.Errorf(nil, "stdin: %v", err)
		return Refuse(report)
	}
	if err != nil {
		panic(err)
	}
	return out
}

// unchanged encodes the input with the findings in it, as far as it can be read.
func unchanged(data []byte, report *results.Report) (out krmlist.Output) {
	defer func() {
		if cause := recover(); cause != nil {
			out = Refuse(report)
		}
	}()
	list, _ := Reader(data)
	return encode(list, list.Objects(), report)
}

// expandAll returns the list with every PeerJob expanded, or the very same list
// when anything is wrong, and what it found to expand.
func expandAll(objects []*krmlist.Object, functionConfig *krmlist.Object, options Options, report *results.Report) ([]*krmlist.Object, []*expansion.Expansion) {
	krmlist.Locate(objects)
	expansions, settings := findPeerJobs(objects, functionConfig, report)
	settings.defaults.RunnerImage = cmp.Or(settings.defaults.RunnerImage, options.RunnerImage)
	refuseSelectors(objects, report)
	refuseLossyMode(objects, settings, report)
	sources := expansion.NewSources(objects, options.Values, options.Assignments)
	looks := expandEach(expansions, settings.defaults, sources, report)
	refuseConflicts(expansions, objects, report)
	warnOfGenerator(objects, functionConfig, report)
	if settings.mode == modeLint {
		addLint(objects, settings, report)
	}
	if report.Failed() {
		return objects, expansions
	}
	warnOfNamespaces(expansions, objects, report)
	neighbors.Warn(expansions, looks, objects, report)
	warnOfValues(expansions, options, sources, report)
	if options.onlyCheck {
		return objects, expansions
	}
	if settings.mode != modeExpand {
		merge.WarnOfEdits(objects, expansions, report)
	}
	switch settings.mode {
	case modeValidate:
		return objects, expansions
	case modeKustomizeValidator:
		return nil, expansions
	case modeLint:
		if slices.ContainsFunc(objects, (*krmlist.Object).InKustomize) {
			return nil, expansions
		}
		return objects, expansions
	}
	return merge.Merge(objects, expansions, settings.prune, report), expansions
}

// addLint reports what is wrong with the Services and Jobs of the list that peerjob did
// not make: those of a PeerJob are checked with it.
func addLint(objects []*krmlist.Object, settings settings, report *results.Report) {
	for _, f := range lint.Objects(objects, lint.Options{ClusterDomain: settings.defaults.ClusterDomain, KubernetesVersion: settings.defaults.KubernetesVersion}) {
		about := f.About()
		if kinds.IsOwned(about.APIVersion, about.Kind, about.Annotations) {
			continue
		}
		report.AddRule(about, f.Severity == lint.Error, f.ID, f.Field, f.Message)
	}
}

// expansionShare is how many PeerJobs a core takes at a time.
const expansionShare = 8

// expandEach expands the PeerJobs side by side, and reports what was found in them
// in their order. It keeps no more of each than the steps behind it need for sure, and
// returns what neighbors needs of those without errors.
func expandEach(expansions []*expansion.Expansion, defaults v1alpha1.Settings, sources *expansion.Sources, report *results.Report) []neighbors.Look {
	type verdict struct {
		errs     field.ErrorList
		warnings []diag.Warning
	}
	verdicts, looks := make([]verdict, len(expansions)), make([]neighbors.Look, len(expansions))
	parallel.For(len(expansions), expansionShare, func(i int) {
		e, v := expansions[i], &verdicts[i]
		if v.errs, v.warnings = e.Expand(defaults, sources); len(v.errs) > 0 {
			return
		}
		if looks[i] = neighbors.LookAt(e); looks[i].IsQuiet() {
			e.Forget()
		}
	})
	for i, v := range verdicts {
		report.AddErrors(expansions[i].Source, v.errs)
		report.AddWarnings(expansions[i].Source, v.warnings)
	}
	return looks
}

// warnOfGenerator says when the settings are all that the function was given: a
// generator of kustomize gets its own configuration as the only item.
func warnOfGenerator(objects []*krmlist.Object, functionConfig *krmlist.Object, report *results.Report) {
	if functionConfig == nil || isPeerJob(functionConfig) || len(objects) != 1 {
		return
	}
	if only := objects[0]; only.Kind == functionConfig.Kind && only.Name == functionConfig.Name && only.Namespace == functionConfig.Namespace {
		report.Warningf(functionConfig, "no object reached peerjob but its own settings; kustomize: list peerjob under transformers, because a generator sees no resources")
	}
}

// warnOfValues says when values reach no template, all of the caller's or one.
func warnOfValues(expansions []*expansion.Expansion, options Options, sources *expansion.Sources, report *results.Report) {
	if len(options.Values)+len(options.Assignments) > 0 && !slices.ContainsFunc(expansions, (*expansion.Expansion).HasTemplates) {
		report.Warningf(nil, "the values of the command line reach no template: no PeerJob has spec.templating: Enabled")
		return
	}
	for _, unread := range expansion.UnreadValues(expansions, sources) {
		switch {
		case unread.ConfigMap != nil:
			report.Warningf(unread.ConfigMap, "data[%s]: no template reads the value %s%s", unread.DataKey, unread.Key, unread.Hint())
		case unread.File != "":
			report.Warningf(nil, "--values %s: no template reads the value %s%s", unread.File, unread.Key, unread.Hint())
		default:
			report.Warningf(nil, "no template reads the value %s of the command line%s", unread.Key, unread.Hint())
		}
	}
}
