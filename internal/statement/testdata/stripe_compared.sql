backfill_found AS MATERIALIZED (SELECT * FROM (SELECT ctid AS backfill_ctid, xmin AS backfill_xmin, "id" AS backfill_k1, "plan" AS backfill_o1, "email" AS backfill_o2, (CASE WHEN seen < $6::timestamptz THEN $7::text ELSE plan END) AS backfill_n1, ('@since' || email) AS backfill_n2 FROM "public"."users"
WHERE "id" = ANY ((SELECT s.ids[$1::bigint + 1:$2::bigint] FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer)::bigint[])
  AND CASE WHEN seen >= $6::timestamptz - interval '1 day' THEN true END OFFSET 0) AS backfill_read
WHERE (backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::character varying(20) COLLATE "C" OR backfill_o2 COLLATE "C" IS DISTINCT FROM backfill_n2::text COLLATE "C")),
backfill_changed AS (UPDATE "public"."users" SET "plan" = backfill_found.backfill_n1, "email" = backfill_found.backfill_n2 FROM backfill_found
WHERE "users".ctid = backfill_ctid AND "users".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, backfill_o2 AS o2, "users"."plan" AS n1, "users"."email" AS n2);
-- ['\x02' '\a' "run-1" '\a' '\x03' "2024-01-01" "old"]
