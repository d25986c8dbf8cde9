package failure

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

// conditionLines are the names that Postgres' manual and PL/pgSQL have for SQLSTATEs, one a line.
//
//go:embed conditions.txt
var conditionLines string

var conditions = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(conditionLines) {
		if code, name, _ := strings.Cut(strings.TrimSpace(line), " "); code != "#" {
			names[code] = name
		}
	}
	return names
})

// SQLState is a code as people read it: with the name of its condition, where Postgres has one.
func SQLState(code string) string {
	if name := conditions()[code]; name != "" {
		return fmt.Sprintf("SQLSTATE %s (%s)", code, name)
	}
	return "SQLSTATE " + code
}
