-- +goose Up
DROP TRIGGER forge_log_users_9b3501cea7ae_delete ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_insert ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_key ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_truncate ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_update ON users;
DROP FUNCTION forge_log_users_9b3501cea7ae;
-- modify "sessions" table
ALTER TABLE "sessions" ADD COLUMN "began_at" timestamptz NULL, ADD COLUMN "method" character varying NULL COLLATE "C", ADD COLUMN "address" character varying NULL COLLATE "C", ADD COLUMN "client" character varying NULL COLLATE "C";
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "email_verified_at" timestamptz NULL, ADD COLUMN "erase_at" timestamptz NULL;
-- create "credentials" table
CREATE TABLE "credentials" (
  "id" uuid NOT NULL,
  "kind" character varying NOT NULL COLLATE "C",
  "key" character varying NOT NULL COLLATE "C",
  "name" character varying NULL COLLATE "C",
  "data" bytea NULL,
  "created_at" timestamptz NOT NULL,
  "confirmed_at" timestamptz NULL,
  "last_used_at" timestamptz NULL,
  "user_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "credentials_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "credential_kind_key" to table: "credentials"
CREATE UNIQUE INDEX "credential_kind_key" ON "credentials" ("kind", "key");
-- create index "credential_user_id_kind" to table: "credentials"
CREATE INDEX "credential_user_id_kind" ON "credentials" ("user_id", "kind");
-- create "mails" table
CREATE TABLE "mails" (
  "id" uuid NOT NULL,
  "template" character varying NOT NULL COLLATE "C",
  "recipient" character varying NOT NULL COLLATE "C",
  "language" character varying NULL COLLATE "C",
  "data" text NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "due_at" timestamptz NOT NULL,
  "lease" uuid NULL,
  "leased_until" timestamptz NULL,
  "failures" integer NOT NULL DEFAULT 0,
  "last_error" text NULL COLLATE "C",
  "failed_at" timestamptz NULL,
  "user_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "mails_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "mail_due_at" to table: "mails"
CREATE INDEX "mail_due_at" ON "mails" ("due_at") WHERE (failed_at IS NULL);
-- create index "mail_user_id" to table: "mails"
CREATE INDEX "mail_user_id" ON "mails" ("user_id");
-- create "sign_ins" table
CREATE TABLE "sign_ins" (
  "id" uuid NOT NULL,
  "method" character varying NOT NULL COLLATE "C",
  "succeeded" boolean NOT NULL,
  "address" character varying NULL COLLATE "C",
  "client" character varying NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "user_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sign_ins_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signin_created_at" to table: "sign_ins"
CREATE INDEX "signin_created_at" ON "sign_ins" ("created_at");
-- create index "signin_user_id_created_at" to table: "sign_ins"
CREATE INDEX "signin_user_id_created_at" ON "sign_ins" ("user_id", "created_at");
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_users_9e74e2756ea2() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT OLD.*) o WHERE o."deleted_at" IS NULL UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT NEW.*) n WHERE n."deleted_at" IS NULL;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM after_rows n WHERE n."deleted_at" IS NULL LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', CASE WHEN n."deleted_at" IS NOT NULL THEN 3 WHEN o."deleted_at" IS NOT NULL THEN 1 ELSE 2 END, n."id"::pg_catalog.text, NULL::pg_catalog.text[]
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."deleted_at", o."email", o."username", o."role", o."is_active", o."email_verified_at", o."erase_at")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."deleted_at", n."email", n."username", n."role", n."is_active", n."email_verified_at", n."erase_at")::pg_catalog.record AND (o."deleted_at" IS NULL OR n."deleted_at" IS NULL) LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM before_rows o WHERE o."deleted_at" IS NULL LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'user';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_users_9e74e2756ea2_insert AFTER INSERT ON "users" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9e74e2756ea2();
CREATE TRIGGER forge_log_users_9e74e2756ea2_update AFTER UPDATE ON "users" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9e74e2756ea2();
CREATE TRIGGER forge_log_users_9e74e2756ea2_delete AFTER DELETE ON "users" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9e74e2756ea2();
CREATE TRIGGER forge_log_users_9e74e2756ea2_truncate AFTER TRUNCATE ON "users" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9e74e2756ea2();
CREATE TRIGGER forge_log_users_9e74e2756ea2_key AFTER UPDATE OF "id" ON "users" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_users_9e74e2756ea2();
CREATE TABLE forge_onetime_36998c876810 (
  hash bytea PRIMARY KEY,
  purpose text COLLATE "C" NOT NULL,
  account bytea,
  data bytea,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  UNIQUE (account, purpose, created_at, hash),
  UNIQUE (expires_at, hash)
);

-- +goose Down
DROP TRIGGER forge_log_users_9e74e2756ea2_delete ON users;
DROP TRIGGER forge_log_users_9e74e2756ea2_insert ON users;
DROP TRIGGER forge_log_users_9e74e2756ea2_key ON users;
DROP TRIGGER forge_log_users_9e74e2756ea2_truncate ON users;
DROP TRIGGER forge_log_users_9e74e2756ea2_update ON users;
DROP TABLE forge_onetime_36998c876810;
DROP FUNCTION forge_log_users_9e74e2756ea2;
-- modify "sessions" table
ALTER TABLE "sessions" DROP COLUMN "began_at", DROP COLUMN "method", DROP COLUMN "address", DROP COLUMN "client";
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "email_verified_at", DROP COLUMN "erase_at";
-- drop "credentials" table
DROP TABLE "credentials";
-- drop "mails" table
DROP TABLE "mails";
-- drop "sign_ins" table
DROP TABLE "sign_ins";
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_users_9b3501cea7ae() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT OLD.*) o WHERE o."deleted_at" IS NULL UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT NEW.*) n WHERE n."deleted_at" IS NULL;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM after_rows n WHERE n."deleted_at" IS NULL LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', CASE WHEN n."deleted_at" IS NOT NULL THEN 3 WHEN o."deleted_at" IS NOT NULL THEN 1 ELSE 2 END, n."id"::pg_catalog.text, NULL::pg_catalog.text[]
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."deleted_at", o."email", o."username", o."role", o."is_active")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."deleted_at", n."email", n."username", n."role", n."is_active")::pg_catalog.record AND (o."deleted_at" IS NULL OR n."deleted_at" IS NULL) LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM before_rows o WHERE o."deleted_at" IS NULL LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'user';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'user', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_users_9b3501cea7ae_insert AFTER INSERT ON "users" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9b3501cea7ae();
CREATE TRIGGER forge_log_users_9b3501cea7ae_update AFTER UPDATE ON "users" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9b3501cea7ae();
CREATE TRIGGER forge_log_users_9b3501cea7ae_delete AFTER DELETE ON "users" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9b3501cea7ae();
CREATE TRIGGER forge_log_users_9b3501cea7ae_truncate AFTER TRUNCATE ON "users" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_9b3501cea7ae();
CREATE TRIGGER forge_log_users_9b3501cea7ae_key AFTER UPDATE OF "id" ON "users" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_users_9b3501cea7ae();
