package report

import (
	"math"

	"backfill/internal/bill"
)

// Cost is what the run has asked of AWS, and what that costs by list prices.
type Cost struct {
	Calls    int64     `json:"calls"` // to AWS, by the functions
	Services []Service `json:"services"`
	Dollars  float64   `json:"dollars"`
	Basis    []string  `json:"basis"`
}

// Service is the part of one service.
type Service struct {
	Name    string   `json:"name"`
	Counts  []Amount `json:"counts"`
	Dollars float64  `json:"dollars"`
}

// Amount is what was asked, and how much of it.
type Amount struct {
	Count int64  `json:"count"`
	Unit  string `json:"unit"`
}

// cost counts by the model of bill.
func cost(r bill.Run) Cost {
	d := r.Dollars()
	return Cost{
		Calls: r.Calls().Sum(), Dollars: cents(d.Sum()),
		Services: []Service{
			{"Lambda", []Amount{{r.Invocations(), "invocations"}, {int64(math.Round(r.GBSeconds())), "GB-seconds"}}, cents(d.Lambda)},
			{"DynamoDB", []Amount{{r.WriteUnits(), "write units"}, {r.ReadUnits(), "read units"}}, cents(d.DynamoDB)},
			{"SQS", []Amount{{r.Requests(), "requests"}}, cents(d.SQS)},
			{"Step Functions", []Amount{{r.Transitions(), "transitions"}}, cents(d.StepFunctions)},
			{"logs, traces", []Amount{{r.LogBytes(), "bytes"}, {r.Traces(), "traces"}}, cents(d.LogsAndTraces)},
		},
		Basis: []string{
			"Counted by a model from what the ledger holds: chunks, deliveries of those that were tried again, the time the run moved, the time workers were at chunks. It is no bill of AWS.",
			"List prices of us-east-1, November 2026, no free tier; memory, beats and look-ahead as the template has them by default.",
			"Not in it: the database, its storage and the network, NAT or endpoints of a VPC, and who watches.",
		},
	}
}

func cents(dollars float64) float64 { return math.Round(dollars*1e6) / 1e6 }
