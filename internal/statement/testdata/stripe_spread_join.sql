backfill_found AS MATERIALIZED (SELECT * FROM (SELECT "users".ctid AS backfill_ctid, "users".xmin AS backfill_xmin, "users"."id" AS backfill_k1, "users"."email" AS backfill_o1, "users"."plan" AS backfill_o2, (c.email || $8::timestamptz::text) AS backfill_n1, count(*) OVER (PARTITION BY "users".tableoid, "users".ctid) AS backfill_pairs FROM "public"."users" LEFT JOIN "Sales Dept"."Order ""Items""" AS "c" ON (c."ID" = users.id)
WHERE "users"."id" = ANY ((SELECT s.ids[$1::bigint + 1:$2::bigint] FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer)::bigint[]) AND "users"."id" > $6::bigint AND "users"."id" <= $7::bigint
  AND CASE WHEN "c".tableoid IS NOT NULL AND (users.email <> c.email AND c.seen > $8::timestamptz) THEN true END OFFSET 0) AS backfill_read
WHERE backfill_pairs > 1 OR (backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::text COLLATE "C" OR backfill_o2 COLLATE "C" IS DISTINCT FROM ('joined')::character varying(20) COLLATE "C")),
backfill_changed AS (UPDATE "public"."users" SET "email" = backfill_found.backfill_n1, "plan" = ('joined') FROM backfill_found
WHERE "users"."id" = ANY ((SELECT s.ids[$1::bigint + 1:$2::bigint] FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer)::bigint[]) AND "users"."id" > $6::bigint AND "users"."id" <= $7::bigint
  AND "users"."id" = backfill_k1 AND "users".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, backfill_o2 AS o2, "users"."email" AS n1, "users"."plan" AS n2);
-- ['\x02' '\a' "run-1" '\a' '\x03' "10" "20" "2024-01-01"]
