package ledger

// newest are the last changes of a run, the oldest of them first, as JSON: what a screen holds. A reason may be long.
const newest = `SELECT coalesce(json_agg(c ORDER BY n), '[]') FROM (SELECT n, at, by, state, left(detail, 500) AS detail
	FROM backfill.changes WHERE run = $1 ORDER BY n DESC LIMIT 20) c`
