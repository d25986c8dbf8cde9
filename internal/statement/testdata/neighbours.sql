SELECT count(*), count(DISTINCT (backfill_part, (backfill_place::text::point)[0]))
FROM (SELECT tableoid AS backfill_part, ctid AS backfill_place FROM "public"."users" WHERE "id" > $1::bigint ORDER BY "id" LIMIT $2::bigint) AS backfill_near;
-- ["10" 'Ǵ']
