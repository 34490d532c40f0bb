// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/expansion"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/pipeline"
	"github.com/peerjob/peerjob/internal/results"
	"github.com/peerjob/peerjob/internal/values"
)

// File is one file of YAML or JSON documents.
type File struct {
	// Name is what messages call the file.
	Name string
	// Content is what is in it.
	Content []byte
	// Problem is why the file has no content, "" if it has.
	Problem string
	// Chart is the folder of the Helm chart whose template the file is, "" if it is none.
	Chart string
	// Found is whether the file was found in a folder, and nobody has named it. If it is
	// broken, that is an error of Check and Lint only if it may have an object that they
	// look at.
	Found bool
}

// isChartTemplate reports whether Helm must render the file first.
func (f File) isChartTemplate() bool {
	return f.Chart != "" && bytes.Contains(f.Content, []byte("{{"))
}

// renderFirst says of a template of a chart what to run instead of a subcommand.
func (f File) renderFirst(subcommand string) string {
	return fmt.Sprintf("is a template of a Helm chart, which Helm renders first; run: helm template %s | peerjob %s -", f.Chart, subcommand)
}

// Format is how Expand writes objects.
type Format string

const (
	// YAML writes a stream of YAML documents.
	YAML Format = "yaml"
	// JSON writes one v1 List.
	JSON Format = "json"
)

// Assignment sets one value for templates: the Path, with a string for the key of a
// map and an int for a place in a list, leads to the Value, and a Value of nil removes a
// key.
type Assignment = values.Assignment

// ValuesFile is a file with values for templates. Messages name it by its Name.
type ValuesFile = values.File

// ExpandOptions are caller options of Expand.
type ExpandOptions struct {
	Options
	// Format is how objects are written. The default is YAML.
	Format Format
	// Values are files with values for templates. Later ones override earlier ones, and
	// all override those of every PeerJob.
	Values []ValuesFile
	// Assignments change single values after everything was merged, as --set does. Each
	// that no template reads is warned of.
	Assignments []Assignment
	// Strict makes warnings as bad as errors.
	Strict bool
	// ShowValues writes the values and what each template rendered instead of
	// the objects.
	ShowValues bool
}

// Expand writes the documents of all files with every PeerJob replaced by its
// objects, for "kubectl apply -f -". In YAML every other document keeps its bytes.
//
// Findings are written to stderr, one line each. The error is ErrFailed when Expand
// has reported errors, or with Strict warnings; then nothing was written to stdout, or with ShowValues what is
// known.
func Expand(files []File, stdout, stderr io.Writer, options ExpandOptions) (err error) {
	if err := checkFormat(options.Format, YAML, JSON); err != nil {
		return err
	}
	report := &results.Report{}
	defer reportPanic(report, stderr, &err)
	objects, expansions := expandPeerJobs(files, "expand", pipeline.Options{RunnerImage: options.RunnerImage, Values: options.Values, Assignments: options.Assignments}, report)
	if !report.Failed() && len(expansions) == 0 {
		report.Infof(nil, "no PeerJob is among the objects, and they are written as they are")
	}
	report.Write(stderr)
	failed := report.Failed() || options.Strict && report.Warned()
	var out bytes.Buffer
	switch {
	case options.ShowValues && (len(expansions) > 0 || !report.Failed()):
		// What is known helps most where something is wrong.
		err = expansion.WriteValues(&out, expansions)
	case failed:
		return ErrFailed
	case options.Format == JSON:
		err = krmlist.WriteJSON(&out, objects)
	default:
		err = krmlist.WriteYAML(&out, objects)
	}
	if err != nil {
		return err
	}
	if err := writeOut(stdout, out.Bytes()); err != nil {
		return err
	}
	if failed {
		return ErrFailed
	}
	return nil
}

// reportPanic is deferred: it reports a panic as an error.
func reportPanic(report *results.Report, stderr io.Writer, err *error) {
	if cause := recover(); cause != nil {
		report.AddPanic(cause)
		report.Write(stderr)
		*err = ErrFailed
	}
}

// expandPeerJobs reads files for a subcommand and expands their PeerJobs. It returns the
// objects as they are if the report has failed.
func expandPeerJobs(files []File, subcommand string, options pipeline.Options, report *results.Report) (objects []*krmlist.Object, expansions []*expansion.Expansion) {
	read := readFiles(files, subcommand, report)
	objects, expansions = pipeline.Expand(read, options, report)
	addKustomizations(read, expansions, subcommand, report)
	addKindless(read, report)
	return objects, expansions
}

