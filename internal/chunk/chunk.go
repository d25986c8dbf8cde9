// Package chunk owns the unit of planning, queueing, lease, checkpoint and rollback: a keyset range of one run.
//
// It owns the chunk's states and their legal transitions, and the message that carries a chunk through the queue.
// It leaves storing them to ledger (Postgres) and records (DynamoDB). Invariants: chunks of a run are numbered from
// 1 without gaps, in the order of the run (keyset.Order); a state changes only along the table in states.go.
package chunk

import "backfill/internal/keyset"

// Chunk is a planned range of a run. Number counts from 1, without gaps, in the order of the run: up the keys, or down.
type Chunk struct {
	Run    string
	Number int64
	Range  keyset.Range
}

// Message is what the queue carries: the boundaries and the number of the send (1 for the first). A worker refuses
// a send that the ledger has already spent, so an old message that comes late has no effect.
type Message struct {
	Run   string       `json:"run"`
	Chunk int64        `json:"chunk"`
	Lo    keyset.Point `json:"lo,omitempty"`
	Hi    keyset.Point `json:"hi"`
	Send  int64        `json:"send"`
	// Database is where the run is; "": the stack's own.
	Database string `json:"database,omitempty"`
}

// Range is what the message covers.
func (m Message) Range() keyset.Range { return keyset.Range{Lo: m.Lo, Hi: m.Hi} }

// Message makes the chunk's message for a send.
func (c Chunk) Message(send int64) Message {
	return Message{Run: c.Run, Chunk: c.Number, Lo: c.Range.Lo, Hi: c.Range.Hi, Send: send}
}
