// SPDX-License-Identifier: Apache-2.0

package fn

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/peerjob/peerjob/internal/diag"
	"github.com/peerjob/peerjob/internal/lint"
)

// LintFile is one file to lint.
type LintFile struct {
	File
	// Skipped is whether the Problem is no error: the file was left out.
	Skipped bool
}

// LintFormat is how Lint writes what it finds.
type LintFormat string

const (
	// LintText writes one line for each finding.
	LintText LintFormat = "text"
	// LintJSON writes one JSON object with the list "findings".
	LintJSON LintFormat = "json"
	// LintSARIF writes SARIF 2.1.0, for code scanning.
	LintSARIF LintFormat = "sarif"
	// LintGitHub writes workflow commands of GitHub Actions.
	LintGitHub LintFormat = "github"
)

// LintFormats returns the formats that Lint can write.
func LintFormats() []LintFormat { return []LintFormat{LintText, LintJSON, LintSARIF, LintGitHub} }

// LintOptions are caller options of Lint.
type LintOptions struct {
	// Format is how findings are written. The default is LintText.
	Format LintFormat
	// Strict makes warnings as bad as errors.
	Strict bool
	// Fix mends what can be mended.
	Fix bool
	// Diff writes what Fix would change as a unified diff, and the findings that Fix
	// would leave to stderr as text.
	Diff bool
	// ClusterDomain is the DNS domain of the cluster. The default is "cluster.local".
	ClusterDomain string
	// KubernetesVersion is the oldest server that the objects are for, such as "1.30". The
	// default is the newest that peerjob knows. Lint does not check it: a version that
	// peerjob does not know is as none.
	KubernetesVersion string
	// Version is the version of peerjob in SARIF, "" for none.
	Version string
}

// Lint writes what is wrong with the Services and Jobs of the files to stdout, and how
// many findings there are to stderr. With Fix it returns the files that it has mended,
// and what it writes is what is left.
//
// The error is ErrFailed if there are errors, or with Strict warnings. With Diff it is
// about the files as they are.
func Lint(files []LintFile, stdout, stderr io.Writer, options LintOptions) ([]File, error) {
	if err := checkFormat(options.Format, LintFormats()...); err != nil {
		return nil, err
	}
	input := lintFiles(files)
	checks := lint.Options{ClusterDomain: options.ClusterDomain, KubernetesVersion: options.KubernetesVersion}
	findings := lint.Files(input, checks)
	left := findings
	var mended []File
	if options.Fix || options.Diff {
		var changed []lint.File
		changed, left = lint.Fix(input, checks)
		for _, file := range changed {
			mended = append(mended, File{Name: file.Name, Content: file.Content})
		}
	}
	if options.Diff {
		if err := writeDiff(stdout, files, mended); err != nil {
			return nil, err
		}
		_ = lint.WriteText(stderr, left) // without stderr the exit code has to do
		return nil, verdict(findings, options.Strict)
	}
	if err := writeFindings(stdout, left, options); err != nil {
		return mended, err
	}
	unjudged := ""
	if n := lint.PeerJobs(input); n > 0 {
		unjudged = fmt.Sprintf("; lint does not judge PeerJobs, and %s; run peerjob check", diag.There(n, "PeerJob"))
	}
	if options.Format == "" || options.Format == LintText {
		_, _ = fmt.Fprintf(stderr, "peerjob: %s%s\n", lint.Summary(left), unjudged)
	} else if unjudged != "" {
		_, _ = fmt.Fprintf(stderr, "peerjob: note: %s\n", strings.TrimPrefix(unjudged, "; "))
	}
	return mended, verdict(left, options.Strict)
}

func lintFiles(files []LintFile) []lint.File {
	input := make([]lint.File, len(files))
	for i, file := range files {
		input[i] = lint.File{Name: file.Name, Content: file.Content, Problem: file.Problem, Skipped: file.Skipped, Found: file.Found}
	}
	return input
}

// verdict is ErrFailed if there are errors, or if warnings count as errors.
func verdict(findings []lint.Finding, strict bool) error {
	if lint.Count(findings, lint.Error) > 0 || strict && lint.Count(findings, lint.Warning) > 0 {
		return ErrFailed
	}
	return nil
}

func writeFindings(w io.Writer, findings []lint.Finding, options LintOptions) error {
	var out bytes.Buffer
	var err error
	switch options.Format {
	case LintJSON:
		err = lint.WriteJSON(&out, findings)
	case LintSARIF:
		err = lint.WriteSARIF(&out, findings, options.Version)
	case LintGitHub:
		err = lint.WriteGitHub(&out, findings)
	default:
		err = lint.WriteText(&out, findings)
	}
	if err != nil {
		return err
	}
	return writeOut(w, out.Bytes())
}

func writeDiff(w io.Writer, before []LintFile, after []File) error {
	var out bytes.Buffer
	for _, file := range after {
		for _, old := range before {
			if old.Name == file.Name {
				out.Write(diff.Diff(diffName("a/"+file.Name), old.Content, diffName("b/"+file.Name), file.Content))
				break
			}
		}
	}
	return writeOut(w, out.Bytes())
}

func writeOut(w io.Writer, data []byte) error {
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}

// diffName is the name of a file in a diff: as git writes it, in quotes where it has
// characters that move a cursor or end the line.
func diffName(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return name
}
