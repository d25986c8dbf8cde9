package main

import (
	"backfill/internal/assembly"
	"backfill/internal/checkup"
	"backfill/internal/closing"
	"backfill/internal/control"
	"backfill/internal/execution"
	"backfill/internal/ledger"
	"backfill/internal/pausing"
	"backfill/internal/rebuild"
	"backfill/internal/registry"
	"backfill/internal/rehearsal"
	"backfill/internal/review"
	"backfill/internal/settings"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// over makes the control of a database.
func over(base assembly.Base, known registry.Registry, s settings.Control) *control.Control {
	reviewer := review.Reviewer{Session: base.Session, Registry: known, Inline: s.Inline}
	examiner := checkup.Examiner{Session: base.Session, Schema: ledger.Version, Workers: int64(s.Workers)}
	if base.Database == "" { // that of the stack's own looks at what all have in common
		examiner.Records = base.Records
	}
	return &control.Control{
		Database: base.Database, Ledger: base.Ledger, Records: base.Records, Closer: closing.New(base.Ledger, base.Records),
		Pauser:   pausing.New(base.Ledger, base.Records),
		Reviewer: reviewer, Registry: known, Rehearser: rehearsal.Rehearser{Session: base.Session, Ledger: base.Ledger, Reviewer: reviewer},
		Rebuilder:  rebuild.Rebuilder{Session: base.Session, Ledger: base.Ledger, Records: base.Records},
		Examiner:   examiner,
		Executions: execution.New(sfn.NewFromConfig(base.AWS)), UndoRetention: s.UndoRetention, Own: s.Executions,
		Workers: int64(s.Workers), Gauges: base.Gauges,
	}
}
