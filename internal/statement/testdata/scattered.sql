SELECT ARRAY["id"::text] FROM (SELECT DISTINCT ON (tableoid, (ctid::text::point)[0]) "id"
FROM "public"."users" TABLESAMPLE SYSTEM ($1::real) REPEATABLE (1)) AS backfill_page
ORDER BY "id" LIMIT $2::bigint;
-- [%!q(float64=0.5) '\n']
