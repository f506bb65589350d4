-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY "product_picture_id" ON "products" ("picture_id");

-- +goose Down
DROP INDEX CONCURRENTLY "product_picture_id";
