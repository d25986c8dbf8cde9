SELECT count(*), count(DISTINCT (backfill_part, (backfill_place::text::point)[0]))
FROM (SELECT tableoid AS backfill_part, ctid AS backfill_place FROM "Sales Dept"."Order ""Items""" WHERE ("tenant Id", "created_at", "ID") > ($1::uuid, $2::timestamp with time zone, $3::bigint) ORDER BY "tenant Id", "created_at", "ID" LIMIT $4::bigint) AS backfill_near;
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" 'Ǵ']
