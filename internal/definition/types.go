package definition

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// valueType is a type that a parameter can have.
type valueType struct {
	name    string
	aliases []string
	example string
	// parse gives the text that travels to Postgres; it is what was given, but for what depends on a session.
	parse   func(text string) (string, bool)
	compare func(a, b string) int // nil: the order is Postgres' matter
}

var valueTypes = []valueType{
	{"text", []string{"string", "varchar", "character varying"}, "free", same, nil},
	{"integer", []string{"int", "int4"}, "42", whole(32), compareNumbers},
	{"bigint", []string{"int8"}, "42", whole(64), compareNumbers},
	{"numeric", []string{"decimal"}, "12.50", numeric, compareNumbers},
	{"boolean", []string{"bool"}, "true", boolean, nil},
	{"date", nil, "2024-01-31", date, strings.Compare},
	{"timestamp", []string{"timestamp without time zone"}, "2024-01-31 12:00:00", timestamp, compareTimes},
	{"timestamptz", []string{"timestamp with time zone"}, "2024-01-31T12:00:00Z", timestamptz, compareTimes},
	{"uuid", nil, "7d444840-9dc0-11d1-b245-5ffdce74fad2", uuid, nil},
	{"interval", nil, "90 days", interval, nil},
}

func typeNamed(name string) (valueType, bool) {
	name = strings.ToLower(strings.Join(strings.Fields(name), " "))
	for _, t := range valueTypes {
		if t.name == name {
			return t, true
		}
		for _, alias := range t.aliases {
			if alias == name {
				return t, true
			}
		}
	}
	return valueType{}, false
}

func typeNames() string {
	names := make([]string, len(valueTypes))
	for i, t := range valueTypes {
		names[i] = t.name
	}
	return strings.Join(names, ", ")
}

func same(text string) (string, bool) { return text, !strings.ContainsRune(text, 0) }

func whole(bits int) func(string) (string, bool) {
	return func(text string) (string, bool) {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits)
		return strconv.FormatInt(n, 10), err == nil
	}
}

// numericPattern bounds the exponent: 1e999999999 is short, and its digits would fill the memory.
var numericPattern = regexp.MustCompile(`^[+-]?([0-9]{1,1000}(\.[0-9]{0,1000})?|\.[0-9]{1,1000})([eE][+-]?[0-9]{1,3})?$`)

func numeric(text string) (string, bool) {
	text = strings.TrimSpace(text)
	return text, numericPattern.MatchString(text)
}

func boolean(text string) (string, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	return text, text == "true" || text == "false"
}

func date(text string) (string, bool) {
	text = strings.TrimSpace(text)
	t, err := time.Parse(time.DateOnly, text)
	return text, err == nil && t.Year() > 0
}

var uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func uuid(text string) (string, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	return text, uuidPattern.MatchString(text)
}

// interval leaves the many forms of an interval to Postgres, which catalog asks; each has a digit.
func interval(text string) (string, bool) {
	return text, strings.ContainsAny(text, "0123456789") && !strings.ContainsRune(text, 0)
}

// compareNumbers compares texts that parse has accepted.
func compareNumbers(a, b string) int {
	x, _ := new(big.Rat).SetString(a)
	y, _ := new(big.Rat).SetString(b)
	return x.Cmp(y)
}
