backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(coalesce(hashtextextended((ROW(backfill_o1::text, backfill_o2)::text) COLLATE "C", backfill_k1::bigint), hashint8extended(backfill_k1::bigint, 0))) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, ARRAY[count(*) FILTER (WHERE backfill_o1 IS NULL), count(*) FILTER (WHERE backfill_o2 IS NULL)]::bigint[] AS nulls
FROM (SELECT "id" AS backfill_k1, "plan" AS backfill_o1, "email" AS backfill_o2, CASE WHEN seen >= $3::timestamptz - interval '1 day'
  THEN ("plan" COLLATE "C" IS DISTINCT FROM (CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END)::character varying(20) COLLATE "C" OR "email" COLLATE "C" IS DISTINCT FROM ('@since' || email)::text COLLATE "C") END AS backfill_deviates
FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint OFFSET 0) AS backfill_row),
backfill_found AS MATERIALIZED (SELECT * FROM (SELECT ctid AS backfill_ctid, xmin AS backfill_xmin, "id" AS backfill_k1, "plan" AS backfill_o1, "email" AS backfill_o2, (CASE WHEN seen < $3::timestamptz THEN $4::text ELSE plan END) AS backfill_n1, ('@since' || email) AS backfill_n2 FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND (SELECT s.deviating > 0 FROM backfill_seen AS s)
  AND CASE WHEN seen >= $3::timestamptz - interval '1 day' THEN true END OFFSET 0) AS backfill_read
WHERE (backfill_o1 COLLATE "C" IS DISTINCT FROM backfill_n1::character varying(20) COLLATE "C" OR backfill_o2 COLLATE "C" IS DISTINCT FROM backfill_n2::text COLLATE "C")),
backfill_changed AS (UPDATE "public"."users" SET "plan" = backfill_found.backfill_n1, "email" = backfill_found.backfill_n2 FROM backfill_found
WHERE "users".ctid = backfill_ctid AND "users".xmin = backfill_xmin
RETURNING backfill_k1 AS k1, backfill_o1 AS o1, backfill_o2 AS o2, "users"."plan" AS n1, "users"."email" AS n2),
backfill_after AS MATERIALIZED (SELECT coalesce(sum(coalesce(hashtextextended((ROW(n1::text, n2)::text) COLLATE "C", k1::bigint), hashint8extended(k1::bigint, 0))), 0) - coalesce(sum(coalesce(hashtextextended((ROW(o1::text, o2)::text) COLLATE "C", k1::bigint), hashint8extended(k1::bigint, 0))), 0) AS digest, ARRAY[count(*) FILTER (WHERE o1 IS NULL), count(*) FILTER (WHERE o2 IS NULL)]::bigint[] AS gone, ARRAY[count(*) FILTER (WHERE n1 IS NULL), count(*) FILTER (WHERE n2 IS NULL)]::bigint[] AS come FROM backfill_changed),
backfill_looked AS MATERIALIZED (SELECT s.fitting, s.deviating, s.digest + a.digest AS digest,
  (SELECT array_agg(s.nulls[n] - a.gone[n] + a.come[n] ORDER BY n) FROM generate_subscripts(s.nulls, 1) AS n) AS nulls FROM backfill_seen AS s, backfill_after AS a);
-- ["10" "20" "2024-01-01" "old"]
