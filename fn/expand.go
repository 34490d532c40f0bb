// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"io"
	"path"
	"strings"

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
	// ShowValues writes the values and what each template rendered instead of
	// the objects.
	ShowValues bool
}

// Expand writes the documents of all files with every PeerJob replaced by its
// objects, for "kubectl apply -f -". In YAML every other document keeps its bytes.
//
// Findings are written to stderr, one line each. The error is ErrFailed when Expand
// has reported errors; then nothing was written to stdout, or with ShowValues what is
// known.
func Expand(files []File, stdout, stderr io.Writer, options ExpandOptions) (err error) {
	report := &results.Report{}
	defer reportPanic(report, stderr, &err)
	objects, expansions := expandPeerJobs(files, "expand", pipeline.Options{RunnerImage: options.RunnerImage, Values: options.Values, Assignments: options.Assignments}, report)
	if !report.Failed() && len(expansions) == 0 {
		report.Infof(nil, "no PeerJob is among the objects, and they are written as they are")
	}
	report.Write(stderr)
	var out bytes.Buffer
	switch {
	case options.ShowValues && (len(expansions) > 0 || !report.Failed()):
		// What is known helps most where something is wrong.
		err = expansion.WriteValues(&out, expansions)
	case report.Failed():
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
	if report.Failed() {
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
	read := readFiles(files, report)
	objects = read
	if !report.Failed() {
		objects, expansions = pipeline.Expand(read, options, report)
	}
	addKustomizations(read, expansions, subcommand, report)
	return objects, expansions
}

// addKustomizations reports files that say how kustomize builds the objects, which the
// subcommand does not read. Without a PeerJob, they are all that could have been meant.
func addKustomizations(objects []*krmlist.Object, expansions []*expansion.Expansion, subcommand string, report *results.Report) {
	add := report.Warningf
	if len(expansions) == 0 {
		add = report.Errorf
	}
	for _, o := range objects {
		file := strings.ReplaceAll(o.File, `\`, "/")
		name := path.Base(file)
		if o.Kind == "Kustomization" || strings.TrimSuffix(name, path.Ext(name)) == "kustomization" {
			add(&krmlist.Object{ShownFile: o.File, Index: o.Index}, "is for kustomize, and peerjob %[1]s does not read it; run: kustomize build %[2]s | peerjob %[1]s", subcommand, path.Dir(file))
		}
	}
}

// readFiles reads the documents of all files.
func readFiles(files []File, report *results.Report) []*krmlist.Object {
	var objects []*krmlist.Object
	for _, file := range files {
		documents, errs := krmlist.ReadFile(file.Name, file.Content)
		for _, o := range documents {
			if err := errs[o]; err != nil {
				report.Errorf(&krmlist.Object{ShownFile: file.Name, Index: o.Index}, "%v", err)
			}
		}
		objects = append(objects, documents...)
	}
	return objects
}
