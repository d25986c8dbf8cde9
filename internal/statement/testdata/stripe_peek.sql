SELECT part, rows, done, reached, (SELECT reached FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part DESC LIMIT 1)
FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part LIMIT 2;
-- ["run-1" '\a']
