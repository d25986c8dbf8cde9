// Package catalog resolves a definition against the real table.
//
// It owns the questions to Postgres' catalogs and parser: does the table exist and may it be changed, which unique
// index carries the key, what types do columns and expressions have. It does not look at plans (guard does), and it
// changes nothing. Invariants: all that is wrong comes in one answer, each with the line of the definition that is at
// fault; a definition that has problems already is judged as far as it could be read; everything runs in one
// read-only transaction that is rolled back; expressions are parsed and planned, never run; a Change that leaves it names
// things as the catalog does.
package catalog

import (
	"context"
	"fmt"

	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/keyset"
	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Resolved is a definition that fits the table.
type Resolved struct {
	Change change.Change
	// Estimated is the number of rows by the catalog's figures; it costs no scan and is no promise.
	Estimated int64
	// Notes are what a person should know before the run: triggers, indexes, foreign keys, partitions.
	Notes []string
}

// Resolve gives the change that a definition and its parameters mean. Problems of the definition are one error of
// class failure.Invalid, in which errors.As finds definition.Problems.
func Resolve(ctx context.Context, conn *pgx.Conn, d definition.Definition, params []change.Param) (Resolved, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return Resolved{}, fmt.Errorf("begin to resolve %s: %w", d.Name, postgres.Classify(err))
	}
	// The rollback is all the same to the answer: a connection that is lost by now fails its next user.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	r := &resolver{tx: tx, definition: d, params: params}
	if err := r.run(ctx); err != nil {
		return Resolved{}, fmt.Errorf("resolve %s on table %s: %w", d.Name, d.Table, postgres.Classify(err))
	}
	if err := r.problems.Sorted().Err(); err != nil {
		return Resolved{}, err
	}
	return Resolved{Change: r.change(), Estimated: r.size.rows, Notes: r.notes}, nil
}

// resolver gathers facts and problems on the way.
type resolver struct {
	tx           pgx.Tx
	definition   definition.Definition
	params       []change.Param
	session      session
	table        table
	columns      columns
	indexes      []index
	size         size
	key          []column
	referred     []reference // by other tables, of a table whose rows are deleted
	target       target      // of a copy
	archive      []archiveColumn
	sources      []source // that are joined to the table
	torn         bool     // one of them is not there: expressions cannot be judged
	publications []string
	volatile     bool
	chance       bool // `where` is volatile
	verify       change.Verify
	blind        bool // rights are missing, or a parameter's value is refused: plans would only say so again
	notes        []string
	problems     definition.Problems
}

// run goes on after a problem as far as what follows still means something.
func (r *resolver) run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	found, err := r.findTable(ctx)
	if err != nil {
		return err
	}
	if !found {
		return r.checkAlone(ctx)
	}
	if err := r.readColumns(ctx); err != nil {
		return err
	}
	if err := r.readIndexes(ctx); err != nil {
		return err
	}
	if err := r.readSize(ctx); err != nil {
		return err
	}
	r.chooseKey()
	if err := r.kind().check(ctx, r); err != nil {
		return err
	}
	if err := r.checkReplication(ctx); err != nil {
		return err
	}
	before := len(r.problems)
	r.checkRights()
	if err := r.checkParams(ctx); err != nil {
		return err
	}
	r.blind = len(r.problems) > before
	if err := r.checkExpressions(ctx); err != nil {
		return err
	}
	if err := r.checkMetrics(ctx); err != nil {
		return err
	}
	if err := r.checkVerify(ctx); err != nil {
		return err
	}
	return r.note(ctx)
}

// checkAlone judges what means something without the table.
func (r *resolver) checkAlone(ctx context.Context) error {
	if err := r.checkParams(ctx); err != nil {
		return err
	}
	if err := r.checkSyntax(ctx); err != nil {
		return err
	}
	return r.checkMetrics(ctx)
}

func (r *resolver) change() change.Change {
	c := change.Change{
		Kind: r.definition.Kind, Table: r.definition.Table, Where: r.definition.Where.String(), Params: r.params,
		Volatile: r.volatile, ChunkRows: r.definition.ChunkRows, Throttle: r.definition.Throttle, Metrics: r.definition.Metrics, Undo: r.definition.Undo,
		ErrorBudget: r.definition.ErrorBudget, OnFailure: r.definition.OnFailure, Follow: r.definition.Follow, Order: r.definition.Order,
		Verify:      &r.verify,
		Partitioned: r.table.Kind == "p", Spread: r.table.Hashed || r.size.crumbs(), RowBytes: r.size.rowBytes(),
	}
	for _, column := range r.key {
		c.Key = append(c.Key, keyset.Column{Name: column.Name, Type: column.Type})
	}
	r.kind().complete(r, &c)
	c.Verify.Left = c.Clears() && !r.chance && !moment.MatchString(r.definition.Where.String())
	return c
}

func (r *resolver) refuse(path string, offset int, message, remedy string) {
	r.problems = append(r.problems, r.definition.Problem(path, offset, message, remedy))
}

func (r *resolver) warn(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}
