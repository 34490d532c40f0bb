// SPDX-License-Identifier: Apache-2.0

// Package frameworks holds the example of each framework, so that the command
// can print the one that a user asks for: what it prints is what is tested.
package frameworks

import (
	"embed"
	"strings"
)

//go:embed */peerjob.yaml
var files embed.FS

// PeerJob returns the PeerJob of the example for a type of framework, and
// whether there is one.
func PeerJob(typ string) (string, bool) {
	data, err := files.ReadFile(Folder(typ) + "/peerjob.yaml")
	return string(data), err == nil
}

// Folder is the name of the folder with the example for a type.
func Folder(typ string) string { return strings.ToLower(typ) }
