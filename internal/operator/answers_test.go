package operator

import (
	"errors"
	"net/url"
	"strings"

	"backfill/internal/run"
)

func answers(action string, list ...any) func(*bundle) {
	return func(b *bundle) { b.control.answers[action] = list }
}

// Definitions that are wrong in several ways, and one that needs a value to run.
const (
	badly        = "name: users-country\ntable: users\nset: {country: upper(country) -- loud}\nundu: off\nparams: {since: date}\nwhere: at > @since\n"
	parametrised = "name: users-country\ntable: users\nset: {country: upper(country)}\nparams: {since: date, least: {type: integer, default: 3}}\nwhere: at > @since AND id > @least\n"
)

func typed(text string) func(*bundle) { return func(b *bundle) { b.In = strings.NewReader(text) } }

// cutOff is a machine from which no stack can be reached.
func cutOff() func(*bundle) {
	return func(b *bundle) {
		b.connected = &url.Error{Op: "Post", URL: "https://cloudformation.eu-west-1.amazonaws.com", Err: errors.New("no such host")}
	}
}

func all(prepare ...func(*bundle)) func(*bundle) {
	return func(b *bundle) {
		for _, one := range prepare {
			one(b)
		}
	}
}

func on(columns int, prepare func(*bundle)) func(*bundle) {
	return func(b *bundle) {
		b.columns = columns
		prepare(b)
	}
}

func again(input string) func(*bundle) {
	return func(b *bundle) {
		b.executions.started["email-1"] = input
		b.control.answers["status"] = []any{working()}
	}
}

func refused(name, cause string) func(*bundle) {
	return func(b *bundle) {
		b.control.answers["status"] = []any{unknownRun()}
		b.executions.looks = []Execution{{Running: true}, {Error: name, Cause: cause}}
	}
}

// lost is a run that began, and whose execution then ended under the name of an error.
func lost() func(*bundle) {
	return func(b *bundle) {
		again(`{"action":"start","backfill":"users-email-normalized"}`)(b)
		b.executions.looks = []Execution{{Error: "Backfill.Permanent", Cause: "the governor does not answer"}}
		b.control.answers["status"] = []any{after(run.Failed, "the governor does not answer")}
	}
}

// spent is an id that was used for a start that was refused.
func spent(input string) func(*bundle) {
	return func(b *bundle) {
		b.executions.started["email-1"], b.executions.started["email-2"] = input, "{}"
		b.executions.looks = []Execution{{Error: "Backfill.Invalid", Cause: "there is no backfill of that name"}}
		b.control.answers["status"] = []any{refusedRun(), unknownRun()}
	}
}

// never is a control that knows no such run in Postgres, where the record says that it was refused.
func never(action string) func(*bundle) {
	return func(b *bundle) {
		b.control.answers[action] = []any{classed("Backfill.Invalid", "run email-1: no such run in this database")}
		b.control.answers["status"] = []any{refusedRun()}
	}
}

// slowly is a planner that does not answer for a minute.
func slowly() func(*bundle) {
	return func(b *bundle) {
		for range 2 * patient / glance {
			b.control.answers["status"] = append(b.control.answers["status"], unknownRun())
		}
		b.control.answers["status"] = append(b.control.answers["status"], working())
	}
}

func trouble() func(*bundle) {
	return func(b *bundle) {
		b.executions.trouble = "connect to database app: connection refused"
		for range 2 * hesitation {
			b.control.answers["status"] = append(b.control.answers["status"], unknownRun())
		}
		b.control.answers["status"] = append(b.control.answers["status"], working())
	}
}
