// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"io"

	"github.com/peerjob/peerjob/internal/explain"
	"github.com/peerjob/peerjob/internal/krmlist"
	"github.com/peerjob/peerjob/internal/pipeline"
	"github.com/peerjob/peerjob/internal/results"
)

// ExplainFormat is how Explain writes what it knows.
type ExplainFormat string

const (
	// ExplainTable writes tables for people.
	ExplainTable ExplainFormat = "table"
	// ExplainJSON writes one JSON object with the list "peerJobs".
	ExplainJSON ExplainFormat = "json"
	// ExplainMermaid writes a picture for Mermaid.
	ExplainMermaid ExplainFormat = "mermaid"
	// ExplainDOT writes a picture for Graphviz.
	ExplainDOT ExplainFormat = "dot"
)

// ExplainFormats returns the formats that Explain can write.
func ExplainFormats() []ExplainFormat {
	return []ExplainFormat{ExplainTable, ExplainJSON, ExplainMermaid, ExplainDOT}
}

// ExplainOptions are caller options of Explain.
type ExplainOptions struct {
	Options
	// Format is how the groups are written. The default is ExplainTable.
	Format ExplainFormat
	// Values and Assignments are as in ExpandOptions.
	Values      []ValuesFile
	Assignments []Assignment
}

// Explain writes what the PeerJobs of the files stand for: the peers and their names,
// ports and variables, the objects and what ties them. All other documents are left out.
//
// Findings are written to stderr, as Expand does. The error is ErrFailed if there are
// errors, or no PeerJob; then nothing was written to stdout.
func Explain(files []File, stdout, stderr io.Writer, options ExplainOptions) (err error) {
	if err := checkFormat(options.Format, ExplainFormats()...); err != nil {
		return err
	}
	report := &results.Report{}
	defer reportPanic(report, stderr, &err)
	_, expansions := expandPeerJobs(files, "explain", pipeline.Options{RunnerImage: options.RunnerImage, Values: options.Values, Assignments: options.Assignments}, report)
	if !report.Failed() && len(expansions) == 0 {
		report.Errorf(nil, "no PeerJob is among the objects, and only a PeerJob can be explained; peerjob lint checks a Service and a Job")
	}
	report.Write(stderr)
	if report.Failed() {
		return ErrFailed
	}
	var all []explain.Description
	for _, e := range expansions {
		for _, role := range e.Group().All() {
			d := explain.Describe(role, e.Objects(), e.IsRendered)
			d.File = shownFile(e.Source)
			all = append(all, d)
		}
	}
	var out bytes.Buffer
	switch options.Format {
	case ExplainJSON:
		err = explain.WriteJSON(&out, all)
	case ExplainMermaid:
		explain.WriteMermaid(&out, all)
	case ExplainDOT:
		explain.WriteDOT(&out, all)
	default:
		explain.WriteTable(&out, all)
	}
	if err != nil {
		return err
	}
	return writeOut(stdout, out.Bytes())
}

// shownFile is the file of an object as messages name it.
func shownFile(o *krmlist.Object) string {
	if o.ShownFile != "" {
		return o.ShownFile
	}
	return o.File
}
