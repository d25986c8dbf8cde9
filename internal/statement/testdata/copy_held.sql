UPDATE backfill.conflicts AS f SET found_at = clock_timestamp(), holds = (SELECT ARRAY[left(backfill_row."note"::text, 1000)]
  FROM "archive"."Old ""Items""" AS backfill_row WHERE backfill_row."tenant Id" = f.key[1]::uuid AND backfill_row."ID" = f.key[2]::bigint)
WHERE f.run = $1::text AND f.chunk = $2::bigint AND f.seq = $3::bigint AND f.found_at IS NULL;
-- ["run-1" '\a' '\x03']
