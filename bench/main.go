// SPDX-License-Identifier: Apache-2.0

// Command bench answers: what does peerjob cost as a process, in time and in
// memory, beside the programs that would be run in its place?
//
//	cd bench && go run . -peerjob ../bin/peerjob [-runs N] [-smoke]
//
// It prints one table on stdout, and its progress on stderr. README.md says what
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
	"flag"
	"fmt"
	"io"
	"os"
)

// options are the flags.
type options struct {
	peerjob string
	runs    int
	smoke   bool
}

func main() {
	var opts options
	flag.StringVar(&opts.peerjob, "peerjob", "../bin/peerjob", "measure the peerjob in this `FILE`")
	flag.IntVar(&opts.runs, "runs", 0, "measure every program `N` times in each case (default 20 on one object, 5 on many, fewer in kustomize); -smoke goes before it")
	flag.BoolVar(&opts.smoke, "smoke", false, "only check that the benchmarks work: one run each, 20 objects instead of 1000")
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
	fmt.Fprintln(stderr, "bench: building the rivals; the first time takes minutes")
	tools, err := buildPrograms(opts.peerjob)
	if err != nil {
		return err
	}
	if tools.image, err = findImage(); err != nil {
		fmt.Fprintf(stderr, "bench: the container form is left out: %v\n", err)
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
		fmt.Fprintf(stderr, "bench: %s\n", c.name)
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
	fmt.Fprintf(stdout, "%s\n", head)
	return writeTable(stdout, rows)
}
