// SPDX-License-Identifier: Apache-2.0

// Command bench answers: what does peerjob cost as a process, in time and in
// memory, beside the programs that would be run in its place?
//
//	cd bench && go run . -peerjob ../bin/peerjob [-runs N] [-smoke] [-write FILE]
//
// It prints one report on stdout, and its progress on stderr. README.md says what
// is measured and how to read it.
//
// # Rules
//
//   - All that is compared is measured in one run, on one machine, the programs
//     in turns: noise hits them alike.
//   - A run is a whole process, from its start to its end, with files as stdin
//     and stdout.
//   - What a program wrote is checked before its time counts: the first output in
//     full (check.go), every other one to be the same bytes. A wrong output, or
//     an exit code other than 0, is exit code 1 and no table.
//   - Rivals come as Go modules, at the versions of go.mod, and are built as
//     peerjob is: static, trimmed, without symbols.
//
// # Never
//
// It never judges a time: no number is too slow, and nothing fails for it. It
// never reads the user's configuration of Helm.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
)

// options are the flags.
type options struct {
	peerjob string
	runs    int
	smoke   bool
	// write is the document that gets the table, "" for none.
	write string
}

func main() {
	var opts options
	flag.StringVar(&opts.peerjob, "peerjob", "../bin/peerjob", "measure the peerjob in this `FILE`")
	flag.IntVar(&opts.runs, "runs", 0, "measure every program `N` times in each case (default 20 on one object, fewer on many); -smoke goes before it")
	flag.BoolVar(&opts.smoke, "smoke", false, "only check that the benchmarks work: one run each, at most 20 objects")
	flag.StringVar(&opts.write, "write", "", "write the table between the markers in this Markdown `FILE`, too")
	flag.Parse()
	if flag.NArg() > 0 || opts.runs < 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(opts, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run is the whole program but the flags and the exit.
func run(opts options, stdout, stderr io.Writer) error {
	progress := log.New(stderr, "bench: ", 0)
	progress.Println("building the rivals; the first time takes minutes")
	tools, err := buildPrograms(opts.peerjob)
	if err != nil {
		return err
	}
	if tools.image, err = findImage(); err != nil {
		progress.Printf("the container form is left out: %v", err)
	}
	dir, err := os.MkdirTemp("", "peerjob-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cases, err := newCases(tools, opts, dir)
	if err != nil {
		return err
	}
	runner := &runner{measure: tools.measure, dir: dir}
	var rows []row
	for _, c := range cases {
		progress.Println(c.name)
		measured, err := runner.run(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		rows = append(rows, measured...)
	}
	head, err := describe(tools)
	if err != nil {
		return err
	}
	progress.Println("in one process")
	inProcess, err := benchmarks(opts, stderr)
	if err != nil {
		return err
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%s\n", head)
	if err := errors.Join(writeTable(&report, rows), writeRest(&report, rows, inProcess)); err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, report.String()); err != nil {
		return err
	}
	if opts.write == "" {
		return nil
	}
	return writeDocument(opts.write, report.String())
}

// writeRest writes what comes below the table of the processes.
func writeRest(w io.Writer, rows []row, inProcess string) error {
	var rest strings.Builder
	rest.WriteString("\n")
	if err := writeGrowth(&rest, growthOf(rows)); err != nil {
		return err
	}
	rest.WriteString("\n" + inProcess)
	_, err := io.WriteString(w, rest.String())
	return err
}

// benchmarks runs the benchmarks in the product's own tests: what is left of a
// run when the process is there already.
func benchmarks(opts options, stderr io.Writer) (string, error) {
	time := "1s"
	if opts.smoke {
		time = "1x"
	}
	test := exec.Command("go", "test", "-run", "^$", "-bench", ".", "-skip", "Hostile", "-benchmem", "-benchtime", time, "./fn/...")
	test.Dir = ".."
	output, err := test.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go test -bench: %w\n%s", err, output)
	}
	var lines strings.Builder
	for line := range strings.Lines(string(output)) {
		if strings.HasPrefix(line, "Benchmark") {
			lines.WriteString(line)
		}
	}
	return lines.String(), nil
}

const (
	beginMarker = "<!-- begin: make bench-docs -->\n"
	endMarker   = "<!-- end: make bench-docs -->\n"
)

// writeDocument puts a report between the markers of a document.
func writeDocument(file, report string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), beginMarker)
	_, after, ended := strings.Cut(rest, endMarker)
	if !found || !ended {
		return fmt.Errorf("%s: has no markers for the table", file)
	}
	return os.WriteFile(file, []byte(before+beginMarker+"```text\n"+report+"```\n"+endMarker+after), 0o644)
}
