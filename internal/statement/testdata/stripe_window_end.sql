SELECT reached FROM backfill.stripes WHERE run = $1 AND chunk = $2 ORDER BY part DESC LIMIT 1;
-- ["run-1" '\a']
