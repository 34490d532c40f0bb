// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

// maxWidth is the largest width and precision of a format, and numberText is longer
// than the text of any number that Go writes.
const (
	maxWidth   = 1_000
	numberText = 32
)

// textLength is how long the text of a single value may be.
func textLength(value any) int {
	switch value := value.(type) {
	case string:
		return len(value)
	case Number:
		return len(value.text)
	}
	return numberText
}

// lengthOf is how long the texts of some values are together.
func lengthOf(args []any) int {
	length := 0
	for _, arg := range args {
		length += textLength(arg) + 1
	}
	return length
}

// perByte is the price of a function that costs this many units for each byte of
// its arguments.
func perByte(units int) func(*Renderer, []any) (int, error) {
	return func(_ *Renderer, args []any) (int, error) { return times(lengthOf(args), units), nil }
}

// joined is the price of one text of all arguments.
func joined(r *Renderer, args []any) (int, error) {
	length := lengthOf(args)
	return times(length, 6) + len(args)*elementPrice, fits(length - numberText*len(args))
}

// printable are values as fmt writes them: numbers as [show] does, but still no
// texts, so that the spaces between are those of text/template.
func printable(args []any) ([]any, error) {
	shown := make([]any, len(args))
	for i, arg := range args {
		text, err := show(arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d %w", i+1, err)
		}
		shown[i] = unspaced(arg, text)
	}
	return shown, nil
}

// asWritten prints as its text, and is no text for fmt.Sprint.
type asWritten struct{ text string }

func (a asWritten) String() string { return a.text }

func unspaced(value any, text string) any {
	if _, ok := value.(string); ok {
		return text
	}
	return asWritten{text}
}

func printText(_ *Renderer, args []any) (any, error) {
	shown, err := printable(args)
	if err != nil {
		return nil, err
	}
	return fmt.Sprint(shown...), nil
}

func printLine(_ *Renderer, args []any) (any, error) {
	shown, err := printable(args)
	if err != nil {
		return nil, err
	}
	return fmt.Sprintln(shown...), nil
}

// concatenated are the texts of the arguments that are not null, each written by
// a function, with spaces between.
func concatenated(write func(value any, text string) string) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		var parts []string
		for i, arg := range args {
			if arg == nil {
				continue
			}
			text, err := show(arg)
			if err != nil {
				return nil, fmt.Errorf("argument %d %w", i+1, err)
			}
			parts = append(parts, write(arg, text))
		}
		return strings.Join(parts, " "), nil
	}
}

// verb is one "%..." of a format.
type verb struct {
	// flags are all between the "%" and the letter.
	flags  string
	letter rune
}

// verbsOf are the verbs for each kind of value that fmt writes as such.
func verbsOf(value any) string {
	switch value.(type) {
	case string:
		return "vsqxX"
	case int, int64:
		return "vdboOxXcqU"
	case float64:
		return "veEfFgG"
	case bool:
		return "vt"
	}
	return ""
}

// usualVerb is the verb for a value that fits without a thought.
func usualVerb(value any) string {
	switch value.(type) {
	case string:
		return "%s"
	case int, int64:
		return "%d"
	case bool:
		return "%t"
	}
	return "%v"
}

// splitFormat calls one function for each text and one for each verb of a format.
func splitFormat(format string, text func(string), verbs func(verb) error) error {
	for {
		percent := strings.IndexByte(format, '%')
		if percent < 0 {
			text(format)
			return nil
		}
		text(format[:percent])
		format = format[percent+1:]
		length := 0
		for length < len(format) && strings.IndexByte("+-# 0123456789.", format[length]) >= 0 {
			length++
		}
		flags := format[:length]
		letter, size := utf8.DecodeRuneInString(format[length:])
		format = format[length+size:]
		switch {
		case size == 0:
			return errors.New("the format ends in the middle of a verb; to write % itself, write %%")
		case letter == '*' || letter == '[':
			return fmt.Errorf("%c is not for a format here; write the number, and the arguments in their order", letter)
		case letter == '%':
			text("%")
			continue
		}
		for _, number := range strings.FieldsFunc(flags, func(c rune) bool { return c < '0' || c > '9' }) {
			if n, err := strconv.Atoi(number); err != nil || n > maxWidth {
				return fmt.Errorf("a width or precision must be no more than %d", maxWidth)
			}
		}
		if err := verbs(verb{flags, letter}); err != nil {
			return err
		}
	}
}

func priceFormat(r *Renderer, args []any) (int, error) {
	format := args[0].(string)
	if err := r.budget.spend(perFormatByte * len(format)); err != nil {
		return 0, err
	}
	length := lengthOf(args[1:]) * 8 // what %q and %x make of a byte, at most, and copies
	err := splitFormat(format, func(text string) { length += len(text) }, func(v verb) error {
		length = plus(length, 128)
		for _, number := range strings.FieldsFunc(v.flags, func(c rune) bool { return c < '0' || c > '9' }) {
			n, _ := strconv.Atoi(number)
			length += 4 * n
		}
		return nil
	})
	return times(length, 6), err
}

// perFormatByte is the price of looking at a byte of a format.
const perFormatByte = 16

