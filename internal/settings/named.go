package settings

import (
	"slices"
	"strings"

	"backfill/internal/definition"
	"backfill/internal/figure"
)

// Named is a database beside the stack's own, which a definition names.
type Named struct {
	Name string
	Database
}

// mostNamed databases: their ARNs have to get into the 4 KB that Lambda gives an environment.
const mostNamed = 20

// secretARN is how the full ARN of a secret begins: a name alone would be a right on nothing.
const secretARN = "arn:aws"

// named reads the databases beside the stack's own: names, and the secret of each in the same place of its own list.
func (e *environment) named(bundle string) (all []Named) {
	names, arns := e.list(databaseNames), e.list(namedSecrets)
	if len(names) != len(arns) {
		e.problem(databaseNames, "has %s and %s has %s; give Databases and DatabaseSecretArns one of each for each database, in the same order",
			figure.Plural(int64(len(names)), "name", "names"), namedSecrets, figure.Plural(int64(len(arns)), "ARN", "ARNs"))
	}
	if len(names) > mostNamed {
		e.problem(databaseNames, "has %d names; a stack takes up to %d beside its own", len(names), mostNamed)
	}
	for i, name := range names {
		switch {
		case !definition.IsDatabase(name):
			e.problem(databaseNames, "has %q; a name has up to 63 lower case letters, digits, _ and -, and begins with a letter", name)
		case definition.DatabaseOf(name) == "":
			e.problem(databaseNames, "has %q, which is the name of the stack's own database; give this one another", name)
		case slices.Contains(names[:i], name):
			e.problem(databaseNames, "has %q twice; remove one, and its secret", name)
		}
	}
	for i, arn := range arns {
		if !strings.HasPrefix(arn, secretARN) || !strings.Contains(arn, ":secretsmanager:") {
			e.problem(namedSecrets, "has %q; set the full ARN of each secret, with the six letters at the end", arn)
		}
		if i < len(names) {
			all = append(all, Named{Name: names[i], Database: Database{SecretARN: arn, Bundle: bundle}})
		}
	}
	return all
}
