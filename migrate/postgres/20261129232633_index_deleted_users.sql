-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY "user_id" ON "users" ("id") WHERE (deleted_at IS NOT NULL);

-- +goose Down
DROP INDEX CONCURRENTLY "user_id";
