-- +goose Up
-- create index "hero_updated_at_id" to table: "heroes"
CREATE INDEX `hero_updated_at_id` ON `heroes` (`updated_at`, `id`);
-- create index "inventory_quantity_product_id" to table: "inventories"
CREATE INDEX `inventory_quantity_product_id` ON `inventories` (`quantity`, `product_id`);
-- create index "order_updated_at_id" to table: "orders"
CREATE INDEX `order_updated_at_id` ON `orders` (`updated_at`, `id`);
-- create index "product_updated_at_id" to table: "products"
CREATE INDEX `product_updated_at_id` ON `products` (`updated_at`, `id`);
-- create index "team_updated_at_id" to table: "teams"
CREATE INDEX `team_updated_at_id` ON `teams` (`updated_at`, `id`);
-- create index "user_updated_at_id" to table: "users"
CREATE INDEX `user_updated_at_id` ON `users` (`updated_at`, `id`) WHERE deleted_at IS NULL;

-- +goose Down
-- drop index "hero_updated_at_id" from table: "heroes"
DROP INDEX `hero_updated_at_id`;
-- drop index "inventory_quantity_product_id" from table: "inventories"
DROP INDEX `inventory_quantity_product_id`;
-- drop index "order_updated_at_id" from table: "orders"
DROP INDEX `order_updated_at_id`;
-- drop index "product_updated_at_id" from table: "products"
DROP INDEX `product_updated_at_id`;
-- drop index "team_updated_at_id" from table: "teams"
DROP INDEX `team_updated_at_id`;
-- drop index "user_updated_at_id" from table: "users"
DROP INDEX `user_updated_at_id`;
