WITH backfill_found AS MATERIALIZED (SELECT * FROM (SELECT "users".ctid AS backfill_ctid, "users".xmin AS backfill_xmin, "users"."id" AS backfill_k1, "users"."email" AS backfill_o1, "users"."plan" AS backfill_o2, (c.email || $3::timestamptz::text) AS backfill_n1, count(*) OVER (PARTITION BY "users".ctid) AS backfill_pairs FROM "public"."users" LEFT JOIN "Sales Dept"."Order ""Items""" AS "c" ON (c."ID" = users.id)
WHERE "users"."id" > $1::bigint AND "users"."id" <= $2::bigint
  AND CASE WHEN "c".tableoid IS NOT NULL AND (users.email <> c.email AND c.seen > $3::timestamptz) THEN true END OFFSET 0) AS backfill_read
WHERE backfill_pairs > 1 OR (backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::text COLLATE "C" OR backfill_o2 COLLATE "C" IS DISTINCT FROM ('joined')::character varying(20) COLLATE "C"))
UPDATE "public"."users" SET "email" = backfill_found.backfill_n1, "plan" = ('joined') FROM backfill_found
WHERE "users".ctid = backfill_ctid AND "users".xmin = backfill_xmin;
-- ["10" "20" "2024-01-01"]
