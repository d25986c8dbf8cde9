UPDATE backfill.stripes SET done = done + $4 WHERE run = $1 AND chunk = $2 AND part = $3;
-- ["run-1" '\a' '\x03' '\x05']
