-- +goose Up
DROP TRIGGER forge_log_heroes_0d3fa06c7abe_delete ON heroes;
DROP TRIGGER forge_log_heroes_0d3fa06c7abe_insert ON heroes;
DROP TRIGGER forge_log_heroes_0d3fa06c7abe_truncate ON heroes;
DROP TRIGGER forge_log_heroes_0d3fa06c7abe_update ON heroes;
DROP TRIGGER forge_log_inventories_d439cfbdac3e_delete ON inventories;
DROP TRIGGER forge_log_inventories_d439cfbdac3e_insert ON inventories;
DROP TRIGGER forge_log_inventories_d439cfbdac3e_truncate ON inventories;
DROP TRIGGER forge_log_inventories_d439cfbdac3e_update ON inventories;
DROP TRIGGER forge_log_order_items_c35f4406c3fa_delete ON order_items;
DROP TRIGGER forge_log_order_items_c35f4406c3fa_insert ON order_items;
DROP TRIGGER forge_log_order_items_c35f4406c3fa_truncate ON order_items;
DROP TRIGGER forge_log_order_items_c35f4406c3fa_update ON order_items;
DROP TRIGGER forge_log_orders_9b78c71493ec_delete ON orders;
DROP TRIGGER forge_log_orders_9b78c71493ec_insert ON orders;
DROP TRIGGER forge_log_orders_9b78c71493ec_truncate ON orders;
DROP TRIGGER forge_log_orders_9b78c71493ec_update ON orders;
DROP TRIGGER forge_log_products_e04156bb201b_delete ON products;
DROP TRIGGER forge_log_products_e04156bb201b_insert ON products;
DROP TRIGGER forge_log_products_e04156bb201b_truncate ON products;
DROP TRIGGER forge_log_products_e04156bb201b_update ON products;
DROP TRIGGER forge_log_teams_79dad4ca4014_delete ON teams;
DROP TRIGGER forge_log_teams_79dad4ca4014_insert ON teams;
DROP TRIGGER forge_log_teams_79dad4ca4014_truncate ON teams;
DROP TRIGGER forge_log_teams_79dad4ca4014_update ON teams;
DROP TRIGGER forge_log_users_cdaf7d0460b2_delete ON users;
DROP TRIGGER forge_log_users_cdaf7d0460b2_insert ON users;
DROP TRIGGER forge_log_users_cdaf7d0460b2_truncate ON users;
DROP TRIGGER forge_log_users_cdaf7d0460b2_update ON users;
DROP FUNCTION forge_log_heroes_0d3fa06c7abe;
DROP FUNCTION forge_log_inventories_d439cfbdac3e;
DROP FUNCTION forge_log_order_items_c35f4406c3fa;
DROP FUNCTION forge_log_orders_9b78c71493ec;
DROP FUNCTION forge_log_products_e04156bb201b;
DROP FUNCTION forge_log_teams_79dad4ca4014;
DROP FUNCTION forge_log_users_cdaf7d0460b2;
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_heroes_a22b89b766eb() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 3, o."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['team_id=' OPERATOR(pg_catalog.||) o."team_id"::pg_catalog.text, 'owner_id=' OPERATOR(pg_catalog.||) o."owner_id"::pg_catalog.text], NULL) FROM (SELECT OLD.*) o WHERE true UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 1, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['team_id=' OPERATOR(pg_catalog.||) n."team_id"::pg_catalog.text, 'owner_id=' OPERATOR(pg_catalog.||) n."owner_id"::pg_catalog.text], NULL) FROM (SELECT NEW.*) n WHERE true;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 1, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['team_id=' OPERATOR(pg_catalog.||) n."team_id"::pg_catalog.text, 'owner_id=' OPERATOR(pg_catalog.||) n."owner_id"::pg_catalog.text], NULL) FROM after_rows n WHERE true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 2, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['team_id=' OPERATOR(pg_catalog.||) o."team_id"::pg_catalog.text, 'owner_id=' OPERATOR(pg_catalog.||) o."owner_id"::pg_catalog.text, CASE WHEN ROW(o."team_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."team_id")::pg_catalog.record THEN 'team_id=' OPERATOR(pg_catalog.||) n."team_id"::pg_catalog.text END, CASE WHEN ROW(o."owner_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."owner_id")::pg_catalog.record THEN 'owner_id=' OPERATOR(pg_catalog.||) n."owner_id"::pg_catalog.text END], NULL)
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."name", o."age", o."team_id", o."owner_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."name", n."age", n."team_id", n."owner_id")::pg_catalog.record AND true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 3, o."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['team_id=' OPERATOR(pg_catalog.||) o."team_id"::pg_catalog.text, 'owner_id=' OPERATOR(pg_catalog.||) o."owner_id"::pg_catalog.text], NULL) FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'hero';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'hero', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_heroes_a22b89b766eb_insert AFTER INSERT ON "heroes" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_a22b89b766eb();
CREATE TRIGGER forge_log_heroes_a22b89b766eb_update AFTER UPDATE ON "heroes" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_a22b89b766eb();
CREATE TRIGGER forge_log_heroes_a22b89b766eb_delete AFTER DELETE ON "heroes" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_a22b89b766eb();
CREATE TRIGGER forge_log_heroes_a22b89b766eb_truncate AFTER TRUNCATE ON "heroes" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_a22b89b766eb();
CREATE TRIGGER forge_log_heroes_a22b89b766eb_key AFTER UPDATE OF "id" ON "heroes" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_heroes_a22b89b766eb();
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_inventories_6da551d73847() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT key FROM (SELECT OLD.*) o CROSS JOIN (SELECT NEW.*) n CROSS JOIN LATERAL (VALUES (o."product_id"), (n."product_id")) of (key)) changed WHERE key IS NOT NULL;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT n."product_id" AS key FROM after_rows n) changed WHERE key IS NOT NULL LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT key FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id" CROSS JOIN LATERAL (VALUES (o."product_id"), (n."product_id")) of (key) WHERE ROW(o."id", o."quantity", o."product_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."quantity", n."product_id")::pg_catalog.record) changed WHERE key IS NOT NULL LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'product', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT o."product_id" AS key FROM before_rows o) changed WHERE key IS NOT NULL LIMIT 10001;
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
CREATE TRIGGER forge_log_inventories_6da551d73847_insert AFTER INSERT ON "inventories" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_6da551d73847();
CREATE TRIGGER forge_log_inventories_6da551d73847_update AFTER UPDATE ON "inventories" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_6da551d73847();
CREATE TRIGGER forge_log_inventories_6da551d73847_delete AFTER DELETE ON "inventories" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_6da551d73847();
CREATE TRIGGER forge_log_inventories_6da551d73847_truncate AFTER TRUNCATE ON "inventories" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_6da551d73847();
CREATE TRIGGER forge_log_inventories_6da551d73847_key AFTER UPDATE OF "id" ON "inventories" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_inventories_6da551d73847();
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_orders_bb6208aaca6f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 3, o."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['user_id=' OPERATOR(pg_catalog.||) o."user_id"::pg_catalog.text], NULL) FROM (SELECT OLD.*) o WHERE true UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 1, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['user_id=' OPERATOR(pg_catalog.||) n."user_id"::pg_catalog.text], NULL) FROM (SELECT NEW.*) n WHERE true;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 1, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['user_id=' OPERATOR(pg_catalog.||) n."user_id"::pg_catalog.text], NULL) FROM after_rows n WHERE true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 2, n."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['user_id=' OPERATOR(pg_catalog.||) o."user_id"::pg_catalog.text, CASE WHEN ROW(o."user_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."user_id")::pg_catalog.record THEN 'user_id=' OPERATOR(pg_catalog.||) n."user_id"::pg_catalog.text END], NULL)
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."status", o."total_cents", o."user_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."status", n."total_cents", n."user_id")::pg_catalog.record AND true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 3, o."id"::pg_catalog.text, pg_catalog.array_remove(ARRAY['user_id=' OPERATOR(pg_catalog.||) o."user_id"::pg_catalog.text], NULL) FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'order';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_orders_bb6208aaca6f_insert AFTER INSERT ON "orders" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_bb6208aaca6f();
CREATE TRIGGER forge_log_orders_bb6208aaca6f_update AFTER UPDATE ON "orders" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_bb6208aaca6f();
CREATE TRIGGER forge_log_orders_bb6208aaca6f_delete AFTER DELETE ON "orders" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_bb6208aaca6f();
CREATE TRIGGER forge_log_orders_bb6208aaca6f_truncate AFTER TRUNCATE ON "orders" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_bb6208aaca6f();
CREATE TRIGGER forge_log_orders_bb6208aaca6f_key AFTER UPDATE OF "id" ON "orders" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_orders_bb6208aaca6f();
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_order_items_277d93c1b42d() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT key FROM (SELECT OLD.*) o CROSS JOIN (SELECT NEW.*) n CROSS JOIN LATERAL (VALUES (o."order_id"), (n."order_id")) of (key)) changed WHERE key IS NOT NULL;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT n."order_id" AS key FROM after_rows n) changed WHERE key IS NOT NULL LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT key FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id" CROSS JOIN LATERAL (VALUES (o."order_id"), (n."order_id")) of (key) WHERE ROW(o."id", o."quantity", o."unit_price_cents", o."order_id", o."product_id")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."quantity", n."unit_price_cents", n."order_id", n."product_id")::pg_catalog.record) changed WHERE key IS NOT NULL LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 2, key::pg_catalog.text, NULL FROM (SELECT DISTINCT o."order_id" AS key FROM before_rows o) changed WHERE key IS NOT NULL LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'order';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'order', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_order_items_277d93c1b42d_insert AFTER INSERT ON "order_items" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_277d93c1b42d();
CREATE TRIGGER forge_log_order_items_277d93c1b42d_update AFTER UPDATE ON "order_items" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_277d93c1b42d();
CREATE TRIGGER forge_log_order_items_277d93c1b42d_delete AFTER DELETE ON "order_items" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_277d93c1b42d();
CREATE TRIGGER forge_log_order_items_277d93c1b42d_truncate AFTER TRUNCATE ON "order_items" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_277d93c1b42d();
CREATE TRIGGER forge_log_order_items_277d93c1b42d_key AFTER UPDATE OF "id" ON "order_items" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_order_items_277d93c1b42d();
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
-- +goose StatementBegin
DO $do$ BEGIN EXECUTE pg_catalog.format($sql$CREATE FUNCTION forge_log_teams_0be21495433b() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  logged bigint;
BEGIN
  IF TG_LEVEL OPERATOR(pg_catalog.=) 'ROW' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT OLD.*) o WHERE true UNION ALL SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM (SELECT NEW.*) n WHERE true;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 1, n."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM after_rows n WHERE true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 2, n."id"::pg_catalog.text, NULL::pg_catalog.text[]
      FROM before_rows o JOIN after_rows n ON o."id" OPERATOR(pg_catalog.=) n."id"
      WHERE ROW(o."id", o."created_at", o."updated_at", o."version", o."name", o."headquarters")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(n."id", n."created_at", n."updated_at", n."version", n."name", n."headquarters")::pg_catalog.record AND true LIMIT 10001;
  ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 3, o."id"::pg_catalog.text, NULL::pg_catalog.text[] FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 9, NULL, NULL;
  END IF;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged OPERATOR(pg_catalog.>) 10000 THEN
    DELETE FROM %1$I.forge_changes_a1c6a66b2f77 WHERE xid OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8 AND type OPERATOR(pg_catalog.=) 'team';
    INSERT INTO %1$I.forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text::pg_catalog.int8, 'team', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$$sql$, pg_catalog.current_schema()); END $do$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_teams_0be21495433b_insert AFTER INSERT ON "teams" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_0be21495433b();
