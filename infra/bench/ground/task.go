package ground

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Relation is the table's name, for SQL.
const Relation = "public.backfill_bench"

// Task is one change of the table.
type Task struct {
	Name       string
	Why        string // what it stands for
	Column     string
	Expression string
	before     string // what the column holds before, as SQL
	index      string // made beside the others; "": the column stays without one
}

// Tasks are all there are.
var Tasks = []Task{
	{Name: "new", Why: "a new column, NULL before", Column: "normalized", Expression: "lower(email)", before: "NULL"},
	{Name: "value", Why: "a column with a value", Column: "label", Expression: "upper(label)", before: "'Label Number ' || id"},
	{Name: "indexed", Why: "a column with a value and an index", Column: "label", Expression: "upper(label)",
		before: "'Label Number ' || id", index: "CREATE INDEX backfill_bench_label ON public.backfill_bench (label)"},
}

// Update is the task as one statement.
func (t Task) Update() string {
	return fmt.Sprintf("UPDATE %s SET %s = %s", Relation, pgx.Identifier{t.Column}.Sanitize(), t.Expression)
}

// Definition is the task as a file of the product.
func (t Task) Definition(undo bool) string {
	kept := map[bool]string{true: "on", false: "off"}[undo]
	return fmt.Sprintf("name: bench\ntable: %s\nset:\n  %s: %s\nundo: %s\n", Relation, t.Column, t.Expression, kept)
}
