-- +goose Up
CREATE TABLE forge_changes_89b21a1f7bce (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  mark INTEGER NOT NULL DEFAULT (random() & 2147483647),
  at INTEGER NOT NULL DEFAULT (unixepoch()),
  type TEXT NOT NULL,
  op INTEGER NOT NULL,
  key TEXT,
  refs TEXT
);
-- +goose StatementBegin
CREATE TRIGGER forge_log_heroes_c9357b207fd5_insert AFTER INSERT ON "heroes" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'hero', 1, lower(hex(new."id")), json_array('team_id=' || CASE typeof(new."team_id") WHEN 'blob' THEN lower(hex(new."team_id")) ELSE CAST(new."team_id" AS TEXT) END, 'owner_id=' || CASE typeof(new."owner_id") WHEN 'blob' THEN lower(hex(new."owner_id")) ELSE CAST(new."owner_id" AS TEXT) END) WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_heroes_c9357b207fd5_update AFTER UPDATE ON "heroes" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'hero', 2, lower(hex(new."id")), json_array('team_id=' || CASE typeof(old."team_id") WHEN 'blob' THEN lower(hex(old."team_id")) ELSE CAST(old."team_id" AS TEXT) END, 'owner_id=' || CASE typeof(old."owner_id") WHEN 'blob' THEN lower(hex(old."owner_id")) ELSE CAST(old."owner_id" AS TEXT) END, CASE WHEN new."team_id" IS NOT old."team_id" THEN 'team_id=' || CASE typeof(new."team_id") WHEN 'blob' THEN lower(hex(new."team_id")) ELSE CAST(new."team_id" AS TEXT) END END, CASE WHEN new."owner_id" IS NOT old."owner_id" THEN 'owner_id=' || CASE typeof(new."owner_id") WHEN 'blob' THEN lower(hex(new."owner_id")) ELSE CAST(new."owner_id" AS TEXT) END END) WHERE NOT (old."id" IS NOT new."id") AND (old."id" IS NOT new."id" OR old."created_at" IS NOT new."created_at" OR old."updated_at" IS NOT new."updated_at" OR old."version" IS NOT new."version" OR old."name" IS NOT new."name" OR old."age" IS NOT new."age" OR old."team_id" IS NOT new."team_id" OR old."owner_id" IS NOT new."owner_id") AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'hero', 3, lower(hex(old."id")), json_array('team_id=' || CASE typeof(old."team_id") WHEN 'blob' THEN lower(hex(old."team_id")) ELSE CAST(old."team_id" AS TEXT) END, 'owner_id=' || CASE typeof(old."owner_id") WHEN 'blob' THEN lower(hex(old."owner_id")) ELSE CAST(old."owner_id" AS TEXT) END) WHERE old."id" IS NOT new."id" AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'hero', 1, lower(hex(new."id")), json_array('team_id=' || CASE typeof(new."team_id") WHEN 'blob' THEN lower(hex(new."team_id")) ELSE CAST(new."team_id" AS TEXT) END, 'owner_id=' || CASE typeof(new."owner_id") WHEN 'blob' THEN lower(hex(new."owner_id")) ELSE CAST(new."owner_id" AS TEXT) END) WHERE old."id" IS NOT new."id" AND true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_heroes_c9357b207fd5_delete AFTER DELETE ON "heroes" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'hero', 3, lower(hex(old."id")), json_array('team_id=' || CASE typeof(old."team_id") WHEN 'blob' THEN lower(hex(old."team_id")) ELSE CAST(old."team_id" AS TEXT) END, 'owner_id=' || CASE typeof(old."owner_id") WHEN 'blob' THEN lower(hex(old."owner_id")) ELSE CAST(old."owner_id" AS TEXT) END) WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_inventories_f589b72eedfe_insert AFTER INSERT ON "inventories" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(new."product_id")), NULL WHERE new."product_id" IS NOT NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_inventories_f589b72eedfe_update AFTER UPDATE ON "inventories" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(new."product_id")), NULL WHERE NOT (old."product_id" IS NOT new."product_id") AND (old."id" IS NOT new."id" OR old."quantity" IS NOT new."quantity" OR old."product_id" IS NOT new."product_id") AND new."product_id" IS NOT NULL;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(old."product_id")), NULL WHERE old."product_id" IS NOT new."product_id" AND old."product_id" IS NOT NULL;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(new."product_id")), NULL WHERE old."product_id" IS NOT new."product_id" AND new."product_id" IS NOT NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_inventories_f589b72eedfe_delete AFTER DELETE ON "inventories" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'product', 2, lower(hex(old."product_id")), NULL WHERE old."product_id" IS NOT NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_orders_0f4d8fb1a62d_insert AFTER INSERT ON "orders" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 1, lower(hex(new."id")), json_array('user_id=' || CASE typeof(new."user_id") WHEN 'blob' THEN lower(hex(new."user_id")) ELSE CAST(new."user_id" AS TEXT) END) WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_orders_0f4d8fb1a62d_update AFTER UPDATE ON "orders" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 2, lower(hex(new."id")), json_array('user_id=' || CASE typeof(old."user_id") WHEN 'blob' THEN lower(hex(old."user_id")) ELSE CAST(old."user_id" AS TEXT) END, CASE WHEN new."user_id" IS NOT old."user_id" THEN 'user_id=' || CASE typeof(new."user_id") WHEN 'blob' THEN lower(hex(new."user_id")) ELSE CAST(new."user_id" AS TEXT) END END) WHERE NOT (old."id" IS NOT new."id") AND (old."id" IS NOT new."id" OR old."created_at" IS NOT new."created_at" OR old."updated_at" IS NOT new."updated_at" OR old."version" IS NOT new."version" OR old."status" IS NOT new."status" OR old."total_cents" IS NOT new."total_cents" OR old."user_id" IS NOT new."user_id") AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 3, lower(hex(old."id")), json_array('user_id=' || CASE typeof(old."user_id") WHEN 'blob' THEN lower(hex(old."user_id")) ELSE CAST(old."user_id" AS TEXT) END) WHERE old."id" IS NOT new."id" AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 1, lower(hex(new."id")), json_array('user_id=' || CASE typeof(new."user_id") WHEN 'blob' THEN lower(hex(new."user_id")) ELSE CAST(new."user_id" AS TEXT) END) WHERE old."id" IS NOT new."id" AND true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_orders_0f4d8fb1a62d_delete AFTER DELETE ON "orders" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 3, lower(hex(old."id")), json_array('user_id=' || CASE typeof(old."user_id") WHEN 'blob' THEN lower(hex(old."user_id")) ELSE CAST(old."user_id" AS TEXT) END) WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_order_items_10946e56c9ac_insert AFTER INSERT ON "order_items" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 2, lower(hex(new."order_id")), NULL WHERE new."order_id" IS NOT NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_order_items_10946e56c9ac_update AFTER UPDATE ON "order_items" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 2, lower(hex(new."order_id")), NULL WHERE NOT (old."order_id" IS NOT new."order_id") AND (old."id" IS NOT new."id" OR old."quantity" IS NOT new."quantity" OR old."unit_price_cents" IS NOT new."unit_price_cents" OR old."order_id" IS NOT new."order_id" OR old."product_id" IS NOT new."product_id") AND new."order_id" IS NOT NULL;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 2, lower(hex(old."order_id")), NULL WHERE old."order_id" IS NOT new."order_id" AND old."order_id" IS NOT NULL;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 2, lower(hex(new."order_id")), NULL WHERE old."order_id" IS NOT new."order_id" AND new."order_id" IS NOT NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_order_items_10946e56c9ac_delete AFTER DELETE ON "order_items" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'order', 2, lower(hex(old."order_id")), NULL WHERE old."order_id" IS NOT NULL;
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
-- +goose StatementBegin
CREATE TRIGGER forge_log_teams_37716b9a6dc3_insert AFTER INSERT ON "teams" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'team', 1, lower(hex(new."id")), NULL WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_teams_37716b9a6dc3_update AFTER UPDATE ON "teams" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'team', 2, lower(hex(new."id")), NULL WHERE NOT (old."id" IS NOT new."id") AND (old."id" IS NOT new."id" OR old."created_at" IS NOT new."created_at" OR old."updated_at" IS NOT new."updated_at" OR old."version" IS NOT new."version" OR old."name" IS NOT new."name" OR old."headquarters" IS NOT new."headquarters") AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'team', 3, lower(hex(old."id")), NULL WHERE old."id" IS NOT new."id" AND true;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'team', 1, lower(hex(new."id")), NULL WHERE old."id" IS NOT new."id" AND true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_teams_37716b9a6dc3_delete AFTER DELETE ON "teams" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'team', 3, lower(hex(old."id")), NULL WHERE true;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_users_e0061d9c5c94_insert AFTER INSERT ON "users" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'user', 1, lower(hex(new."id")), NULL WHERE new."deleted_at" IS NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_users_e0061d9c5c94_update AFTER UPDATE ON "users" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'user', CASE WHEN new."deleted_at" IS NOT NULL THEN 3 WHEN old."deleted_at" IS NOT NULL THEN 1 ELSE 2 END, lower(hex(new."id")), NULL WHERE NOT (old."id" IS NOT new."id") AND (old."id" IS NOT new."id" OR old."created_at" IS NOT new."created_at" OR old."updated_at" IS NOT new."updated_at" OR old."version" IS NOT new."version" OR old."deleted_at" IS NOT new."deleted_at" OR old."email" IS NOT new."email" OR old."username" IS NOT new."username" OR old."role" IS NOT new."role" OR old."is_active" IS NOT new."is_active") AND (old."deleted_at" IS NULL OR new."deleted_at" IS NULL);
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'user', 3, lower(hex(old."id")), NULL WHERE old."id" IS NOT new."id" AND old."deleted_at" IS NULL;
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'user', 1, lower(hex(new."id")), NULL WHERE old."id" IS NOT new."id" AND new."deleted_at" IS NULL;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_log_users_e0061d9c5c94_delete AFTER DELETE ON "users" BEGIN
  INSERT INTO forge_changes_89b21a1f7bce (type, op, key, refs) SELECT 'user', 3, lower(hex(old."id")), NULL WHERE old."deleted_at" IS NULL;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER forge_log_heroes_c9357b207fd5_delete;
