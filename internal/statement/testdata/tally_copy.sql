SELECT count(*), count(*) FILTER (WHERE seen < $2::timestamptz), count(*) FILTER (WHERE CASE WHEN seen < $2::timestamptz
  THEN num_nonnulls((id)::bigint, (lower(email))::text, (plan)::character varying(20), ('users')::text) >= 0 END)
FROM "public"."users" WHERE "id" <= $1::bigint;
-- ["20" "2024-01-01"]
