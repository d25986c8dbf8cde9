SELECT seq, part, rows, done FROM backfill.undo WHERE run = $1 AND chunk = $2
ORDER BY seq DESC, part DESC LIMIT 2;
-- ["run-1" '\a']
