-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY "user_tokens_valid_after" ON "users" ("tokens_valid_after") WHERE (tokens_valid_after IS NOT NULL);

-- +goose Down
DROP INDEX CONCURRENTLY "user_tokens_valid_after";
