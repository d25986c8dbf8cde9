// Package settings reads what the functions are told by their environment.
//
// It owns the names of the variables, their bounds and what depends on what; template.yaml sets them. It does not
// fetch the secret: credentials does. Invariants: the environment is read once, through the lookup that is given;
// all problems come in one error of class failure.Invalid, each with the variable, what is wrong and what to set;
// no value of DATABASE_URL is in it.
package settings

import "time"

// Lookup finds a variable; os.LookupEnv in a function.
type Lookup func(name string) (string, bool)

// Shared is what every function needs.
type Shared struct {
	Database  Database
	Named     []Named       // databases beside it
	Table     string        // DynamoDB table of the records
	Lease     time.Duration // how long a worker holds a chunk without a sign of life
	Heartbeat time.Duration // how long the governor may be silent before workers stop
	Stack     string        // name of the stack, a dimension of its metrics
}

// Planner is what the planner needs.
type Planner struct {
	Shared
	Queue     string // URL of the queue of chunks
	LookAhead int    // chunks planned ahead of the workers
	Inline    bool   // a request may bring its own definition
}

// Worker is what the worker needs.
type Worker struct {
	Shared
}

// Governor is what the governor needs.
type Governor struct {
	Shared
	Queue       string
	DeadLetters string        // URL of the queue's dead-letter queue
	Beat        time.Duration // how long one invocation watches
	LookAhead   int
	Workers     int           // workers at once
	Worker      string        // name of their function
	Stall       time.Duration // how long nothing may be handled before a run fails
	Retention   time.Duration // how long records stay after the run has ended
	Alarms      []string      // names of CloudWatch alarms that slow runs down
}

// Control is what control needs.
type Control struct {
	Shared
	Inline        bool
	Retention     time.Duration
	UndoRetention time.Duration // how long undo stays after the run has ended
	Workers       int           // workers at once
	Executions    string        // how the ARN of each execution of the stack begins
}

// ForPlanner reads the planner's settings.
func ForPlanner(lookup Lookup) (Planner, error) {
	e := environment{lookup: lookup}
	s := Planner{Shared: e.shared(), Queue: e.text(queueURL), LookAhead: e.number(lookAhead), Inline: e.truth(inline)}
	return s, e.err()
}

// ForWorker reads the worker's settings.
func ForWorker(lookup Lookup) (Worker, error) {
	e := environment{lookup: lookup}
	return Worker{Shared: e.shared()}, e.err()
}

// ForGovernor reads the governor's settings.
func ForGovernor(lookup Lookup) (Governor, error) {
	e := environment{lookup: lookup}
	s := Governor{Shared: e.shared(), Queue: e.text(queueURL), DeadLetters: e.text(deadLetters), Beat: e.seconds(beat), LookAhead: e.number(lookAhead),
		Workers: e.number(workers), Worker: e.text(workerFunction), Stall: e.minutes(stall), Retention: e.days(retention), Alarms: e.alarms()}
	if s.Beat > 0 && s.Heartbeat > 0 && s.Heartbeat < 2*s.Beat {
		e.problem(heartbeat.name, "is less than two beats (%s of %s), so workers would stop between them; set at least %d",
			beat.name, s.Beat, int(2*s.Beat/time.Second))
	}
	return s, e.err()
}

// ForControl reads control's settings.
func ForControl(lookup Lookup) (Control, error) {
	e := environment{lookup: lookup}
	s := Control{Shared: e.shared(), Inline: e.truth(inline), Retention: e.days(retention), UndoRetention: e.days(undoRetention),
		Workers: e.number(workers), Executions: e.text(executions)}
	return s, e.err()
}
