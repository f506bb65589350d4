-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY "session_user_id_created_at" ON "sessions" ("user_id", "created_at") WHERE (used_at IS NULL);

-- +goose Down
DROP INDEX CONCURRENTLY "session_user_id_created_at";
