backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE run = $1::text AND chunk = $2::bigint AND seq = $3::bigint AND part = $4::integer),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * 5 + 1 FOR 5) AS mark
FROM (SELECT n, coalesce((sum(step) OVER (ORDER BY n))::text, k1)::bigint AS k1, o1, o2, o3, o4
  FROM backfill_undo, unnest(backfill_undo.steps, backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[1 * backfill_undo.rows + 1:2 * backfill_undo.rows], backfill_undo.olds[2 * backfill_undo.rows + 1:3 * backfill_undo.rows], backfill_undo.olds[3 * backfill_undo.rows + 1:4 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, o1, o2, o3, o4, n)) AS listed
WHERE n > $5::bigint AND n <= $6::bigint),
backfill_archived AS MATERIALIZED (SELECT DISTINCT ON (i.n) i.n, i.k1, a.tableoid AS backfill_tableoid, a.ctid AS backfill_ctid
FROM backfill_image AS i JOIN "Sales Dept"."filed" AS a ON a."id" = i.k1::numeric
WHERE ROW(a."email", a."id", a."email_normalized", a."plan", a."seen")::record *= ROW(i.o1::text::text, i.k1::numeric, i.o2::text::text, i.o3::character varying(20)::text, i.o4::timestamp with time zone::timestamp with time zone)::record ORDER BY i.n),
backfill_inserted AS (INSERT INTO "public"."users" ("id", "email", "email_normalized", "plan", "seen") OVERRIDING SYSTEM VALUE
SELECT k1, o1::text, o2::text, o3::character varying(20), o4::timestamp with time zone FROM backfill_image WHERE n IN (SELECT n FROM backfill_archived) ORDER BY n
ON CONFLICT DO NOTHING RETURNING "id" AS r1),
backfill_back AS MATERIALIZED (SELECT f.* FROM backfill_archived AS f FULL JOIN backfill_inserted AS r ON r.r1 = f.k1
WHERE CASE WHEN r.r1 IS NULL THEN false ELSE true END),
backfill_unarchived AS (DELETE FROM "Sales Dept"."filed" AS a USING backfill_back AS i
WHERE a."id" = i.k1::numeric AND a.tableoid = i.backfill_tableoid AND a.ctid = i.backfill_ctid RETURNING 1),
backfill_restored AS MATERIALIZED (SELECT * FROM backfill_inserted
WHERE (SELECT backfill.written((SELECT count(*) FROM backfill_unarchived), (SELECT count(*) FROM backfill_inserted))) >= 0),
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was, why)
SELECT $1::text, $2::bigint, $3::bigint, ARRAY[k1::text], ARRAY[o1, o2, o3, o4]::text[], CASE WHEN i.n NOT IN (SELECT n FROM backfill_archived) THEN $8::text ELSE $7::text END FROM backfill_image AS i FULL JOIN backfill_restored AS r ON r.r1 = i.k1 WHERE r.r1 IS NULL
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, why = excluded.why, found_at = NULL RETURNING 1);
-- ["run-1" '\a' '\x03' '\x01' '\x02' '\a' "another row has its key, or a value that has to be unique; or a trigger kept it out" "the archive has its row no more, or not as it was put there"]
