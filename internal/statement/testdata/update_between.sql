UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END;
-- ["10" "20"]
