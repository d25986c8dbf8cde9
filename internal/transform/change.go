package transform

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Change is what a function wants of one row: values for all columns that the definition writes, or that the row is refused. It is made by Row's
// methods.
type Change struct {
	row     Row
	values  []Value
	refused error
}

// Change begins a change of the row.
func (r Row) Change() Change { return Change{row: r, values: make([]Value, len(r.form.gives))} }

// Refuse says that the row does not allow the change. It is passed over within the definition's error_budget, and the error's text
// is kept in Postgres with its key; else the chunk fails.
func (r Row) Refuse(why error) Change {
	if why == nil {
		panic(misuse("a row was refused without an error"))
	}
	return Change{row: r, refused: why}
}

// Set gives a column its value. A column that the definition does not write, and a value of a form that the column's type does not
// have, is a mistake in the function, and a panic.
func (c Change) Set(column string, value Value) Change {
	for i, written := range c.row.form.gives {
		if written.Name != column {
			continue
		}
		if value.as == "" {
			panic(misuse(fmt.Sprintf("column %q was given the zero Value", column)))
		}
		if !value.fits(written.Base) {
			panic(misuse(fmt.Sprintf("column %q is %s and was given %s", column, written.Base, value.as)))
		}
		c.values[i] = value
		return c
	}
	panic(misuse(fmt.Sprintf("column %q is not among those that the definition writes", column)))
}

// Value is a value for a column.
type Value struct {
	as   string // the function that made it
	text string
}

// Text is a value for a column of any type but bytea, json and jsonb, as SQL would have it between quotes.
func Text(value string) Value { return Value{as: "Text", text: value} }

// Int is a value for a column of numbers.
func Int(value int64) Value { return made("Int", strconv.FormatInt(value, 10)) }

// Float is a value for a column of numbers that are no whole ones.
func Float(value float64) Value { return made("Float", strconv.FormatFloat(value, 'g', -1, 64)) }

// Bool is a value for a boolean column.
func Bool(value bool) Value { return made("Bool", strconv.FormatBool(value)) }

// Time is a value for a timestamp or date.
func Time(value time.Time) Value { return made("Time", printTime(value)) }

// UUID is a value for a uuid column.
func UUID(value [16]byte) Value { return made("UUID", hex.EncodeToString(value[:])) }

// Bytes is a value for a bytea column.
func Bytes(value []byte) Value { return made("Bytes", `\x`+hex.EncodeToString(value)) }

// JSON is a document for a json or jsonb column.
func JSON(document json.RawMessage) Value { return made("JSON", string(document)) }

const null = "Null"

// Null is NULL, for a column of any type.
func Null() Value { return Value{as: null} }

func made(as, text string) Value { return Value{as: as, text: text} }

var texts = []string{"text", "character varying", "character", "bpchar", "name"}

// forms are the types of columns that a value may be given to, by the function that made it.
var forms = map[string][]string{
	"Int":   {"smallint", "integer", "bigint", "numeric", "real", "double precision"},
	"Float": {"numeric", "real", "double precision"},
	"Bool":  {"boolean"},
	"Time":  {"timestamp with time zone", "timestamp without time zone", "date"},
	"UUID":  {"uuid"},
	"Bytes": {"bytea"},
	"JSON":  {"json", "jsonb"},
}

func (v Value) fits(base string) bool {
	switch v.as {
	case null:
		return true
	case "Text":
		return !slices.Contains(forms["Bytes"], base) && !slices.Contains(forms["JSON"], base)
	}
	return slices.Contains(forms[v.as], base)
}

// Supports tells whether columns of that type, under all domains, can be given to a function and taken from it; enums can.
func Supports(base string) bool {
	if slices.Contains(texts, base) {
		return true
	}
	for _, bases := range forms {
		if slices.Contains(bases, base) {
			return true
		}
	}
	return false
}

// Supported is what people are told.
const Supported = "text, varchar, char, enums, smallint, integer, bigint, numeric, real, double precision, boolean, date, timestamp, timestamptz, uuid, bytea, json and jsonb"
