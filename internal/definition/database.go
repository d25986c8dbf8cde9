package definition

import (
	"fmt"
	"regexp"
)

// OwnDatabase is the name of the database that a stack has without naming any.
const OwnDatabase = "default"

// databasePattern keeps a name usable as an item of a stack's parameter, and as a dimension of its metrics.
var databasePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// IsDatabase tells whether a database of a stack can have that name.
func IsDatabase(name string) bool { return databasePattern.MatchString(name) }

// DatabaseOf gives a database's name as it is kept: "" for the stack's own.
func DatabaseOf(name string) string {
	if name == OwnDatabase {
		return ""
	}
	return name
}

// database reads which database of the stack the table is in. Whether the stack has it is for the stack to say.
func (r *reader) database(e entry) string {
	name, ok := r.line(e, e.name)
	if ok && !IsDatabase(name) {
		r.refuse(e.at(), e.name, fmt.Sprintf("%q is not a name of a database", shorten(name)),
			"write a name of the stack's parameter Databases, in lower case, as in database: orders, or remove the line for the stack's own")
		return ""
	}
	return DatabaseOf(name)
}