CREATE TRIGGER forge_log_teams_0be21495433b_update AFTER UPDATE ON "teams" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_0be21495433b();
CREATE TRIGGER forge_log_teams_0be21495433b_delete AFTER DELETE ON "teams" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_0be21495433b();
CREATE TRIGGER forge_log_teams_0be21495433b_truncate AFTER TRUNCATE ON "teams" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_0be21495433b();
CREATE TRIGGER forge_log_teams_0be21495433b_key AFTER UPDATE OF "id" ON "teams" FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id") EXECUTE FUNCTION forge_log_teams_0be21495433b();
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

-- +goose Down
DROP TRIGGER forge_log_heroes_a22b89b766eb_delete ON heroes;
DROP TRIGGER forge_log_heroes_a22b89b766eb_insert ON heroes;
DROP TRIGGER forge_log_heroes_a22b89b766eb_key ON heroes;
DROP TRIGGER forge_log_heroes_a22b89b766eb_truncate ON heroes;
DROP TRIGGER forge_log_heroes_a22b89b766eb_update ON heroes;
DROP TRIGGER forge_log_inventories_6da551d73847_delete ON inventories;
DROP TRIGGER forge_log_inventories_6da551d73847_insert ON inventories;
DROP TRIGGER forge_log_inventories_6da551d73847_key ON inventories;
DROP TRIGGER forge_log_inventories_6da551d73847_truncate ON inventories;
DROP TRIGGER forge_log_inventories_6da551d73847_update ON inventories;
DROP TRIGGER forge_log_order_items_277d93c1b42d_delete ON order_items;
DROP TRIGGER forge_log_order_items_277d93c1b42d_insert ON order_items;
DROP TRIGGER forge_log_order_items_277d93c1b42d_key ON order_items;
DROP TRIGGER forge_log_order_items_277d93c1b42d_truncate ON order_items;
DROP TRIGGER forge_log_order_items_277d93c1b42d_update ON order_items;
DROP TRIGGER forge_log_orders_bb6208aaca6f_delete ON orders;
DROP TRIGGER forge_log_orders_bb6208aaca6f_insert ON orders;
DROP TRIGGER forge_log_orders_bb6208aaca6f_key ON orders;
DROP TRIGGER forge_log_orders_bb6208aaca6f_truncate ON orders;
DROP TRIGGER forge_log_orders_bb6208aaca6f_update ON orders;
DROP TRIGGER forge_log_products_b30c101c0e75_delete ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_insert ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_key ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_truncate ON products;
DROP TRIGGER forge_log_products_b30c101c0e75_update ON products;
DROP TRIGGER forge_log_teams_0be21495433b_delete ON teams;
DROP TRIGGER forge_log_teams_0be21495433b_insert ON teams;
DROP TRIGGER forge_log_teams_0be21495433b_key ON teams;
DROP TRIGGER forge_log_teams_0be21495433b_truncate ON teams;
DROP TRIGGER forge_log_teams_0be21495433b_update ON teams;
DROP TRIGGER forge_log_users_9b3501cea7ae_delete ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_insert ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_key ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_truncate ON users;
DROP TRIGGER forge_log_users_9b3501cea7ae_update ON users;
DROP FUNCTION forge_log_heroes_a22b89b766eb;
DROP FUNCTION forge_log_inventories_6da551d73847;
DROP FUNCTION forge_log_order_items_277d93c1b42d;
DROP FUNCTION forge_log_orders_bb6208aaca6f;
DROP FUNCTION forge_log_products_b30c101c0e75;
DROP FUNCTION forge_log_teams_0be21495433b;
DROP FUNCTION forge_log_users_9b3501cea7ae;
-- +goose StatementBegin
CREATE FUNCTION forge_log_users_cdaf7d0460b2() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'user', 1, n."id"::text, NULL::text[] FROM after_rows n WHERE n."deleted_at" IS NULL LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'user', CASE WHEN o."id" IS NULL THEN 1 WHEN n."id" IS NULL THEN 3 WHEN o."deleted_at" IS NULL AND n."deleted_at" IS NOT NULL THEN 3 WHEN o."deleted_at" IS NOT NULL AND n."deleted_at" IS NULL THEN 1 ELSE 2 END, coalesce(n."id", o."id")::text, NULL::text[]
      FROM before_rows o FULL JOIN after_rows n ON o."id" = n."id"
      WHERE (o."id" IS DISTINCT FROM n."id" OR o."created_at" IS DISTINCT FROM n."created_at" OR o."updated_at" IS DISTINCT FROM n."updated_at" OR o."version" IS DISTINCT FROM n."version" OR o."deleted_at" IS DISTINCT FROM n."deleted_at" OR o."email" IS DISTINCT FROM n."email" OR o."username" IS DISTINCT FROM n."username" OR o."role" IS DISTINCT FROM n."role" OR o."is_active" IS DISTINCT FROM n."is_active") AND (o."id" IS NOT NULL AND o."deleted_at" IS NULL OR n."id" IS NOT NULL AND n."deleted_at" IS NULL) LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'user', 3, o."id"::text, NULL::text[] FROM before_rows o WHERE o."deleted_at" IS NULL LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'user', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'user';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'user', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_users_cdaf7d0460b2_insert AFTER INSERT ON "users" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_cdaf7d0460b2();
