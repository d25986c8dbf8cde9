SELECT ARRAY["tenant Id"::text, "created_at"::text, "ID"::text] FROM (SELECT DISTINCT ON (tableoid, (ctid::text::point)[0]) "tenant Id", "created_at", "ID"
FROM "Sales Dept"."Order ""Items""" TABLESAMPLE SYSTEM ($1::real) REPEATABLE (1)) AS backfill_page
ORDER BY "tenant Id", "created_at", "ID" LIMIT $2::bigint;
-- [%!q(float64=0.5) '\n']
