package operator

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// fetch asks control for one page of what a run has, and reads it into found. what names it in messages.
func (s *session) fetch(ctx context.Context, id, what string, asked, found any) (json.RawMessage, error) {
	stack, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := stack.Control.Look(ctx, asked)
	if err != nil {
		return nil, s.unknown(ctx, stack.Control, id, err)
	}
	if err := json.Unmarshal(answer, found); err != nil {
		return nil, fmt.Errorf("read the %s of run %s: %w", what, id, err)
	}
	return answer, nil
}

// within finds what control would refuse as well: there it could not be told from a run that is not known.
func within(at *cobra.Command, limit, after int64) error {
	switch {
	case limit < 1 || limit > mostRows:
		return misused(at, fmt.Errorf("--limit %d is not within 1 to %d", limit, mostRows))
	case after < 0:
		return misused(at, fmt.Errorf("--after %d is less than 0", after))
	}
	return nil
}
