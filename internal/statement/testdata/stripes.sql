SELECT part, rows, done, reached FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part;
-- ["run-1" '\a']
