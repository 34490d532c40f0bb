// SPDX-License-Identifier: Apache-2.0

package render

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/adler32"
	"path"
	"strconv"
	"sync"

	"github.com/Masterminds/sprig/v3"
)

// The functions whose rules are sprig's own and not those of a word, such as what
// a snake case is.

var sprigs = sync.OnceValue(sprig.GenericFuncMap)

func fromSprig(name string) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		return sprigs()[name].(func(string) string)(args[0].(string)), nil
	}
}

func fromSprigWithNumber(name string) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		return sprigs()[name].(func(int, string) string)(args[0].(int), args[1].(string)), nil
	}
}

func fromSprigFractions(name string) func(*Renderer, []any) (any, error) {
	return fractions(func(args []any) float64 { return sprigs()[name].(func(...any) float64)(args...) })
}

func fromSprigFractionsFrom(name string) func(*Renderer, []any) (any, error) {
	return fractions(func(args []any) float64 {
		return sprigs()[name].(func(any, ...any) float64)(args[0], args[1:]...)
	})
}

func semverCompare(_ *Renderer, args []any) (any, error) {
	return sprigs()["semverCompare"].(func(string, string) (bool, error))(args[0].(string), args[1].(string))
}

func toBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func sha256sum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func sha512sum(text string) string {
	sum := sha512.Sum512([]byte(text))
	return hex.EncodeToString(sum[:])
}

func isAbs(_ *Renderer, args []any) (any, error) { return path.IsAbs(args[0].(string)), nil }

func sha1sum(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func adler32sum(text string) string {
	return strconv.FormatUint(uint64(adler32.Checksum([]byte(text))), 10)
}