CREATE TRIGGER forge_log_users_cdaf7d0460b2_update AFTER UPDATE ON "users" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_cdaf7d0460b2();
CREATE TRIGGER forge_log_users_cdaf7d0460b2_delete AFTER DELETE ON "users" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_cdaf7d0460b2();
CREATE TRIGGER forge_log_users_cdaf7d0460b2_truncate AFTER TRUNCATE ON "users" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_users_cdaf7d0460b2();
-- +goose StatementBegin
CREATE FUNCTION forge_log_teams_79dad4ca4014() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'team', 1, n."id"::text, NULL::text[] FROM after_rows n WHERE true LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'team', CASE WHEN o."id" IS NULL THEN 1 WHEN n."id" IS NULL THEN 3 ELSE 2 END, coalesce(n."id", o."id")::text, NULL::text[]
      FROM before_rows o FULL JOIN after_rows n ON o."id" = n."id"
      WHERE (o."id" IS DISTINCT FROM n."id" OR o."created_at" IS DISTINCT FROM n."created_at" OR o."updated_at" IS DISTINCT FROM n."updated_at" OR o."version" IS DISTINCT FROM n."version" OR o."name" IS DISTINCT FROM n."name" OR o."headquarters" IS DISTINCT FROM n."headquarters") AND true LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'team', 3, o."id"::text, NULL::text[] FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'team', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'team';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'team', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_teams_79dad4ca4014_insert AFTER INSERT ON "teams" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_79dad4ca4014();
