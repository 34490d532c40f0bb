// SPDX-License-Identifier: Apache-2.0

// Command templating writes docs/templating.md: the text of page.md with the
// tables of names, functions and limits that templates have, from the code.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/peerjob/peerjob/internal/render"
	"github.com/peerjob/peerjob/internal/values"
)

//go:embed page.md
var text string

func main() {
	log.SetFlags(0)
	log.SetPrefix("templating: ")
	out := flag.String("out", "", "the `FILE` to write")
	flag.Parse()
	page := strings.NewReplacer(
		"<!-- names -->", fields(values.Fields(), "."),
		"<!-- peers -->", fields(values.PeerFields(), "."),
		"<!-- roles -->", fields(values.RoleFields(), "."),
		"<!-- functions -->", functions(),
		"<!-- refusals -->", refusals(),
		"<!-- limits -->", limits(),
	).Replace(text)
	if err := os.WriteFile(*out, []byte(page), 0o644); err != nil {
		log.Fatal(err)
	}
}

func fields(fields []values.Field, prefix string) string {
	var out strings.Builder
	out.WriteString("| name | what it is | example |\n| --- | --- | --- |\n")
	for _, f := range fields {
		fmt.Fprintf(&out, "| `%s%s` | %s | %s |\n", prefix, f.Name, f.Doc, code(f.Example))
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func functions() string {
	var out strings.Builder
	group := ""
	for _, f := range render.Functions() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&out, "\n### %s\n\n| function | what it returns | example | renders |\n| --- | --- | --- | --- |\n", group)
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", f.Name, f.Doc, code(f.Example), code(f.Result))
	}
	return strings.Trim(out.String(), "\n")
}

func refusals() string {
	var out strings.Builder
	for _, refusal := range render.Refusals() {
		names := make([]string, len(refusal.Names))
		for i, name := range refusal.Names {
			names[i] = "`" + name + "`"
		}
		fmt.Fprintf(&out, "- %s: %s\n", strings.Join(names, ", "), refusal.Text())
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func limits() string {
	var out strings.Builder
	out.WriteString("| what | limit |\n| --- | --- |\n")
	for _, l := range render.Limits() {
		fmt.Fprintf(&out, "| %s | %s |\n", l.What, l.Value)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// code is a text as code in a table.
func code(text string) string {
	if text == "" {
		return ""
	}
	text = strings.NewReplacer("|", "\\|", "\n", "⏎").Replace(text)
	if strings.HasPrefix(text, " ") || strings.Contains(text, "`") {
		return "<code>" + strings.NewReplacer("<", "&lt;", " ", "&nbsp;").Replace(text) + "</code>"
	}
	return "`" + text + "`"
}