DROP TRIGGER forge_log_heroes_c9357b207fd5_insert;
DROP TRIGGER forge_log_heroes_c9357b207fd5_update;
DROP TRIGGER forge_log_inventories_f589b72eedfe_delete;
DROP TRIGGER forge_log_inventories_f589b72eedfe_insert;
DROP TRIGGER forge_log_inventories_f589b72eedfe_update;
DROP TRIGGER forge_log_order_items_10946e56c9ac_delete;
DROP TRIGGER forge_log_order_items_10946e56c9ac_insert;
DROP TRIGGER forge_log_order_items_10946e56c9ac_update;
DROP TRIGGER forge_log_orders_0f4d8fb1a62d_delete;
DROP TRIGGER forge_log_orders_0f4d8fb1a62d_insert;
DROP TRIGGER forge_log_orders_0f4d8fb1a62d_update;
DROP TRIGGER forge_log_products_8e9caa854358_delete;
DROP TRIGGER forge_log_products_8e9caa854358_insert;
DROP TRIGGER forge_log_products_8e9caa854358_update;
DROP TRIGGER forge_log_teams_37716b9a6dc3_delete;
DROP TRIGGER forge_log_teams_37716b9a6dc3_insert;
DROP TRIGGER forge_log_teams_37716b9a6dc3_update;
DROP TRIGGER forge_log_users_e0061d9c5c94_delete;
DROP TRIGGER forge_log_users_e0061d9c5c94_insert;
DROP TRIGGER forge_log_users_e0061d9c5c94_update;
DROP TABLE forge_changes_89b21a1f7bce;