CREATE TRIGGER forge_log_teams_79dad4ca4014_update AFTER UPDATE ON "teams" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_79dad4ca4014();
CREATE TRIGGER forge_log_teams_79dad4ca4014_delete AFTER DELETE ON "teams" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_79dad4ca4014();
CREATE TRIGGER forge_log_teams_79dad4ca4014_truncate AFTER TRUNCATE ON "teams" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_teams_79dad4ca4014();
-- +goose StatementBegin
CREATE FUNCTION forge_log_products_e04156bb201b() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 1, n."id"::text, NULL::text[] FROM after_rows n WHERE true LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', CASE WHEN o."id" IS NULL THEN 1 WHEN n."id" IS NULL THEN 3 ELSE 2 END, coalesce(n."id", o."id")::text, NULL::text[]
      FROM before_rows o FULL JOIN after_rows n ON o."id" = n."id"
      WHERE (o."id" IS DISTINCT FROM n."id" OR o."created_at" IS DISTINCT FROM n."created_at" OR o."updated_at" IS DISTINCT FROM n."updated_at" OR o."version" IS DISTINCT FROM n."version" OR o."sku" IS DISTINCT FROM n."sku" OR o."name" IS DISTINCT FROM n."name" OR o."price_cents" IS DISTINCT FROM n."price_cents") AND true LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 3, o."id"::text, NULL::text[] FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'product';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_products_e04156bb201b_insert AFTER INSERT ON "products" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_e04156bb201b();
