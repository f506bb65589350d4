-- +goose Up
CREATE TABLE forge_search_heroes_0f8d8f018798_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE);
CREATE VIRTUAL TABLE forge_search_heroes_0f8d8f018798 USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'");
INSERT INTO forge_search_heroes_0f8d8f018798_keys (key) SELECT "id" FROM "heroes";
INSERT INTO forge_search_heroes_0f8d8f018798 (rowid, words) SELECT number, coalesce(substr(t."name", 1, 60000), '') FROM forge_search_heroes_0f8d8f018798_keys JOIN "heroes" AS t ON t."id" = forge_search_heroes_0f8d8f018798_keys.key;
-- +goose StatementBegin
CREATE TRIGGER forge_search_heroes_0f8d8f018798_insert AFTER INSERT ON "heroes" BEGIN
  DELETE FROM forge_search_heroes_0f8d8f018798 WHERE rowid IN (SELECT number FROM forge_search_heroes_0f8d8f018798_keys WHERE key IN (new."id"));
  DELETE FROM forge_search_heroes_0f8d8f018798_keys WHERE key IN (new."id");
  INSERT INTO forge_search_heroes_0f8d8f018798_keys (key) VALUES (new."id");
  INSERT INTO forge_search_heroes_0f8d8f018798 (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') FROM forge_search_heroes_0f8d8f018798_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_heroes_0f8d8f018798_update AFTER UPDATE OF "id", "name" ON "heroes" BEGIN
  DELETE FROM forge_search_heroes_0f8d8f018798 WHERE rowid IN (SELECT number FROM forge_search_heroes_0f8d8f018798_keys WHERE key IN (old."id", new."id"));
  DELETE FROM forge_search_heroes_0f8d8f018798_keys WHERE key IN (old."id", new."id");
  INSERT INTO forge_search_heroes_0f8d8f018798_keys (key) VALUES (new."id");
  INSERT INTO forge_search_heroes_0f8d8f018798 (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') FROM forge_search_heroes_0f8d8f018798_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_heroes_0f8d8f018798_delete AFTER DELETE ON "heroes" BEGIN
  DELETE FROM forge_search_heroes_0f8d8f018798 WHERE rowid IN (SELECT number FROM forge_search_heroes_0f8d8f018798_keys WHERE key IN (old."id"));
  DELETE FROM forge_search_heroes_0f8d8f018798_keys WHERE key IN (old."id");
END;
-- +goose StatementEnd
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
CREATE TABLE forge_search_teams_2dc4867f2bcc_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE);
CREATE VIRTUAL TABLE forge_search_teams_2dc4867f2bcc USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'");
INSERT INTO forge_search_teams_2dc4867f2bcc_keys (key) SELECT "id" FROM "teams";
INSERT INTO forge_search_teams_2dc4867f2bcc (rowid, words) SELECT number, coalesce(substr(t."name", 1, 60000), '') || ' ' || coalesce(substr(t."headquarters", 1, 60000), '') FROM forge_search_teams_2dc4867f2bcc_keys JOIN "teams" AS t ON t."id" = forge_search_teams_2dc4867f2bcc_keys.key;
-- +goose StatementBegin
CREATE TRIGGER forge_search_teams_2dc4867f2bcc_insert AFTER INSERT ON "teams" BEGIN
  DELETE FROM forge_search_teams_2dc4867f2bcc WHERE rowid IN (SELECT number FROM forge_search_teams_2dc4867f2bcc_keys WHERE key IN (new."id"));
  DELETE FROM forge_search_teams_2dc4867f2bcc_keys WHERE key IN (new."id");
  INSERT INTO forge_search_teams_2dc4867f2bcc_keys (key) VALUES (new."id");
  INSERT INTO forge_search_teams_2dc4867f2bcc (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') || ' ' || coalesce(substr(new."headquarters", 1, 60000), '') FROM forge_search_teams_2dc4867f2bcc_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_teams_2dc4867f2bcc_update AFTER UPDATE OF "id", "name", "headquarters" ON "teams" BEGIN
  DELETE FROM forge_search_teams_2dc4867f2bcc WHERE rowid IN (SELECT number FROM forge_search_teams_2dc4867f2bcc_keys WHERE key IN (old."id", new."id"));
  DELETE FROM forge_search_teams_2dc4867f2bcc_keys WHERE key IN (old."id", new."id");
  INSERT INTO forge_search_teams_2dc4867f2bcc_keys (key) VALUES (new."id");
  INSERT INTO forge_search_teams_2dc4867f2bcc (rowid, words) SELECT number, coalesce(substr(new."name", 1, 60000), '') || ' ' || coalesce(substr(new."headquarters", 1, 60000), '') FROM forge_search_teams_2dc4867f2bcc_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_teams_2dc4867f2bcc_delete AFTER DELETE ON "teams" BEGIN
  DELETE FROM forge_search_teams_2dc4867f2bcc WHERE rowid IN (SELECT number FROM forge_search_teams_2dc4867f2bcc_keys WHERE key IN (old."id"));
  DELETE FROM forge_search_teams_2dc4867f2bcc_keys WHERE key IN (old."id");
END;
-- +goose StatementEnd
CREATE TABLE forge_search_users_57f536d889f5_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE);
CREATE VIRTUAL TABLE forge_search_users_57f536d889f5 USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'");
INSERT INTO forge_search_users_57f536d889f5_keys (key) SELECT "id" FROM "users";
INSERT INTO forge_search_users_57f536d889f5 (rowid, words) SELECT number, coalesce(substr(t."username", 1, 60000), '') FROM forge_search_users_57f536d889f5_keys JOIN "users" AS t ON t."id" = forge_search_users_57f536d889f5_keys.key;
-- +goose StatementBegin
CREATE TRIGGER forge_search_users_57f536d889f5_insert AFTER INSERT ON "users" BEGIN
  DELETE FROM forge_search_users_57f536d889f5 WHERE rowid IN (SELECT number FROM forge_search_users_57f536d889f5_keys WHERE key IN (new."id"));
  DELETE FROM forge_search_users_57f536d889f5_keys WHERE key IN (new."id");
  INSERT INTO forge_search_users_57f536d889f5_keys (key) VALUES (new."id");
  INSERT INTO forge_search_users_57f536d889f5 (rowid, words) SELECT number, coalesce(substr(new."username", 1, 60000), '') FROM forge_search_users_57f536d889f5_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_users_57f536d889f5_update AFTER UPDATE OF "id", "username" ON "users" BEGIN
  DELETE FROM forge_search_users_57f536d889f5 WHERE rowid IN (SELECT number FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id", new."id"));
  DELETE FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id", new."id");
  INSERT INTO forge_search_users_57f536d889f5_keys (key) VALUES (new."id");
  INSERT INTO forge_search_users_57f536d889f5 (rowid, words) SELECT number, coalesce(substr(new."username", 1, 60000), '') FROM forge_search_users_57f536d889f5_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_users_57f536d889f5_delete AFTER DELETE ON "users" BEGIN
  DELETE FROM forge_search_users_57f536d889f5 WHERE rowid IN (SELECT number FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id"));
  DELETE FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id");
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER forge_search_heroes_0f8d8f018798_delete;
DROP TRIGGER forge_search_heroes_0f8d8f018798_insert;
DROP TRIGGER forge_search_heroes_0f8d8f018798_update;
DROP TRIGGER forge_search_products_5fd49842a9ed_delete;
DROP TRIGGER forge_search_products_5fd49842a9ed_insert;
DROP TRIGGER forge_search_products_5fd49842a9ed_update;
DROP TRIGGER forge_search_teams_2dc4867f2bcc_delete;
DROP TRIGGER forge_search_teams_2dc4867f2bcc_insert;
DROP TRIGGER forge_search_teams_2dc4867f2bcc_update;
DROP TRIGGER forge_search_users_57f536d889f5_delete;
DROP TRIGGER forge_search_users_57f536d889f5_insert;
DROP TRIGGER forge_search_users_57f536d889f5_update;
DROP TABLE forge_search_heroes_0f8d8f018798;
DROP TABLE forge_search_heroes_0f8d8f018798_keys;
DROP TABLE forge_search_products_5fd49842a9ed;
DROP TABLE forge_search_products_5fd49842a9ed_keys;
DROP TABLE forge_search_teams_2dc4867f2bcc;
DROP TABLE forge_search_teams_2dc4867f2bcc_keys;
DROP TABLE forge_search_users_57f536d889f5;
DROP TABLE forge_search_users_57f536d889f5_keys;
