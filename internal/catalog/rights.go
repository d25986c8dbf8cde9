package catalog

import (
	"fmt"
	"strings"
)

// checkRights names the GRANT that is missing. Columns that expressions read cannot be told from here, so reading is
// asked for the whole table; Postgres itself refuses it column by column.
func (r *resolver) checkRights() {
	var rights []string
	for _, column := range r.columns {
		if !column.Readable {
			rights = append(rights, "SELECT")
			break
		}
	}
	rights = append(rights, r.kind().rights(r)...)
	if len(rights) > 0 {
		r.refuseRights("table", r.table, rights)
	}
}

func (r *resolver) refuseRights(path string, on table, rights []string) {
	grant := strings.Join(rights, ", ")
	r.refuse(path, 0, fmt.Sprintf("role %s lacks %s on %s", r.session.role, grant, on.Name), fmt.Sprintf("GRANT %s ON %s TO %s", grant, on.Name, r.session.role))
}
