package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// published is a publication that tells others what a run writes. Anonymous: a part of the table gives its rows no identity, so
// Postgres refuses to change them.
type published struct {
	Name      string
	Anonymous string
}

// The table and what is below it; each may be published by itself or by what is above it. A publication of another event
// does not see the run. The identity that counts is that of the part that holds the row.
const publishedQuery = `WITH below AS (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass)),
part AS (SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'r' AND (c.relreplident = 'n'
		OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
		OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)) AS anonymous
	FROM below JOIN pg_class c ON c.oid = below.oid JOIN pg_namespace n ON n.oid = c.relnamespace)
SELECT format('%I', p.pubname) AS name, coalesce(min(part.name) FILTER (WHERE part.anonymous), '') AS anonymous
FROM pg_publication p JOIN part ON EXISTS (SELECT FROM pg_get_publication_tables(p.pubname) AS t
	WHERE t.relid = part.oid OR t.relid IN (SELECT relid FROM pg_partition_ancestors(part.oid::regclass)))
WHERE CASE $2 WHEN 'UPDATE' THEN p.pubupdate WHEN 'DELETE' THEN p.pubdelete ELSE p.pubinsert END
GROUP BY 1 ORDER BY 1`

// checkReplication refuses what Postgres would refuse of every row, and notes who is told of the run's writes. The first of a kind's
// events is what the run does to the table.
func (r *resolver) checkReplication(ctx context.Context) error {
	events := r.kind().events(r)
	if len(events) == 0 {
		return nil
	}
	rows, _ := r.tx.Query(ctx, publishedQuery, r.table.OID, events[0])
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[published])
	if err != nil {
		return fmt.Errorf("read the publications of the table: %w", err)
	}
	var names []string
	for _, p := range found {
		names = append(names, p.Name)
		if p.Anonymous != "" && events[0] != "INSERT" {
			r.refuse("table", 0, fmt.Sprintf("publication %s tells of each %s, and %s has no replica identity: Postgres refuses to write it", p.Name, events[0], p.Anonymous),
				fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY USING INDEX .., or FULL", p.Anonymous))
		}
	}
	r.publications = slices.Compact(names)
	return nil
}

// noteReplication tells where else what a run writes has to go. Slots are those of this database: a replica of the whole server gets all anyway.
func (r *resolver) noteReplication(ctx context.Context) error {
	if len(r.publications) == 0 {
		return nil
	}
	var slots []string
	err := r.tx.QueryRow(ctx, `SELECT ARRAY(SELECT format('%I', slot_name) FROM pg_replication_slots
		WHERE slot_type = 'logical' AND database = current_database() ORDER BY 1)`).Scan(&slots)
	if err != nil {
		return fmt.Errorf("read the logical slots: %w", err)
	}
	r.warn("each row that is written goes to the subscribers of publication %s", strings.Join(r.publications, ", "))
	if len(slots) > 0 {
		r.warn("WAL is kept until the readers of these slots have taken it: %s", strings.Join(slots, ", "))
	}
	return nil
}
