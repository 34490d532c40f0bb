// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/peerjob/peerjob/internal/lazyregexp"
)

// keyEnding returns an expression for the whole name of a flag, a variable or a key that
// is one of these words, or ends with one: "addr", "MASTER_ADDR", "etcd-addr".
func keyEnding(words string) *lazyregexp.Regexp {
	return lazyregexp.New(`(?i)^(?:[a-z0-9]+[-_])*(?:` + words + `)$`)
}

// flagBefore returns the name of the flag or the variable whose value begins at the end of
// a text, "" if there is none: "--addr ", "ADDR=" or "-addr='". First values of a list may
// stand between: "--addrs a:1,b:1,".
//
// It reads from the end, because an expression that ends with "$" is tried at each byte.
func flagBefore(text string) string {
	head := strings.TrimRightFunc(text, isListRune)
	if list := text[len(head):]; list != "" && (list[0] == ',' || list[len(list)-1] != ',' || strings.Contains(list, ",,")) {
		return ""
	}
	head = trimQuote(head)
	if assigned, ok := strings.CutSuffix(head, "="); ok {
		return nameAtEnd(assigned, 0, 2, spaces+`;"'(`)
	}
	if flag := trimSpaces(head); flag != head {
		return nameAtEnd(flag, 1, 2, spaces+`;"'(`)
	}
	return ""
}

// keyBefore is flagBefore, and takes a key of YAML or JSON, too: "addr: ".
func keyBefore(text string) string {
	if key, ok := strings.CutSuffix(trimSpaces(trimQuote(text)), ":"); ok {
		return nameAtEnd(trimQuote(trimSpaces(key)), 0, 0, spaces+`;"'({,`)
	}
	return flagBefore(text)
}

// nameAtEnd returns the name at the end of a text without its dashes, of which it must have
// at least and at most so many. One of the bytes in before, or nothing, must be before it.
func nameAtEnd(text string, least, most int, before string) string {
	head := strings.TrimRightFunc(text, isKeyRune)
	if head != "" && !strings.Contains(before, head[len(head)-1:]) {
		return ""
	}
	name := text[len(head):]
	bare := strings.TrimLeft(name, "-")
	if n := len(name) - len(bare); n < least || n > most {
		return ""
	}
	return bare
}

// spaces are the bytes that "\s" matches.
const spaces = " \t\n\f\r"

// cutLast is [strings.Cut] around the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func isLetterOrDigit(r rune) bool { return isLetter(r) || '0' <= r && r <= '9' }

func isKeyRune(r rune) bool { return isLetterOrDigit(r) || r == '-' || r == '_' }

func isSchemeRune(r rune) bool { return isLetterOrDigit(r) || strings.ContainsRune("+.-", r) }

// isListRune reports whether a list of hosts may have this character, separators
// included.
func isListRune(r rune) bool { return isKeyRune(r) || strings.ContainsRune("$.(){}:,", r) }

func isUserRune(r rune) bool { return isKeyRune(r) || r == '.' || r == '+' }

func trimSpaces(text string) string { return strings.TrimRight(text, spaces) }

// trimQuote returns a text without the quote at its end.
func trimQuote(text string) string {
	if strings.HasSuffix(text, `"`) || strings.HasSuffix(text, "'") {
		return text[:len(text)-1]
	}
	return text
}

// withoutUser returns a text without the user of a mailbox at its end: "bob@".
func withoutUser(text string) string {
	if head, ok := strings.CutSuffix(text, "@"); ok {
		if user := strings.TrimRightFunc(head, isUserRune); user != head {
			return user
		}
	}
	return text
}

// endsWithSpace reports whether a text ends with white space, or with that and a quote.
func endsWithSpace(text string) bool {
	text = trimQuote(text)
	return trimSpaces(text) != text
}
