package guard

import (
	"fmt"
	"slices"
	"strings"
)

// node is what matters of a node of a plan in EXPLAIN's JSON.
type node struct {
	Type      string `json:"Node Type"`
	Relation  string `json:"Relation Name"`
	Alias     string `json:"Alias"`
	Index     string `json:"Index Name"`
	Condition string `json:"Index Cond"`
	Parent    string `json:"Parent Relationship"`
	Subplan   string `json:"Subplan Name"`
	Plans     []node `json:"Plans"`
}

// sort names the first table whose rows are sorted, "" if there is none. It matters to a walk, which a limit ends: a sort has read all of them
// before. A batch reads what is between two keys, in whatever order.
func (n node) sort() string {
	if strings.HasSuffix(n.Type, "Sort") && len(n.Plans) > 0 && n.Plans[0].Relation != "" {
		return "a sort of the keys of " + n.Plans[0].Relation
	}
	for _, child := range n.Plans {
		if found := child.sort(); found != "" {
			return found
		}
	}
	return ""
}

// scan names the first node that reads a whole table or index, "" if none does. Sub-plans of the user's expressions
// (InitPlan, SubPlan) are their own affair: a look-up table is often small and scanned. So are the tables that are joined,
// by their aliases (see wide).
func (n node) scan(joined []string) string {
	switch {
	case n.own() || n.of(joined...):
		return ""
	case n.whole() && n.Type == "Seq Scan":
		return fmt.Sprintf("a sequential scan of %s", n.Relation)
	case n.whole():
		return fmt.Sprintf("a scan of the whole index %s", n.Index)
	}
	for _, child := range n.Plans {
		if found := child.scan(joined); found != "" {
			return found
		}
	}
	return ""
}

// reads tells whether the plan reads the whole of the table of that alias.
func (n node) reads(alias string) bool {
	if n.own() {
		return false
	}
	if n.of(alias) && (n.whole() || len(n.Plans) == 1 && n.Plans[0].whole()) {
		return true
	}
	return slices.ContainsFunc(n.Plans, func(child node) bool { return child.reads(alias) })
}

// of tells whether the node reads a table of these aliases, or a partition of one, which has a number behind.
func (n node) of(aliases ...string) bool {
	return slices.ContainsFunc(aliases, func(alias string) bool {
		rest, ok := strings.CutPrefix(n.Alias, alias)
		return ok && strings.Trim(rest, "_0123456789") == ""
	})
}

// own tells whether the node is of a sub-plan of the user's. The statement's CTEs are ours.
func (n node) own() bool {
	return n.Parent == "SubPlan" || n.Parent == "InitPlan" && !strings.HasPrefix(n.Subplan, "CTE backfill_")
}

func (n node) whole() bool {
	return n.Type == "Seq Scan" || (strings.HasPrefix(n.Type, "Index") || n.Type == "Bitmap Index Scan") && n.Condition == ""
}
