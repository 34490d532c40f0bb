// SPDX-License-Identifier: Apache-2.0

// Package schema holds the JSON Schema of a PeerJob, for editors and validators, and
// peerjob.json as a file.
package schema

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sync"
)

//go:embed peerjob.json.gz
var packed []byte

var text = sync.OnceValue(func() []byte {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		var text []byte
		if text, err = io.ReadAll(reader); err == nil {
			return text
		}
	}
	// What is embedded was written by "make generate", and a test reads it.
	panic(fmt.Sprintf("schema: peerjob.json.gz: %v", err))
})

// JSON returns the JSON Schema (draft 7) of a PeerJob, as it is in peerjob.json.
func JSON() []byte { return bytes.Clone(text()) }
