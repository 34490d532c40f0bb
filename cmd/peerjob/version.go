// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/api/v1alpha1"
	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// version is the version that the linker sets: "make build" takes it from
// hack/version.
var version string

// currentVersion returns the version of this binary: the linker's, or the
// module's, which "go install" sets to the tag of a release and "go build" to a
// pseudo-version.
func currentVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// release matches the version of a release. Neither a development build, such as
// "v0.1.0-dev.0123456789ab", nor a pseudo-version of a module is one.
var release = lazyregexp.New(`^v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?$`)

// runnerOf returns the image of the runner of a version. It returns "" for a build that
// is not a release: its image is published nowhere, so no Pod may ask for it by default.
func runnerOf(version string) string {
	if !release.MatchString(version) {
		return ""
	}
	return v1alpha1.RunnerRepository + ":" + version
}

// printVersion prints what "peerjob version" and "peerjob --version" print.
func printVersion(cmd *cobra.Command) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "peerjob %s %s %s/%s\n", currentVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return printVersion(cmd) },
	}
}
