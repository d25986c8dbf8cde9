package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"backfill/internal/change"
	"backfill/internal/figure"
	"backfill/internal/keyset"

	"github.com/goccy/go-yaml/ast"
)

// field is a key of the file: what editors and docs/definitions.md say of it, how it is read, and which other keys it cannot do
// without. Its entry in fields is all that a new key needs.
type field struct {
	property
	read  func(r *reader, d *Definition, e entry)
	needs []string
}

// fields are the file's keys, in the order in which a person writes them.
var fields = []field{
	{property{"name", "lower case letters, digits and -; the default id of a run begins with it",
		matching(namePattern.String()), "", "name: orders-cents"},
		func(r *reader, d *Definition, e entry) { d.Name = r.name(e) }, nil},
	{property{"description", "for people",
		words(), "", "description: Fills total_cents from total."},
		func(r *reader, d *Definition, e entry) { d.Description, _ = r.line(e, e.name) }, nil},
	{property{"owner", "for people",
		words(), "", "owner: payments"},
		func(r *reader, d *Definition, e entry) { d.Owner, _ = r.line(e, e.name) }, nil},
	{property{"database", "which database of the stack the table is in: a name of its parameter Databases",
		matching(databasePattern.String()), "the stack's own, which is also called default", "database: orders"},
		func(r *reader, d *Definition, e entry) { d.Database = r.database(e) }, nil},
	{property{"table", "table or schema.table; a name with capitals, spaces or dots in double quotes",
		matching(tablePattern), "", "table: shop.orders"},
		func(r *reader, d *Definition, e entry) { d.Table = r.table(e) }, nil},
	{property{"key", "columns, in order, of a unique btree index without NULLs",
		several(columnShape(), shape{"uniqueItems": true}), "the primary key", "key: [tenant_id, id]"},
		func(r *reader, d *Definition, e entry) { d.Key = r.key(e) }, nil},
	{property{"set", "column: SQL expression over the row as it was",
		setShape(), "", "set: {total_cents: round(total * 100)::bigint}"},
		func(r *reader, d *Definition, e entry) { d.Set = r.set(e) }, nil},
	{property{"from", "other tables that set reads; what expressions call it: table",
		fromShape(), "", "from: {c: shop.customers}"},
		func(r *reader, d *Definition, e entry) { r.join(d, e) }, []string{"join", "set"}},
	{property{"join", "SQL condition: how a row of the table finds its row in those",
		words(), "", "join: c.id = orders.customer_id"},
		func(r *reader, d *Definition, e entry) { r.join(d, e) }, []string{"from", "set"}},
	{property{"unmatched", "a row that finds none there: leave it alone, or set it, with NULLs",
		shape{"enum": []any{"leave", "set"}}, "leave", "unmatched: set"},
		func(r *reader, d *Definition, e entry) { r.join(d, e) }, []string{"from", "set"}},
	{property{"delete", "true: the rows in scope are deleted",
		shape{"enum": []any{true, "true"}}, "", "delete: true"},
		func(r *reader, _ *Definition, e entry) { r.deletion(e) }, []string{"where"}},
	{property{"archive", "the table into which rows are put when they are deleted; as table",
		matching(tablePattern), "", "archive: old.sessions"},
		func(r *reader, d *Definition, e entry) { d.Archive = r.table(e) }, []string{"delete"}},
	{property{"transform", "a Go function of the stack computes what is written",
		transformShape(), "", "transform: {function: email-hash, reads: [email], writes: [email_hash]}"},
		func(r *reader, d *Definition, e entry) { d.Transform = r.transform(e) }, nil},
	{property{"copy", "the rows in scope are copied into another table, or moved there",
		copyShape(), "", "copy: {into: archive.orders}"},
		func(r *reader, d *Definition, e entry) { d.Copy = r.copying(e) }, nil},
	{property{"depends_on", "backfills: a start is refused until a run of each is COMPLETED in this database",
		dependenciesShape(), "", "depends_on: [orders-cents, orders-currency]"},
		func(r *reader, d *Definition, e entry) { d.DependsOn = r.dependsOn(e) }, nil},
	{property{"where", "SQL condition: which rows are in scope",
		words(), "every row; a deletion needs it", "where: total IS NOT NULL"},
		func(r *reader, d *Definition, e entry) { d.Where = r.expression(e, e.name) }, nil},
	{property{"rows", "fixed: up to the greatest key at the start; follow: also what comes behind it, until a round finds none to write",
		shape{"enum": []any{"fixed", "follow"}}, "fixed", "rows: follow"},
		func(r *reader, d *Definition, e entry) { d.Follow = r.rows(e) }, nil},
	{property{"order", "of chunks by their keys. ascending: the smallest keys first; descending: the greatest first, which are the newest rows where keys grow; not with rows: follow",
		oneOfTexts(keyset.Orders()...), string(keyset.Ascending), "order: descending"},
		func(r *reader, d *Definition, e entry) { d.Order = r.order(e) }, nil},
	{property{"params", "what a run is given, as -p name=value. name: type, or name: {type, default, min, max, description}; written @name in SQL, sent as bind values",
		paramsShape(), "", "params: {since: timestamptz, least: {type: integer, default: 1}}"},
		func(r *reader, d *Definition, e entry) { d.Params = r.params(e) }, nil},
	{property{"chunk_rows", "keys in a chunk",
		number(minChunkRows, maxChunkRows), figure.Count(DefaultChunkRows), "chunk_rows: 250_000"},
		func(r *reader, d *Definition, e entry) {
			d.ChunkRows = r.count(e, minChunkRows, maxChunkRows, "write one like 250_000, or remove the line for "+figure.Count(DefaultChunkRows))
		}, nil},
	{property{"undo", "keep what is overwritten; off: a run cannot be rolled back",
		shape{"enum": []any{true, false, "on", "off", "true", "false"}}, "on", "undo: off"},
		func(r *reader, d *Definition, e entry) { d.Undo = r.undo(e) }, nil},
	{property{"error_budget", "rows that may fail: each is passed over, and kept in backfill.rejects",
		number(0, MaxErrorBudget), "0", "error_budget: 50"},
		func(r *reader, d *Definition, e entry) {
			d.ErrorBudget = r.count(e, 0, MaxErrorBudget, "write how many rows may fail, or remove the line for none")
		}, nil},
	{property{"on_failure", "when a chunk has failed. stop: the run ends FAILED, and names it; pause: it is PAUSED until resume, which tries the chunk again; continue: the other chunks are finished first, then it ends FAILED",
		oneOfTexts(change.OnFailures()...), string(change.Stop), "on_failure: continue"},
		func(r *reader, d *Definition, e entry) { d.OnFailure = r.onFailure(e) }, nil},
	{property{"overlap", "a start while another run holds the table. refuse: its execution FAILED; skip: it is none, and the execution SUCCEEDED",
		shape{"enum": []any{"refuse", "skip"}}, "refuse", "overlap: skip"},
		func(r *reader, d *Definition, e entry) { d.Skips = r.overlap(e) }, nil},
	{property{"windows", "when a run may work: a window, or a list of them",
		windowsShape(), "always", "windows: {timezone: Europe/Berlin, days: mon-fri, hours: 20:00-06:00}"},
		func(r *reader, d *Definition, e entry) { d.Windows = r.windows(e) }, nil},
	{property{"throttle", "limits of signals, above which runs get slower, and up to " + figure.Count(maxMetrics) + " metrics of your own",
		throttleShape(), "", "throttle: {lock_waiters: 4, replica_lag_seconds: off}"},
		func(r *reader, d *Definition, e entry) { d.Throttle, d.Metrics = r.throttle(e) }, nil},
	{property{"verify", "a query that backfill verify asks after the run: true or false, or the number of rows that break it",
		words(), "", "verify: SELECT count(*) FROM shop.orders WHERE total IS NOT NULL AND total_cents IS NULL"},
		func(r *reader, d *Definition, e entry) { d.Verify = r.invariant(e) }, nil},
	{property{"repeatable", "true: your word that the expressions give the same for a row that was written already, so rows can be verified by value though one reads what it writes",
		shape{"enum": []any{true, false, "true", "false"}}, "false", "repeatable: true"},
		func(r *reader, d *Definition, e entry) { d.Repeatable = r.repeatable(e) }, nil},
}

