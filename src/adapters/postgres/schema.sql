-- Spillway's tables in PostgreSQL 15 and later. Again: no change.
--
-- Run it as one transaction, as `spillway schema --apply` does, or with
--   spillway schema | psql --single-transaction --set ON_ERROR_STOP=1 ...
-- It asks for CREATE on the database. The three roles are made when the user may create roles; without
-- them everything works for the tables' owner, and an administrator can make them later and run this again.
--
-- instance is an unsigned 64-bit number, kept as the bigint with the same bits.
-- topic, key and headers are bytea: Kafka's are bytes, and text refuses NUL and what is not UTF-8.

SELECT pg_advisory_xact_lock(x'5350494c4c53514c'::bigint);  -- two at once would meet in the catalog
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS spillway;

-- A queue: rows come in by COPY, are read once by cursor, and go in order. No default is volatile
-- (clock_timestamp() would turn COPY into single inserts). Rows stay in line up to 8 kB: a side table
-- for them would cost every row a second insert, index entry and delete.
CREATE TABLE IF NOT EXISTS spillway.outbox (
  instance bigint NOT NULL,
  lane integer NOT NULL,
  seq bigint NOT NULL,
  topic bytea NOT NULL,
  key bytea,
  payload bytea,  -- null is Kafka's tombstone
  headers bytea NOT NULL,  -- src/core/header_block.hpp
  accepted_at timestamptz NOT NULL,
  spilled_at timestamptz NOT NULL DEFAULT now(),
  event_time bigint,  -- ms since 1970
  held boolean NOT NULL DEFAULT false,  -- with the owner's librdkafka: not to be sent by a relay
  resend text CHECK (resend IN ('fatal', 'recovery', 'lease')),
  renumbered_from bigint,
  attempts integer NOT NULL DEFAULT 0,
  PRIMARY KEY (instance, lane, seq)
) WITH (
  fillfactor = 100,
  toast_tuple_target = 8160,
  -- Dead rows are the rule here; a share of the table would wait too long. The server looks only every
  -- autovacuum_naptime (60 s): 5 to 10 s is advice to its operator.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 1000000,
  -- Giving the file's end back takes ACCESS EXCLUSIVE. It never shrinks so; its owner may TRUNCATE it
  -- while spillway.stream says that it is empty.
  vacuum_truncate = off,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 20000,
  toast.autovacuum_vacuum_cost_delay = 0,
  toast.vacuum_truncate = off
);

CREATE TABLE IF NOT EXISTS spillway.dead_letter (
  instance bigint NOT NULL,
  lane integer NOT NULL,
  seq bigint NOT NULL,
  topic bytea NOT NULL,
  key bytea,
  payload bytea,
  headers bytea NOT NULL,
  accepted_at timestamptz NOT NULL,
  spilled_at timestamptz NOT NULL DEFAULT now(),
  event_time bigint,
  held boolean NOT NULL DEFAULT false,
  resend text,
  renumbered_from bigint,
  attempts integer NOT NULL DEFAULT 0,
  error text NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (instance, lane, seq)
);

-- pglz would cost the writer more CPU than the COPY itself, for rows that live for seconds.
-- (STORAGE in CREATE TABLE is PostgreSQL 16; asked first, since ALTER locks the table.)
DO $$
DECLARE
  t regclass;
BEGIN
  FOREACH t IN ARRAY ARRAY['spillway.outbox', 'spillway.dead_letter']::regclass[] LOOP
    IF EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = t AND attname = 'payload' AND attstorage <> 'e') THEN
      EXECUTE format('ALTER TABLE %s ALTER COLUMN payload SET STORAGE EXTERNAL', t);
    END IF;
  END LOOP;
END $$;

-- One small row for each stream, updated by every batch: half-empty pages keep that in place (HOT).
-- Written by the stream's owner only.
CREATE TABLE IF NOT EXISTS spillway.stream (
  instance bigint NOT NULL,
  lane integer NOT NULL,
  written_through bigint NOT NULL,  -- highest seq ever written as a row
  held_through bigint NOT NULL DEFAULT 0,  -- highest seq of a held row; 0 once released
  PRIMARY KEY (instance, lane)
) WITH (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- Written by the holder of the stream's lease only.
CREATE TABLE IF NOT EXISTS spillway.relay_progress (
  instance bigint NOT NULL,
  lane integer NOT NULL,
  relayed_through bigint NOT NULL,  -- no row at or below it is left
  started_through bigint NOT NULL,  -- no row above it was ever handed to a relay
  holder bigint NOT NULL,  -- which relay had the lease last
  PRIMARY KEY (instance, lane)
) WITH (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- Three roles without login, to be granted to the users of services, relays and dashboards.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['spillway_writer', 'spillway_relay', 'spillway_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
      EXCEPTION
        WHEN insufficient_privilege THEN
          RAISE WARNING 'role % is not made: this user may not create roles', role_name
            USING HINT = 'Have an administrator run the schema again; the tables work for their owner.';
        WHEN duplicate_object OR unique_violation THEN
          NULL;  -- made by another database's run at this moment
      END;
    END IF;
  END LOOP;

  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'spillway_writer') THEN
    GRANT USAGE ON SCHEMA spillway TO spillway_writer;
    -- SELECT, UPDATE and DELETE for the release of held rows.
    GRANT SELECT, INSERT, DELETE, UPDATE (held, resend, attempts) ON spillway.outbox TO spillway_writer;
    GRANT SELECT, INSERT, DELETE ON spillway.dead_letter TO spillway_writer;
    GRANT SELECT, INSERT, UPDATE (written_through, held_through) ON spillway.stream TO spillway_writer;
    GRANT SELECT ON spillway.relay_progress TO spillway_writer;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'spillway_relay') THEN
    GRANT USAGE ON SCHEMA spillway TO spillway_relay;
    -- UPDATE for take-over and adoption.
    GRANT SELECT, DELETE, UPDATE (held, resend, attempts) ON spillway.outbox TO spillway_relay;
    GRANT INSERT ON spillway.dead_letter TO spillway_relay;
    GRANT SELECT, UPDATE (held_through) ON spillway.stream TO spillway_relay;
    GRANT SELECT, INSERT, UPDATE (relayed_through, started_through, holder)
      ON spillway.relay_progress TO spillway_relay;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'spillway_reader') THEN
    GRANT USAGE ON SCHEMA spillway TO spillway_reader;
    GRANT SELECT ON spillway.outbox, spillway.dead_letter, spillway.stream, spillway.relay_progress
      TO spillway_reader;
  END IF;
END $$;
