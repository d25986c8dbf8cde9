package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backfill/internal/change"

	"github.com/jackc/pgx/v5"
)

// joined updates columns in place, from rows of other tables.
type joined struct{ set }

// source is a table that is joined.
type source struct {
	change.Source
	table    table
	columns  []string
	readable bool
}

func (j joined) check(ctx context.Context, r *resolver) error {
	for _, asked := range r.definition.Join.From {
		if path := "from." + asked.Alias; r.definition.Refused(path) {
			r.torn = true
		} else if err := r.source(ctx, asked, path); err != nil {
			return err
		}
	}
	r.torn = r.torn || len(r.definition.Join.From) == 0
	return j.set.check(ctx, r)
}

const sourceQuery = `SELECT coalesce(array_agg(attname::text ORDER BY attnum), '{}'), has_any_column_privilege($1::oid, 'SELECT')
	FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped`

// source looks at one table that is joined.
func (r *resolver) source(ctx context.Context, asked change.Source, path string) error {
	rows, _ := r.tx.Query(ctx, tableQuery, asked.Table.Schema, asked.Table.Name, []string{})
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[table])
	if errors.Is(err, pgx.ErrNoRows) {
		r.torn = true
		return r.suggestTable(ctx, path, asked.Table)
	}
	if err != nil {
		return fmt.Errorf("read table %s: %w", asked.Table, err)
	}
	s := source{Source: asked, table: found}
	if err := r.tx.QueryRow(ctx, sourceQuery, found.OID).Scan(&s.columns, &s.readable); err != nil {
		return fmt.Errorf("read the columns of %s: %w", asked.Table, err)
	}
	if message, remedy := r.unreadable(s); message != "" {
		r.torn = true
		r.refuse(path, 0, found.Name+": "+message, remedy)
	}
	r.sources = append(r.sources, s)
	return nil
}

// unreadable says why a table cannot be joined.
func (r *resolver) unreadable(s source) (message, remedy string) {
	switch {
	case s.Table.Schema == "backfill":
		return "the schema backfill holds the product's own tables", "name one of your tables"
	case s.table.Persistence == "t":
		return "it is a temporary table, which other sessions cannot see", "name a permanent table"
	case kinds[s.table.Kind] != "" && s.table.Kind != "m":
		return "it is " + kinds[s.table.Kind] + ", and only tables are joined", "name the tables that hold the rows"
	case !s.table.Usage:
		return "role " + r.session.role + " may not use the schema", fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s", display(s.Table.Schema), r.session.role)
	case !s.readable:
		return fmt.Sprintf("role %s lacks SELECT", r.session.role), fmt.Sprintf("GRANT SELECT ON %s TO %s", s.table.Name, r.session.role)
	case s.table.Filtered:
		return "row level security hides rows from role " + r.session.role, "ALTER ROLE " + r.session.role + " BYPASSRLS, or run as the table's owner"
	}
	return "", ""
}

// beside lists the tables that are joined, after a word; "" where there is none.
func (r *resolver) beside(word string) string {
	if len(r.sources) == 0 {
		return ""
	}
	return word + r.listed(", ")
}

func (r *resolver) listed(between string) string {
	list := make([]string, len(r.sources))
	for i, s := range r.sources {
		list[i] = quote(s.Table.Schema, s.Table.Name) + " AS " + quote(s.Alias)
	}
	return strings.Join(list, between)
}

func (j joined) probes(r *resolver) []probe {
	on := probe{path: "join", expression: r.definition.Join.On, before: "SELECT 1 FROM " + r.quoted() + r.beside(", ") + " WHERE (", behind: ")"}
	return append(j.set.probes(r), on)
}

// unsteady refuses a join that is a matter of chance; what is written may be.
func (j joined) unsteady(r *resolver, p probe) {
	if p.path == "join" {
		r.refuse(p.path, 0, "it is volatile: which row is found would be a matter of chance",
			"write a condition on the columns; a function that always gives the same result should be declared IMMUTABLE")
		return
	}
	j.set.unsteady(r, p)
}

func (j joined) complete(r *resolver, c *change.Change) {
	j.set.complete(r, c)
	from := r.definition.Join
	c.Join = &change.Join{From: from.From, On: from.On.String(), Unmatched: from.Unmatched}
}

func (j joined) note(ctx context.Context, r *resolver) error {
	for _, s := range r.sources {
		if s.Table == r.definition.Table {
			r.warn("%s is the table itself: its rows are read as the batches before have left them", s.Alias)
		}
	}
	if err := r.noteUnique(ctx); err != nil {
		return err
	}
	return j.set.note(ctx, r)
}

// noteUnique tells where a row may belong to several rows. The planner leaves out an outer join that cannot give more than
// one row, and of which nothing is read.
func (r *resolver) noteUnique(ctx context.Context) error {
	if r.blind {
		return nil
	}
	bound, values := r.bind(r.definition.Join.On)
	var plan string
	list := r.listed(" CROSS JOIN ")
	if len(r.sources) > 1 {
		list = "(" + list + ")"
	}
	query := fmt.Sprintf("EXPLAIN (FORMAT JSON) SELECT 1 FROM %s LEFT JOIN %s ON (%s)", r.quoted(), list, r.definition.Join.On.Bind(bound))
	server, err := r.try(ctx, func() error { return r.tx.QueryRow(ctx, query, values...).Scan(&plan) })
	if err != nil {
		return fmt.Errorf("explain the join: %w", err)
	}
	if server != nil {
		return fmt.Errorf("explain the join: %w", server)
	}
	if strings.Count(plan, `"Alias": `) > strings.Count(plan, `"Alias": "`+r.definition.Table.Name) {
		r.warn("no unique index says for certain that join finds at most one row: a row that belongs to several fails (SQLSTATE 21000)")
	}
	return nil
}
