package records_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"backfill/internal/failure"
	"backfill/internal/records"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

func text(name, source string) records.Definition {
	return records.Definition{Name: name, Source: source, Table: "public.users", By: "ann@laptop"}
}

// register demands which version a text is.
func (b *bundle) register(t *testing.T, name, source string, version int64, isNew bool) {
	t.Helper()
	got, created, err := b.Register(t.Context(), text(name, source))
	must(t, err)
	if got.Version != version || created != isNew || got.Source != source {
		t.Fatalf("%q is version %d (new: %t), want %d (%t)", source, got.Version, created, version, isNew)
	}
}

// TestTheSameContentIsTheSameVersion; what another version lies before is a new one, as it is the newest that a start takes.
func TestTheSameContentIsTheSameVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "orders", "one", 1, true)
	b.now = b.now.Add(time.Hour)
	b.register(t, "orders", "one", 1, false)
	b.register(t, "orders", "two", 2, true)
	b.register(t, "orders", "one", 3, true)
	b.register(t, "orders-cents", "one", 1, true)

	first, err := b.Definition(t.Context(), "orders", 1)
	must(t, err)
	want := records.Definition{Name: "orders", Version: 1, Source: "one", Hash: records.Hash("one"), Table: "public.users", By: "ann@laptop", At: start}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	newest, err := b.Definition(t.Context(), "orders", 0)
	must(t, err)
	if newest.Version != 3 {
		t.Errorf("the newest is %d", newest.Version)
	}
}

func TestWhatIsNotRegistered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "orders", "one", 1, true)
	for name, version := range map[string]int64{"orders": 2, "order": 0, "orders-": 1, "": 0} {
		if _, err := b.Definition(t.Context(), name, version); !errors.Is(err, records.ErrNoDefinition) || !failure.Is(err, failure.Invalid) {
			t.Errorf("%s@%d: %v", name, version, err)
		}
	}
	if _, err := b.Versions(t.Context(), "order"); !errors.Is(err, records.ErrNoDefinition) {
		t.Errorf("%v", err)
	}
}

// TestVersionsOfPeopleWhoRegisterAtOnce are one after the other: nobody's is lost.
func TestVersionsOfPeopleWhoRegisterAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const people = 4
	versions := make([]int64, people)
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			got, _, err := b.Register(t.Context(), text("orders", fmt.Sprint("by ", i)))
			if err != nil {
				t.Error(err)
			}
			versions[i] = got.Version
		})
	}
	all.Wait()
	for i, version := range versions {
		stored, err := b.Definition(t.Context(), "orders", version)
		if err != nil || stored.Source != fmt.Sprint("by ", i) {
			t.Errorf("version %d of person %d: %q, %v", version, i, stored.Source, err)
		}
	}
}

// TestManyDefinitions: by name, each by its newest version; pages of the answers are put together (each text is 60 KB, a page
// ends at 1 MB).
func TestManyDefinitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []string
	for i := range 103 {
		name := fmt.Sprintf("d-%03d", i)
		b.register(t, name, name, 1, true)
		want = append(want, name+" 1")
	}
	filler := strings.Repeat("x", 60_000)
	for n := range records.MostVersions + 2 {
		b.register(t, "d-050", fmt.Sprint(n, filler), int64(n+2), true)
	}
	want[50] = fmt.Sprintf("d-050 %d", records.MostVersions+3)
	found, err := b.Definitions(t.Context())
	must(t, err)
	var got []string
	for _, d := range found {
		got = append(got, fmt.Sprint(d.Name, " ", d.Version))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	versions, err := b.Versions(t.Context(), "d-050")
	must(t, err)
	if n := len(versions); n != records.MostVersions || versions[0].Version != records.MostVersions+3 || versions[n-1].Version != 4 {
		t.Errorf("%d versions, from %d to %d", n, versions[0].Version, versions[n-1].Version)
	}
	runs, err := b.List(t.Context(), 100)
	must(t, err)
	if diff := cmp.Diff([]string{theRun}, ids(runs)); diff != "" {
		t.Errorf("definitions are among the runs: %s", diff)
	}
}

// TestATextThatWasChangedIsNotRun: it was checked as another. It is still shown, and can be replaced.
func TestATextThatWasChangedIsNotRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "orders", "one", 1, true)
	_, err := b.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &b.table,
		Key: map[string]types.AttributeValue{"PK": &types.AttributeValueMemberS{Value: "DEFINITION#orders"},
			"SK": &types.AttributeValueMemberS{Value: "VERSION#000000000001"}},
		UpdateExpression: aws.String("SET #source = :other"), ExpressionAttributeNames: map[string]string{"#source": "source"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":other": &types.AttributeValueMemberS{Value: "other"}}})
	must(t, err)
	for _, version := range []int64{0, 1} {
		if _, err := b.Definition(t.Context(), "orders", version); !failure.Is(err, failure.Permanent) {
			t.Errorf("version %d: %v", version, err)
		}
	}
	if found, err := b.Versions(t.Context(), "orders"); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	b.register(t, "orders", "one", 2, true)
}

// TestARegistrationWhoseAnswerIsLost is done once: the next try finds it.
func TestARegistrationWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.wire.answered = func(operation string, _ *http.Response) {
		if operation == "PutItem" {
			b.wire.lose.Store(true)
			b.wire.answered = nil
		}
	}
	got, _, err := b.Register(t.Context(), text("orders", "one"))
	must(t, err)
	if got.Version != 1 {
		t.Errorf("it is version %d", got.Version)
	}
	b.register(t, "orders", "one", 1, false)
}
