-- +goose Up
-- create "teams" table
CREATE TABLE "teams" (
  "id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" character varying NOT NULL COLLATE "C",
  "headquarters" character varying NULL COLLATE "C",
  PRIMARY KEY ("id"),
  CONSTRAINT "teams_headquarters_length" CHECK (length(headquarters) BETWEEN 1 AND 200),
  CONSTRAINT "teams_name_length" CHECK (length(name) BETWEEN 1 AND 100)
);
-- create index "team_created_at_id" to table: "teams"
CREATE INDEX "team_created_at_id" ON "teams" ("created_at", "id");
-- create index "team_name" to table: "teams"
CREATE UNIQUE INDEX "team_name" ON "teams" ("name");
-- create "users" table
CREATE TABLE "users" (
  "id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "deleted_at" timestamptz NULL,
  "username" character varying NOT NULL COLLATE "C",
  "email" character varying NULL COLLATE "C",
  "email_key" character varying NULL COLLATE "C",
  "hashed_password" character varying NULL COLLATE "C",
  "role" character varying NOT NULL DEFAULT 'USER' COLLATE "C",
  "is_active" boolean NOT NULL DEFAULT true,
  PRIMARY KEY ("id"),
  CONSTRAINT "users_email_and_key" CHECK ((email IS NULL) = (email_key IS NULL)),
  CONSTRAINT "users_email_length" CHECK (length(email) BETWEEN 3 AND 254),
  CONSTRAINT "users_role_known" CHECK (role IN ('USER', 'ADMIN')),
  CONSTRAINT "users_username_length" CHECK (length(username) BETWEEN 1 AND 50)
);
-- create index "user_created_at_id" to table: "users"
CREATE INDEX "user_created_at_id" ON "users" ("created_at", "id") WHERE (deleted_at IS NULL);
-- create index "user_email_key" to table: "users"
CREATE UNIQUE INDEX "user_email_key" ON "users" ("email_key") WHERE (deleted_at IS NULL);
-- create index "user_username" to table: "users"
CREATE UNIQUE INDEX "user_username" ON "users" ("username") WHERE (deleted_at IS NULL);
-- create "heroes" table
CREATE TABLE "heroes" (
  "id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "name" character varying NOT NULL COLLATE "C",
  "secret_name" character varying NULL COLLATE "C",
  "age" integer NULL,
  "team_id" uuid NULL,
  "owner_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "heroes_teams_heroes" FOREIGN KEY ("team_id") REFERENCES "teams" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "heroes_users_heroes" FOREIGN KEY ("owner_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "heroes_age_not_negative" CHECK (age >= 0),
  CONSTRAINT "heroes_name_length" CHECK (length(name) BETWEEN 1 AND 100),
  CONSTRAINT "heroes_secret_name_length" CHECK (length(secret_name) BETWEEN 1 AND 100)
);
-- create index "hero_age_desc" to table: "heroes"
CREATE INDEX "hero_age_desc" ON "heroes" ("age" DESC NULLS LAST, "id" DESC);
-- create index "hero_age_id" to table: "heroes"
CREATE INDEX "hero_age_id" ON "heroes" ("age", "id");
-- create index "hero_created_at_id" to table: "heroes"
CREATE INDEX "hero_created_at_id" ON "heroes" ("created_at", "id");
-- create index "hero_name_id" to table: "heroes"
CREATE INDEX "hero_name_id" ON "heroes" ("name", "id");
-- create index "hero_owner_id_id" to table: "heroes"
CREATE INDEX "hero_owner_id_id" ON "heroes" ("owner_id", "id");
-- create index "hero_team_id_id" to table: "heroes"
CREATE INDEX "hero_team_id_id" ON "heroes" ("team_id", "id");
-- create "products" table
CREATE TABLE "products" (
  "id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "sku" character varying NOT NULL COLLATE "C",
  "name" character varying NOT NULL COLLATE "C",
  "price_cents" integer NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "products_name_length" CHECK (length(name) BETWEEN 1 AND 200),
  CONSTRAINT "products_price_not_negative" CHECK (price_cents >= 0),
  CONSTRAINT "products_sku_length" CHECK (length(sku) BETWEEN 1 AND 64)
);
-- create index "product_created_at_id" to table: "products"
CREATE INDEX "product_created_at_id" ON "products" ("created_at", "id");
-- create index "product_name_id" to table: "products"
CREATE INDEX "product_name_id" ON "products" ("name", "id");
-- create index "product_price_cents_id" to table: "products"
CREATE INDEX "product_price_cents_id" ON "products" ("price_cents", "id");
-- create index "product_sku" to table: "products"
CREATE UNIQUE INDEX "product_sku" ON "products" ("sku");
-- create "inventories" table
CREATE TABLE "inventories" (
  "id" uuid NOT NULL,
  "quantity" integer NOT NULL DEFAULT 0,
  "product_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "inventories_products_inventory" FOREIGN KEY ("product_id") REFERENCES "products" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "inventories_quantity_not_negative" CHECK (quantity >= 0)
);
-- create index "inventories_product_id_key" to table: "inventories"
CREATE UNIQUE INDEX "inventories_product_id_key" ON "inventories" ("product_id");
-- create "orders" table
CREATE TABLE "orders" (
  "id" uuid NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "status" character varying NOT NULL DEFAULT 'PENDING' COLLATE "C",
  "total_cents" integer NOT NULL,
  "user_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "orders_users_orders" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "orders_status_known" CHECK (status IN ('PENDING', 'PAID', 'CANCELLED')),
  CONSTRAINT "orders_total_not_negative" CHECK (total_cents >= 0)
);
-- create index "order_created_at_id" to table: "orders"
CREATE INDEX "order_created_at_id" ON "orders" ("created_at", "id");
-- create index "order_status_id" to table: "orders"
CREATE INDEX "order_status_id" ON "orders" ("status", "id");
-- create index "order_total_cents_id" to table: "orders"
CREATE INDEX "order_total_cents_id" ON "orders" ("total_cents", "id");
-- create index "order_user_id_id" to table: "orders"
CREATE INDEX "order_user_id_id" ON "orders" ("user_id", "id");
-- create "order_items" table
CREATE TABLE "order_items" (
  "id" uuid NOT NULL,
  "quantity" integer NOT NULL,
  "unit_price_cents" integer NOT NULL,
  "order_id" uuid NOT NULL,
  "product_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "order_items_orders_items" FOREIGN KEY ("order_id") REFERENCES "orders" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "order_items_products_order_items" FOREIGN KEY ("product_id") REFERENCES "products" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT,
  CONSTRAINT "order_items_quantity_positive" CHECK (quantity >= 1),
  CONSTRAINT "order_items_unit_price_not_negative" CHECK (unit_price_cents >= 0)
);
-- create index "orderitem_order_id_id" to table: "order_items"
CREATE INDEX "orderitem_order_id_id" ON "order_items" ("order_id", "id");
-- create index "orderitem_product_id" to table: "order_items"
CREATE INDEX "orderitem_product_id" ON "order_items" ("product_id");

-- +goose Down
-- drop "order_items" table
DROP TABLE "order_items";
-- drop "orders" table
DROP TABLE "orders";
-- drop "inventories" table
DROP TABLE "inventories";
-- drop "products" table
DROP TABLE "products";
-- drop "heroes" table
DROP TABLE "heroes";
-- drop "teams" table
DROP TABLE "teams";
-- drop "users" table
DROP TABLE "users";
