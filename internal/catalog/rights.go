package catalog

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
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

// Postgres asks for the right when the sequence is asked for a number: no statement that is only planned would tell.
const sequencesQuery = `SELECT DISTINCT format('%I.%I', n.nspname, s.relname)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
	JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
	JOIN pg_class s ON s.oid = p.refobjid JOIN pg_namespace n ON n.oid = s.relnamespace
WHERE d.adrelid = $1 AND a.attname <> ALL ($2::text[]) AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') END ORDER BY 1`

// checkSequences refuses, at path, rows for a table whose columns, but for those that are given, take numbers from sequences that
// the role may not use.
func (r *resolver) checkSequences(ctx context.Context, path string, of table, given []string) error {
	rows, _ := r.tx.Query(ctx, sequencesQuery, of.OID, append([]string{}, given...))
	sequences, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read the sequences of %s: %w", of.Name, err)
	}
	for _, name := range sequences {
		r.refuse(path, 0, fmt.Sprintf("role %s lacks USAGE on sequence %s, from which %s has a default", r.session.role, name, of.Name),
			fmt.Sprintf("GRANT USAGE ON SEQUENCE %s TO %s", name, r.session.role))
	}
	return nil
}
