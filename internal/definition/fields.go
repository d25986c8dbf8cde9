package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/change"
	"backfill/internal/figure"

	"github.com/goccy/go-yaml/ast"
)

// keys are the file's keys, in the order in which a person writes them.
var keys = []string{"name", "description", "owner", "table", "key", "set", "delete", "where", "params", "chunk_rows", "undo", "error_budget", "on_failure", "windows", "throttle", "verify", "repeatable"}

// namePattern keeps a name usable in a run id, in an execution name and as a file name.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// definition reads the root mapping.
func (r *reader) definition(root *ast.MappingNode) Definition {
	d := Definition{ChunkRows: DefaultChunkRows, Undo: true}
	given := r.entries(root, "")
	for _, e := range given {
		r.field(&d, e)
	}
	for _, required := range []string{"name", "table"} {
		if !slices.ContainsFunc(given, func(e entry) bool { return e.name == required }) {
			r.refuse(start(root), required, "it is missing", "add a line "+required+": ...")
		}
	}
	r.kind(&d, root, given)
	r.scoped(d, given)
	return d
}

func (r *reader) field(d *Definition, e entry) {
	switch e.name {
	case "name":
		d.Name = r.name(e)
	case "description":
		d.Description, _ = r.line(e, e.name)
	case "owner":
		d.Owner, _ = r.line(e, e.name)
	case "table":
		d.Table = r.table(e)
	case "key":
		d.Key = r.key(e)
	case "set":
		d.Set = r.set(e)
	case "delete":
		r.deletion(e)
	case "where":
		d.Where = r.expression(e, e.name)
	case "params":
		d.Params = r.params(e)
	case "chunk_rows":
		d.ChunkRows = r.count(e, minChunkRows, maxChunkRows, "write one like 250_000, or remove the line for "+figure.Count(DefaultChunkRows))
	case "undo":
		d.Undo = r.undo(e)
	case "error_budget":
		d.ErrorBudget = r.count(e, 0, MaxErrorBudget, "write how many rows may fail, or remove the line for none")
	case "on_failure":
		d.OnFailure = r.onFailure(e)
	case "windows":
		d.Windows = r.windows(e)
	case "throttle":
		d.Throttle, d.Metrics = r.throttle(e)
	case "verify":
		d.Verify = r.invariant(e)
	case "repeatable":
		d.Repeatable = r.repeatable(e)
	default:
		r.refuse(e.key, "", fmt.Sprintf("the key %q is not known", e.name), DidYouMean(e.name, keys))
	}
}

func (r *reader) name(e entry) string {
	name, ok := r.line(e, e.name)
	if ok && !namePattern.MatchString(name) {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is not a name", shorten(name)),
			"use up to 63 lower case letters, digits and hyphens, and begin with a letter or a digit")
	}
	return name
}

// key reads one column, or a list of columns.
func (r *reader) key(e entry) []string {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		if column, ok := r.column(e, e.name); ok {
			return []string{column}
		}
		return nil
	}
	r.origins[e.name] = origin{key: e.key, start: start(list)}
	if len(list.Values) == 0 {
		r.refuse(start(list), e.name, "the list is empty", "name the columns, or remove the line to use the primary key")
	}
	var columns []string
	for i, value := range list.Values {
		path := fmt.Sprintf("key[%d]", i)
		column, ok := r.column(entry{key: start(value), value: value}, path)
		if ok && slices.Contains(columns, column) {
			r.refuse(start(value), path, fmt.Sprintf("column %q is named twice", column), "remove one")
		}
		columns = append(columns, column)
	}
	return columns
}

func (r *reader) column(e entry, path string) (string, bool) {
	text, ok := r.line(e, path)
	if !ok {
		return "", false
	}
	return r.columnName(text, e.at(), path)
}

// columnName takes a column's exact name; it may stand in SQL's double quotes.
func (r *reader) columnName(text string, at position, path string) (string, bool) {
	name := text
	if len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		name = strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	}
	if complaint := identifierComplaint(name); complaint != "" {
		r.refuse(at, path, complaint, "write the column's exact name")
		return "", false
	}
	return name, true
}

var wholeNumber = regexp.MustCompile(`^[0-9][0-9_]*$`)

// count reads a whole number within bounds.
func (r *reader) count(e entry, least, most int64, remedy string) int64 {
	text, ok := r.line(e, e.name)
	if !ok {
		return 0
	}
	number, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil || !wholeNumber.MatchString(text) || number < least || number > most {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is not a whole number from %s to %s", shorten(text),
			figure.Count(least), figure.Count(most)), remedy)
	}
	return number
}

// undo reads on or off: YAML's true and false mean the same.
func (r *reader) undo(e entry) bool {
	text, ok := r.line(e, e.name)
	switch {
	case !ok, text == "on", text == "true":
		return true
	case text == "off", text == "false":
		return false
	}
	r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither on nor off", shorten(text)),
		"write undo: off where a run need not be rolled back, or remove the line")
	return true
}

// onFailure reads what a failed chunk means for the others.
func (r *reader) onFailure(e entry) change.OnFailure {
	text, ok := r.line(e, e.name)
	if ok && !slices.Contains(change.OnFailures(), change.OnFailure(text)) {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither stop, pause nor continue", shorten(text)),
			"write on_failure: pause to decide then, continue to have the other chunks finished first, or remove the line to stop")
	}
	return change.OnFailure(text)
}

// shorten keeps an answer readable when a value is very long.
func shorten(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}