CREATE TRIGGER forge_log_products_e04156bb201b_update AFTER UPDATE ON "products" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_e04156bb201b();
CREATE TRIGGER forge_log_products_e04156bb201b_delete AFTER DELETE ON "products" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_e04156bb201b();
CREATE TRIGGER forge_log_products_e04156bb201b_truncate AFTER TRUNCATE ON "products" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_products_e04156bb201b();
-- +goose StatementBegin
CREATE FUNCTION forge_log_orders_9b78c71493ec() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 1, n."id"::text, array_remove(ARRAY['user_id=' || n."user_id"::text], NULL) FROM after_rows n WHERE true LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', CASE WHEN o."id" IS NULL THEN 1 WHEN n."id" IS NULL THEN 3 ELSE 2 END, coalesce(n."id", o."id")::text, array_remove(ARRAY['user_id=' || o."user_id"::text, CASE WHEN n."user_id" IS DISTINCT FROM o."user_id" THEN 'user_id=' || n."user_id"::text END], NULL)
      FROM before_rows o FULL JOIN after_rows n ON o."id" = n."id"
      WHERE (o."id" IS DISTINCT FROM n."id" OR o."created_at" IS DISTINCT FROM n."created_at" OR o."updated_at" IS DISTINCT FROM n."updated_at" OR o."version" IS DISTINCT FROM n."version" OR o."status" IS DISTINCT FROM n."status" OR o."total_cents" IS DISTINCT FROM n."total_cents" OR o."user_id" IS DISTINCT FROM n."user_id") AND true LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 3, o."id"::text, array_remove(ARRAY['user_id=' || o."user_id"::text], NULL) FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'order';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_orders_9b78c71493ec_insert AFTER INSERT ON "orders" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_9b78c71493ec();
