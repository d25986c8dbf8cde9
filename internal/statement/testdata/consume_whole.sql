DELETE FROM backfill.undo WHERE run = $1 AND chunk = $2 AND seq = $3 AND part = $4;
-- ["run-1" '\a' '\x03' '\x01']
