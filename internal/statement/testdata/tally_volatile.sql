SELECT count(*), count(*) FILTER (WHERE true), count(*) FILTER (WHERE CASE WHEN true
  THEN true END)
FROM "public"."users" WHERE "id" <= $1::bigint;
-- ["20"]
