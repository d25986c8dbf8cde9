SELECT count(*), count(*) FILTER (WHERE seen < now() - $2::interval), count(*) FILTER (WHERE CASE WHEN seen < now() - $2::interval
  THEN true END)
FROM "public"."users" WHERE "id" <= $1::bigint;
-- ["20" "90 days"]
