backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" = $1::bigint
  AND CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END
RETURNING WITH (OLD AS backfill_old, NEW AS backfill_new) "users"."id" AS k1, backfill_old."email_normalized" AS o1, backfill_new."email_normalized" AS n1);
-- ["10"]
