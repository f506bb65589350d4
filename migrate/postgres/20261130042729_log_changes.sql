-- +goose Up
CREATE TABLE forge_changes_a1c6a66b2f77 (
  xid bigint NOT NULL,
  seq bigint GENERATED ALWAYS AS IDENTITY,
  type text COLLATE "C" NOT NULL,
  op smallint NOT NULL,
  key text COLLATE "C",
  refs text[] COLLATE "C",
  PRIMARY KEY (xid, seq)
);
CREATE TABLE forge_changes_a1c6a66b2f77_ticks (
  id bigint PRIMARY KEY,
  origin bigint NOT NULL,
  ended bigint NOT NULL,
  running bigint[] NOT NULL,
  at timestamptz NOT NULL,
  mark integer NOT NULL
);
INSERT INTO forge_changes_a1c6a66b2f77_ticks SELECT 1, 1, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(pg_current_snapshot()) x), clock_timestamp(), (random() * 2147483647)::integer;
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

-- +goose Down
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
DROP TABLE forge_changes_a1c6a66b2f77;
DROP TABLE forge_changes_a1c6a66b2f77_ticks;
DROP FUNCTION forge_log_heroes_0d3fa06c7abe;
DROP FUNCTION forge_log_inventories_d439cfbdac3e;
DROP FUNCTION forge_log_order_items_c35f4406c3fa;
DROP FUNCTION forge_log_orders_9b78c71493ec;
DROP FUNCTION forge_log_products_e04156bb201b;
DROP FUNCTION forge_log_teams_79dad4ca4014;
DROP FUNCTION forge_log_users_cdaf7d0460b2;
