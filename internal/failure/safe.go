package failure

import "strings"

// quoter is an error whose text may quote a row's values, as Postgres' messages do; Safe is its text without them.
type quoter interface{ Safe() string }

// coded is an error of a Postgres driver that nobody put into a quoter: its code is all of it that may be shown.
type coded interface{ SQLState() string }

// Safe is the text of an error without row values, for whatever leaves Postgres: answers, logs, traces. Every error
// in the tree that could quote one is replaced, within the text that others have put around it.
func Safe(err error) string {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself, to know what is around each error
	case quoter:
		return e.Safe()
	case coded:
		return SQLState(e.SQLState())
	case interface{ Unwrap() error }:
		return around(err.Error(), e.Unwrap())
	case interface{ Unwrap() []error }:
		return around(err.Error(), e.Unwrap()...)
	default:
		return err.Error()
	}
}

// around replaces the inner errors' texts within the outer text. Where an unsafe text is not to be found in it, the
// outer text is given up: nobody knows what it quotes.
func around(text string, inner ...error) string {
	for _, err := range inner {
		if err == nil {
			continue
		}
		unsafe, safe := err.Error(), Safe(err)
		if unsafe == safe {
			continue
		}
		if unsafe == "" || !strings.Contains(text, unsafe) {
			return safe
		}
		text = strings.ReplaceAll(text, unsafe, safe)
	}
	return text
}
