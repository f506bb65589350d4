-- +goose Up
-- lint:allow create-index heroes.hero_updated_at_id writes wait for a second or two while a million rows are indexed
CREATE INDEX "hero_updated_at_id" ON "heroes" ("updated_at", "id");
-- lint:allow create-index inventories.inventory_quantity_product_id writes wait for a second or two while a million rows are indexed
CREATE INDEX "inventory_quantity_product_id" ON "inventories" ("quantity", "product_id");
-- lint:allow create-index orders.order_updated_at_id writes wait for a second or two while a million rows are indexed
CREATE INDEX "order_updated_at_id" ON "orders" ("updated_at", "id");
-- lint:allow create-index products.product_updated_at_id writes wait for a second or two while a million rows are indexed
CREATE INDEX "product_updated_at_id" ON "products" ("updated_at", "id");
-- lint:allow create-index teams.team_updated_at_id writes wait for a second or two while a million rows are indexed
CREATE INDEX "team_updated_at_id" ON "teams" ("updated_at", "id");
-- lint:allow create-index users.user_updated_at_id writes wait for a second or two while a million rows are indexed
CREATE INDEX "user_updated_at_id" ON "users" ("updated_at", "id") WHERE (deleted_at IS NULL);

-- +goose Down
DROP INDEX "hero_updated_at_id";
DROP INDEX "inventory_quantity_product_id";
DROP INDEX "order_updated_at_id";
DROP INDEX "product_updated_at_id";
DROP INDEX "team_updated_at_id";
DROP INDEX "user_updated_at_id";
