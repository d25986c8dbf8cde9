package catalog

import (
	"context"
	"errors"
	"fmt"

	"backfill/internal/change"

	"github.com/jackc/pgx/v5"
)

// table is the row of pg_class, with what decides whether the table may be changed.
type table struct {
	OID         uint32
	Kind        string
	Persistence string
	Partition   bool   // of another table
	Hashed      bool   // it is partitioned by hash
	Parent      bool   // of tables that inherit, the old way
	Usage       bool   // of the schema
	Filtered    bool   // row level security hides rows from this role
	Rules       string // the events whose rules would rewrite what a run does
	Deletable   bool
	Insertable  bool
	Lockable    bool // its rows: one of its columns may be updated
	Name        string
}

const tableQuery = `SELECT c.oid, c.relkind::text AS kind, c.relpersistence::text AS persistence, c.relispartition AS partition,
	EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = c.oid AND p.partstrat = 'h') AS hashed,
	c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS parent,
	has_schema_privilege(n.oid, 'USAGE') AS usage,
	row_security_active(c.oid) AS filtered,
	coalesce((SELECT string_agg(DISTINCT event, ' and ON ') FROM pg_rewrite w
		JOIN (VALUES ('2', 'UPDATE'), ('3', 'INSERT'), ('4', 'DELETE')) AS events (type, event) ON w.ev_type::text = type
		WHERE w.ev_class = c.oid AND event = ANY ($3) AND c.relkind IN ('r', 'p')), '') AS rules,
	has_table_privilege(c.oid, 'DELETE') AS deletable, has_table_privilege(c.oid, 'INSERT') AS insertable,
	has_any_column_privilege(c.oid, 'UPDATE') AS lockable,
	format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2`

// findTable tells whether there is a table that the rest can be asked about.
func (r *resolver) findTable(ctx context.Context) (found bool, err error) {
	r.table, found, err = r.lookUp(ctx, "table", r.definition.Table, r.kind().events(r))
	return found, err
}

// lookUp finds the table that stands at path, or says what is wrong with it.
func (r *resolver) lookUp(ctx context.Context, path string, asked change.Table, events []string) (found table, fits bool, err error) {
	if r.definition.Refused(path) {
		return found, false, nil
	}
	rows, _ := r.tx.Query(ctx, tableQuery, asked.Schema, asked.Name, events)
	found, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[table])
	if errors.Is(err, pgx.ErrNoRows) {
		return found, false, r.suggestTable(ctx, path, asked)
	}
	if err != nil {
		return found, false, fmt.Errorf("read table %s: %w", asked, err)
	}
	complaint, remedy := found.complaint(asked.Schema)
	if complaint == "" && !found.Usage {
		complaint = "role " + r.session.role + " may not use the schema"
		remedy = fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s", display(asked.Schema), r.session.role)
	}
	if complaint == "" && found.Filtered {
		complaint = "row level security hides rows from role " + r.session.role
		remedy = "ALTER ROLE " + r.session.role + " BYPASSRLS, or run as the table's owner"
	}
	if complaint != "" {
		r.refuse(path, 0, found.Name+": "+complaint, remedy)
	}
	return found, complaint == "", nil
}

// complaint says why a relation is no table to backfill.
func (t table) complaint(schema string) (complaint, remedy string) {
	const another = "name the table that holds the rows"
	switch {
	case schema == "backfill":
		return "the schema backfill holds the product's own tables", "name one of your tables"
	case schema == "pg_catalog" || schema == "information_schema" || schema == "pg_toast":
		return "this is Postgres' own", "name one of your tables"
	case t.Persistence == "t":
		return "it is a temporary table, which other sessions cannot see", "name a permanent table"
	case kinds[t.Kind] != "":
		return "it is " + kinds[t.Kind] + ", not a table", another
	case t.Parent:
		return "other tables inherit from it, and no index is unique across them", "write a backfill for each of them"
	case t.Rules != "":
		return "a rule ON " + t.Rules + " rewrites what is written", "drop the rule; a trigger does the same for each row"
	}
	return "", ""
}

var kinds = map[string]string{
	"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index",
	"I": "an index", "c": "a composite type", "t": "a TOAST table",
}
