-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY "user_erase_at" ON "users" ("erase_at") WHERE (erase_at IS NOT NULL);

-- +goose Down
DROP INDEX CONCURRENTLY "user_erase_at";
