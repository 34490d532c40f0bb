// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/generate/bin"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
)

// generatorModule is what reads the binary.
const generatorModule = "github.com/CycloneDX/cyclonedx-gomod"

// generatorVersion is its version in this program.
func generatorVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == generatorModule {
				return dependency.Version
			}
		}
	}
	return "" // a test has no build info of its modules
}

// bomOf returns the CycloneDX software bill of materials of a binary: what cyclonedx-gomod
// reads from the binary itself, as "go version -m" does, with the standard library and the
// licences that modules has. The serial number follows from the binary.
func bomOf(s *source, modules []module, file string, content []byte) ([]byte, error) {
	generator, err := bin.NewGenerator(file,
		bin.WithIncludeStdlib(true),
		bin.WithVersionOverride(s.version),
		bin.WithLogger(zerolog.Nop()))
	if err != nil {
		return nil, err
	}
	bom, err := generator.Generate()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(content)
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, append([]byte(home+"#"), digest[:]...)).URN()
	bom.Metadata.Timestamp = s.time.Format(time.RFC3339)
	bom.Metadata.Tools = &cdx.ToolsChoice{Components: &[]cdx.Component{
		{Type: cdx.ComponentTypeLibrary, Name: generatorModule, Version: generatorVersion()},
		{Type: cdx.ComponentTypeApplication, Name: home + "/tree/main/hack/release", Version: s.version},
	}}
	licences := map[string][]string{"std": nil}
	for _, m := range modules {
		if m.version == "" {
			licences["std"] = m.licences
		} else {
			licences[m.path] = m.licences
		}
	}
	bom.Metadata.Component.Licenses = choices([]string{"Apache-2.0"})
	for i := range *bom.Components {
		component := &(*bom.Components)[i]
		of := licences[component.Name]
		if len(of) == 0 {
			return nil, fmt.Errorf("%s: %s: no licence was looked for", file, component.Name)
		}
		component.Licenses = choices(of)
	}
	var buffer bytes.Buffer
	encoder := cdx.NewBOMEncoder(&buffer, cdx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	err = encoder.EncodeVersion(bom, cdx.SpecVersion1_6)
	return buffer.Bytes(), err
}

// choices is the field of a component. All of several licences hold.
func choices(licences []string) *cdx.Licenses {
	if len(licences) == 1 {
		return &cdx.Licenses{{License: &cdx.License{ID: licences[0]}}}
	}
	return &cdx.Licenses{{Expression: strings.Join(licences, " AND ")}}
}
