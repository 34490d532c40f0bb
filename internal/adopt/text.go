// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/peerjob/peerjob/internal/lazyregexp"
	"github.com/peerjob/peerjob/internal/manifest"
)

// encode writes an object as YAML. A script stays a block of lines even if some of them
// end with spaces, which no writer of YAML that peerjob uses does: it puts the whole script
// into quotes, on one line.
func encode(object *yaml.Node) ([]byte, error) {
	plain, err := manifest.Bytes(object)
	if err != nil || !bytes.Contains(plain, []byte(` \n`)) {
		return plain, err
	}
	copied, err := clone(object)
	if err != nil {
		return plain, nil
	}
	b := &blocks{}
	b.replace(copied)
	text, err := manifest.Bytes(copied)
	if err != nil {
		return plain, nil
	}
	text = placeholder.ReplaceAllFunc(text, b.write)
	if !sameYAML(plain, text) {
		return plain, nil
	}
	return text, nil
}

// blocks are texts of several lines that are written as blocks.
type blocks struct{ texts []string }

// placeholder matches the line of a text that is written as a block.
var placeholder = lazyregexp.New(`(?m)^( *)((?:- )*)(\S+: )?peerjob-text-block-(\d+)$`)

// replace puts placeholders in the place of texts.
func (b *blocks) replace(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && isBlock(node.Value) {
		b.texts = append(b.texts, node.Value)
		*node = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprintf("peerjob-text-block-%d", len(b.texts)-1), HeadComment: node.HeadComment, FootComment: node.FootComment}
		return
	}
	for _, child := range node.Content {
		b.replace(child)
	}
}

// isBlock reports whether a text can be a block only if this package writes it.
func isBlock(text string) bool {
	if !strings.Contains(text, " \n") || strings.TrimLeft(text[:1], " \t\n") == "" || strings.HasSuffix(text, "\n\n") || strings.HasSuffix(text, " ") {
		return false
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r >= 0x80 && r < 0xa0 {
			return false
		}
	}
	return true
}

// write is the line of a placeholder with its text.
func (b *blocks) write(line []byte) []byte {
	match := placeholder.FindSubmatch(line)
	index, err := strconv.Atoi(string(match[4]))
	if err != nil || index >= len(b.texts) {
		return line // a value that the user wrote so
	}
	text := b.texts[index]
	column := len(match[1]) + len(match[2])
	if len(match[3]) > 0 {
		column += 2
	}
	indent := strings.Repeat(" ", column)
	out := append([]byte{}, match[1]...)
	out = append(append(out, match[2]...), match[3]...)
	out = append(out, '|')
	body, ended := strings.CutSuffix(text, "\n")
	if !ended {
		out = append(out, '-')
	}
	for row := range strings.SplitSeq(body, "\n") {
		out = append(out, '\n')
		if row != "" {
			out = append(append(out, indent...), row...)
		}
	}
	return out
}

// sameYAML reports whether two texts say the same.
func sameYAML(a, b []byte) bool {
	var x, y any
	return yaml.Unmarshal(a, &x) == nil && yaml.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
