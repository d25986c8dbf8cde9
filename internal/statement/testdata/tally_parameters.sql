SELECT count(*), count(*) FILTER (WHERE seen >= $2::timestamptz - interval '1 day'), count(*) FILTER (WHERE CASE WHEN seen >= $2::timestamptz - interval '1 day'
  THEN ROW("plan", "email")::record *<> ROW((CASE WHEN seen < $2::timestamptz THEN $3::text ELSE plan END)::character varying(20), ('@since' || email)::text)::record END)
FROM "public"."users" WHERE "id" <= $1::bigint;
-- ["20" "2024-01-01" "old"]
