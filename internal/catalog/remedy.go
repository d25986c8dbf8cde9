package catalog

import (
	"regexp"
	"slices"
	"strings"

	"backfill/internal/definition"

	"github.com/jackc/pgx/v5/pgconn"
)

var missingColumn = regexp.MustCompile(`^column "?(?:([^"]*)\.)?([^"]+?)"? does not exist$`)

var ambiguousColumn = regexp.MustCompile(`^column reference "(.+)" is ambiguous$`)

// remedy adds to Postgres' message what to do: its own hint where it has one.
func (r *resolver) remedy(p probe, server *pgconn.PgError) string {
	switch missing := missingColumn.FindStringSubmatch(server.Message); {
	case server.Code == "42601" && r.definition.Quoted(p.path) && plainWords.MatchString(p.expression.String()):
		return "YAML's quotes are not part of the SQL; for a text write \"'" + p.expression.String() + "'\""
	case server.Code == "42703" && missing != nil && strings.Contains(p.expression.String(), `"`+missing[2]+`"`) &&
		definition.Nearest(missing[2], r.columnNames()) == "":
		return "in double quotes it is a column; for a text write single quotes: '" + missing[2] + "'"
	case server.Code == "42703" && r.definition.Quoted(p.path) && ordinary.MatchString(p.expression.String()):
		return "YAML's quotes are not part of the SQL; for a text write \"'" + p.expression.String() + "'\""
	case server.Code == "42703" && missing != nil:
		return definition.DidYouMean(missing[2], r.columnsBy(missing[1]))
	case server.Code == "42702" && ambiguousColumn.MatchString(server.Message):
		column := ambiguousColumn.FindStringSubmatch(server.Message)[1]
		names := []string{display(r.definition.Table.Name) + "." + display(column)}
		for _, s := range r.sources {
			if slices.Contains(s.columns, column) {
				names = append(names, s.Alias+"."+display(column))
			}
		}
		return "write it with the name of its table: " + strings.Join(names, ", or ")
	case server.Code == "42804" && p.path == "where":
		return "write a condition, like total > 0 or total IS NOT NULL"
	}
	for part, remedy := range phrases {
		if strings.Contains(server.Message, part) {
			return remedy
		}
	}
	if server.Hint != "" && server.Code != "54001" { // that hint is for who runs the server
		return strings.ToLower(server.Hint[:1]) + strings.TrimSuffix(server.Hint[1:], ".")
	}
	if remedy, ok := remedies[server.Code]; ok {
		return remedy
	}
	return "write an expression that Postgres accepts here"
}

// columnsBy lists the columns that an alias has, as they are written in SQL; "" or another: those of all tables.
func (r *resolver) columnsBy(alias string) (names []string) {
	add := func(columns []string) {
		for _, name := range columns {
			if shown := display(name); !slices.Contains(names, shown) {
				names = append(names, shown)
			}
		}
	}
	for _, s := range r.sources {
		if s.Alias == alias {
			add(s.columns)
			return names
		}
	}
	add(r.columnNames())
	if alias != r.definition.Table.Name {
		for _, s := range r.sources {
			add(s.columns)
		}
	}
	return names
}

// plainWords is a text that somebody meant as such.
var plainWords = regexp.MustCompile(`^[\pL\pN_.!?-]+( [\pL\pN_.!?-]+)*$`)

// phrases are parts of Postgres' messages for which one code says too little.
var phrases = map[string]string{
	"set-returning functions":              "one value is needed for each row: an aggregate over it in a subselect, or LIMIT 1",
	"not allowed in a non-volatile":        "the function is declared IMMUTABLE or STABLE, and writes: leave it out",
	"DEFAULT is not allowed":               "write the value itself: a default has no name in an expression",
	"subquery must return only one column": "select one column",
	" == ":                                 "SQL compares by one =",
}

var remedies = map[string]string{
	"42501": "grant the right to the role of the product, or leave the object out",
	"42601": "correct the syntax",
	"42803": "an aggregate needs a subselect of its own: (SELECT max(x) FROM ...)",
	"42804": "cast the expression to the type that is needed: (...)::type",
	"42883": "check the name and the types of the arguments; casts may be missing",
	"42P01": "check the name; write it with its schema",
	"42P20": "a window function needs a subselect of its own",
	"22012": "exclude such rows by where, or write NULLIF(divisor, 0)",
	"54001": "it is nested too deeply, or too long: take a function for it",
	"42P22": "add COLLATE \"...\" to one side",
	"0A000": "write it without that feature; a subselect in parentheses may do",
}
