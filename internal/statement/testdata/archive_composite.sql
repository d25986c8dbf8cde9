backfill_deleted AS (DELETE FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" > $3::bigint
  AND CASE WHEN n < 0 THEN true END
RETURNING "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, "n" AS o1, "note" AS o2),
backfill_archived AS (INSERT INTO "Sales Dept"."Filed Items" ("n", "note", "tenant Id", "ID", "created_at") OVERRIDING SYSTEM VALUE
SELECT o1, o2, k1, k3, k2 FROM backfill_deleted RETURNING 1),
backfill_changed AS MATERIALIZED (SELECT * FROM backfill_deleted
WHERE (SELECT backfill.whole($4::text, $5::text[]) AND backfill.archived((SELECT count(*) FROM backfill_deleted), (SELECT count(*) FROM backfill_archived))));
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "5" "\"Sales Dept\".\"Order \"\"Items\"\"\"" ["tenant Id" "created_at" "ID" "n" "note"]]
backfill_deleted AS (DELETE FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" > $2::timestamp with time zone AND "created_at" < $3::timestamp with time zone
  AND CASE WHEN n < 0 THEN true END
RETURNING "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, "n" AS o1, "note" AS o2),
backfill_archived AS (INSERT INTO "Sales Dept"."Filed Items" ("n", "note", "tenant Id", "ID", "created_at") OVERRIDING SYSTEM VALUE
SELECT o1, o2, k1, k3, k2 FROM backfill_deleted RETURNING 1),
backfill_changed AS MATERIALIZED (SELECT * FROM backfill_deleted
WHERE (SELECT backfill.whole($4::text, $5::text[]) AND backfill.archived((SELECT count(*) FROM backfill_deleted), (SELECT count(*) FROM backfill_archived))));
-- ["00000000-0000-0000-0000-000000000001" "2024-01-01 00:00:00+00" "2024-02-01 00:00:00+00" "\"Sales Dept\".\"Order \"\"Items\"\"\"" ["tenant Id" "created_at" "ID" "n" "note"]]
backfill_deleted AS (DELETE FROM "Sales Dept"."Order ""Items"""
WHERE "tenant Id" = $1::uuid AND "created_at" = $2::timestamp with time zone AND "ID" <= $3::bigint
  AND CASE WHEN n < 0 THEN true END
RETURNING "tenant Id" AS k1, "created_at" AS k2, "ID" AS k3, "n" AS o1, "note" AS o2),
backfill_archived AS (INSERT INTO "Sales Dept"."Filed Items" ("n", "note", "tenant Id", "ID", "created_at") OVERRIDING SYSTEM VALUE
SELECT o1, o2, k1, k3, k2 FROM backfill_deleted RETURNING 1),
backfill_changed AS MATERIALIZED (SELECT * FROM backfill_deleted
WHERE (SELECT backfill.whole($4::text, $5::text[]) AND backfill.archived((SELECT count(*) FROM backfill_deleted), (SELECT count(*) FROM backfill_archived))));
-- ["00000000-0000-0000-0000-000000000001" "2024-02-01 00:00:00+00" "7" "\"Sales Dept\".\"Order \"\"Items\"\"\"" ["tenant Id" "created_at" "ID" "n" "note"]]
