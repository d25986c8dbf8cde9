package rehearsal_test

import (
	"testing"

	"backfill/internal/pgtest"
)

// TestPagesWithoutRows: of a table whose pages are almost all empty chance may pick none with a row; and a chunk that is too large is not walked to ask an index.
func TestPagesWithoutRows(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Newest(t), "CREATE TABLE users (id bigint PRIMARY KEY, email text, country text) WITH (autovacuum_enabled = off); "+
		"INSERT INTO users SELECT g, repeat('A', 500), 'de' FROM generate_series(1, 60000) g; ANALYZE users; "+
		"DELETE FROM users WHERE id <> 30000; UPDATE pg_class SET reltuples = 2e7 WHERE relname = 'users'")
	found := b.rehearse(t, "name: lower\ntable: users\nset: {email: lower(email)}\nwhere: country IS NOT NULL\nchunk_rows: 2_000_000\n", 5)
	if len(found.Sample) != 1 || found.Extent.Looked.Rows != 1 || !tells(found.Unknown, "one is too large to be walked for that") {
		t.Errorf("%d rows, %v, %s", len(found.Sample), found.Unknown, asJSON(t, found.Extent))
	}
}
