// Package skeleton makes the files with which a new backfill begins.
//
// It owns their texts. It leaves writing them to its caller. Invariants, held by tests: the files are valid, compile and pass as they
// are made, beside the definitions that are compiled in; and their names are plain to Go, whatever the backfill is called.
package skeleton

import (
	"embed"
	"fmt"
	"strings"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
)

//go:embed files
var files embed.FS

// File is a file to be written.
type File struct{ Name, Text string }

// kinds are the files of each kind, by what stands behind the backfill's name. A hyphen in a file's name has no meaning to Go, as an
// underscore may have: users_windows.go would be for Windows alone.
var kinds = map[change.Kind]map[string]string{
	change.Set:       {".yaml": "set.yaml"},
	change.Joined:    {".yaml": "join.yaml"},
	change.Delete:    {".yaml": "delete.yaml"},
	change.Archived:  {".yaml": "archive.yaml"},
	change.Copy:      {".yaml": "copy.yaml"},
	change.Move:      {".yaml": "move.yaml"},
	change.Transform: {".yaml": "transform.yaml", ".go": "transform.go.txt", "_test.go": "transform_test.go.txt"},
}

// Kinds lists the kinds that there is a skeleton for, those that write in place first.
func Kinds() []string {
	var names []string
	for _, kind := range []change.Kind{change.Set, change.Joined, change.Transform, change.Copy, change.Move, change.Delete, change.Archived} {
		names = append(names, string(kind))
	}
	return names
}

// Files makes the files of a backfill. A name or a kind that cannot be is failure.Invalid.
func Files(name string, kind change.Kind) ([]File, error) {
	sources, ok := kinds[kind]
	if !ok {
		return nil, failure.New(failure.Invalid, "there is no kind %q; %s", kind, definition.DidYouMean(string(kind), Kinds()))
	}
	var made []File
	for _, ending := range []string{".yaml", ".go", "_test.go"} {
		source, ok := sources[ending]
		if !ok {
			continue
		}
		text, err := files.ReadFile("files/" + source)
		if err != nil {
			return nil, fmt.Errorf("read the skeleton %s: %w", source, err)
		}
		made = append(made, File{Name: name + ending, Text: filled(string(text), name)})
	}
	if _, problems := definition.Parse([]byte(made[0].Text)); problems != nil {
		return nil, problems.Err()
	}
	return made, nil
}

func filled(text, name string) string {
	title := titled(name)
	return strings.NewReplacer("TITLE", title, "FUNCTION", "compute"+title, "NAME", name).Replace(text)
}

// titled makes UsersEmailHash of users-email-hash.
func titled(name string) string {
	var title strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			title.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return title.String()
}
