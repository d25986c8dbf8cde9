package contest

import (
	"fmt"
	"slices"
	"testing"
)

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		whole             bool
		tasks, contenders []string
		workers           []int
		want              []string
	}{
		"short":          {want: []string{"value: update loop pgroll direct/2 undo/2", "new: update undo/2", "indexed: update direct/2", "value on the stack: update pipeline pipeline-undo", "value, its chunks: walk planner", "value beside users: update undo/2 idle"}},
		"one task":       {tasks: []string{"new"}, want: []string{"new: update undo/2"}},
		"one contender":  {tasks: []string{"new"}, contenders: []string{"direct"}, want: []string{"new: update direct/2"}},
		"the base alone": {tasks: []string{"new"}, contenders: []string{"update"}, want: []string{"new: update"}},
		"beside users":   {tasks: []string{"value"}, contenders: []string{"loop", "users"}, want: []string{"value: update loop", "value beside users: idle update loop"}},
		"some workers":   {tasks: []string{"new"}, contenders: []string{"plain", "undo"}, workers: []int{1, 4}, want: []string{"new: update plain/1 plain/4 undo/1 undo/4"}},
		"the planner":    {contenders: []string{"planner"}, want: []string{"value, its chunks: walk planner"}},
		"the stack":      {tasks: []string{"value"}, contenders: []string{"pipeline"}, want: []string{"value on the stack: update pipeline"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.workers == nil {
				c.workers = []int{2}
			}
			groups, err := Plan(c.whole, c.tasks, c.contenders, c.workers)
			must(t, err)
			var got []string
			for _, g := range groups {
				got = append(got, text(g))
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
		})
	}
}

func text(g Group) string {
	text := g.Task.Name
	if g.Deployed {
		text += " on the stack"
	}
	if g.Planning {
		text += ", its chunks"
	}
	if g.Beside {
		text += " beside users"
	}
	text += ":"
	for _, c := range g.Contenders {
		text += " " + c.Name
		if c.Workers > 0 {
			text += fmt.Sprintf("/%d", c.Workers)
		}
	}
	return text
}

func TestPlanRefusesUnknownNames(t *testing.T) {
	for _, wrong := range [][2][]string{{{"old"}, nil}, {nil, {"fast"}}, {{"new"}, {"users"}}} {
		if groups, err := Plan(false, wrong[0], wrong[1], []int{2}); err == nil {
			t.Errorf("%q: %v", wrong, groups)
		}
	}
}
