// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	command := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	switch command {
	case "":
		return runWrite(ctx, args, stdout)
	case "image":
		return runImage(ctx, args, stdout)
	case "push":
		return runPush(ctx, args, stdout)
	case "check":
		return runCheck(args, stdout)
	case "notes":
		return runNotes(args, stdout)
	}
	return fmt.Errorf("unknown command %q; must be image, push, check, notes or none", command)
}

// runWrite is "make release".
func runWrite(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	root := flags.String("root", "../..", "the folder of the repository")
	out := flags.String("out", "", "the folder to write to, which is emptied first (default dist in the repository)")
	list := flags.String("platforms", "", "the platforms to build for, such as linux/amd64,windows/arm64 (default all)")
	version := flags.String("version", "", "the version (default what hack/version prints)")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	source, err := openSource(ctx, *root, *version)
	if err != nil {
		return err
	}
	platforms := allPlatforms
	if *list != "" {
		if platforms, err = parsePlatforms(*list); err != nil {
			return err
		}
	}
	if *out == "" {
		*out = filepath.Join(source.root, "dist")
	}
	return write(ctx, source, platforms, *out, stdout)
}

// runImage is "make image" and "make runner-image".
func runImage(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("image needs the name of a program: %s", strings.Join(programNames(), " or "))
	}
	p, err := programOf(args[0])
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("release image", flag.ContinueOnError)
	root := flags.String("root", "../..", "the folder of the repository")
	tag := flags.String("tag", "", "the name and tag of the image (required)")
	list := flags.String("platform", "", "the platform, such as linux/arm64 (default that of docker)")
	output := flags.String("output", "", "write an archive for docker, kind and containerd to this file (default: load the image into docker)")
	version := flags.String("version", "", "the version (default what hack/version prints)")
	if err := parse(flags, args[1:], 0); err != nil {
		return err
	}
	to, err := name.NewTag(*tag)
	if err != nil {
		return fmt.Errorf("-tag: %w", err)
	}
	source, err := openSource(ctx, *root, *version)
	if err != nil {
		return err
	}
	if *list == "" {
		if *list, err = dockerPlatform(ctx); err != nil {
			return fmt.Errorf("%w\nwithout docker, write -platform and -output", err)
		}
	}
	platforms, err := parsePlatforms(*list)
	if err != nil {
		return err
	}
	if len(platforms) != 1 || platforms[0].os != "linux" {
		return fmt.Errorf("-platform: Invalid value: %q: must be one platform of linux", *list)
	}
	if err := imageFor(ctx, source, p, platforms[0], to, *output); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, to)
	return err
}

// runPush pushes what is in dist/, and prints the digests for the signatures.
func runPush(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("release push", flag.ContinueOnError)
	if err := parse(flags, args, 2); err != nil {
		return fmt.Errorf("%w; needs the folder and the repository, such as: push dist ghcr.io/peerjob", err)
	}
	return push(ctx, flags.Arg(0), flags.Arg(1), stdout)
}

// runCheck compares dist/ with its SHA256SUMS.
func runCheck(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("release check", flag.ContinueOnError)
	if err := parse(flags, args, 1); err != nil {
		return fmt.Errorf("%w; needs the folder, such as: check dist", err)
	}
	n, err := checkSums(flags.Arg(0))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d files are as %s says\n", n, sumsFile)
	return err
}

// runNotes prints the notes of a release.
func runNotes(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("release notes", flag.ContinueOnError)
	root := flags.String("root", "../..", "the folder of the repository")
	if err := parse(flags, args, 1); err != nil {
		return fmt.Errorf("%w; needs the version, such as: notes v0.1.0", err)
	}
	changes, err := os.ReadFile(filepath.Join(*root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	notes, err := notesOf(string(changes), flags.Arg(0))
	if err != nil {
		return fmt.Errorf("CHANGELOG.md: %w", err)
	}
	_, err = io.WriteString(stdout, notes)
	return err
}

// parse parses flags that want n arguments.
func parse(flags *flag.FlagSet, args []string, n int) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != n {
		return fmt.Errorf("%s: wants %d arguments and got %d: %q", flags.Name(), n, flags.NArg(), flags.Args())
	}
	return nil
}
