-- +goose Up
DROP TRIGGER forge_log_products_b30c101c0e75_delete ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_insert ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_key ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_truncate ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_update ON products;
DROP FUNCTION forge_log_products_b30c101c0e75;
-- create "files" table
CREATE TABLE "files" (
  "id" uuid NOT NULL,
  "name" character varying NOT NULL COLLATE "C",
  "content_type" character varying NOT NULL COLLATE "C",
  "size" bigint NOT NULL,
  "width" integer NULL,
  "height" integer NULL,
  "blurhash" character varying NULL COLLATE "C",
  "etag" character varying NULL COLLATE "C",
  "state" character varying NOT NULL DEFAULT 'announced' COLLATE "C",
  "attached_at" timestamptz NULL,
  "created_at" timestamptz NOT NULL,
  "user_id" uuid NULL,
  "hero_photos" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "files_heroes_photos" FOREIGN KEY ("hero_photos") REFERENCES "heroes" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "files_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "files_attached_stored" CHECK (attached_at IS NULL OR state <> 'announced'),
  CONSTRAINT "files_name_length" CHECK (length(name) BETWEEN 1 AND 255),
  CONSTRAINT "files_size_not_negative" CHECK (size >= 0),
  CONSTRAINT "files_state_known" CHECK (state IN ('announced', 'stored', 'removed')),
  CONSTRAINT "files_stored_with_etag" CHECK (state <> 'stored' OR etag IS NOT NULL)
);
-- create index "file_created_at" to table: "files"
CREATE INDEX "file_created_at" ON "files" ("created_at") WHERE (attached_at IS NULL);
-- create index "file_hero_photos" to table: "files"
CREATE INDEX "file_hero_photos" ON "files" ("hero_photos");
-- create index "file_id" to table: "files"
CREATE INDEX "file_id" ON "files" ("id") WHERE ((state)::text = 'removed'::text);
-- create index "file_user_id_created_at" to table: "files"
CREATE INDEX "file_user_id_created_at" ON "files" ("user_id", "created_at");
-- modify "products" table
ALTER TABLE "products" ADD COLUMN "picture_id" uuid NULL, ADD
CONSTRAINT "products_files_picture" FOREIGN KEY ("picture_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION NOT VALID;
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_products_f03d36d4f59c() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 3, o."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['picture_id=' OPERATOR(pg_catalog.||) o."picture_id"::pg_catalog.text], NULL) FROM (SELECT OLD.*) o WHERE true UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 1, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['picture_id=' OPERATOR(pg_catalog.||) n."picture_id"::pg_catalog.text], NULL) FROM (SELECT NEW.*) n WHERE true;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 1, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['picture_id=' OPERATOR(pg_catalog.||) n."picture_id"::pg_catalog.text], NULL) FROM after_rows n WHERE true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 2, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['picture_id=' OPERATOR(pg_catalog.||) o."picture_id"::pg_catalog.text, CASE WHEN ROW(o."picture_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."picture_id")::pg_catalog.record THEN 'picture_id=' OPERATOR(pg_catalog.||) n."picture_id"::pg_catalog.text END], NULL)
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."picture_id", o."sku", o."name", o."price_cents")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."picture_id", n."sku", n."name", n."price_cents")::pg_catalog.record AND true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 3, o."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['picture_id=' OPERATOR(pg_catalog.||) o."picture_id"::pg_catalog.text], NULL) FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'product';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_products_f03d36d4f59c_insert AFTER INSERT ON "products" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_f03d36d4f59c();
CREATE TRIGGER forge_log_products_f03d36d4f59c_update AFTER UPDATE ON "products" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_f03d36d4f59c();
CREATE TRIGGER forge_log_products_f03d36d4f59c_delete AFTER DELETE ON "products" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_f03d36d4f59c();
CREATE TRIGGER forge_log_products_f03d36d4f59c_truncate AFTER TRUNCATE ON "products" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_f03d36d4f59c();
CREATE TRIGGER forge_log_products_f03d36d4f59c_key AFTER UPDATE OF "id" ON "products" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_products_f03d36d4f59c();

-- +goose Down
DROP TRIGGER forge_log_products_f03d36d4f59c_delete ON products;
DROP TRIGGER forge_log_products_f03d36d4f59c_insert ON products;
DROP TRIGGER forge_log_products_f03d36d4f59c_key ON products;
DROP TRIGGER forge_log_products_f03d36d4f59c_truncate ON products;
DROP TRIGGER forge_log_products_f03d36d4f59c_update ON products;
DROP FUNCTION forge_log_products_f03d36d4f59c;
-- modify "products" table
ALTER TABLE "products" DROP COLUMN "picture_id";
-- drop "files" table
DROP TABLE "files";
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_products_b30c101c0e75() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT OLD.*) o WHERE true UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT NEW.*) n WHERE true;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM after_rows n WHERE true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 2, n."id"::pg_catalog.text, NULL::pg_catalog.text[]
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."sku", o."name", o."price_cents")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."sku", n."name", n."price_cents")::pg_catalog.record AND true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'product';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_products_b30c101c0e75_insert AFTER INSERT ON "products" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_b30c101c0e75();
CREATE TRIGGER forge_log_products_b30c101c0e75_update AFTER UPDATE ON "products" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_b30c101c0e75();
CREATE TRIGGER forge_log_products_b30c101c0e75_delete AFTER DELETE ON "products" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_b30c101c0e75();
CREATE TRIGGER forge_log_products_b30c101c0e75_truncate AFTER TRUNCATE ON "products" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_b30c101c0e75();
CREATE TRIGGER forge_log_products_b30c101c0e75_key AFTER UPDATE OF "id" ON "products" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_products_b30c101c0e75();
