SELECT count(*), count(DISTINCT (backfill_part, (backfill_place::text::point)[0]))
FROM (SELECT tableoid AS backfill_part, ctid AS backfill_place FROM "Sales Dept"."Order ""Items""" ORDER BY "tenant Id", "created_at", "ID" LIMIT $1::bigint) AS backfill_near;
-- ['Ǵ']
