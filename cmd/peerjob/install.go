// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

func newInstall() *cobra.Command {
	var kubectl bool
	command := &cobra.Command{
		Use:   "install DIRECTORY",
		Short: "Copy this program to a directory",
		Long: `install copies this program to a directory, as "peerjob". Use it in an init
container with peerjob's image, if a tool in another image runs functions as
programs. The image has no other program that could copy it.

With --kubectl, it copies it as kubectl's plugin instead: "kubectl peerjob" works
with a DIRECTORY on the PATH, and so does its completion in a shell that completes
kubectl.`,
		Example: `  peerjob install /functions
  peerjob install --kubectl ~/.local/bin`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] == "" {
				return usagef(`DIRECTORY: Required value: is ""; write . for the current directory`)
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			if info, err := os.Stat(args[0]); err != nil {
				return fmt.Errorf("%s: %s", args[0], plainError(err))
			} else if !info.IsDir() {
				return usagef("%s: is no directory", args[0])
			}
			if !kubectl {
				return copyProgram(self, filepath.Join(args[0], "peerjob"))
			}
			return installPlugin(self, args[0])
		},
	}
	command.Flags().BoolVar(&kubectl, "kubectl", false, "copy it as the plugin of kubectl, with its completion")
	return command
}

// installPlugin copies the program to a folder under the names that kubectl looks for.
// Only Windows, where a link needs rights, gets a second copy.
func installPlugin(self, folder string) error {
	if runtime.GOOS == "windows" {
		return errors.Join(copyProgram(self, filepath.Join(folder, pluginName+".exe")), copyProgram(self, filepath.Join(folder, completionName+".exe")))
	}
	if err := copyProgram(self, filepath.Join(folder, pluginName)); err != nil {
		return err
	}
	completion := filepath.Join(folder, completionName)
	if to, err := os.Readlink(completion); err == nil && to == pluginName {
		return nil
	}
	return linkWhole(pluginName, completion)
}

// copyProgram copies the program to a file.
func copyProgram(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	return writeWhole(to, 0o755, source)
}
