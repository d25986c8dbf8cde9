package operator

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// spent says of a start by an id that somebody chose, and whose run never began, that the id serves no more, and which does.
func (s *session) spent(ctx context.Context, stack Stack, asked start, again bool, err error) error {
	var fault *Fault
	if !errors.As(err, &fault) || !fault.unbegun || !asked.chosen {
		return err
	}
	var parts []string
	if fault.Next != "" {
		parts = append(parts, fault.Next)
	}
	if again {
		parts = append(parts, "that was the answer when "+asked.id+" was first started")
	}
	fault.Next = strings.Join(append(parts, s.another(ctx, stack, asked)), "; ")
	return fault
}

// taken is the fault of a start by an id under which something else was started.
func (s *session) taken(ctx context.Context, stack Stack, asked start) error {
	fault := &Fault{Exit: exitInvalid, Message: fmt.Sprintf("run %s was started before, with another input", asked.id),
		Next: s.another(ctx, stack, asked)}
	if status, _, err := statusOf(ctx, stack.Control, asked.id); err == nil && !began(status) {
		fault.Message += ", and never began"
	}
	return fault
}

// another offers an id in place of one that Step Functions will not take again.
func (s *session) another(ctx context.Context, stack Stack, asked start) string {
	const why = "an id serves one start, as Step Functions keeps the name of an execution for 90 days"
	id := free(ctx, stack, asked.id)
	if id == "" {
		return why + ": give another --run, or leave it out"
	}
	return why + "; this one is free: " + s.suggest(slices.Concat(asked.words, []string{"--run", id})...)
}

// numbered is an id that ends in a number.
var numbered = regexp.MustCompile(`^(.*)-([0-9]{1,6})$`)

// free counts an id on until there is neither an execution nor a run of that name; "" where none is found.
func free(ctx context.Context, stack Stack, id string) string {
	const tries = 20
	base, n := id, 1
	if found := numbered.FindStringSubmatch(id); found != nil {
		base = found[1]
		n, _ = strconv.Atoi(found[2])
	}
	for range tries {
		n++
		end := "-" + strconv.Itoa(n)
		next := base[:min(len(base), longestName-len(end))] + end
		if _, err := stack.Executions.Find(ctx, next); !errors.Is(err, ErrNoExecution) {
			continue
		}
		if _, _, err := statusOf(ctx, stack.Control, next); isInvalid(err) {
			return next
		}
	}
	return ""
}
