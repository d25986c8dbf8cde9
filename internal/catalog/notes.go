package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"backfill/internal/figure"
	"backfill/internal/keyset"

	"github.com/jackc/pgx/v5"
)

// note gathers what a person should know of a change that is possible.
func (r *resolver) note(ctx context.Context) error {
	if len(r.problems) > 0 {
		return nil
	}
	if r.table.Kind == "p" {
		r.warn("the table has %s", figure.Plural(r.size.partitions, "partition", "partitions"))
	}
	if r.size.guessed {
		r.warn("the table, or a partition, was never analysed: the number of rows is a guess from its size")
	}
	r.noteFollow()
	r.noteOrder()
	r.noteVerify()
	if err := r.noteReplication(ctx); err != nil {
		return err
	}
	return r.kind().note(ctx, r)
}

// growing are types of which a key that is handed out grows with time, as a rule.
var growing = []string{"smallint", "integer", "bigint", "timestamp without time zone", "timestamp with time zone"}

// noteFollow tells where rows may come that a run which follows does not see.
func (r *resolver) noteFollow() {
	if r.definition.Follow && !r.grows() {
		r.warn("rows: follow finds what comes behind the greatest key (%s): a row that comes later with a smaller key stays as it is", r.keyNames())
	}
}

// noteOrder tells where the greatest keys may not be those of the newest rows.
func (r *resolver) noteOrder() {
	if r.definition.Order == keyset.Descending && !r.grows() {
		r.warn("order: descending begins with the greatest keys (%s): these are the newest rows only where keys grow with time", r.keyNames())
	}
}

// grows tells whether the key is one that grows with time, as a rule.
func (r *resolver) grows() bool { return len(r.key) == 1 && slices.Contains(growing, r.key[0].Base) }

func (r *resolver) keyNames() string {
	names := make([]string, len(r.key))
	for i, k := range r.key {
		names[i] = display(k.Name)
	}
	return strings.Join(names, ", ")
}

// noteVerify tells what a verification will not see, where a person's word would change that.
func (r *resolver) noteVerify() {
	if r.definition.Kind.Unjudged() == "" && !r.volatile && !r.chance && r.verify.Unfit != "" {
		r.warn("verify will not look at rows: %s; repeatable: true is your word that it can", r.verify.Unfit)
	}
}

// read adds notes that the server has.
func (r *resolver) read(ctx context.Context, query string, args ...any) error {
	rows, _ := r.tx.Query(ctx, query, args...)
	notes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read triggers and foreign keys: %w", err)
	}
	r.notes = append(r.notes, notes...)
	return nil
}
