-- +goose Up
-- create index "session_user_id_created_at" to table: "sessions"
CREATE INDEX `session_user_id_created_at` ON `sessions` (`user_id`, `created_at`) WHERE used_at IS NULL;

-- +goose Down
-- drop index "session_user_id_created_at" from table: "sessions"
DROP INDEX `session_user_id_created_at`;
