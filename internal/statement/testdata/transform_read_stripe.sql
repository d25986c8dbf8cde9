SELECT backfill_k1::text, backfill_in::text, backfill_x::text, backfill_t::text, CASE WHEN backfill_in THEN backfill_r1 END, CASE WHEN backfill_in THEN backfill_r2::text END FROM (SELECT s.* FROM backfill.stripes AS s WHERE s.run = $3::text AND s.chunk = $4::bigint AND s.part = $5::integer) AS s,
unnest(s.ids[$1::bigint + 1:$2::bigint]) WITH ORDINALITY AS backfill_list (backfill_k1, backfill_n)
LEFT JOIN LATERAL (SELECT "email" AS backfill_r1, "seen" AS backfill_r2, CASE WHEN seen >= $6::timestamptz THEN true ELSE false END AS backfill_in, xmin AS backfill_x, ctid AS backfill_t FROM "public"."users" WHERE "users"."id" = backfill_k1::bigint OFFSET 0) AS backfill_row ON true ORDER BY backfill_n;
-- ['\x02' '\a' "run-1" '\a' '\x03' "2024-01-01"]
