package definition_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"backfill/internal/definition"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	code    = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	mark    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestEachLinkLeadsSomewhere: to a file of the repository, and to a heading that it has.
func TestEachLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	links, pages := 0, repository(t)
	for page, text := range pages {
		if filepath.Ext(page) != ".md" {
			continue
		}
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(found[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: there is no %s", page, found[1])
			}
			if anchor != "" && !anchors(pages[target])[anchor] {
				t.Errorf("%s: %s has no heading for %s", page, target, found[1])
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links were found", links)
	}
}

// anchors are what a page's headings are called in links.
func anchors(page string) map[string]bool {
	all := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		all[strings.ReplaceAll(mark.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")] = true
	}
	return all
}

var cell = regexp.MustCompile("`([^`]+)`")

// TestThePageOfYAMLTellsTheTruth: what it says does not work is refused or something else, and what works is the SQL.
func TestThePageOfYAMLTellsTheTruth(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(root + "/docs/definitions.md")
	must(t, err)
	_, rest, found := strings.Cut(string(page), "| SQL | so it does not work |")
	rows, _, ends := strings.Cut(rest, "\n\n")
	if !found || !ends {
		t.Fatal("there is no such table")
	}
	tried := 0
	for row := range strings.Lines(rows) {
		cells := cell.FindAllStringSubmatch(strings.ReplaceAll(row, `\|`, "|"), 3)
		if len(cells) < 3 {
			continue // its head
		}
		tried++
		sql, wrong, right := cells[0][1], cells[1][1], cells[2][1]
		if got, ok := written(right); !ok || got != sql {
			t.Errorf("%s is %q (%t), want %s", right, got, ok, sql)
		}
		if got, ok := written(wrong); ok && got == sql {
			t.Errorf("%s works", wrong)
		}
	}
	if tried < 9 {
		t.Errorf("%d lines were tried", tried)
	}
}

// written is the expression for a, as a line of set or of the file; false where it is refused.
func written(line string) (string, bool) {
	if !strings.HasPrefix(line, "set:") {
		line = "set:\n  " + line
	}
	source := "name: an-example\ntable: t\n" + line + "\n"
	if strings.Contains(line, "@since") {
		source += "params: {since: date}\n"
	}
	d, problems := definition.Parse([]byte(source))
	if problems != nil || len(d.Set) != 1 {
		return "", false
	}
	return d.Set[0].Expression.String(), true
}
