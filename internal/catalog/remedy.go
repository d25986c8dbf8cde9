package catalog

import (
	"regexp"
	"slices"
	"strings"

	"backfill/internal/definition"

	"github.com/jackc/pgx/v5/pgconn"
)

var missingColumn = regexp.MustCompile(`^column "?(?:[^"]*\.)?([^"]+?)"? does not exist$`)

var ambiguousColumn = regexp.MustCompile(`^column reference "(.+)" is ambiguous$`)

// remedy adds to Postgres' message what to do: its own hint where it has one.
func (r *resolver) remedy(p probe, server *pgconn.PgError) string {
	switch {
	case server.Code == "42703" && r.definition.Quoted(p.path) && ordinary.MatchString(p.expression.String()):
		return "YAML's quotes are not part of the SQL; for a text write \"'" + p.expression.String() + "'\""
	case server.Code == "42703" && missingColumn.MatchString(server.Message):
		names := append(r.columnNames(), r.sourceColumns()...)
		for i, name := range names {
			names[i] = display(name) // as it is written in SQL
		}
		return definition.DidYouMean(missingColumn.FindStringSubmatch(server.Message)[1], names)
	case server.Code == "42702" && ambiguousColumn.MatchString(server.Message):
		column := ambiguousColumn.FindStringSubmatch(server.Message)[1]
		names := []string{display(r.definition.Table.Name) + "." + display(column)}
		for _, s := range r.sources {
			if slices.Contains(s.columns, column) {
				names = append(names, s.Alias+"."+display(column))
			}
		}
		return "write it with the name of its table: " + strings.Join(names, ", or ")
	case server.Hint != "":
		return strings.ToLower(server.Hint[:1]) + strings.TrimSuffix(server.Hint[1:], ".")
	}
	if remedy, ok := remedies[server.Code]; ok {
		return remedy
	}
	return "write an expression that Postgres accepts here"
}

var remedies = map[string]string{
	"42501": "grant the right to the role of the product, or leave the object out",
	"42601": "correct the syntax",
	"42803": "an aggregate needs a subselect of its own: (SELECT max(x) FROM ...)",
	"42804": "cast the expression to the type that is needed: (...)::type",
	"42883": "check the name and the types of the arguments; casts may be missing",
	"42P01": "check the name; write it with its schema",
	"42P20": "a window function needs a subselect of its own",
	"42P22": "add COLLATE \"...\" to one side",
	"0A000": "write it without that feature; a subselect in parentheses may do",
}
