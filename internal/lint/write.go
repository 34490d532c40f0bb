// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/peerjob/peerjob/internal/results"
)

// where is the place of a finding: "file:line:column: ".
func (f *Finding) where() string {
	file := f.File
	if strings.HasPrefix(strings.TrimSpace(results.Plain(file)), "::") {
		file = "./" + file // no workflow command of GitHub Actions
	}
	switch {
	case file == "":
		return ""
	case f.Line == 0:
		return file + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", file, f.Line, f.Column)
}

// WriteText writes one line for each finding: "pair.yaml:7:3: error: Job train:
// spec.parallelism: ... [parallelism]". One of no rule has no id.
func WriteText(w io.Writer, findings []Finding) error {
	var out strings.Builder
	for i := range findings {
		f := &findings[i]
		id := ""
		if f.ID != "" {
			id = " [" + f.ID + "]"
		}
		out.WriteString(results.Plain(fmt.Sprintf("%s%s: %s%s", f.where(), f.Severity, f.Text(), id)) + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteJSON writes findings as one JSON object with the list "findings".
func WriteJSON(w io.Writer, findings []Finding) error {
	if findings == nil {
		findings = []Finding{}
	}
	return encode(w, map[string]any{"findings": findings})
}

func encode(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// gitHubCommands are the commands for the severities.
var gitHubCommands = map[Severity]string{Error: "error", Warning: "warning", Note: "notice"}

var (
	gitHubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	gitHubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteGitHub writes findings as workflow commands of GitHub Actions, which shows them
// beside the lines.
// See https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
func WriteGitHub(w io.Writer, findings []Finding) error {
	var out strings.Builder
	for i := range findings {
		f := &findings[i]
		var properties []string
		text := f.Text()
		switch {
		case f.isVirtual():
			text = f.where() + text
		case f.File != "":
			properties = append(properties, "file="+gitHubProperty.Replace(f.File))
		}
		if f.Line > 0 && !f.isVirtual() {
			properties = append(properties, fmt.Sprintf("line=%d", f.Line), fmt.Sprintf("col=%d", f.Column))
		}
		title := "peerjob"
		if f.ID != "" {
			title = "peerjob lint: " + f.ID
		}
		properties = append(properties, "title="+gitHubProperty.Replace(title))
		fmt.Fprintf(&out, "::%s %s::%s\n", gitHubCommands[f.Severity], strings.Join(properties, ","), results.Plain(gitHubMessage.Replace(text)))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// WriteSARIF writes findings as SARIF 2.1.0, which code scanning reads. version is that of
// peerjob.
// See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
func WriteSARIF(w io.Writer, findings []Finding, version string) error {
	type text struct {
		Text string `json:"text"`
	}
	type rule struct {
		ID      string `json:"id"`
		Short   text   `json:"shortDescription"`
		HelpURI string `json:"helpUri"`
	}
	type region struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	type artifact struct {
		URI string `json:"uri"`
	}
	type physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   *region  `json:"region,omitempty"`
	}
	type location struct {
		Physical physical `json:"physicalLocation"`
	}
	type result struct {
		RuleID    string     `json:"ruleId"`
		RuleIndex int        `json:"ruleIndex"`
		Level     Severity   `json:"level"`
		Message   text       `json:"message"`
		Locations []location `json:"locations,omitempty"`
	}
	places := map[string]int{}
	rules := make([]rule, len(catalog))
	for i, r := range catalog {
		places[r.ID] = i
		rules[i] = rule{r.ID, text{r.About}, "https://github.com/peerjob/peerjob/blob/main/docs/lint.md#" + r.ID}
	}
	results := []result{}
	for i := range findings {
		f := &findings[i]
		r := result{RuleID: f.ID, RuleIndex: places[f.ID], Level: f.Severity, Message: text{f.Text()}}
		if f.File != "" {
			at := physical{Artifact: artifact{uri(f.File)}}
			if f.Line > 0 {
				at.Region = &region{f.Line, f.Column}
			}
			r.Locations = []location{{at}}
		}
		results = append(results, r)
	}
	driver := map[string]any{"name": "peerjob lint", "informationUri": "https://github.com/peerjob/peerjob", "rules": rules}
	if version != "" {
		driver["version"] = version
	}
	return encode(w, map[string]any{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{map[string]any{
			"tool": map[string]any{"driver": driver}, "columnKind": "unicodeCodePoints", "results": results,
		}},
	})
}

// uri is the name of a file as a URI reference: relative names stay relative.
func uri(file string) string {
	u := url.URL{Path: strings.ReplaceAll(file, `\`, "/")}
	if strings.HasPrefix(u.Path, "/") {
		u.Scheme = "file"
	}
	return u.String()
}
