package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"backfill/internal/failure"
	"backfill/internal/ledger"
	"backfill/internal/observation"
	"backfill/internal/records"
	"backfill/internal/review"
	"backfill/internal/run"
)

// most bounds an answer of list.
const most = 100

// Named is the input of the actions on one run.
type Named struct {
	Action string `json:"action"`
	Run    string `json:"run"`
	By     string `json:"by,omitempty"` // who asks, for the reason that is kept
}

// Listing is the input of list. Limit is 1 to 100; 0 means 20.
type Listing struct {
	Action string `json:"action"`
	Limit  int    `json:"limit,omitempty"`
}

// Runs is the answer to list, newest first.
type Runs struct {
	Runs []run.Status `json:"runs"`
}

func (c *Control) status(ctx context.Context, input json.RawMessage) (any, error) {
	named, err := decodeNamed(input)
	if err != nil {
		return nil, err
	}
	return c.current(ctx, named.Run)
}

// current is the status of a run: its record, or where that was lost what Postgres has.
func (c *Control) current(ctx context.Context, id string) (run.Status, error) {
	status, err := c.Records.Status(ctx, id)
	if !errors.Is(err, records.ErrNotFound) {
		return status, err
	}
	unrecorded, looking := run.Status{}, c.Ledger.Renew(ctx)
	if looking == nil {
		unrecorded, looking = observation.Unrecorded(ctx, c.Ledger, id)
	}
	if looking == nil {
		unrecorded.Database = c.Database
		return unrecorded, nil
	}
	if !errors.Is(looking, ledger.ErrNoRun) { // a start is asked after before there is anything to see
		slog.WarnContext(ctx, "run without a record", "run", id, "class", failure.Of(looking), "error", failure.Safe(looking))
	}
	return status, err
}

func (c *Control) list(ctx context.Context, input json.RawMessage) (any, error) {
	listing := Listing{}
	if err := decode(input, &listing); err != nil {
		return nil, err
	}
	if listing.Limit == 0 {
		listing.Limit = 20
	}
	if listing.Limit < 1 || listing.Limit > most {
		return nil, failure.New(failure.Invalid, "limit %d is not within 1 to %d", listing.Limit, most)
	}
	runs, err := c.Records.List(ctx, listing.Limit)
	if runs == nil {
		runs = []run.Status{}
	}
	return Runs{Runs: runs}, err
}

// cancel stops a run. The governor ends it when the last lease is gone; where no governor lives any more, a second
// cancel does.
func (c *Control) cancel(ctx context.Context, input json.RawMessage) (any, error) {
	named, err := decodeNamed(input)
	if err != nil {
		return nil, err
	}
	reason := "cancelled"
	if named.By != "" {
		reason = "cancelled by " + named.By
	}
	if _, err := c.Closer.Close(ctx, named.Run, run.Cancelled, reason); err != nil {
		return nil, err
	}
	if err := c.wake(ctx, named.Run); err != nil {
		return nil, err
	}
	return c.current(ctx, named.Run)
}

func (c *Control) validate(ctx context.Context, input json.RawMessage) (any, error) {
	var asked struct {
		Action string `json:"action"`
		review.Subject
	}
	if err := decode(input, &asked); err != nil {
		return nil, err
	}
	return c.Rehearser.Check(ctx, asked.Subject)
}

func decodeNamed(input json.RawMessage) (Named, error) {
	var named Named
	if err := decode(input, &named); err != nil {
		return named, err
	}
	return named, named.check()
}

func (n Named) check() error {
	if n.Run == "" {
		return failure.New(failure.Invalid, `"run" is missing: the run's id, as "list" shows it`)
	}
	return nil
}
