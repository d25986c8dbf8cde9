SELECT ARRAY[ids[$4::bigint + 1]::text] FROM backfill.stripes WHERE run = $1 AND chunk = $2 AND part = $3;
-- ["run-1" '\a' '\x03' '\x02']
