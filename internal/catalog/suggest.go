package catalog

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"backfill/internal/change"
	"backfill/internal/definition"

	"github.com/jackc/pgx/v5"
)

// maxTables bounds the names that are looked through: it is a help, not an answer.
const maxTables = 10_000

const tablesQuery = `SELECT n.nspname AS schema, c.relname AS name, EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS known
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
	AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'backfill')
ORDER BY c.relname = $2 DESC, n.nspname = $1 DESC, c.relname LIMIT $3`

type candidate struct {
	Schema, Name string
	Known        bool // the schema that was asked for exists
}

// suggestTable reports that the table does not exist.
func (r *resolver) suggestTable(ctx context.Context) error {
	return r.suggest(ctx, r.definition.Table, "table")
}

// suggest reports a table that does not exist.
func (r *resolver) suggest(ctx context.Context, asked change.Table, path string) error {
	rows, _ := r.tx.Query(ctx, tablesQuery, asked.Schema, asked.Name, maxTables)
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByName[candidate])
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	message := display(asked.Schema, asked.Name) + " does not exist"
	if len(tables) > 0 && !tables[0].Known {
		message = fmt.Sprintf("schema %s does not exist", display(asked.Schema))
	}
	r.refuse(path, 0, message, suggestion(display(asked.Schema, asked.Name), asked.Name, tables))
	return nil
}

// suggestion prefers the same name in another schema, then a similar one.
func suggestion(asked, bare string, tables []candidate) string {
	var names []string
	for _, table := range tables {
		name := display(table.Schema, table.Name)
		if strings.EqualFold(table.Name, bare) {
			return "did you mean " + name + "?"
		}
		names = append(names, name)
	}
	return definition.DidYouMean(asked, names)
}

// quote is for SQL, display for people: it leaves out the quotes that nobody writes.
func quote(names ...string) string { return pgx.Identifier(names).Sanitize() }

var ordinary = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

func display(names ...string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		if parts[i] = name; !ordinary.MatchString(name) {
			parts[i] = quote(name)
		}
	}
	return strings.Join(parts, ".")
}
