SELECT count(*), count(*) FILTER (WHERE email IS NOT NULL), count(*) FILTER (WHERE CASE WHEN email IS NOT NULL
  THEN "email_normalized" COLLATE "C" IS DISTINCT FROM (lower(btrim(email)))::text COLLATE "C" END)
FROM "public"."users" WHERE "id" > $1::bigint AND "id" <= $2::bigint;
-- ["10" "20"]