CREATE TRIGGER forge_log_orders_9b78c71493ec_update AFTER UPDATE ON "orders" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_9b78c71493ec();
CREATE TRIGGER forge_log_orders_9b78c71493ec_delete AFTER DELETE ON "orders" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_9b78c71493ec();
CREATE TRIGGER forge_log_orders_9b78c71493ec_truncate AFTER TRUNCATE ON "orders" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_orders_9b78c71493ec();
-- +goose StatementBegin
CREATE FUNCTION forge_log_order_items_c35f4406c3fa() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 2, n."order_id"::text, NULL::text[] FROM after_rows n WHERE n."order_id" IS NOT NULL LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 2, key::text, NULL FROM (
      (SELECT "order_id" AS key, "id", "quantity", "unit_price_cents", "order_id", "product_id" FROM before_rows EXCEPT ALL SELECT "order_id" AS key, "id", "quantity", "unit_price_cents", "order_id", "product_id" FROM after_rows) UNION ALL (SELECT "order_id" AS key, "id", "quantity", "unit_price_cents", "order_id", "product_id" FROM after_rows EXCEPT ALL SELECT "order_id" AS key, "id", "quantity", "unit_price_cents", "order_id", "product_id" FROM before_rows)
    ) changed WHERE key IS NOT NULL GROUP BY key LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 2, o."order_id"::text, NULL::text[] FROM before_rows o WHERE o."order_id" IS NOT NULL LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'order';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'order', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_order_items_c35f4406c3fa_insert AFTER INSERT ON "order_items" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_c35f4406c3fa();
CREATE TRIGGER forge_log_order_items_c35f4406c3fa_update AFTER UPDATE ON "order_items" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_c35f4406c3fa();
CREATE TRIGGER forge_log_order_items_c35f4406c3fa_delete AFTER DELETE ON "order_items" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_c35f4406c3fa();
CREATE TRIGGER forge_log_order_items_c35f4406c3fa_truncate AFTER TRUNCATE ON "order_items" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_order_items_c35f4406c3fa();
-- +goose StatementBegin
CREATE FUNCTION forge_log_inventories_d439cfbdac3e() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 2, n."product_id"::text, NULL::text[] FROM after_rows n WHERE n."product_id" IS NOT NULL LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 2, key::text, NULL FROM (
      (SELECT "product_id" AS key, "id", "quantity", "product_id" FROM before_rows EXCEPT ALL SELECT "product_id" AS key, "id", "quantity", "product_id" FROM after_rows) UNION ALL (SELECT "product_id" AS key, "id", "quantity", "product_id" FROM after_rows EXCEPT ALL SELECT "product_id" AS key, "id", "quantity", "product_id" FROM before_rows)
    ) changed WHERE key IS NOT NULL GROUP BY key LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 2, o."product_id"::text, NULL::text[] FROM before_rows o WHERE o."product_id" IS NOT NULL LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'product';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'product', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_inventories_d439cfbdac3e_insert AFTER INSERT ON "inventories" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_d439cfbdac3e();
