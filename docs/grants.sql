-- The least that the database role of the stack needs. Copy the first section, and of the kinds those that you run; put your names for
-- backfill_runner (the role), shop (the database), shop.orders and so on. A test runs every kind under exactly these rights, with each
-- rollback, and takes each of them away in turn (internal/privilege). Statements are one a line.
--
-- The role needs no attribute: no SUPERUSER, CREATEDB, CREATEROLE, REPLICATION; BYPASSRLS only where row level security holds for it.
-- Do not name it backfill: by "$user" in search_path its unqualified names would be looked for in the product's schema.

-- always: who runs this owns the database, or is a superuser.
-- CREATE ROLE backfill_runner LOGIN PASSWORD '..';
-- By tokens of IAM (DatabaseAuth=iam), on RDS alone: CREATE ROLE backfill_runner LOGIN; GRANT rds_iam TO backfill_runner;
GRANT CONNECT ON DATABASE shop TO backfill_runner;
-- The ledger: the role owns the schema, makes its tables at the first start, and renews them after a deployment. It cannot make others.
CREATE SCHEMA backfill AUTHORIZATION backfill_runner;
-- Signals: what other sessions, standbys and autovacuum do. Without it runs work, and those signals are not known. (pg_monitor has it, and more.)
GRANT pg_read_all_stats TO backfill_runner;
-- The schemas of all tables that definitions name.
GRANT USAGE ON SCHEMA shop TO backfill_runner;

-- set: the columns that are written, and all that is read. To lock a row takes the right to update one of its columns.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT UPDATE (total_cents) ON shop.orders TO backfill_runner;

-- join: a set with `from`. What is joined is read only.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT UPDATE (country) ON shop.orders TO backfill_runner;
GRANT SELECT ON shop.customers TO backfill_runner;

-- transform: as set.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT UPDATE (email_hash) ON shop.orders TO backfill_runner;

-- delete: INSERT is for the rollback, and not needed with undo: off.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT DELETE ON shop.orders TO backfill_runner;
GRANT INSERT ON shop.orders TO backfill_runner;

-- archive: a deletion with `archive`. SELECT and DELETE on the archive are for the rollback.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT DELETE ON shop.orders TO backfill_runner;
GRANT INSERT ON shop.orders TO backfill_runner;
GRANT USAGE ON SCHEMA old TO backfill_runner;
GRANT SELECT ON old.orders TO backfill_runner;
GRANT INSERT ON old.orders TO backfill_runner;
GRANT DELETE ON old.orders TO backfill_runner;
-- A column that takes its number from a sequence (serial; an identity needs nothing).
GRANT USAGE ON SEQUENCE old.orders_place_seq TO backfill_runner;

-- copy: rows that are read are locked, so one of their columns may be updated. SELECT and DELETE on the target are for the rollback.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT UPDATE (id) ON shop.orders TO backfill_runner;
GRANT USAGE ON SCHEMA old TO backfill_runner;
GRANT SELECT ON old.orders TO backfill_runner;
GRANT INSERT ON old.orders TO backfill_runner;
GRANT DELETE ON old.orders TO backfill_runner;
GRANT USAGE ON SEQUENCE old.orders_place_seq TO backfill_runner;

-- update: a copy with `on_conflict: update` writes rows that are there, too.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT UPDATE (id) ON shop.orders TO backfill_runner;
GRANT USAGE ON SCHEMA old TO backfill_runner;
GRANT SELECT ON old.orders TO backfill_runner;
GRANT INSERT ON old.orders TO backfill_runner;
GRANT UPDATE (total) ON old.orders TO backfill_runner;
GRANT DELETE ON old.orders TO backfill_runner;
GRANT USAGE ON SEQUENCE old.orders_place_seq TO backfill_runner;

-- move: a copy with `move`. INSERT on the table is for the rollback.
GRANT SELECT ON shop.orders TO backfill_runner;
GRANT DELETE ON shop.orders TO backfill_runner;
GRANT INSERT ON shop.orders TO backfill_runner;
GRANT USAGE ON SCHEMA old TO backfill_runner;
GRANT SELECT ON old.orders TO backfill_runner;
GRANT INSERT ON old.orders TO backfill_runner;
GRANT DELETE ON old.orders TO backfill_runner;
GRANT USAGE ON SEQUENCE old.orders_place_seq TO backfill_runner;

-- Beside them: EXECUTE on functions and USAGE on types that expressions name, where it was taken from PUBLIC; SELECT on the tables that
-- subselects, a `verify` query or a metric of `throttle` read. Triggers run as this role, foreign keys are checked as the tables' owners.
