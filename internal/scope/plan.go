package scope

import (
	"context"
	"encoding/json"
	"fmt"

	"backfill/internal/statement"

	"github.com/jackc/pgx/v5"
)

// node is what matters of a node of a plan in EXPLAIN's JSON.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Alias    string  `json:"Alias"`
	Parent   string  `json:"Parent Relationship"`
	Subplan  string  `json:"Subplan Name"`
	Cost     float64 `json:"Total Cost"`
	Plans    []node  `json:"Plans"`
}

// pays compares what the question reads with what the workers' statements read. The key's own index alone reads at least
// as much, so what passes uses another one.
func pays(ctx context.Context, tx pgx.Tx, question statement.Query, batches []statement.Query) (bool, error) {
	plan, err := explain(ctx, tx, question)
	if err != nil {
		return false, err
	}
	list, found := plan.list()
	if !found || !list.allows() {
		return false, nil
	}
	walk := 0.0
	for _, batch := range batches {
		plan, err := explain(ctx, tx, batch)
		if err != nil {
			return false, err
		}
		walk += plan.reads()
	}
	return list.reads()*share <= walk, nil
}

func explain(ctx context.Context, tx pgx.Tx, query statement.Query) (node, error) {
	var text string
	if err := tx.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+query.SQL, query.Args...).Scan(&text); err != nil {
		return node{}, err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return node{}, fmt.Errorf("read a plan: %d plans: %w", len(plans), err)
	}
	return plans[0].Plan, nil
}

// list is the part of the question's plan that reads the table.
func (n node) list() (node, bool) {
	for _, child := range n.Plans {
		if child.Subplan == "CTE backfill_matching" {
			return child, true
		}
	}
	return node{}, false
}

// allows refuses a plan that scans a whole table; one of a `where` that is volatile: it would be asked twice, and could
// answer in two ways; and one of a `where` with a subquery: the run itself may bring rows into scope, as it goes on.
func (n node) allows() bool {
	if n.Type == "Seq Scan" || n.Alias == statement.Probe {
		return false
	}
	for _, child := range n.Plans {
		if child.subquery() || !child.allows() {
			return false
		}
	}
	return true
}

func (n node) subquery() bool { return n.Parent == "SubPlan" || n.Parent == "InitPlan" }

// reads sums what the scans of tables cost when they are read to their end. What a limit above them saves does not count:
// where no row matches, it saves nothing.
func (n node) reads() float64 {
	if n.Relation != "" && n.Type != "ModifyTable" {
		return n.Cost
	}
	sum := 0.0
	for _, child := range n.Plans {
		if !child.subquery() {
			sum += child.reads()
		}
	}
	return sum
}
