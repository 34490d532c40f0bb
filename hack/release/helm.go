// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// helmPlugins are the plugins for Helm, packed as "helm plugin package" does: the name of
// each is that of its folder. They run the peerjob on the PATH, and are the same for every
// platform.
func helmPlugins(s *source) ([]entry, error) {
	manifests, err := filepath.Glob(filepath.Join(s.root, "helm", "*", "plugin.yaml"))
	if err != nil {
		return nil, err
	}
	var files []entry
	for _, manifest := range manifests {
		folder := filepath.Dir(manifest)
		found, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(folder)
		var packed []entry
		for _, file := range found {
			content, err := os.ReadFile(filepath.Join(folder, file.Name()))
			if err != nil {
				return nil, err
			}
			// A file system may not know what can be executed.
			packed = append(packed, entry{path: path.Join(name, file.Name()), program: file.Name() == "plugin.complete", content: content})
		}
		content, err := tarGzip(packed, s.time)
		if err != nil {
			return nil, err
		}
		files = append(files, entry{path: name + "-" + strings.TrimPrefix(s.version, "v") + ".tgz", content: content})
	}
	return files, nil
}
