package contest

import (
	"slices"
	"testing"
)

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		whole             bool
		tasks, contenders []string
		want              []string
	}{
		"short":          {want: []string{"value: update loop pgroll direct undo", "new: update undo", "indexed: update direct", "value on the stack: update pipeline pipeline-undo", "value, its chunks: walk planner", "value beside users: update undo alone idle"}},
		"one task":       {tasks: []string{"new"}, want: []string{"new: update undo"}},
		"one contender":  {tasks: []string{"new"}, contenders: []string{"direct"}, want: []string{"new: update direct"}},
		"the base alone": {tasks: []string{"new"}, contenders: []string{"update"}, want: []string{"new: update"}},
		"beside users":   {tasks: []string{"value"}, contenders: []string{"loop", "users"}, want: []string{"value: update loop", "value beside users: idle update loop"}},
		"the planner":    {contenders: []string{"planner"}, want: []string{"value, its chunks: walk planner"}},
		"the stack":      {tasks: []string{"value"}, contenders: []string{"pipeline"}, want: []string{"value on the stack: update pipeline"}},
	} {
		t.Run(name, func(t *testing.T) {
			groups, err := Plan(c.whole, c.tasks, c.contenders)
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
	}
	return text
}

func TestPlanRefusesUnknownNames(t *testing.T) {
	for _, wrong := range [][2][]string{{{"old"}, nil}, {nil, {"fast"}}, {{"new"}, {"users"}}} {
		if groups, err := Plan(false, wrong[0], wrong[1]); err == nil {
			t.Errorf("%q: %v", wrong, groups)
		}
	}
}
