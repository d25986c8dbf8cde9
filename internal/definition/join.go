package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"backfill/internal/change"
	"backfill/internal/expression"

	"github.com/goccy/go-yaml/ast"
)

// Join is what `from`, `join` and `unmatched` say beside `set`.
type Join struct {
	From      []change.Source
	On        expression.Expression
	Unmatched bool // rows that find none are written, too
}

// maxSources bounds the tables of from: each row is looked up in each of them.
const maxSources = 8

// aliasPattern leaves a name that means the same with quotes and without.
var aliasPattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// join reads one of the keys that say from which other tables rows are written.
func (r *reader) join(d *Definition, e entry) {
	if d.Join == nil {
		d.Join = &Join{}
	}
	switch e.name {
	case "from":
		d.Join.From = r.sources(e)
	case "join":
		d.Join.On = r.expression(e, e.name)
	case "unmatched":
		text, ok := r.line(e, e.name)
		if d.Join.Unmatched = text == "set"; ok && text != "set" && text != "leave" {
			r.refuse(e.at(), e.name, fmt.Sprintf("%q is neither leave nor set", shorten(text)),
				"write unmatched: set to write NULLs where no joined row is found, or remove the line to leave such rows alone")
		}
	}
}

// fromShape is the mapping, for editors.
func fromShape() shape {
	tables := named(aliasPattern.String(), matching(tablePattern))
	tables["maxProperties"] = maxSources
	return tables
}

// sources reads alias: table, line by line.
func (r *reader) sources(e entry) (list []change.Source) {
	mapping, ok := e.value.(*ast.MappingNode)
	if !ok {
		r.refuse(e.at(), e.name, "no table is named", "write a line below it, indented: c: schema.table; c is what expressions call it")
		return nil
	}
	r.origins[e.name] = origin{key: e.key, start: e.key}
	for _, named := range r.entries(mapping, e.name) {
		path := join(e.name, named.name)
		if !aliasPattern.MatchString(named.name) || strings.HasPrefix(named.name, "backfill_") {
			r.refuse(named.key, path, "this is not a name for a joined table", "use lower case letters, digits and _, begin with a letter, and not with backfill_")
		}
		list = append(list, change.Source{Alias: named.name, Table: r.table(entry{name: path, key: named.key, value: named.value})})
	}
	if len(list) > maxSources {
		r.refuse(e.key, e.name, fmt.Sprintf("there are %d tables", len(list)), fmt.Sprintf("keep up to %d", maxSources))
	}
	return list
}

// joined settles what the keys mean together: a set that reads other tables is a kind of its own, so that no worker that
// does not know them takes it for a plain one.
func (r *reader) joined(d *Definition, given []entry) {
	if d.Join == nil {
		return
	}
	places := map[string]position{}
	for _, e := range given {
		places[e.name] = e.key
	}
	for _, name := range []string{"from", "join", "unmatched"} {
		if at, ok := places[name]; ok && d.Kind != "" && d.Kind != change.Set {
			r.refuse(at, name, "it goes with set, and this file has none", "remove it; a subquery in where may look at other tables")
		}
	}
	if d.Kind != change.Set {
		return
	}
	d.Kind = change.Joined
	r.needs(places, "from", "join", "add a line join: ..., the condition by which a row of the table finds its row")
	r.needs(places, "join", "from", "name the joined table below from: c: schema.table")
	if _, ok := places["join"]; !ok {
		r.needs(places, "unmatched", "from", "remove it, or name the joined table below from")
	}
	if i := slices.IndexFunc(d.Join.From, func(s change.Source) bool { return s.Alias == d.Table.Name }); i >= 0 {
		r.refuse(r.origins[join("from", d.Join.From[i].Alias)].key, join("from", d.Join.From[i].Alias), "the table itself has that name", "use another one")
	}
}

// needs refuses a key without the other that it goes with.
func (r *reader) needs(places map[string]position, name, other, remedy string) {
	at, ok := places[name]
	if _, has := places[other]; ok && !has {
		r.refuse(at, name, "there is no "+other+" beside it", remedy)
	}
}
