package guard

import (
	"fmt"
	"strings"
)

// node is what matters of a node of a plan in EXPLAIN's JSON.
type node struct {
	Type      string `json:"Node Type"`
	Relation  string `json:"Relation Name"`
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
// (InitPlan, SubPlan) are their own affair: a look-up table is often small and scanned.
func (n node) scan() string {
	switch {
	case n.Parent == "InitPlan" || n.Parent == "SubPlan":
		return ""
	case n.Type == "Seq Scan":
		return fmt.Sprintf("a sequential scan of %s", n.Relation)
	case strings.HasPrefix(n.Type, "Index") && n.Condition == "" || n.Type == "Bitmap Index Scan" && n.Condition == "":
		return fmt.Sprintf("a scan of the whole index %s", n.Index)
	}
	for _, child := range n.Plans {
		if found := child.scan(); found != "" {
			return found
		}
	}
	return ""
}
