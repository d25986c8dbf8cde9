package contest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"backfill/infra/bench/contender"
	"backfill/infra/bench/ground"
)

// Users is the name by which the workload is chosen, as contenders are.
const Users = "users"

// Group is contenders that are compared with each other: the same table, on the same server, within minutes.
type Group struct {
	Task       ground.Task
	Deployed   bool  // on the stack's database
	Beside     bool  // users
	First      bool  // only the first leg of each: no rollback
	Planning   bool  // nothing is changed: where the chunks end is found
	Least      int64 // rows, where the contest has fewer
	Contenders []contender.Contender
}

// short is what `make bench` has time for.
var short = []Group{
	{Task: task("value"), Contenders: named("update", "loop", "pgroll", "direct", "undo")},
	{Task: task("new"), Contenders: named("update", "undo")},
	{Task: task("indexed"), Contenders: named("update", "direct")},
	{Task: task("value"), Deployed: true, First: true, Contenders: named("update", "pipeline", "pipeline-undo")},
	planning,
	{Task: task("value"), Beside: true, First: true, Least: crowd, Contenders: named("idle", "update", "undo")},
}

// crowd has users there for long enough to see more than a handful of slow requests.
const crowd = 1_000_000

// planning has ten chunks or more: of fewer, a walk would be as long as a connection takes.
var planning = Group{Task: task("value"), Planning: true, Least: 1_000_000, Contenders: named("walk", "planner")}

// full is everything.
var full = func() (groups []Group) {
	ours := named("update", "loop", "pgroll", "direct", "plain", "undo")
	for _, task := range ground.Tasks {
		groups = append(groups, Group{Task: task, Contenders: ours},
			Group{Task: task, Deployed: true, Contenders: named("update", "pipeline", "pipeline-undo")})
	}
	return append(groups, planning, Group{Task: task("value"), Beside: true, First: true, Least: crowd, Contenders: append(named("idle"), ours...)})
}()

// rows of the group's tables, in a contest of so many.
func (g Group) rows(contest int64) int64 { return max(contest, g.Least) }

// Most is the number of rows of the largest table.
func Most(groups []Group, rows int64) (most int64) {
	for _, g := range groups {
		most = max(most, g.rows(rows))
	}
	return most
}

// Plan gives the groups of a round: those of the short or of the full plan, with the tasks that are named. Contenders that
// are named come from the full plan; what they are compared with comes along. Those that have workers come once with each number.
func Plan(whole bool, tasks, contenders []string, workers []int) ([]Group, error) {
	if err := errors.Join(unknown("task", tasks, taskNames()), unknown("contender", contenders, Contenders())); err != nil {
		return nil, err
	}
	source := short
	if whole || len(contenders) > 0 {
		source = full
	}
	var groups []Group
	for _, g := range source {
		if len(tasks) > 0 && !slices.Contains(tasks, g.Task.Name) {
			continue
		}
		if len(contenders) > 0 {
			g = g.only(contenders)
		}
		if len(g.Contenders) > 0 {
			groups = append(groups, g.manned(workers))
		}
	}
	if len(groups) == 0 {
		return nil, errors.New("these contenders have none of these tasks")
	}
	return groups, nil
}

// manned gives the contenders their workers.
func (g Group) manned(workers []int) Group {
	var all []contender.Contender
	for _, c := range g.Contenders {
		all = append(all, c.Crews(workers)...)
	}
	g.Contenders = all
	return g
}

// only keeps the contenders that are named, and the bases of their ratios; users have to be named as well. None, where
// nothing that is named is of the group's kind.
func (g Group) only(named []string) Group {
	asked := func(c contender.Contender) bool {
		return slices.Contains(named, c.Name) && c.Deployed == g.Deployed
	}
	kept := g.Contenders
	g.Contenders = nil
	if !slices.ContainsFunc(kept, asked) || g.Beside && !slices.Contains(named, Users) {
		return g
	}
	for _, c := range kept {
		if asked(c) || slices.Contains(bases, c.Name) {
			g.Contenders = append(g.Contenders, c)
		}
	}
	return g
}

// bases are what others are compared with.
var bases = []string{"update", "idle", "walk"}

// Contenders are the names that may be chosen.
func Contenders() []string {
	names := []string{Users}
	for _, c := range contender.All {
		names = append(names, c.Name)
	}
	return names
}

func taskNames() (names []string) {
	for _, t := range ground.Tasks {
		names = append(names, t.Name)
	}
	return names
}

func unknown(what string, given, known []string) error {
	for _, name := range given {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no %s %q; there are %s", what, name, strings.Join(known, ", "))
		}
	}
	return nil
}

func task(name string) ground.Task { return ground.Tasks[slices.Index(taskNames(), name)] }

func named(names ...string) (found []contender.Contender) {
	for _, c := range append(slices.Clone(contender.All), contender.Nothing) {
		if slices.Contains(names, c.Name) {
			found = append(found, c)
		}
	}
	return found
}
