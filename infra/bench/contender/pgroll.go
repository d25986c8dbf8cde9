package contender

import (
	"context"
	"errors"
	"fmt"

	"backfill/infra/bench/ground"

	"github.com/jackc/pgx/v5"
)

// What pgroll prepares and sends, as its templates write it (pkg/backfill/templates, May 2026).
const (
	pgrollPrepares = `ALTER TABLE %[1]s ADD COLUMN _pgroll_needs_backfill boolean DEFAULT true;
CREATE FUNCTION public._pgroll_trigger_bench() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "id" %[1]s.id%%TYPE := NEW.id;
  "email" %[1]s.email%%TYPE := NEW.email;
  "label" %[1]s.label%%TYPE := NEW.label;
  latest_schema text;
  search_path text;
BEGIN
  SELECT current_setting INTO search_path FROM current_setting('search_path');
  IF search_path != 'public_new' THEN
    NEW.%[2]s = %[3]s;
    NEW._pgroll_needs_backfill = false;
  END IF;
  RETURN NEW;
END; $$;
CREATE TRIGGER _pgroll_trigger_bench BEFORE UPDATE OR INSERT ON %[1]s
  FOR EACH ROW EXECUTE PROCEDURE public._pgroll_trigger_bench()`
	pgrollSends = `WITH batch AS (
  SELECT id FROM %[1]s WHERE _pgroll_needs_backfill = true AND (id) > (%[3]d) ORDER BY id LIMIT %[2]d FOR NO KEY UPDATE
), update AS (
  UPDATE %[1]s t SET id = t.id FROM batch WHERE t.id = batch.id RETURNING t.id
)
SELECT LAST_VALUE(id) OVER () FROM update`
)

// pgroll does with its statements what pgroll does, apart from copying a column that has a value.
func pgroll(ctx context.Context, table *ground.Table) ([]Leg, error) {
	prepare := fmt.Sprintf(pgrollPrepares, ground.Relation, pgx.Identifier{table.Task.Column}.Sanitize(), table.Task.Expression)
	if _, err := table.Conn.PgConn().Exec(ctx, prepare).ReadAll(); err != nil {
		return nil, fmt.Errorf("prepare for pgroll's statements: %w", err)
	}
	return []Leg{{Name: Pgroll, Work: func(ctx context.Context) error {
		for last := int64(0); ; {
			err := table.Conn.QueryRow(ctx, fmt.Sprintf(pgrollSends, ground.Relation, page, last), pgx.QueryExecModeSimpleProtocol).Scan(&last)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("pgroll's statements: %w", err)
			}
		}
	}}}, nil
}
