// Package journal reads what the local stack wrote while something went on: the calls that reached AWS' stand-ins, and what
// the functions and Lambda's lines tell of an invocation.
//
// It owns the places and the forms of the logs, and which call is whose. It leaves what the counts mean to report. Invariant:
// what was written before a mark, or by nobody knows whom, is not counted; a log that is not there counts nothing.
package journal

import (
	"io"
	"os"
	"path/filepath"
)

// Folder is where the local stack keeps its logs, from the project's folder.
const Folder = ".local/log"

// The logs that are read: one line for each call that comes over the wire; and what each function prints.
const (
	calls    = "localstack.log"
	worker   = "functions/backfill-worker.log"
	planner  = "functions/backfill-planner.log"
	governor = "functions/backfill-governor.log"
	control  = "functions/backfill-control.log"
)

// Mark is how long the logs were at a moment.
type Mark struct {
	folder  string
	lengths map[string]int64
}

// Now marks the end of the logs in a folder.
func Now(folder string) Mark {
	m := Mark{folder: folder, lengths: map[string]int64{}}
	for _, name := range []string{calls, worker, planner, governor, control} {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil {
			m.lengths[name] = info.Size()
		}
	}
	return m
}

// Entries are what was written since a mark.
type Entries struct {
	Calls      Calls
	Answers    int64     // of control: somebody watched
	Deliveries Delivered // to workers
	BatchTimes []float64 // milliseconds
	Memory     int64     // peak of a worker's process, bytes
	Inits      []float64 // of every function, milliseconds from the start of its process to its first question for work
}

// Since reads what was written since the mark.
func (m Mark) Since() Entries {
	work := m.read(worker)
	e := Entries{
		Calls: count(m.read(calls)), Answers: answers(m.read(control)), Deliveries: delivered(work), BatchTimes: BatchTimes(work), Memory: memory(work),
	}
	for _, log := range [][]byte{work, m.read(planner), m.read(governor), m.read(control)} {
		e.Inits = append(e.Inits, inits(log)...)
	}
	return e
}

func (m Mark) read(name string) []byte {
	file, err := os.Open(filepath.Join(m.folder, name))
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(m.lengths[name], io.SeekStart); err != nil {
		return nil
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil
	}
	return text
}
