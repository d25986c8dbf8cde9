package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"backfill/internal/definition"
	"backfill/internal/postgres"
	"backfill/internal/privilege"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// facts are what the catalog knows beside what a change needs.
type facts struct {
	Bytes   int64    // of the table's pages, without TOAST
	Pages   int64    // of them
	Indexes int64    // that a row which moves has an entry in
	NotNull []string // columns that take no NULL
	Oldest  int64    // seconds that a transaction is open which keeps dead rows, as far as the role may see it
}

const factsQuery = `WITH leaf AS (SELECT c.oid FROM pg_class c
	WHERE c.oid = $1::text::regclass AND c.relkind = 'r' OR c.oid IN (SELECT relid FROM pg_partition_tree($1::text::regclass) WHERE isleaf))
SELECT (SELECT coalesce(sum(pg_relation_size(oid)), 0)::bigint FROM leaf) AS bytes,
	(SELECT coalesce(sum(pg_relation_size(oid)), 0)::bigint FROM leaf) / current_setting('block_size')::bigint AS pages,
	(SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
		WHERE i.indrelid = $1::text::regclass AND m.amname <> 'brin') AS indexes,
	ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND attnotnull) AS notnull,
	(SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::bigint FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL AND backend_type = 'client backend') AS oldest`

// old is the age of a transaction, in seconds, that outlives a pass over a window.
const old = 5

func (l *look) readFacts(ctx context.Context) error {
	err := l.read(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, factsQuery, statement.Table(l.change.Table))
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[facts])
		l.facts = found
		if err == nil {
			l.role, err = privilege.Of(ctx, tx.Conn())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the catalog of %s: %w", l.change.Table, err)
	}
	if lack, remedy := l.role.Ledger(); lack != "" {
		l.obstacle("%s: %s", lack, remedy)
	}
	if l.facts.Oldest >= old {
		l.found.Notes = append(l.found.Notes, fmt.Sprintf("a transaction is open for %d s and keeps dead rows: as long as it is, passes find no room, and the table grows",
			l.facts.Oldest))
	}
	return nil
}

// noteWindows tells when a run would begin to work.
func (l *look) noteWindows(source string) {
	read, _ := definition.Parse([]byte(source)) // it was judged
	now := time.Now()
	if !read.Windows.Open(now) {
		l.found.Notes = append(l.found.Notes, "outside of its windows a run waits: the next one opens at "+read.Windows.Next(now).UTC().Format(time.RFC3339))
	}
}

func noRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// asServer finds an error that Postgres raised over a statement, and after which the connection is good still.
func asServer(err error, server **postgres.Error) bool {
	var raised *pgconn.PgError
	var connect *pgconn.ConnectError
	return errors.As(err, server) && !errors.As(err, &connect) && (!errors.As(err, &raised) || raised.Severity == "ERROR")
}