CREATE TRIGGER forge_log_inventories_d439cfbdac3e_update AFTER UPDATE ON "inventories" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_d439cfbdac3e();
CREATE TRIGGER forge_log_inventories_d439cfbdac3e_delete AFTER DELETE ON "inventories" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_d439cfbdac3e();
CREATE TRIGGER forge_log_inventories_d439cfbdac3e_truncate AFTER TRUNCATE ON "inventories" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_inventories_d439cfbdac3e();
-- +goose StatementBegin
CREATE FUNCTION forge_log_heroes_0d3fa06c7abe() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  logged bigint;
BEGIN
  CASE TG_OP
  WHEN 'INSERT' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'hero', 1, n."id"::text, array_remove(ARRAY['team_id=' || n."team_id"::text, 'owner_id=' || n."owner_id"::text], NULL) FROM after_rows n WHERE true LIMIT 10001;
  WHEN 'UPDATE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'hero', CASE WHEN o."id" IS NULL THEN 1 WHEN n."id" IS NULL THEN 3 ELSE 2 END, coalesce(n."id", o."id")::text, array_remove(ARRAY['team_id=' || o."team_id"::text, 'owner_id=' || o."owner_id"::text, CASE WHEN n."team_id" IS DISTINCT FROM o."team_id" THEN 'team_id=' || n."team_id"::text END, CASE WHEN n."owner_id" IS DISTINCT FROM o."owner_id" THEN 'owner_id=' || n."owner_id"::text END], NULL)
      FROM before_rows o FULL JOIN after_rows n ON o."id" = n."id"
      WHERE (o."id" IS DISTINCT FROM n."id" OR o."created_at" IS DISTINCT FROM n."created_at" OR o."updated_at" IS DISTINCT FROM n."updated_at" OR o."version" IS DISTINCT FROM n."version" OR o."name" IS DISTINCT FROM n."name" OR o."age" IS DISTINCT FROM n."age" OR o."team_id" IS DISTINCT FROM n."team_id" OR o."owner_id" IS DISTINCT FROM n."owner_id") AND true LIMIT 10001;
  WHEN 'DELETE' THEN
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'hero', 3, o."id"::text, array_remove(ARRAY['team_id=' || o."team_id"::text, 'owner_id=' || o."owner_id"::text], NULL) FROM before_rows o WHERE true LIMIT 10001;
  ELSE
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'hero', 9, NULL, NULL;
  END CASE;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF logged > 10000 THEN
    DELETE FROM forge_changes_a1c6a66b2f77 WHERE xid = pg_current_xact_id()::text::bigint AND type = 'hero';
    INSERT INTO forge_changes_a1c6a66b2f77 (xid, type, op, key, refs) SELECT pg_current_xact_id()::text::bigint, 'hero', 9, NULL, NULL;
  END IF;
  RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER forge_log_heroes_0d3fa06c7abe_insert AFTER INSERT ON "heroes" REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_0d3fa06c7abe();
CREATE TRIGGER forge_log_heroes_0d3fa06c7abe_update AFTER UPDATE ON "heroes" REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_0d3fa06c7abe();
CREATE TRIGGER forge_log_heroes_0d3fa06c7abe_delete AFTER DELETE ON "heroes" REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_0d3fa06c7abe();
CREATE TRIGGER forge_log_heroes_0d3fa06c7abe_truncate AFTER TRUNCATE ON "heroes" FOR EACH STATEMENT EXECUTE FUNCTION forge_log_heroes_0d3fa06c7abe();
