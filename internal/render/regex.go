// SPDX-License-Identifier: Apache-2.0

package render

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
)

const (
	// maxPattern is how long a regular expression may be, in bytes.
	maxPattern = 512
	// maxProgram is how many instructions it may have.
	maxProgram = 5_000
	// compilePrice is the price of an instruction when it is compiled, and
	// matchPrice when it is tried on a byte.
	compilePrice, matchPrice = 1_000, 4
	// patternBase is the price of reading an expression, and patternPrice that of a
	// byte of it.
	patternBase, patternPrice = 40_000, 400
	// classPrice is the price of a class of Unicode, and foldPrice of a range of
	// characters beyond ASCII where capitals do not count.
	classPrice, foldPrice = 100_000, 6_000_000
)

// pattern is a regular expression, and what follows from it.
type pattern struct {
	*regexp.Regexp
	// instructions is how large its program is at most.
	instructions int
	// longest is how long a match may be, in bytes.
	longest int
}

// pattern returns an expression, read once. It pays before each step.
func (r *Renderer) pattern(text string) (*pattern, error) {
	if p, found := r.patterns[text]; found {
		return p, nil
	}
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the expression has %d bytes, and may have %d", len(text), maxPattern)
	}
	if err := r.budget.spend(patternCost(text)); err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	p := &pattern{instructions: programSize(parsed), longest: longestMatch(parsed)}
	if p.instructions > maxProgram {
		return nil, fmt.Errorf("the expression is too large; repeat less in it")
	}
	if err := r.budget.spend(p.instructions * compilePrice); err != nil {
		return nil, err
	}
	if p.Regexp, err = regexp.Compile(text); err != nil {
		return nil, err
	}
	r.patterns[text] = p
	return p, nil
}

