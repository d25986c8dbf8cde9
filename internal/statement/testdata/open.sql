INSERT INTO backfill.stripes (run, chunk, part, rows, ids, keys, reached)
SELECT $4::text, $5::bigint, part, count(*), array_agg(k1::bigint), NULL::text[], CASE WHEN part = max(part) OVER () THEN
  CASE WHEN sum(count(*)) OVER () < $2::bigint THEN $6::text[] ELSE (SELECT ARRAY[k1::text] FROM (SELECT "id" AS k1 FROM "public"."users" WHERE "id" > $1::bigint ORDER BY "id" OFFSET $2::bigint - 1 LIMIT 1) AS backfill_last) END END
FROM (SELECT *, n % $3::bigint * $7::bigint + n * $8::bigint / $2::bigint AS part FROM (SELECT *, row_number() OVER (ORDER BY k1) - 1 AS n
  FROM (SELECT "id" AS k1 FROM "public"."users" WHERE "id" > $1::bigint ORDER BY "id" LIMIT $2::bigint) AS backfill_walked WHERE k1 <= $9::bigint) AS numbered) AS placed
GROUP BY part;
-- ["10" '𘚠' '\x10' "run-1" '\a' ["20"] '\x04' '\x04' "20"]
