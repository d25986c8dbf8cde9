package catalog_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backfill/internal/catalog"
	"backfill/internal/change"
	"backfill/internal/definition"
	"backfill/internal/failure"
	"backfill/internal/pgtest"
	"backfill/internal/postgres"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

var update = flag.Bool("update", false, "write the golden files")

func TestUnfitDefinitionsSayAllThatIsWrong(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	pgtest.Each(t, func(t *testing.T, db pgtest.Database) {
		db.Exec(t, read(t, "testdata/schema.sql"))
		conn := connect(t, db)
		for _, file := range files {
			d := parse(t, read(t, file))
			_, err := catalog.Resolve(t.Context(), conn, d, arguments(t, d))
			var problems definition.Problems
			if !failure.Is(err, failure.Invalid) || !errors.As(err, &problems) {
				t.Errorf("%s: %v", file, err)
				continue
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		}
	})
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, file), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func parse(t *testing.T, source string) definition.Definition {
	t.Helper()
	d, problems := definition.Parse([]byte(source))
	if problems != nil {
		t.Fatal(problems)
	}
	return d
}

// arguments gives each parameter its default, or else a value of type text.
func arguments(t *testing.T, d definition.Definition) []change.Param {
	t.Helper()
	given := map[string]any{}
	for _, param := range d.Params {
		if !param.Optional {
			given[param.Name] = "a"
		}
	}
	params, problems := d.Arguments(given)
	if problems != nil {
		t.Fatal(problems)
	}
	return params
}

// connect opens a connection as the product's functions do.
func connect(t *testing.T, db pgtest.Database) *pgx.Conn {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), db.URL, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