// patternCost is the price of reading an expression.
func patternCost(text string) int {
	cost := patternBase + patternPrice*len(text)
	cost += classPrice * (strings.Count(text, `\p`) + strings.Count(text, `\P`))
	if strings.Contains(text, "(?") && strings.Contains(text, "i") {
		beyondASCII := strings.Contains(text, `\`) || strings.ContainsFunc(text, func(c rune) bool { return c > 0x7f })
		if ranges := strings.Count(text, "-") + strings.Count(text, "[^"); beyondASCII {
			cost += foldPrice * ranges
		}
	}
	return cost
}

// programSize is how many instructions an expression has at most, with those that
// repeat written out.
func programSize(re *syntax.Regexp) int {
	size := 2 + len(re.Rune)
	for _, sub := range re.Sub {
		size = plus(size, programSize(sub))
	}
	if re.Op == syntax.OpRepeat {
		size = times(size, max(re.Min, re.Max, 1)+1)
	}
	return size
}

// longestMatch is how many bytes an expression matches at most.
func longestMatch(re *syntax.Regexp) int {
	const longestRune = 4
	longest := 0
	switch re.Op {
	case syntax.OpLiteral:
		return longestRune * len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return longestRune
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			longest = max(longest, longestMatch(sub))
		}
		return longest
	}
	for _, sub := range re.Sub {
		longest = plus(longest, longestMatch(sub))
	}
	switch {
	case longest == 0:
		return 0
	case re.Op == syntax.OpStar || re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat && re.Max < 0:
		return math.MaxInt
	case re.Op == syntax.OpRepeat:
		return times(longest, re.Max)
	}
	return longest
}

// price is the price of n searches for a match. Each looks at what is left of the
// text at most, and not further behind its match than the longest may be; where
// that one ends is where the next begins.
func (p *pattern) price(text string, n int) int {
	length := len(text) + 1
	looked := min(times(n, length), plus(length, times(n, p.longest)))
	return plus(times(times(looked, p.instructions), matchPrice), p.instructions*200, 2_000)
}

func priceMatch(r *Renderer, args []any) (int, error) {
	p, err := r.pattern(args[0].(string))
	if err != nil {
		return 0, err
	}
	return p.price(args[1].(string), 1), nil
}

// priceQuote is the price of a text in which every byte may get another before it.
var priceQuote = perByte(8)

func regexMatch(r *Renderer, args []any) (any, error) {
	p, err := r.pattern(args[0].(string))
	return err == nil && p.MatchString(args[1].(string)), err
}

func regexFind(r *Renderer, args []any) (any, error) {
	p, err := r.pattern(args[0].(string))
	if err != nil {
		return nil, err
	}
	return p.FindString(args[1].(string)), nil
}

// matches are the matches of an expression, at most some, with their groups. How
// many there are is not known before; so it asks for a few, pays for these, and
// asks for twice as many as long as there are more.
func (r *Renderer) matches(p *pattern, text string, most int) ([][]int, error) {
	groups := 2 * (p.NumSubexp() + 1)
	if most < 0 {
		most = len(text) + 1
	}
	for n := 16; ; n *= 2 {
		n = min(n, most)
		if err := r.budget.spend(plus(p.price(text, n+1), times(n, 64+16*groups))); err != nil {
			return nil, err
		}
		found := p.FindAllStringSubmatchIndex(text, n)
		if len(found) < n || n == most {
			return found, nil
		}
	}
}

// found returns the expression of a call and its matches in the text.
func (r *Renderer) found(args []any, most int) (*pattern, [][]int, error) {
	p, err := r.pattern(args[0].(string))
	if err != nil {
		return nil, nil, err
	}
	matches, err := r.matches(p, args[1].(string), most)
	if err == nil {
		err = few(len(matches))
	}
	return p, matches, err
}

func regexFindAll(r *Renderer, args []any) (any, error) {
	_, matches, err := r.found(args, args[2].(int))
	if err != nil || matches == nil {
		return []any(nil), err
	}
	if err := r.budget.spend(len(matches) * elementPrice); err != nil {
		return nil, err
	}
	all := make([]any, len(matches))
	for i, match := range matches {
		all[i] = args[1].(string)[match[0]:match[1]]
	}
	return all, nil
}

func regexSplit(r *Renderer, args []any) (any, error) {
	text, n := args[1].(string), args[2].(int)
	if n == 0 {
		return []any(nil), nil
	}
	if args[0] != "" && text == "" {
		return []any{""}, nil
	}
	_, matches, err := r.found(args, n)
	if err != nil {
		return nil, err
	}
	if err := r.budget.spend((len(matches) + 1) * elementPrice); err != nil {
		return nil, err
	}
	all, begin, end := make([]any, 0, len(matches)+1), 0, 0
	for _, match := range matches {
		if n > 0 && len(all) == n-1 {
			break
		}
		end = match[0]
		if match[1] != 0 {
			all = append(all, text[begin:end])
		}
		begin = match[1]
	}
	if end != len(text) {
		all = append(all, text[begin:])
	}
	return all, nil
}

// replaced puts a text in place of every match. It pays for each before it makes it.
func (r *Renderer) replaced(args []any, groups bool) (any, error) {
	p, matches, err := r.found(args, -1)
	if err != nil {
		return nil, err
	}
	text, with := args[1].(string), args[2].(string)
	names := 0
	if groups {
		names = strings.Count(with, "$")
	}
	out, end := []byte{}, 0
	for _, match := range matches {
		longest := plus(len(with), times(names, match[1]-match[0]))
		if err := fits(plus(len(out), longest)); err != nil {
			return nil, err
		}
		if err := r.budget.spend(plus(times(longest, 4), times(match[0]-end, 4), elementPrice, 64*names)); err != nil {
			return nil, err
		}
		out = append(out, text[end:match[0]]...)
		if groups {
			out = p.ExpandString(out, with, text, match)
		} else {
			out = append(out, with...)
		}
		end = match[1]
	}
	if err := r.budget.spend(4 * (len(text) - end)); err != nil {
		return nil, err
	}
	return string(append(out, text[end:]...)), nil
}

func regexReplaceAll(r *Renderer, args []any) (any, error)        { return r.replaced(args, true) }
func regexReplaceAllLiteral(r *Renderer, args []any) (any, error) { return r.replaced(args, false) }
