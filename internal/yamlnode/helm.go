// SPDX-License-Identifier: Apache-2.0

package yamlnode

import "github.com/peerjob/peerjob/internal/lazyregexp"

// ofHelm matches what only templates of Helm have: its functions that a PeerJob does not have,
// its way to name other templates ("chart.fullname"), and the objects that it gives to all.
// See https://helm.sh/docs/chart_template_guide/builtin_objects/.
var ofHelm = lazyregexp.New(`\{\{-?\s*(?:template|define|block|lookup|include\s+"[^"]*\.[^"]*")\s|\{\{(?:[^}]*[\s(])?\$?\.(?:Release|Chart|Capabilities|Files|Subcharts)\b`)

// IsOfHelm reports whether a text has a template that only Helm can render.
func IsOfHelm(text string) bool { return ofHelm.MatchString(text) }