// isJudgeable reports whether an object can be judged if others can't be read: any but a
// PeerJob whose values may be in one of these.
func isJudgeable(o *krmlist.Object) bool {
	return o.Kind != v1alpha1.Kind || !o.Mentions("valuesFrom")
}

// addKustomizations reports files that say how kustomize builds the objects, which the
// subcommand does not read. Without a PeerJob, they are all that could have been meant.
func addKustomizations(objects []*krmlist.Object, expansions []*expansion.Expansion, subcommand string, report *results.Report) {
	add := report.Warningf
	if len(expansions) == 0 {
		add = report.Errorf
	}
	for _, o := range objects {
		if isKustomization(o) {
			add(&krmlist.Object{ShownFile: o.File, Index: o.Index}, "%s", forKustomize(o, subcommand))
		}
	}
}

// addKindless reports documents beside a PeerJob that are no objects, such as a file with
// values: they are written as they are, and kubectl refuses them.
func addKindless(objects []*krmlist.Object, report *results.Report) {
	if !slices.ContainsFunc(objects, func(o *krmlist.Object) bool { return o.Kind == v1alpha1.Kind }) {
		return
	}
	for _, o := range objects {
		if o.Kind == "" && o.APIVersion == "" && !isKustomization(o) && o.Node() != nil && o.Node().Kind == yaml.MappingNode {
			report.Warningf(&krmlist.Object{ShownFile: o.File, Index: o.Index}, "is no object: it has no kind, and kubectl refuses it; give values for templates with --values")
		}
	}
}

// isKustomization reports whether an object is for kustomize. Flux has a kind of the same
// name.
func isKustomization(o *krmlist.Object) bool {
	if o.Group() == "kustomize.config.k8s.io" {
		return true
	}
	name := path.Base(strings.ReplaceAll(o.File, `\`, "/"))
	return o.Group() == "" && strings.EqualFold(strings.TrimSuffix(name, path.Ext(name)), "kustomization")
}

// forKustomize says of a kustomization what to run instead of a subcommand.
func forKustomize(o *krmlist.Object, subcommand string) string {
	return fmt.Sprintf("is for kustomize, and peerjob %[1]s does not read it; run: kustomize build %[2]s | peerjob %[1]s", subcommand, path.Dir(strings.ReplaceAll(o.File, `\`, "/")))
}

// readFiles reads the documents of all files for a subcommand.
func readFiles(files []File, subcommand string, report *results.Report) (objects []*krmlist.Object) {
	for _, file := range files {
		if file.Problem != "" {
			report.Errorf(&krmlist.Object{ShownFile: file.Name}, "%s", file.Problem)
			continue
		}
		if file.isChartTemplate() {
			report.Errorf(&krmlist.Object{ShownFile: file.Name}, "%s", file.renderFirst(subcommand))
			continue
		}
		documents, errs := readFile(file)
		for _, o := range documents {
			if err := errs[o]; err != nil {
				report.Errorf(&krmlist.Object{ShownFile: o.File, Index: o.Index}, "%v", err)
				continue
			}
			objects = append(objects, o)
		}
	}
	if report.Failed() {
		objects = krmlist.Filter(objects, isJudgeable)
	}
	return objects
}

// stdinName is what messages call stdin.
const stdinName = "stdin"

// helmFilename is the annotation in which Helm 4 keeps the name of a template while a
// post-renderer runs.
const helmFilename = "postrenderer.helm.sh/postrender-filename"

// readFile reads the documents of a file. Those that Helm printed into a pipe have the file
// of their template.
func readFile(file File) ([]*krmlist.Object, map[*krmlist.Object]error) {
	documents, errs := krmlist.ReadFile(file.Name, file.Content)
	if file.Name != stdinName {
		return documents, errs
	}
	var lines [][]byte
	if bytes.Contains(file.Content, helmSource) {
		lines = bytes.SplitAfter(file.Content, []byte("\n"))
	}
	for _, o := range documents {
		if template := o.Annotations[helmFilename]; template != "" {
			o.File = template
		} else if template := sourceOf(lines, o.Line); template != "" {
			o.File = template
		}
	}
	return documents, errs
}

// helmSource begins the comment in which "helm template" names the template of a document.
var helmSource = []byte("# Source: ")

// sourceOf is the template that the comment above a document names, "" if there is none.
// The document begins at a line, from 1 on.
func sourceOf(lines [][]byte, first int) string {
	for i := first - 1; i >= 0 && i < len(lines); i++ {
		line := bytes.TrimSpace(lines[i])
		if name, found := bytes.CutPrefix(line, helmSource); found {
			return string(name)
		}
		if len(line) > 0 && line[0] != '#' {
			break
		}
	}
	return ""
}
