// Package contest has the contenders take turns.
//
// It owns the plan, the order and the time. It leaves what contenders do to contender and what it costs to meter. Invariants:
// each contender works on a table made anew, and its effect is checked before anything is noted; the contenders of a group
// follow each other, in random order, so that what else the machine does meets all of them.
package contest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"backfill/infra/bench/report"
)

// Contest is what is to be measured.
type Contest struct {
	Places []Place
	Groups []Group
	Rows   int64
	Rounds int
	Limit  time.Duration // no round begins that would go beyond it; 0: none
	Say    func(format string, args ...any)
}

// Run gives every figure, and the rounds that were completed. Where it fails, it gives what there is.
func (c Contest) Run(ctx context.Context) (figures []report.Figure, rounds int, err error) {
	begun, longest := time.Now(), time.Duration(0)
	for round := 1; round <= c.Rounds; round++ {
		if c.Limit > 0 && round > 1 && time.Since(begun)+longest > c.Limit {
			break
		}
		start := time.Now()
		found, err := c.round(ctx, round)
		figures = append(figures, found...)
		if err != nil {
			return figures, rounds, err
		}
		longest, rounds = max(longest, time.Since(start)), round
	}
	return figures, rounds, nil
}

// round has every contender of every group work once on every server that the group belongs to.
func (c Contest) round(ctx context.Context, number int) (figures []report.Figure, err error) {
	for _, place := range shuffled(c.Places) {
		for _, group := range shuffled(c.Groups) {
			if group.Deployed != place.Deployed {
				continue
			}
			for _, way := range shuffled(group.Contenders) {
				turn := turn{round: number, rows: group.rows(c.Rows), place: place, group: group, contender: way, say: c.Say}
				found, err := turn.take(ctx)
				figures = append(figures, found...)
				if err != nil {
					return figures, fmt.Errorf("round %d, %s, task %s, contender %s: %w", number, place.Name, group.Task.Name, way.Name, err)
				}
			}
		}
	}
	return figures, nil
}

func shuffled[T any](all []T) []T {
	mixed := slices.Clone(all)
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	return mixed
}
