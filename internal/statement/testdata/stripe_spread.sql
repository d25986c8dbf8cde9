backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" IN (SELECT k1::bigint FROM (SELECT s.* FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer) AS s, unnest(s.ids[$1::bigint + 1:$2::bigint]) AS e (k1))
  AND CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END
RETURNING 1);
-- ['\x02' '\a' "run-1" '\a' '\x03']
