// SPDX-License-Identifier: Apache-2.0

// Command schema writes the JSON Schema of a PeerJob, and the form of it that a
// CustomResourceDefinition has.
//
// It walks the Go types of the API, so a new field is in the schema when it is in the
// types. What it says of a field of peerjob's comes from the comment of that field, in
// the words that the reference has: "1 to 100000", "0 or more", "Required", "default 600".
// Which places take templates, it asks package decode, which reads them. What it says of a
// field of Kubernetes comes from the OpenAPI that Kubernetes publishes with its source, and
// the words of an enumeration from the source itself, because that OpenAPI has none.
//
// It fails on a field without a comment, and where a comment and the code disagree on a
// bound.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"log"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("schema: ")
	out := flag.String("out", "", "the `FOLDER` to write to")
	flag.Parse()
	if err := write(*out); err != nil {
		log.Fatal(err)
	}
}

// write writes all forms of the schema into a folder.
func write(folder string) error {
	source, err := readSource()
	if err != nil {
		return err
	}
	root, err := peerJob(source)
	if err != nil {
		return err
	}
	text, err := encode(root)
	if err != nil {
		return err
	}
	packed, err := pack(text)
	if err != nil {
		return err
	}
	definition, err := crd(source)
	if err != nil {
		return err
	}
	entry, err := encode(catalog())
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"peerjob.json":     text,
		"peerjob.json.gz":  packed,
		"crd.yaml":         definition,
		"schemastore.json": entry,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// encode returns a value as JSON for people.
func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(value)
	return out.Bytes(), err
}

// pack returns what the program embeds: a tenth of the text, and the same bytes each time.
func pack(text []byte) ([]byte, error) {
	var out bytes.Buffer
	writer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(text); err != nil {
		return nil, err
	}
	err = writer.Close()
	return out.Bytes(), err
}

// id is the address of the schema. It changes only with the API version, so that a
// file that names it needs no change with a release.
const id = "https://raw.githubusercontent.com/peerjob/peerjob/main/schema/peerjob.json"

// entry is an entry of the catalog of SchemaStore, which tells editors the schema of a
// file by its name.
type entry struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	FileMatch   []string `json:"fileMatch"`
	URL         string   `json:"url"`
}

func catalog() entry {
	return entry{
		Name:        "PeerJob",
		Description: "A Job whose Pods reach each other by name, expanded by peerjob",
		// Not *.peerjob.yaml: that is where kpt puts the Service and the Job.
		FileMatch: []string{"peerjob.yaml", "peerjob.yml"},
		URL:       id,
	}
}

// crdHead is what everyone reads who opens the file.
const crdHead = `# Written by "make generate" from api/v1alpha1/types*.go; change it there.
#
# NEVER APPLY THIS FILE. A PeerJob is no object of a cluster: peerjob expands it before
# anything is applied, and no controller reads it. This form of the schema is only for
# tools that read the schema of a kind from a CustomResourceDefinition. An API server
# refuses it, because no version of it is stored. It describes PeerJobs without templates,
# which such a schema can't.
`

func crd(source *source) ([]byte, error) {
	root, err := (&inliner{source: source}).peerJob()
	if err != nil {
		return nil, err
	}
	body, err := yaml.Marshal(definition(root))
	return append([]byte(crdHead), body...), err
}
