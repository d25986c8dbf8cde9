package transform

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"backfill/internal/change"
)

// Form is what the rows of a run have: the columns that a function gets, and those that it gives.
type Form struct {
	gets   []change.Column
	gives  []change.Column
	places map[string]int
}

// NewForm makes the form of a change: the function gets the key, and what it reads.
func NewForm(f change.Function) *Form {
	form := &Form{gets: slices.Concat(f.Key, f.Reads), gives: f.Writes, places: map[string]int{}}
	for i, column := range form.gets {
		form.places[column.Name] = i
	}
	return form
}

// Row is a row as it was read: its key, and the columns that the definition says. A column that is not among them, or one that is
// asked for as another type, is a mistake in the function, and a panic. Each value is given with false where it is NULL.
type Row struct {
	form   *Form
	number int // in its call
	values []*string
}

// Rows makes rows of values as Postgres prints them, in the order of the form; nil is NULL.
func (f *Form) Rows(values [][]*string) []Row {
	rows := make([]Row, len(values))
	for i := range values {
		rows[i] = Row{form: f, number: i, values: values[i]}
	}
	return rows
}

// Text is a value of any type as Postgres prints it: numeric, enums and the like have no other form here.
func (r Row) Text(column string) (string, bool) {
	return r.value(column, "")
}

// Int is a smallint, integer or bigint.
func (r Row) Int(column string) (int64, bool) {
	text, ok := r.value(column, "Int", "smallint", "integer", "bigint")
	return parsed(ok, column, func() (int64, error) { return strconv.ParseInt(text, 10, 64) })
}

// Float is a real or double precision.
func (r Row) Float(column string) (float64, bool) {
	text, ok := r.value(column, "Float", "real", "double precision")
	return parsed(ok, column, func() (float64, error) { return strconv.ParseFloat(text, 64) })
}

// Bool is a boolean.
func (r Row) Bool(column string) (value, ok bool) {
	text, ok := r.value(column, "Bool", "boolean")
	return text == "true", ok
}

// Time is a timestamp with time zone, in UTC; one without is taken for UTC, a date for its beginning. Infinity is no time: where a
// column may hold it, ask for Text first.
func (r Row) Time(column string) (time.Time, bool) {
	text, ok := r.value(column, "Time", "timestamp with time zone", "timestamp without time zone", "date")
	return parsed(ok, column, func() (time.Time, error) { return parseTime(text) })
}

// UUID is a uuid.
func (r Row) UUID(column string) ([16]byte, bool) {
	text, ok := r.value(column, "UUID", "uuid")
	return parsed(ok, column, func() (id [16]byte, err error) {
		_, err = hex.Decode(id[:], []byte(strings.ReplaceAll(text, "-", "")))
		return id, err
	})
}

// Bytes is a bytea.
func (r Row) Bytes(column string) ([]byte, bool) {
	text, ok := r.value(column, "Bytes", "bytea")
	return parsed(ok, column, func() ([]byte, error) { return hex.DecodeString(strings.TrimPrefix(text, `\x`)) })
}

// JSON is a json or jsonb. JSON's null is a value, and not NULL.
func (r Row) JSON(column string) (json.RawMessage, bool) {
	text, ok := r.value(column, "JSON", "json", "jsonb")
	if !ok {
		return nil, false
	}
	return json.RawMessage(text), true
}

// value finds a column's text; bases are the types that may be asked for as that, none: every one.
func (r Row) value(column, as string, bases ...string) (string, bool) {
	place, ok := r.form.places[column]
	if !ok {
		panic(misuse(fmt.Sprintf("column %q is not among those that the definition reads", column)))
	}
	if base := r.form.gets[place].Base; len(bases) > 0 && !slices.Contains(bases, base) {
		panic(misuse(fmt.Sprintf("column %q is %s and was asked for as %s", column, base, as)))
	}
	if r.values[place] == nil {
		return "", false
	}
	return *r.values[place], true
}

// parsed reads a text. One that cannot be read is a value that Go's type does not have.
func parsed[T any](ok bool, column string, parse func() (T, error)) (none T, _ bool) {
	if !ok {
		return none, false
	}
	value, err := parse()
	if err != nil {
		panic(misuse(fmt.Sprintf("a value of column %q has no such form in Go; ask for Text", column)))
	}
	return value, true
}

// misuse is a mistake in a function; its text has no value of a row.
type misuse string
