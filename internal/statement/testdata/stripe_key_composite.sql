SELECT ARRAY[keys[0 * rows + $4::bigint + 1], keys[1 * rows + $4::bigint + 1], keys[2 * rows + $4::bigint + 1]] FROM backfill.stripes WHERE run = $1 AND chunk = $2 AND part = $3;
-- ["run-1" '\a' '\x03' '\x02']
