UPDATE "public"."users" SET "email_normalized" = (lower(btrim(email)))
WHERE "id" > $1::bigint AND "id" <= $2::bigint
  AND CASE WHEN email IS NOT NULL
  THEN ROW("email_normalized")::record *<> ROW((lower(btrim(email)))::text)::record END;
-- ["10" "20"]
