package guard

import (
	"context"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/failure"
	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// smallBytes is the size of a table that may be read whole with each batch, or each row of it: some 1,000 rows. A batch of
// 1,500 rows compares each with each in some 50 ms then.
const smallBytes = 128 << 10

// lookups leaves only the plans that look up row by row. Postgres may read the whole of a table all the same, where that costs
// less; but only with an index it has the choice.
const lookups = "SELECT set_config(name, $1, true) FROM (VALUES ('enable_hashjoin'), ('enable_mergejoin')) AS settings (name)"

// checkJoin refuses a join by which rows of a table that is not small are found by no index.
func checkJoin(ctx context.Context, tx pgx.Tx, c change.Change, query statement.Query) error {
	if c.Join == nil {
		return nil
	}
	if _, err := tx.Exec(ctx, lookups, "off"); err != nil {
		return err
	}
	plan, err := explain(ctx, tx, query)
	if err != nil {
		return fmt.Errorf("explain the join of %s: %w", c.Table, err)
	}
	if _, err := tx.Exec(ctx, lookups, "on"); err != nil {
		return err
	}
	for _, from := range c.Join.From {
		if !plan.reads(from.Alias) {
			continue
		}
		var bytes int64
		err := tx.QueryRow(ctx, `SELECT coalesce(sum(pg_relation_size(relid)), 0)::bigint FROM (SELECT $1::regclass AS relid UNION SELECT relid FROM pg_partition_tree($1::regclass)) t`,
			statement.Table(from.Table)).Scan(&bytes)
		if err != nil {
			return fmt.Errorf("read the size of %s: %w", from.Table, err)
		}
		if bytes > smallBytes {
			return failure.New(failure.Invalid, "changing a batch of %s would read the whole of table %s each time: join finds its rows (%s) by no index. "+
				"CREATE INDEX CONCURRENTLY on the columns of %[2]s by which it finds them, and ANALYZE", c.Table, from.Table, from.Alias)
		}
	}
	return nil
}

func aliases(c change.Change) (names []string) {
	if c.Join != nil {
		for _, from := range c.Join.From {
			names = append(names, from.Alias)
		}
	}
	return names
}
