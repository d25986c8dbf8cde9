UPDATE backfill.conflicts AS f SET found_at = clock_timestamp(), holds = (SELECT ARRAY[left(backfill_row."id"::text, 1000), left(NULL::text, 1000), left(NULL::text, 1000), left(backfill_row."plan"::text, 1000), left(NULL::text, 1000)]
  FROM "archive"."users" AS backfill_row WHERE backfill_row."id" = f.key[1]::bigint)
WHERE f.run = $1::text AND f.chunk = $2::bigint AND f.seq = $3::bigint AND f.found_at IS NULL;
-- ["run-1" '\a' '\x03']
