package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/change"

	"github.com/jackc/pgx/v5"
)

// archived deletes rows, after it has put them into another table.
type archived struct{ deletion }

// archiveColumn is a column of the archive.
type archiveColumn struct {
	Name      string
	Type      string
	Base      string
	Generated bool
	Needed    bool // NOT NULL, and nothing fills it by itself
	Copied    bool // from the column of the same name
}

const archiveQuery = `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, format_type(a.atttypid, NULL) AS base, a.attgenerated <> '' AS generated,
	a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS needed, false AS copied
FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

// found by an index whose first columns are those of the key; related is a table to which a row would come back.
const archiveFacts = `SELECT has_any_column_privilege($1::oid, 'SELECT'),
	$1::oid = $2::oid OR coalesce(pg_partition_root($1::oid) = pg_partition_root($2::oid), false),
	EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1 AND i.indisvalid AND i.indpred IS NULL AND $3::text[] @> (SELECT array_agg(a.attname::text)
		FROM unnest((i.indkey::int2[])[0:cardinality($3::text[]) - 1]) k JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = k)
		AND i.indnkeyatts >= cardinality($3::text[]))`

func (a archived) check(ctx context.Context, r *resolver) error {
	if err := a.deletion.check(ctx, r); err != nil || r.definition.Refused("archive") {
		return err
	}
	asked := r.definition.Archive
	events := []string{"INSERT"}
	if r.definition.Undo {
		events = append(events, "DELETE")
	}
	rows, _ := r.tx.Query(ctx, tableQuery, asked.Schema, asked.Name, events)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[table])
	if errors.Is(err, pgx.ErrNoRows) {
		return r.suggestTable(ctx, "archive", asked)
	}
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	return r.checkArchive(ctx, found)
}

func (r *resolver) checkArchive(ctx context.Context, found table) error {
	var readable, related, indexed bool
	key := make([]string, len(r.key))
	for i, column := range r.key {
		key[i] = column.Name
	}
	if err := r.tx.QueryRow(ctx, archiveFacts, found.OID, r.table.OID, key).Scan(&readable, &related, &indexed); err != nil {
		return fmt.Errorf("read the archive's facts: %w", err)
	}
	rows, _ := r.tx.Query(ctx, archiveQuery, found.OID)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByName[archiveColumn])
	if err != nil {
		return fmt.Errorf("read the archive's columns: %w", err)
	}
	r.archive = columns
	message, remedy := found.complaint(r.definition.Archive.Schema)
	if message == "" {
		message, remedy = r.unfit(found, readable, related)
	}
	if message == "" && r.definition.Undo && !indexed && len(key) > 0 {
		message = "it has no index that begins with " + list(key) + ", so a rollback could not find its rows"
		remedy = fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s), or write undo: off", found.Name, strings.Trim(list(key), "[]"))
	}
	if message != "" {
		r.refuse("archive", 0, found.Name+": "+message, remedy)
		return nil
	}
	return r.checkCopies(ctx, found)
}

// unfit says why a table cannot take the rows.
func (r *resolver) unfit(found table, readable, related bool) (message, remedy string) {
	var rights []string
	for _, right := range []struct {
		name        string
		has, needed bool
	}{{"INSERT", found.Insertable, true}, {"SELECT", readable, r.definition.Undo}, {"DELETE", found.Deletable, r.definition.Undo}} {
		if right.needed && !right.has {
			rights = append(rights, right.name)
		}
	}
	switch {
	case related:
		return "it is the table itself, or a part of the same partitioned table", "name a table of its own"
	case !found.Usage:
		return "role " + r.session.role + " may not use the schema", fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s", display(r.definition.Archive.Schema), r.session.role)
	case found.Filtered:
		return "row level security hides rows from role " + r.session.role, "ALTER ROLE " + r.session.role + " BYPASSRLS, or run as the table's owner"
	case len(rights) > 0:
		grant := strings.Join(rights, ", ")
		return fmt.Sprintf("role %s lacks %s", r.session.role, grant), fmt.Sprintf("GRANT %s ON %s TO %s", grant, found.Name, r.session.role)
	}
	return "", ""
}

// checkCopies holds each column against the archive's of the same name.
func (r *resolver) checkCopies(ctx context.Context, found table) error {
	var missing, wanting, given []string
	for _, own := range r.columns {
		i := slices.IndexFunc(r.archive, func(c archiveColumn) bool { return c.Name == own.Name })
		switch {
		case i < 0 && own.Generated, i >= 0 && own.Generated && r.archive[i].Generated: // it can be made again
		case i < 0:
			missing = append(missing, fmt.Sprintf("ADD COLUMN %s %s", display(own.Name), own.Type))
		case r.archive[i].Generated:
			r.refuse("archive", 0, fmt.Sprintf("%s: column %s is generated there, so it cannot take the row's", found.Name, display(own.Name)), "make it an ordinary column")
		default:
			r.archive[i].Copied = true
			given = append(given, own.Name)
			if err := r.assigns(ctx, found, own); err != nil {
				return err
			}
		}
	}
	for _, other := range r.archive {
		if other.Needed && !other.Copied {
			wanting = append(wanting, display(other.Name))
		}
	}
	if len(missing) > 0 {
		r.refuse("archive", 0, found.Name+": it lacks columns of the table, whose values would be lost", fmt.Sprintf("ALTER TABLE %s %s", found.Name, strings.Join(missing, ", ")))
	}
	if len(wanting) > 0 {
		r.refuse("archive", 0, fmt.Sprintf("%s: nothing fills its NOT NULL columns %s", found.Name, strings.Join(wanting, ", ")), "give them a default, for instance DEFAULT now()")
	}
	return r.checkSequences(ctx, "archive", found, given)
}

// assigns has the server judge whether a column's values can be put into that of the archive.
func (r *resolver) assigns(ctx context.Context, found table, own column) error {
	server, err := r.try(ctx, func() error {
		_, err := r.tx.Conn().PgConn().Prepare(ctx, "", fmt.Sprintf("INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %[2]s FROM %s",
			quote(r.definition.Archive.Schema, r.definition.Archive.Name), quote(own.Name), r.quoted()), nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("prepare the archive's column %s: %w", own.Name, err)
	}
	if server != nil {
		r.refuse("archive", 0, found.Name+": "+server.Message, fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s", found.Name, display(own.Name), own.Type))
	}
	return nil
}

func (a archived) complete(r *resolver, c *change.Change) {
	a.deletion.complete(r, c)
	c.Archive = &change.Archive{Table: r.definition.Archive}
	for _, column := range r.archive {
		if column.Copied {
			c.Archive.Row = append(c.Archive.Row, change.Column{Name: column.Name, Type: column.Type, Base: column.Base})
		}
	}
}

func (a archived) note(ctx context.Context, r *resolver) error {
	for _, f := range r.referred {
		if f.Action != "" {
			r.warn("the archive does not have the rows of %s that are changed as well", f.Of)
		}
	}
	return a.deletion.note(ctx, r)
}
