-- +goose Up
DROP TRIGGER forge_log_products_8e9caa854358_delete;
DROP TRIGGER forge_log_products_8e9caa854358_insert;
DROP TRIGGER forge_log_products_8e9caa854358_update;
DROP TRIGGER forge_search_products_5fd49842a9ed_delete;
DROP TRIGGER forge_search_products_5fd49842a9ed_insert;
DROP TRIGGER forge_search_products_5fd49842a9ed_update;
DROP TABLE forge_search_products_5fd49842a9ed;
DROP TABLE forge_search_products_5fd49842a9ed_keys;
-- create "new_products" table
CREATE TABLE `new_products` (
  `id` blob NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `version` integer NOT NULL DEFAULT 1,
  `sku` text NOT NULL,
  `name` text NOT NULL,
  `price_cents` integer NOT NULL,
  `picture_id` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `products_files_picture` FOREIGN KEY (`picture_id`) REFERENCES `files` (`id`) ON UPDATE NO ACTION ON DELETE NO ACTION,
  CONSTRAINT `products_name_length` CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT `products_price_not_negative` CHECK (price_cents >= 0),
  CONSTRAINT `products_sku_length` CHECK (length(sku) BETWEEN 1 AND 64)
);
-- copy rows from old table "products" to new temporary table "new_products"
INSERT INTO `new_products` (`id`, `created_at`, `updated_at`, `version`, `sku`, `name`, `price_cents`) SELECT `id`, `created_at`, `updated_at`, `version`, `sku`, `name`, `price_cents` FROM `products`;
-- drop "products" table after copying rows
DROP TABLE `products`;
-- rename temporary table "new_products" to "products"
ALTER TABLE `new_products` RENAME TO `products`;
-- create index "product_picture_id" to table: "products"
CREATE INDEX `product_picture_id` ON `products` (`picture_id`);
-- create index "product_sku" to table: "products"
CREATE UNIQUE INDEX `product_sku` ON `products` (`sku`);
-- create index "product_name_id" to table: "products"
CREATE INDEX `product_name_id` ON `products` (`name`, `id`);
-- create index "product_price_cents_id" to table: "products"
CREATE INDEX `product_price_cents_id` ON `products` (`price_cents`, `id`);
-- create index "product_created_at_id" to table: "products"
CREATE INDEX `product_created_at_id` ON `products` (`created_at`, `id`);
-- create index "product_updated_at_id" to table: "products"
CREATE INDEX `product_updated_at_id` ON `products` (`updated_at`, `id`);
-- create "files" table
CREATE TABLE `files` (
  `id` blob NOT NULL,
  `name` text NOT NULL,
  `content_type` text NOT NULL,
  `size` integer NOT NULL,
  `width` integer NULL,
  `height` integer NULL,
  `blurhash` text NULL,
  `etag` text NULL,
  `state` text NOT NULL DEFAULT 'announced',
  `attached_at` datetime NULL,
  `created_at` datetime NOT NULL,
  `user_id` blob NULL,
  `hero_photos` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `files_heroes_photos` FOREIGN KEY (`hero_photos`) REFERENCES `heroes` (`id`) ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT `files_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT `files_attached_stored` CHECK (attached_at IS NULL OR state <> 'announced'),
  CONSTRAINT `files_name_length` CHECK (length(name) BETWEEN 1 AND 255),
  CONSTRAINT `files_size_not_negative` CHECK (size >= 0),
  CONSTRAINT `files_state_known` CHECK (state IN ('announced', 'stored', 'removed')),
  CONSTRAINT `files_stored_with_etag` CHECK (state <> 'stored' OR etag IS NOT NULL)
);
-- create index "file_user_id_created_at" to table: "files"
CREATE INDEX `file_user_id_created_at` ON `files` (`user_id`, `created_at`);
-- create index "file_created_at" to table: "files"
CREATE INDEX `file_created_at` ON `files` (`created_at`) WHERE attached_at IS NULL;
-- create index "file_id" to table: "files"
CREATE INDEX `file_id` ON `files` (`id`) WHERE state = 'removed';
-- create index "file_hero_photos" to table: "files"
CREATE INDEX `file_hero_photos` ON `files` (`hero_photos`);
CREATE TABLE forge_search_products_5fd49842a9ed_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE);
CREATE VIRTUAL TABLE forge_search_products_5fd49842a9ed USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'");
INSERT INTO forge_search_products_5fd49842a9ed_keys (key) SELECT "id" FROM "products";
INSERT INTO forge_search_products_5fd49842a9ed (rowid, words) SELECT number, coalesce(substr(t."name", 1, 60000), '') || ' ' || coalesce(substr(t."sku", 1, 60000), '') FROM forge_search_products_5fd49842a9ed_keys JOIN "products" AS t ON t."id" = forge_search_products_5fd49842a9ed_keys.key;
-- +goose StatementBegin
CREATE TRIGGER forge_search_products_5fd49842a9ed_insert AFTER INSERT ON "products" BEGIN
  DELETE FROM forge_search_products_5fd49842a9ed WHERE rowid IN (SELECT number FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (new."id"));
  DELETE FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (new."id");
  INSERT INTO forge_search_products_5fd49842a9ed_keys (key) VALUES (new."id");
  INSERT INTO forge_search_products_5fd49842a9ed (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') || ' ' || coalesce(substr(new."sku", 1, 60000), '') FROM forge_search_products_5fd49842a9ed_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_products_5fd49842a9ed_update AFTER UPDATE OF "id", "name", "sku" ON "products" BEGIN
  DELETE FROM forge_search_products_5fd49842a9ed WHERE rowid IN (SELECT number FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id", new."id"));
  DELETE FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id", new."id");
  INSERT INTO forge_search_products_5fd49842a9ed_keys (key) VALUES (new."id");
  INSERT INTO forge_search_products_5fd49842a9ed (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') || ' ' || coalesce(substr(new."sku", 1, 60000), '') FROM forge_search_products_5fd49842a9ed_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_products_5fd49842a9ed_delete AFTER DELETE ON "products" BEGIN
  DELETE FROM forge_search_products_5fd49842a9ed WHERE rowid IN (SELECT number FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id"));
  DELETE FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id");
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_products_2242fae9bbbf_insert AFTER INSERT ON "products" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 1, lower(hex(new."id")), json_array('picture_id=' || CASE typeof(new."picture_id") WHEN 'blob' THEN lower(hex(new."picture_id")) ELSE CAST(new."picture_id" AS TEXT) END) WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_products_2242fae9bbbf_update AFTER UPDATE ON "products" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(new."id")), json_array('picture_id=' || CASE typeof(old."picture_id") WHEN 'blob' THEN lower(hex(old."picture_id")) ELSE CAST(old."picture_id" AS TEXT) END, CASE WHEN new."picture_id" IS NOT old."picture_id" THEN 'picture_id=' || CASE typeof(new."picture_id") WHEN 'blob' THEN lower(hex(new."picture_id")) ELSE CAST(new."picture_id" AS TEXT) END END) WHERE NOT (old."id" IS NOT new."id") AND (old."id" IS NOT new."id" OR old."created_at" IS NOT new."created_at" OR old."updated_at" IS NOT new."updated_at" OR old."version" IS NOT new."version" OR old."picture_id" IS NOT new."picture_id" OR old."sku" IS NOT new."sku" OR old."name" IS NOT new."name" OR old."price_cents" IS NOT new."price_cents") AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 3, lower(hex(old."id")), json_array('picture_id=' || CASE typeof(old."picture_id") WHEN 'blob' THEN lower(hex(old."picture_id")) ELSE CAST(old."picture_id" AS TEXT) END) WHERE old."id" IS NOT new."id" AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 1, lower(hex(new."id")), json_array('picture_id=' || CASE typeof(new."picture_id") WHEN 'blob' THEN lower(hex(new."picture_id")) ELSE CAST(new."picture_id" AS TEXT) END) WHERE old."id" IS NOT new."id" AND true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_products_2242fae9bbbf_delete AFTER DELETE ON "products" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 3, lower(hex(old."id")), json_array('picture_id=' || CASE typeof(old."picture_id") WHEN 'blob' THEN lower(hex(old."picture_id")) ELSE CAST(old."picture_id" AS TEXT) END) WHERE true;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER forge_log_products_2242fae9bbbf_delete;
DROP TRIGGER forge_log_products_2242fae9bbbf_insert;
DROP TRIGGER forge_log_products_2242fae9bbbf_update;
DROP TRIGGER forge_search_products_5fd49842a9ed_delete;
DROP TRIGGER forge_search_products_5fd49842a9ed_insert;
DROP TRIGGER forge_search_products_5fd49842a9ed_update;
DROP TABLE forge_search_products_5fd49842a9ed;
DROP TABLE forge_search_products_5fd49842a9ed_keys;
-- drop "files" table
DROP TABLE `files`;
-- create "new_products" table
CREATE TABLE `new_products` (
  `id` blob NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `version` integer NOT NULL DEFAULT 1,
  `sku` text NOT NULL,
  `name` text NOT NULL,
  `price_cents` integer NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `products_name_length` CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT `products_price_not_negative` CHECK (price_cents >= 0),
  CONSTRAINT `products_sku_length` CHECK (length(sku) BETWEEN 1 AND 64)
);
-- copy rows from old table "products" to new temporary table "new_products"
INSERT INTO `new_products` (`id`, `created_at`, `updated_at`, `version`, `sku`, `name`, `price_cents`) SELECT `id`, `created_at`, `updated_at`, `version`, `sku`, `name`, `price_cents` FROM `products`;
-- drop "products" table after copying rows
DROP TABLE `products`;
-- rename temporary table "new_products" to "products"
ALTER TABLE `new_products` RENAME TO `products`;
-- create index "product_sku" to table: "products"
CREATE UNIQUE INDEX `product_sku` ON `products` (`sku`);
-- create index "product_name_id" to table: "products"
CREATE INDEX `product_name_id` ON `products` (`name`, `id`);
-- create index "product_price_cents_id" to table: "products"
CREATE INDEX `product_price_cents_id` ON `products` (`price_cents`, `id`);
-- create index "product_created_at_id" to table: "products"
CREATE INDEX `product_created_at_id` ON `products` (`created_at`, `id`);
-- create index "product_updated_at_id" to table: "products"
CREATE INDEX `product_updated_at_id` ON `products` (`updated_at`, `id`);
CREATE TABLE forge_search_products_5fd49842a9ed_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE);
CREATE VIRTUAL TABLE forge_search_products_5fd49842a9ed USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'");
INSERT INTO forge_search_products_5fd49842a9ed_keys (key) SELECT "id" FROM "products";
INSERT INTO forge_search_products_5fd49842a9ed (rowid, words) SELECT number, coalesce(substr(t."name", 1, 60000), '') || ' ' || coalesce(substr(t."sku", 1, 60000), '') FROM forge_search_products_5fd49842a9ed_keys JOIN "products" AS t ON t."id" = forge_search_products_5fd49842a9ed_keys.key;
-- +goose StatementBegin
CREATE TRIGGER forge_search_products_5fd49842a9ed_insert AFTER INSERT ON "products" BEGIN
  DELETE FROM forge_search_products_5fd49842a9ed WHERE rowid IN (SELECT number FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (new."id"));
  DELETE FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (new."id");
  INSERT INTO forge_search_products_5fd49842a9ed_keys (key) VALUES (new."id");
  INSERT INTO forge_search_products_5fd49842a9ed (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') || ' ' || coalesce(substr(new."sku", 1, 60000), '') FROM forge_search_products_5fd49842a9ed_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_products_5fd49842a9ed_update AFTER UPDATE OF "id", "name", "sku" ON "products" BEGIN
  DELETE FROM forge_search_products_5fd49842a9ed WHERE rowid IN (SELECT number FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id", new."id"));
  DELETE FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id", new."id");
  INSERT INTO forge_search_products_5fd49842a9ed_keys (key) VALUES (new."id");
  INSERT INTO forge_search_products_5fd49842a9ed (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') || ' ' || coalesce(substr(new."sku", 1, 60000), '') FROM forge_search_products_5fd49842a9ed_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_products_5fd49842a9ed_delete AFTER DELETE ON "products" BEGIN
  DELETE FROM forge_search_products_5fd49842a9ed WHERE rowid IN (SELECT number FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id"));
  DELETE FROM forge_search_products_5fd49842a9ed_keys WHERE key IN (old."id");
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_products_8e9caa854358_insert AFTER INSERT ON "products" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 1, lower(hex(new."id")), NULL WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_products_8e9caa854358_update AFTER UPDATE ON "products" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(new."id")), NULL WHERE NOT (old."id" IS NOT new."id") AND (old."id" IS NOT new."id" OR old."created_at" IS NOT new."created_at" OR old."updated_at" IS NOT new."updated_at" OR old."version" IS NOT new."version" OR old."sku" IS NOT new."sku" OR old."name" IS NOT new."name" OR old."price_cents" IS NOT new."price_cents") AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 3, lower(hex(old."id")), NULL WHERE old."id" IS NOT new."id" AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 1, lower(hex(new."id")), NULL WHERE old."id" IS NOT new."id" AND true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_products_8e9caa854358_delete AFTER DELETE ON "products" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 3, lower(hex(old."id")), NULL WHERE true;
END;
-- +goose StatementEnd
