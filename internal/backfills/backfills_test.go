package backfills_test

import (
	"strings"
	"testing"

	"backfill/internal/backfills"
	"backfill/internal/failure"
)

func TestEachDefinitionIsValidAndNamedAsItsFile(t *testing.T) {
	t.Parallel()
	names := backfills.Names()
	if len(names) == 0 {
		t.Fatal("there is none")
	}
	for _, name := range names {
		d, err := backfills.Load(name)
		if err != nil {
			t.Error(err)
		}
		if d.Name != name {
			t.Errorf("%s.yaml names itself %q", name, d.Name)
		}
		if d.Description == "" {
			t.Errorf("%s has no description", name)
		}
	}
}

func TestLoadHelpsWithAnUnknownName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"user-email-normalised": `there is no backfill "user-email-normalised"; did you mean users-email-normalized?`,
		"../users":              `there is no backfill "../users"; known are ` + strings.Join(backfills.Names(), ", "),
		"":                      `there is no backfill ""; known are ` + strings.Join(backfills.Names(), ", "),
	} {
		_, err := backfills.Load(name)
		if !failure.Is(err, failure.Invalid) || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}
