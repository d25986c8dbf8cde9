DELETE FROM backfill.stripes WHERE run = $1 AND chunk = $2 AND part = $3;
-- ["run-1" '\a' '\x03']
