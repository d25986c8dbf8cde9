package definition_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backfill/internal/definition"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

const (
	keysPage  = root + "/docs/definitions.md"
	keysBegin = "<!-- The keys, made of internal/definition/fields.go by: go test ./internal/definition -update -->\n"
	keysEnd   = "<!-- The end of the keys. -->\n"
)

// TestThePageHasTheKeysOfTheReader: -update writes them.
func TestThePageHasTheKeysOfTheReader(t *testing.T) {
	page := string(read(t, keysPage))
	before, rest, begun := strings.Cut(page, keysBegin)
	_, after, ended := strings.Cut(rest, keysEnd)
	if !begun || !ended {
		t.Fatal("the page has no place for them")
	}
	golden(t, keysPage, before+keysBegin+definition.Reference()+keysEnd+after)
}

// documented is a key as the page has it.
var documented = regexp.MustCompile("(?m)^\\| \\[?`([a-z_]+)`[^|]*\\| ([^|]+) \\|[^|]*\\|[^|]*\\| `([^|]+)` \\|$")

// TestEachKeyHasAnExample that the reader takes, and the schema; and is a row of the page.
func TestEachKeyHasAnExample(t *testing.T) {
	t.Parallel()
	compiled, rows := schema(t), map[string]bool{}
	for _, row := range documented.FindAllStringSubmatch(definition.Reference(), -1) {
		key, about, example := row[1], row[2], row[3]
		rows[known(key, about)] = true
		source := complete(t, example)
		if _, problems := definition.Parse([]byte(source)); problems != nil {
			t.Errorf("%s: the reader refuses its example: %v\n%s", key, problems, source)
		}
		if decoded, ok := value(source); !ok || compiled.Validate(decoded) != nil {
			t.Errorf("%s: the schema refuses its example:\n%s", key, source)
		}
		if strings.TrimSpace(about) == "" || !regexp.MustCompile(`\b`+key+`: `).MatchString(example) {
			t.Errorf("%s: %s: the example %s is not one of it", key, about, example)
		}
	}
	all := map[string]bool{}
	keys(t, definition.Schema(), all)
	if diff := cmp.Diff(all, rows); diff != "" {
		t.Errorf("-schema +page:\n%s", diff)
	}
	if len(all) < 50 {
		t.Errorf("only %d keys are known", len(all))
	}
}

// known tells keys of the same name apart.
func known(key, about string) string { return key + ", " + about[:min(len(about), 10)] }

// keys finds the properties of a schema, and of all that is in it.
func keys(t *testing.T, schema []byte, found map[string]bool) {
	var all map[string]json.RawMessage
	if json.Unmarshal(schema, &all) != nil {
		var list []json.RawMessage
		_ = json.Unmarshal(schema, &list) // else it is a value
		for _, one := range list {
			keys(t, one, found)
		}
		return
	}
	for word, below := range all {
		switch word {
		case "properties":
			var properties map[string]struct{ Description string }
			must(t, json.Unmarshal(below, &properties))
			for name, p := range properties {
				found[known(name, p.Description)] = true
			}
		case "if", "then", "examples": // they name what is there already
			continue
		}
		keys(t, below, found)
	}
}

// complete makes a whole file of some of its lines: what they cannot do without is added, and each parameter is used.
func complete(t *testing.T, lines string) string {
	t.Helper()
	var given map[string]any
	must(t, yaml.Unmarshal([]byte(lines), &given))
	add := func(key, line string, without ...string) {
		for _, other := range append(without, key) {
			if _, has := given[other]; has {
				return
			}
		}
		given[key] = true
		lines += "\n" + line
	}
	add("name", "name: an-example")
	add("table", "table: shop.orders")
	_, archives := given["archive"]
	if archives {
		add("delete", "delete: true")
	}
	add("set", "set: {state: \"'new'\"}", "delete", "copy", "transform")
	_, joins := given["join"]
	_, unmatched := given["unmatched"]
	if joins || unmatched {
		add("from", "from: {c: shop.customers}")
	}
	if _, from := given["from"]; from {
		add("join", "join: c.id = orders.customer_id")
	}
	var uses []string
	if params, ok := given["params"].(map[string]any); ok && given["where"] == nil {
		for _, name := range slices.Sorted(maps.Keys(params)) {
			uses = append(uses, "x = @"+name)
		}
		add("where", "where: "+strings.Join(uses, " AND "))
	}
	if given["delete"] != nil {
		add("where", "where: created_at < now() - interval '90 days'")
	}
	return lines + "\n"
}
