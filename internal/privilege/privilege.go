// Package privilege tells what the database role lacks beside the rights on tables.
//
// It owns the questions after the schema backfill, and after what a role may see of other sessions, each with the statement that mends
// it. It leaves the tables of a definition to catalog, and the whole list to docs/grants.sql, under which its tests run every kind.
// Invariants: it reads the catalog alone, which needs no right; each lack has one GRANT, or one CREATE, that somebody can copy.
package privilege

import (
	"context"
	"fmt"

	"backfill/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// Role is what a role may do in a database.
type Role struct {
	Name     string // quoted, as the others
	Database string
	Schema   bool   // "backfill" is there
	Tables   bool   // and a start has made its tables
	Owner    string // of things in it that the role does not own; "": there are none
	Usable   bool   // it may use the schema, and make things in it
	Create   bool   // it may make schemas
	Stats    bool   // it sees what other sessions do
}

// A member that inherits is as good as an owner.
const query = `SELECT quote_ident(current_user) AS name, quote_ident(current_database()) AS database, n.oid IS NOT NULL AS schema,
	EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relname = 'version') AS tables,
	coalesce((SELECT min(quote_ident(r.rolname)) FROM (SELECT relowner AS owner FROM pg_catalog.pg_class WHERE relnamespace = n.oid
			UNION ALL SELECT proowner FROM pg_catalog.pg_proc WHERE pronamespace = n.oid) AS things
		JOIN pg_catalog.pg_roles r ON r.oid = owner WHERE NOT pg_catalog.pg_has_role(current_user, owner, 'USAGE')), '') AS owner,
	coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE'), false) AS usable,
	has_database_privilege(current_database(), 'CREATE') AS create,
	pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS stats
FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = 'backfill'`

// Of asks after the role of the connection.
func Of(ctx context.Context, conn *pgx.Conn) (Role, error) {
	rows, _ := conn.Query(ctx, query)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Role])
	if err != nil {
		return found, fmt.Errorf("read the rights of the role: %w", postgres.Classify(err))
	}
	return found, nil
}

// Ledger says why the role cannot have its ledger in the schema, and what mends it; "" where it can.
func (r Role) Ledger() (lack, remedy string) {
	switch {
	case !r.Schema && !r.Create:
		return fmt.Sprintf("role %s may not make the schema backfill, which the first start does", r.Name),
			fmt.Sprintf("CREATE SCHEMA backfill AUTHORIZATION %s, or GRANT CREATE ON DATABASE %s TO %[1]s", r.Name, r.Database)
	case r.Schema && r.Owner != "":
		return fmt.Sprintf("tables of the schema backfill belong to %s, and not to role %s", r.Owner, r.Name),
			fmt.Sprintf("GRANT %s TO %s, or have the stack log in as %[1]s", r.Owner, r.Name)
	case r.Schema && !r.Usable:
		return fmt.Sprintf("role %s may not use the schema backfill, or make things in it", r.Name),
			fmt.Sprintf("GRANT USAGE, CREATE ON SCHEMA backfill TO %s", r.Name)
	}
	return "", ""
}

// Sight says that signals have no value, and what mends it; "" where they have.
func (r Role) Sight() (lack, remedy string) {
	if r.Stats {
		return "", ""
	}
	return fmt.Sprintf("role %s does not see what other sessions, standbys and autovacuum do: those signals are not known, and speed rises slowly", r.Name),
		fmt.Sprintf("GRANT pg_read_all_stats TO %s", r.Name)
}
