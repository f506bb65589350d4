-- +goose Up
-- add column "tokens_valid_after" to table: "users"
ALTER TABLE `users` ADD COLUMN `tokens_valid_after` datetime NULL;
-- create index "user_tokens_valid_after" to table: "users"
CREATE INDEX `user_tokens_valid_after` ON `users` (`tokens_valid_after`) WHERE tokens_valid_after IS NOT NULL;
-- create "sessions" table
CREATE TABLE `sessions` (
  `id` blob NOT NULL,
  `family` blob NOT NULL,
  `token_hash` text NOT NULL,
  `created_at` datetime NOT NULL,
  `expires_at` datetime NOT NULL,
  `used_at` datetime NULL,
  `user_id` blob NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `sessions_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "session_token_hash" to table: "sessions"
CREATE UNIQUE INDEX `session_token_hash` ON `sessions` (`token_hash`);
-- create index "session_user_id" to table: "sessions"
CREATE INDEX `session_user_id` ON `sessions` (`user_id`);
-- create index "session_family" to table: "sessions"
CREATE INDEX `session_family` ON `sessions` (`family`);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);

-- +goose Down
-- drop "sessions" table
DROP TABLE `sessions`;
-- drop index "user_tokens_valid_after" from table: "users"
DROP INDEX `user_tokens_valid_after`;
-- drop column "tokens_valid_after" from table: "users"
ALTER TABLE `users` DROP COLUMN `tokens_valid_after`;
