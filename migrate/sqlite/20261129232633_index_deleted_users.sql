-- +goose Up
CREATE INDEX `user_id` ON `users` (`id`) WHERE deleted_at IS NOT NULL;

-- +goose Down
DROP INDEX `user_id`;
