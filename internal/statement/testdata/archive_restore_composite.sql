backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE run = $1::text AND chunk = $2::bigint AND seq = $3::bigint AND part = $4::integer),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * 5 + 1 FOR 5) AS mark
FROM (SELECT n, k1::uuid AS k1, k2::timestamp with time zone AS k2, k3::bigint AS k3, o1, o2
  FROM backfill_undo, unnest(NULL::bigint[], backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.keys[1 * backfill_undo.rows + 1:2 * backfill_undo.rows], backfill_undo.keys[2 * backfill_undo.rows + 1:3 * backfill_undo.rows], backfill_undo.olds[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[1 * backfill_undo.rows + 1:2 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, k2, k3, o1, o2, n)) AS listed
WHERE n > $5::bigint AND n <= $6::bigint),
backfill_archived AS MATERIALIZED (SELECT DISTINCT ON (i.n) i.n, i.k1, i.k2, i.k3, a.tableoid AS backfill_tableoid, a.ctid AS backfill_ctid
FROM backfill_image AS i JOIN "Sales Dept"."Filed Items" AS a ON a."tenant Id" = i.k1::uuid AND a."created_at" = i.k2::timestamp with time zone AND a."ID" = i.k3::bigint
WHERE ROW(a."n", a."note", a."tenant Id", a."ID", a."created_at")::record *= ROW(i.o1::integer::integer, i.o2::jsonb::jsonb, i.k1::uuid, i.k3::bigint, i.k2::timestamp with time zone)::record ORDER BY i.n),
backfill_inserted AS (INSERT INTO "Sales Dept"."Order ""Items""" ("tenant Id", "created_at", "ID", "n", "note") OVERRIDING SYSTEM VALUE
SELECT k1, k2, k3, o1::integer, o2::jsonb FROM backfill_image WHERE n IN (SELECT n FROM backfill_archived) ORDER BY n
RETURNING "tenant Id" AS r1, "created_at" AS r2, "ID" AS r3),
backfill_back AS MATERIALIZED (SELECT f.* FROM backfill_archived AS f FULL JOIN backfill_inserted AS r ON r.r1 = f.k1 AND r.r2 = f.k2 AND r.r3 = f.k3
WHERE CASE WHEN r.r1 IS NULL THEN false ELSE true END),
backfill_unarchived AS (DELETE FROM "Sales Dept"."Filed Items" AS a USING backfill_back AS i
WHERE a."tenant Id" = i.k1::uuid AND a."created_at" = i.k2::timestamp with time zone AND a."ID" = i.k3::bigint AND a.tableoid = i.backfill_tableoid AND a.ctid = i.backfill_ctid RETURNING 1),
backfill_restored AS MATERIALIZED (SELECT * FROM backfill_inserted
WHERE (SELECT backfill.written((SELECT count(*) FROM backfill_unarchived), (SELECT count(*) FROM backfill_inserted))) >= 0),
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was, why)
SELECT $1::text, $2::bigint, $3::bigint, ARRAY[k1::text, k2::text, k3::text], ARRAY[o1, o2]::text[], CASE WHEN i.n NOT IN (SELECT n FROM backfill_archived) THEN $8::text ELSE $7::text END FROM backfill_image AS i FULL JOIN backfill_restored AS r ON r.r1 = i.k1 AND r.r2 = i.k2 AND r.r3 = i.k3 WHERE r.r1 IS NULL
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, why = excluded.why, found_at = NULL RETURNING 1);
-- ["run-1" '\a' '\x03' '\x01' '\x02' '\a' "another row has its key, or a value that has to be unique; or a trigger kept it out" "the archive has its row no more, or not as it was put there"]
