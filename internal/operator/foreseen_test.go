package operator

func found() map[string]any {
	return map[string]any{
		"backfill": "users-country", "estimated": 1_000_000, "notes": []string{"the table was never analysed"}, "prepared": 4,
		"unknown": []string{"the statements on the ledger were not prepared"},
		"plan":    map[string]any{"of": `"id" <= 1000`, "verdict": "no scan of a whole table or index", "lines": []string{"Update on users", "  ->  Index Scan using users_pkey on users"}},
		"change": map[string]any{
			"table": map[string]any{"schema": "public", "name": "users"}, "where": "country IS NOT NULL",
			"set": []any{map[string]any{"column": "country", "expression": "upper(country)\n"}},
		},
	}
}

func hash() map[string]any {
	column := func(name string) []any { return []any{map[string]any{"name": name, "type": "text", "base": "text"}} }
	return map[string]any{
		"backfill": "users-email-hash", "estimated": 1_000_000, "notes": []string{},
		"change": map[string]any{"kind": "transform", "table": map[string]any{"schema": "public", "name": "users"}, "where": "email IS NOT NULL",
			"function": map[string]any{"name": "email-hash", "version": "1", "reads": column("email"), "writes": column("email_hash")}},
	}
}

func purge() map[string]any {
	return map[string]any{
		"backfill": "purge-old-sessions", "estimated": 1_000_000, "notes": []string{"trigger gone fires for each row that is deleted"},
		"change": map[string]any{"kind": "delete", "table": map[string]any{"schema": "public", "name": "sessions"}, "where": "created_at < now() - interval '90 days'"},
	}
}

func archive() map[string]any {
	return map[string]any{
		"backfill": "orders-to-archive", "estimated": 1_000_000, "notes": []string{"columns of archive.orders_2 that are given nothing have their defaults: made"},
		"change": map[string]any{"kind": "copy", "table": map[string]any{"schema": "shop", "name": "orders"}, "copy": map[string]any{
			"into": map[string]any{"schema": "archive", "name": "orders_2"}, "on_conflict": "update", "columns": []any{
				map[string]any{"column": "id", "expression": "id"}, map[string]any{"column": "total_cents", "expression": "round(total * 100)::bigint"}}}},
	}
}

func archiveByMove() map[string]any {
	answer := archive()
	answer["change"].(map[string]any)["kind"] = "move"
	return answer
}
