backfill_given AS MATERIALIZED (SELECT backfill_k1::bigint AS backfill_k1, backfill_x::xid AS backfill_x, backfill_t::tid AS backfill_t, backfill_n1::text AS backfill_n1, backfill_n2::text AS backfill_n2
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) AS backfill_list (backfill_k1, backfill_x, backfill_t, backfill_n1, backfill_n2)),
backfill_changed AS (UPDATE "public"."users" SET "email_normalized" = backfill_n1, "plan" = backfill_n2 FROM backfill_given
WHERE "users".ctid = backfill_t AND CASE WHEN "users"."id" = backfill_k1 AND "users".xmin = backfill_x THEN CASE WHEN CASE WHEN seen >= $6::timestamptz THEN true ELSE false END THEN ("users"."email_normalized"::text COLLATE "C" IS DISTINCT FROM backfill_n1 COLLATE "C" OR "users"."plan"::text COLLATE "C" IS DISTINCT FROM backfill_n2 COLLATE "C") END END
RETURNING WITH (OLD AS backfill_old, NEW AS backfill_new) "users"."id" AS k1, backfill_old."email_normalized" AS o1, backfill_old."plan" AS o2, backfill_new."email_normalized" AS n1, backfill_new."plan" AS n2),
backfill_found AS (SELECT FROM backfill_given WHERE (SELECT count(*) FROM backfill_changed) = $7::bigint
UNION ALL SELECT FROM backfill_given, "public"."users" WHERE (SELECT count(*) FROM backfill_changed) < $7::bigint
  AND "users"."id" = backfill_k1 AND CASE WHEN CASE WHEN seen >= $6::timestamptz THEN true ELSE false END THEN NOT ("users".xmin = backfill_x) OR ("users"."email_normalized"::text COLLATE "C" IS DISTINCT FROM backfill_n1 COLLATE "C" OR "users"."plan"::text COLLATE "C" IS DISTINCT FROM backfill_n2 COLLATE "C") END),
backfill_image AS (INSERT INTO backfill.undo AS u (run, chunk, seq, part, rows, steps, keys, olds, marks)
SELECT $8::text, $9::bigint, $10::bigint, $11::integer, count(*), NULL::bigint[], array_agg(k1::text), CASE WHEN count(*) FILTER (WHERE num_nonnulls(o1, o2) > 0) > 0 THEN array_agg(o1) || array_agg(o2::text) END,
  string_agg(substring(int8send(coalesce(hashtextextended((ROW(n1, n2::text)::text) COLLATE "C", 0), 0)) FROM 4), ''::bytea)
FROM backfill_changed HAVING count(*) > 0
RETURNING coalesce(pg_column_size(u.keys), 0) + coalesce(pg_column_size(u.olds), 0) AS bytes);
-- [['\n' '\x14'] ["731" "732"] ["(0,1)" "(0,2)"] ["true" "true"] ["false" "false"] "2024-01-01" '\x02' "run-1" '\a' '\x03' '\x00']