func printFormat(_ *Renderer, args []any) (any, error) {
	var out strings.Builder
	next := 1
	err := splitFormat(args[0].(string), func(text string) { out.WriteString(text) }, func(v verb) error {
		written := "%" + v.flags + string(v.letter)
		if next == len(args) {
			return fmt.Errorf("there is no argument for %s", written)
		}
		arg := args[next]
		next++
		value := plain(arg)
		if !strings.ContainsRune(verbsOf(value), v.letter) || strings.Contains(v.flags, "#") && v.letter == 'v' {
			shown, err := show(arg)
			if err != nil {
				return fmt.Errorf("argument %d %w", next, err)
			}
			return fmt.Errorf("%s does not write argument %d, which is %s, %s; write %s", written, next, KindOf(arg), excerpt(shown, 0), usualVerb(value))
		}
		if v.letter == 'v' && strings.Trim(v.flags, "-0123456789") == "" && !strings.HasPrefix(v.flags, "0") {
			text, err := show(arg)
			if err != nil {
				return fmt.Errorf("argument %d %w", next, err)
			}
			value = text
		}
		fmt.Fprintf(&out, written, value)
		return fits(out.Len())
	})
	if err != nil {
		return nil, err
	}
	if next < len(args) {
		return nil, fmt.Errorf("the format has no verb for argument %d", next+1)
	}
	return out.String(), nil
}

func toText(_ *Renderer, args []any) (any, error) { return show(args[0]) }

// escaped writes arguments with one of the escapers of text/template.
func escaped(escape func(...any) string) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) {
		shown, err := printable(args)
		if err != nil {
			return nil, err
		}
		return escape(fmt.Sprint(shown...)), nil
	}
}

var (
	escapeHTML = escaped(template.HTMLEscaper)
	escapeJS   = escaped(template.JSEscaper)
	escapeURL  = escaped(template.URLQueryEscaper)
)

// ofText is a function of one text.
func ofText(f func(string) string) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) { return f(args[0].(string)), nil }
}

// ofTexts is a function of two texts, of which sprig has the second first.
func ofTexts[T any](f func(text, other string) T) func(*Renderer, []any) (any, error) {
	return func(_ *Renderer, args []any) (any, error) { return f(args[1].(string), args[0].(string)), nil }
}

func priceTrimAll(_ *Renderer, args []any) (int, error) {
	return times(len(args[1].(string))+16, times(len(args[0].(string))+1, 2)), nil
}

func priceReplace(r *Renderer, args []any) (int, error) {
	old, with, text := args[0].(string), args[1].(string), args[2].(string)
	if err := r.budget.spend(8 * (len(text) + len(old))); err != nil {
		return 0, err
	}
	length := plus(len(text), times(strings.Count(text, old), max(0, len(with)-len(old))))
	return times(length, 8), fits(length)
}

func replace(_ *Renderer, args []any) (any, error) {
	return strings.ReplaceAll(args[2].(string), args[0].(string), args[1].(string)), nil
}

func priceRepeat(_ *Renderer, args []any) (int, error) {
	n := args[0].(int)
	if n < 0 {
		return 0, errNegative
	}
	length := times(n, len(args[1].(string)))
	return times(length, 2), fits(length)
}

func repeat(_ *Renderer, args []any) (any, error) {
	return strings.Repeat(args[1].(string), args[0].(int)), nil
}

func priceIndent(r *Renderer, args []any) (int, error) {
	n, text := args[0].(int), args[1].(string)
	if n < 0 {
		return 0, errNegative
	}
	if err := r.budget.spend(4 * len(text)); err != nil {
		return 0, err
	}
	length := plus(1, len(text), times(n, strings.Count(text, "\n")+1))
	return times(length, 6), fits(length)
}

func indent(_ *Renderer, args []any) (any, error) {
	pad := strings.Repeat(" ", args[0].(int))
	return pad + strings.ReplaceAll(args[1].(string), "\n", "\n"+pad), nil
}

func indentBelow(r *Renderer, args []any) (any, error) {
	text, _ := indent(r, args)
	return "\n" + text.(string), nil
}

func priceWrap(_ *Renderer, args []any) (int, error) {
	if args[0].(int) < 1 {
		return 0, errors.New("the number must be 1 or more")
	}
	return 24 * len(args[1].(string)), nil
}

func plural(_ *Renderer, args []any) (any, error) {
	if args[2].(int) == 1 {
		return args[0], nil
	}
	return args[1], nil
}

func substring(_ *Renderer, args []any) (any, error) {
	from, to, text := args[0].(int), args[1].(int), args[2].(string)
	from = max(from, 0)
	if to < 0 || to > len(text) {
		to = len(text)
	}
	if from > to {
		return nil, fmt.Errorf("there is no part from %d to %d in %d bytes", from, to, len(text))
	}
	return text[from:to], nil
}

func truncate(_ *Renderer, args []any) (any, error) {
	n, text := args[0].(int), args[1].(string)
	switch {
	case n < 0 && len(text)+n > 0:
		return text[len(text)+n:], nil
	case n >= 0 && len(text) > n:
		return text[:n], nil
	}
	return text, nil
}
