backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" = $1::bigint
  AND CASE WHEN email IS NOT NULL
  THEN ROW("email_normalized")::record *<> ROW((lower(btrim(email)))::text)::record END
RETURNING WITH (OLD AS backfill_old, NEW AS backfill_new) "users"."id" AS k1, backfill_old."email_normalized" AS o1, backfill_new."email_normalized" AS n1);
-- ["10"]
