package template_test

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"backfill/internal/definition"
	"backfill/internal/settings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// readers read a function's settings.
var readers = map[string]func(settings.Lookup) error{
	"PlannerFunction":  func(l settings.Lookup) error { _, err := settings.ForPlanner(l); return err },
	"WorkerFunction":   func(l settings.Lookup) error { _, err := settings.ForWorker(l); return err },
	"GovernorFunction": func(l settings.Lookup) error { _, err := settings.ForGovernor(l); return err },
	"ControlFunction":  func(l settings.Lookup) error { _, err := settings.ForControl(l); return err },
}

// variables are what the template gives a function: parameters by name, other things as a text of their own.
func variables(t *testing.T, function string) map[string]node {
	t.Helper()
	all := template(t).at("Globals", "Function", "Environment", "Variables").each()
	if own, ok := resource(t, function).get("Environment"); ok {
		maps.Copy(all, own.at("Variables").each())
	}
	return all
}

// environment evaluates the variables with the parameters' defaults, and the changes that are given.
func environment(t *testing.T, function string, changes map[string]string) map[string]string {
	t.Helper()
	set := map[string]string{"DATABASE_URL": "postgres://db/app"}
	for name, value := range variables(t, function) {
		if _, ok := value.get("Fn::Sub"); ok {
			set[name] = "resource"
			continue
		}
		reference, ok := value.get("Ref")
		if !ok { // the database, which is one of two
			continue
		}
		set[name] = "resource"
		if declared, ok := template(t).at("Parameters").get(reference.text()); ok {
			set[name] = scalar(declared.at("Default"))
		}
		if change, ok := changes[reference.text()]; ok {
			set[name] = change
		}
	}
	return set
}

func scalar(n node) string {
	if text, ok := n.value.(string); ok {
		return text
	}
	return itoa(n.number())
}

// TestFunctionsGetExactlyWhatTheyRead: a variable that is missing fails a run, one too many misleads.
func TestFunctionsGetExactlyWhatTheyRead(t *testing.T) {
	t.Parallel()
	for function, read := range readers {
		set, asked := environment(t, function, nil), map[string]bool{}
		err := read(func(name string) (string, bool) { asked[name] = true; value, ok := set[name]; return value, ok })
		if err != nil {
			t.Errorf("%s: %v", function, err)
		}
		given := slices.Sorted(maps.Keys(variables(t, function)))
		if got := slices.Sorted(maps.Keys(asked)); !slices.Equal(got, given) {
			t.Errorf("%s reads %v and is given %v", function, got, given)
		}
	}
}

// TestNamedDatabasesReachEachFunction: their names and secrets, as lists that the settings read.
func TestNamedDatabasesReachEachFunction(t *testing.T) {
	t.Parallel()
	for function := range readers {
		for name, parameter := range map[string]string{"DATABASES": "Databases", "DATABASE_SECRET_ARNS": "DatabaseSecretArns"} {
			joined := variables(t, function)[name].at("Fn::Join").each()
			if joined["0"].text() != "," || joined["1"].at("Ref").text() != parameter {
				t.Errorf("%s: %s is not all of %s", function, name, parameter)
			}
			if declared := template(t).at("Parameters", parameter); declared.at("Type").text() != "CommaDelimitedList" || scalar(declared.at("Default")) != "" {
				t.Errorf("%s is %s", parameter, declared.at("Type").text())
			}
		}
	}
	pattern := regexp.MustCompile(template(t).at("Parameters", "Databases", "AllowedPattern").text())
	for _, name := range []string{"a", "orders-eu_1", "A", "1a", "a b", strings.Repeat("a", 63), strings.Repeat("a", 64)} {
		if pattern.MatchString(name) != definition.IsDatabase(name) {
			t.Errorf("%s is a name to one of template and definition", name)
		}
	}
}

// TestBoundsAreTheSame: what the console accepts, the function accepts; what it refuses, the function refuses.
func TestBoundsAreTheSame(t *testing.T) {
	t.Parallel()
	for function, read := range readers {
		for name, value := range variables(t, function) {
			reference, ok := value.get("Ref")
			if !ok {
				continue
			}
			declared, ok := template(t).at("Parameters").get(reference.text())
			if !ok {
				continue
			}
			low, bounded := declared.get("MinValue")
			if !bounded {
				continue
			}
			high := declared.at("MaxValue")
			for number, accepted := range map[int]bool{low.number(): true, high.number(): true, low.number() - 1: false, high.number() + 1: false} {
				// A heartbeat of less than two beats is refused for a reason of its own.
				changes := map[string]string{"HeartbeatSeconds": "3600", "BeatSeconds": "1", reference.text(): itoa(number)}
				set := environment(t, function, changes)
				err := read(func(name string) (string, bool) { value, ok := set[name]; return value, ok })
				if (err == nil) != accepted || err != nil && !strings.Contains(err.Error(), name) {
					t.Errorf("%s with %s=%d: %v", function, name, number, err)
				}
			}
		}
	}
}