// names are those of fields.
var names = namesOf(properties())

// required are the keys that each file has, beside the one of its kind.
var required = []string{"name", "table"}

// namePattern keeps a name usable in a run id, in an execution name and as a file name.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// IsName tells whether a definition can have that name.
func IsName(name string) bool { return namePattern.MatchString(name) }

// definition reads the root mapping.
func (r *reader) definition(root *ast.MappingNode) Definition {
	d := Definition{ChunkRows: DefaultChunkRows, Undo: true}
	given := r.entries(root, "")
	for _, e := range given {
		r.field(&d, e)
	}
	for _, required := range required {
		switch exact := func(e entry) bool { return e.name == required }; {
		case slices.ContainsFunc(given, exact):
		case slices.ContainsFunc(given, means(required)):
			d.mistyped = append(d.mistyped, required)
		default:
			r.refuse(start(root), required, "it is missing", "add a line "+required+": ...")
		}
	}
	r.kind(&d, root, given)
	r.scoped(d, given)
	r.moves(d)
	r.independent(d)
	r.joined(&d, given)
	r.archived(&d, given)
	r.ordered(d)
	return d
}

// means tells an entry that has the key, or a mistyped one for which that key is suggested: it is refused once.
func means(key string) func(e entry) bool {
	return func(e entry) bool {
		return e.name == key || !slices.Contains(names, e.name) && Nearest(e.name, names) == key
	}
}

// field reads one key by its entry in fields.
func (r *reader) field(d *Definition, e entry) {
	at := slices.IndexFunc(fields, func(f field) bool { return f.name == e.name })
	if at < 0 {
		r.refuse(e.key, "", fmt.Sprintf("the key %q is not known", e.name), DidYouMean(e.name, names))
		return
	}
	fields[at].read(r, d, e)
}

func (r *reader) name(e entry) string {
	name, ok := r.line(e, e.name)
	if ok && !IsName(name) {
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
		path := fmt.Sprintf("%s[%d]", e.name, i)
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

// rows reads whether rows that come while a run goes on are in scope.
func (r *reader) rows(e entry) bool {
	text, ok := r.line(e, e.name)
	if ok && text != "fixed" && text != "follow" {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither fixed nor follow", shorten(text)),
			"write rows: follow to have rows that come behind the last key changed as well, or remove the line for those that are there at the start")
	}
	return text == "follow"
}

// overlap reads whether a start is passed over while another run holds the table.
func (r *reader) overlap(e entry) bool {
	text, ok := r.line(e, e.name)
	if ok && text != "refuse" && text != "skip" {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither refuse nor skip", shorten(text)),
			"write overlap: skip for a schedule whose last run may still go on, or remove the line to have such a start refused")
	}
	return text == "skip"
}

// shorten keeps an answer readable when a value is very long.
func shorten(text string) string { return clip(text, 60) }

func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}
