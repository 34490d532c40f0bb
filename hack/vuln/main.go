// SPDX-License-Identifier: Apache-2.0

// Command vuln answers one question: does peerjob call code that has a known
// vulnerability?
//
// It scans cmd/peerjob twice, with the settings of the released binary. The
// scan of the source finds the functions that main can reach. The scan of a
// built binary finds the functions that the linker put in, so it does not depend
// on the analysis of calls. A vulnerability counts as called when either finds
// one of its functions.
//
// Each of them needs a statement in vex.openvex.json that says why it can't be
// exploited. Each statement needs a vulnerability: one that no scan finds any
// more fails, too.
//
// The database is the module golang.org/x/vulndb, so a scan gives the same result
// until go.mod names a newer database, and needs no network but for modules.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/vuln/scan"
)

const (
	root       = "../.." // of the repository, from this folder
	program    = "./cmd/peerjob"
	statements = "vex.openvex.json"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("vuln: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	data, err := os.ReadFile(filepath.Join(root, statements))
	if err != nil {
		return err
	}
	document, err := parseStatements(data)
	if err != nil {
		return fmt.Errorf("%s: %w", statements, err)
	}
	version, database, err := makeDatabase()
	if err != nil {
		return err
	}
	found := findings{}
	if err := scanSource(found, database); err != nil {
		return err
	}
	if err := scanBinary(found, database); err != nil {
		return err
	}
	explained, err := compare(found, document)
	for _, line := range explained {
		fmt.Println(line)
	}
	fmt.Printf("%s calls %d known vulnerabilities; %s explains %d (%s, database %s)\n",
		program, len(found), statements, len(explained), runtime.Version(), version)
	return err
}

// makeDatabase returns the version of the database and the folder with it, in
// the form that govulncheck reads. It is made once for each version.
func makeDatabase() (version, dir string, err error) {
	module, err := output(exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", "golang.org/x/vulndb"))
	if err != nil {
		return "", "", err
	}
	version, source, _ := strings.Cut(strings.TrimSpace(module), " ")
	if source == "" {
		if _, err := output(exec.Command("go", "mod", "download", "golang.org/x/vulndb")); err != nil {
			return "", "", err
		}
		return makeDatabase()
	}
	dir, err = filepath.Abs(filepath.Join(root, "bin", "vulndb", version))
	if err != nil {
		return "", "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return version, dir, nil
	}
	// Renamed when complete, so that an interrupted run leaves no half database.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", "", err
	}
	incomplete, err := os.MkdirTemp(filepath.Dir(dir), "incomplete-")
	if err != nil {
		return "", "", err
	}
	if _, err := output(exec.Command("go", "tool", "indexdb", "-vulns", filepath.Join(source, "data", "osv"), "-out", incomplete)); err != nil {
		return "", "", errors.Join(err, os.RemoveAll(incomplete))
	}
	return version, dir, os.Rename(incomplete, dir)
}

// scanSource adds what main can reach.
func scanSource(found findings, database string) error {
	return govulncheck(found, "-C", root, "-db", "file://"+database, "-format", "json", program)
}

// scanBinary adds what the linker put in. The binary keeps its symbols, other
// than the released one. Without them govulncheck takes every function of a
// module for linked.
func scanBinary(found findings, database string) error {
	dir, err := os.MkdirTemp("", "peerjob-vuln-")
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "peerjob")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, program)
	build.Dir = root
	build.Env = environment()
	_, err = output(build)
	if err == nil {
		err = govulncheck(found, "-mode", "binary", "-db", "file://"+database, "-format", "json", binary)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

func govulncheck(found findings, args ...string) error {
	var stdout, stderr bytes.Buffer
	command := scan.Command(context.Background(), args...)
	command.Env = environment()
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		return err
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("govulncheck %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return found.add(&stdout)
}

// environment is that of the released binary's build.
func environment() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
}

// output is what a command writes; its error has what it wrote to stderr.
func output(command *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, stderr.String())
	}
	return string(out), nil
}
