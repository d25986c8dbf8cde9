package operator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

const (
	textFormat = "text"
	jsonFormat = "json"
)

// print writes an answer of the stack: as it came, or as text.
func (s *session) print(answer json.RawMessage, text func(w io.Writer)) error {
	if s.format == textFormat {
		text(s.Out)
		return nil
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, answer, "", "  "); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err := fmt.Fprintln(s.Out, indented.String())
	return err
}

// printable is one line that a terminal cannot take for a command: names of tables and reasons come from others.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, text)
}

// colour tells whether a writer takes it: https://no-color.org
func (s *session) colour(w io.Writer) bool {
	_, terminal := s.Width(w)
	return terminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}
