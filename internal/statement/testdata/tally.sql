SELECT count(*), count(*) FILTER (WHERE email IS NOT NULL), count(*) FILTER (WHERE CASE WHEN email IS NOT NULL
  THEN ROW("email_normalized")::record *<> ROW((lower(btrim(email)))::text)::record END)
FROM "public"."users" WHERE "id" > $1::bigint AND "id" <= $2::bigint;
-- ["10" "20"]
