backfill_seen AS MATERIALIZED (SELECT count(backfill_deviates) AS fitting, count(*) FILTER (WHERE backfill_deviates) AS deviating,
  coalesce(sum(coalesce(hashtextextended((backfill_o1) COLLATE "C", backfill_k1::bigint), hashint8extended(backfill_k1::bigint, 0))) FILTER (WHERE backfill_deviates IS NOT NULL), 0) AS digest, ARRAY[count(*) FILTER (WHERE backfill_o1 IS NULL)]::bigint[] AS nulls
FROM (SELECT "id" AS backfill_k1, "email_normalized" AS backfill_o1, CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END AS backfill_deviates
FROM "public"."users"
WHERE "id" > $1::bigint AND "id" <= $2::bigint OFFSET 0) AS backfill_row),
backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND (SELECT s.deviating > 0 FROM backfill_seen AS s)
  AND CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END
RETURNING WITH (OLD AS backfill_old, NEW AS backfill_new) "users"."id" AS k1, backfill_old."email_normalized" AS o1, backfill_new."email_normalized" AS n1),
backfill_after AS MATERIALIZED (SELECT coalesce(sum(coalesce(hashtextextended((n1) COLLATE "C", k1::bigint), hashint8extended(k1::bigint, 0))), 0) - coalesce(sum(coalesce(hashtextextended((o1) COLLATE "C", k1::bigint), hashint8extended(k1::bigint, 0))), 0) AS digest, ARRAY[count(*) FILTER (WHERE o1 IS NULL)]::bigint[] AS gone, ARRAY[count(*) FILTER (WHERE n1 IS NULL)]::bigint[] AS come FROM backfill_changed),
backfill_looked AS MATERIALIZED (SELECT s.fitting, s.deviating, s.digest + a.digest AS digest,
  (SELECT array_agg(s.nulls[n] - a.gone[n] + a.come[n] ORDER BY n) FROM generate_subscripts(s.nulls, 1) AS n) AS nulls FROM backfill_seen AS s, backfill_after AS a);
-- ["10" "20"]
