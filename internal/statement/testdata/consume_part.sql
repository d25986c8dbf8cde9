UPDATE backfill.undo SET done = done + $5 WHERE run = $1 AND chunk = $2 AND seq = $3 AND part = $4;
-- ["run-1" '\a' '\x03' '\x01' '\x04']
