SELECT count(*) FROM (SELECT FROM unnest($1::bigint[]) WITH ORDINALITY AS backfill_list (backfill_k1, backfill_n), "public"."users"
WHERE "users"."id" = backfill_k1::bigint ORDER BY backfill_n FOR NO KEY UPDATE OF "users") AS backfill_held;
-- [['\n' '\x14']]
