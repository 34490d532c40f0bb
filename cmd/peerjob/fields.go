// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"sync"

	"github.com/spf13/cobra"

	"github.com/peerjob/peerjob/internal/fields"
	"github.com/peerjob/peerjob/schema"
)

// api is what the schema says of the fields, read where it is needed.
var api = sync.OnceValues(func() (*fields.API, error) { return fields.Read(schema.JSON()) })

// isField reports whether an argument is the path of a field: a file of that name
// comes first.
func isField(arg string) bool {
	if isDocument(arg) {
		return false
	}
	read, err := api()
	return err == nil && read.IsPath(arg)
}

// mayBeField says what to write if an argument is no file and the name of a field of spec.
func mayBeField(arg string) error {
	read, err := api()
	if err != nil || isDocument(arg) || read.Explain(&bytes.Buffer{}, "spec."+arg, false) != nil {
		return nil
	}
	return usagef("%s: is no file; for the field, run %q", arg, "peerjob explain spec."+arg)
}

// completeField returns the paths of fields that begin with a text.
func completeField(text string) []string {
	read, err := api()
	if err != nil {
		return nil
	}
	return read.Complete(text)
}

// explainFields writes what the API says of fields.
func explainFields(cmd *cobra.Command, paths []string, recursive bool) error {
	read, err := api()
	if err != nil {
		return err
	}
	for _, name := range []string{"output", "values", "set", "set-string", "set-json", "set-file", "max-input"} {
		if cmd.Flags().Changed(name) {
			return usagef("--%s is for PeerJobs, not for the path of a field", name)
		}
	}
	var out bytes.Buffer
	for _, path := range paths {
		if !isField(path) {
			return usagef("%s: is not the path of a field, as the other arguments are; explain it by itself", path)
		}
		if err := read.Explain(&out, path, recursive); err != nil {
			return usageError{err}
		}
	}
	_, err = cmd.OutOrStdout().Write(out.Bytes())
	return err
}
