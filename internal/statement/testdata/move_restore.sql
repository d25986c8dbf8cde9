backfill_undo AS MATERIALIZED (SELECT rows, steps, keys, olds, marks || ''::bytea AS marks
FROM backfill.undo WHERE run = $1::text AND chunk = $2::bigint AND seq = $3::bigint AND part = $4::integer),
backfill_image AS MATERIALIZED (SELECT *, substring((SELECT marks FROM backfill_undo) FROM (n::int - 1) * 5 + 1 FOR 5) AS mark
FROM (SELECT n, coalesce((sum(step) OVER (ORDER BY n))::text, k1)::bigint AS k1, o1, o2, o3, o4, o5
  FROM backfill_undo, unnest(backfill_undo.steps, backfill_undo.keys[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[0 * backfill_undo.rows + 1:1 * backfill_undo.rows], backfill_undo.olds[1 * backfill_undo.rows + 1:2 * backfill_undo.rows], backfill_undo.olds[2 * backfill_undo.rows + 1:3 * backfill_undo.rows], backfill_undo.olds[3 * backfill_undo.rows + 1:4 * backfill_undo.rows], backfill_undo.olds[4 * backfill_undo.rows + 1:5 * backfill_undo.rows]) WITH ORDINALITY AS e (step, k1, o1, o2, o3, o4, o5, n)) AS listed
WHERE n > $5::bigint AND n <= $6::bigint),
backfill_taken AS (DELETE FROM "archive"."users" USING backfill_image
WHERE "users"."id" = backfill_image.k1
  AND substring(int8send(coalesce(hashtextextended((ROW("users"."id"::text, "users"."email", "users"."plan"::text, "users"."source", "users"."made"::text)::text) COLLATE "C", 0), 0)) FROM 4) = backfill_image.mark
RETURNING backfill_image.n),
backfill_put AS (INSERT INTO "public"."users" ("id", "email", "email_normalized", "plan", "seen") OVERRIDING SYSTEM VALUE
SELECT o1::bigint, o2::text, o3::text, o4::character varying(20), o5::timestamp with time zone FROM backfill_image WHERE n IN (SELECT n FROM backfill_taken) ORDER BY n
RETURNING 1),
backfill_restored AS MATERIALIZED (SELECT n FROM backfill_taken WHERE backfill.moved(
  (SELECT count(*) FROM backfill_taken), (SELECT count(*) FROM backfill_put))),
backfill_kept AS (INSERT INTO backfill.conflicts AS f (run, chunk, seq, key, was)
SELECT $1::text, $2::bigint, $3::bigint, ARRAY[k1::text], ARRAY[o1, o2, o3, o4, o5]::text[] FROM backfill_image AS i FULL JOIN backfill_restored AS r ON r.n = i.n WHERE r.n IS NULL
ON CONFLICT (run, chunk, key) DO UPDATE SET seq = excluded.seq, was = excluded.was, found_at = NULL RETURNING 1);
-- ["run-1" '\a' '\x03' '\x01' '\x02' '\a']
