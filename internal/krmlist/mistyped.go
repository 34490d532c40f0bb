// SPDX-License-Identifier: Apache-2.0

package krmlist

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/yamlnode"
)

const (
	// maxMended bounds the text that explainMistyped reads again, in bytes, and maxTries
	// how often.
	maxMended = 64 << 10
	maxTries  = 60
	// maxExplainedErrors bounds for how many documents of a file that is done.
	maxExplainedErrors = 10
)

var (
	// reportedLine matches the line in an error of the YAML parser. It is often that
	// where the map begins, and the mistake is below it.
	reportedLine = lazyregexp.New(`^yaml: line (\d+): `)
	// noSpace matches a key whose value stands at its colon, noDashSpace an element of a
	// list that stands at its dash, and noColon a key, with its value or alone, without a
	// colon.
	noSpace     = lazyregexp.New(`^([ ]*(?:- +)*[\w./-]+:)([^\s:/].*)$`)
	noDashSpace = lazyregexp.New(`^([ ]*(?:- +)*-)([^\s-].*)$`)
	noColon     = lazyregexp.New(`^([ ]*(?:- +)*[A-Za-z][\w./-]*)(| +[^\s:=#|>].*)$`)
	// badSign matches a value that begins with a sign that YAML keeps for itself, and
	// twoColons one that has a colon like that of a key.
	badSign   = lazyregexp.New("^([ ]*(?:- +)*(?:[\\w./-]+: +)?)([@%`].*)$")
	twoColons = lazyregexp.New(`^([ ]*(?:- +)*[\w./-]+: +)([^\s'"\[{|>#&!][^'"]*: .*)$`)
	// opensBlock matches a line below which more indentation is right.
	opensBlock = lazyregexp.New(`(?:^|[\s:])(?:-|\S*:|[|>][-+0-9]*)[ ]*(?:#.*)?$`)
)

// mend is one way to write a line that may be what was meant.
type mend struct {
	line int // from 0
	text string
	// said says what is wrong with the line, and what to write.
	said string
}

// explainSyntax adds to an error of the YAML parser what to write, if it can tell. Above
// the text stand this many lines of its file.
func explainSyntax(text []byte, before int, err error) error {
	if said := mistyped(text, before, err); said != "" {
		return fmt.Errorf("%w; %s", err, said)
	}
	return explainTemplates(text, before, err)
}

// mistyped names the line that was mistyped, if there is one: the text can be read with
// that line mended.
func mistyped(text []byte, before int, err error) string {
	reported := reportedLine.FindStringSubmatch(err.Error())
	if reported == nil || len(text) > maxMended {
		return ""
	}
	number, _ := strconv.Atoi(reported[1])
	from := max(number-before-2, 0)
	if strings.Contains(err.Error(), "found a tab character") || strings.Contains(err.Error(), "cannot start any token") {
		if line := yamlnode.TabbedLine(text, from); line > 0 {
			return fmt.Sprintf("line %d has a tab; indent with spaces", before+line)
		}
	}
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	all := mends(lines)
	// The mistake is rarely above the line that the parser names.
	slices.SortStableFunc(all, func(a, b mend) int { return distance(a.line, from) - distance(b.line, from) })
	for _, m := range all[:min(len(all), maxTries)] {
		mended := slices.Clone(lines)
		mended[m.line] = m.text
		if _, still := readDocuments([]byte(strings.Join(mended, "\n"))); still == nil {
			return fmt.Sprintf("line %d %s", before+m.line+1, m.said)
		}
	}
	return ""
}

// distance is how far a line is from the first that the parser may mean; above that, it
// is as far as those at the end of a long text.
func distance(line, from int) int {
	if line < from {
		return 1000 + from - line
	}
	return line - from
}

// mends are the ways to write one of the lines that may be what was meant.
func mends(lines []string) []mend {
	var all []mend
	add := func(line int, text, format string, args ...any) {
		all = append(all, mend{line, text, fmt.Sprintf(format, args...)})
	}
	for i, line := range lines {
		content := strings.TrimLeft(line, " ")
		if content == "" || strings.HasPrefix(content, "#") {
			continue
		}
		if mended, open := closed(line); open != "" {
			add(i, mended, "has %s without an end; write %s", open, strings.TrimLeft(mended, " "))
		}
		if parts := noSpace.FindStringSubmatch(line); parts != nil {
			mended := parts[1] + " " + parts[2]
			add(i, mended, "has no space after the colon; write %s", strings.TrimLeft(mended, " "))
		}
		if parts := noDashSpace.FindStringSubmatch(line); parts != nil {
			mended := parts[1] + " " + parts[2]
			add(i, mended, "has no space after the dash; write %s", strings.TrimLeft(mended, " "))
		}
		if parts := noColon.FindStringSubmatch(line); parts != nil {
			mended := parts[1] + ":" + parts[2]
			add(i, mended, "has no colon; write %s", strings.TrimLeft(mended, " "))
		}
		for _, bare := range []*lazyregexp.Regexp{badSign, twoColons} {
			if parts := bare.FindStringSubmatch(line); parts != nil {
				mended := parts[1] + "'" + strings.ReplaceAll(parts[2], "'", "''") + "'"
				add(i, mended, "has a value that needs quotes; write %s", strings.TrimLeft(mended, " "))
			}
		}
		indent := len(line) - len(content)
		for _, level := range levels(lines[:i], indent) {
			add(i, strings.Repeat(" ", level)+content, "is indented by %d, which fits no line above it; indent it by %d", indent, level)
		}
	}
	return all
}

// closed ends the quote and the brackets that a line begins and does not end; open says
// which the first of these is, "" if there is none.
func closed(line string) (mended, open string) {
	quote, ends := byte(0), ""
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'' && (i == 0 || strings.IndexByte(" [{,", line[i-1]) >= 0):
			quote = c
		case c == '[':
			ends = "]" + ends
		case c == '{':
			ends = "}" + ends
		case ends != "" && c == ends[0]:
			ends = ends[1:]
		}
	}
	switch {
	case quote != 0 && strings.HasSuffix(line, ends):
		return strings.TrimSuffix(line, ends) + string(quote) + ends, "a quote"
	case quote != 0:
		return line + string(quote) + ends, "a quote"
	case ends != "":
		return line + ends, "a bracket"
	}
	return line, ""
}

// levels are the indentations that a line can have below these lines, the nearest first;
// none if it has one of them.
func levels(above []string, indent int) []int {
	var open []int
	lowest := -1
	for i := len(above) - 1; i >= 0 && lowest != 0; i-- {
		content := strings.TrimLeft(above[i], " ")
		if content == "" || strings.HasPrefix(content, "#") {
			continue
		}
		at := len(above[i]) - len(content)
		if lowest == -1 && indent > at && opensBlock.MatchString(content) {
			return nil
		}
		if lowest != -1 && at >= lowest {
			continue
		}
		lowest = at
		open = append(open, at)
		for strings.HasPrefix(content, "- ") {
			inner := strings.TrimLeft(content[1:], " ")
			at += len(content) - len(inner)
			content = inner
			open = append(open, at)
		}
	}
	if slices.Contains(open, indent) {
		return nil
	}
	slices.SortFunc(open, func(a, b int) int {
		if near := max(a-indent, indent-a) - max(b-indent, indent-b); near != 0 {
			return near
		}
		return b - a
	})
	open = slices.Compact(open)
	return open[:min(len(open), 3)]
}
