-- +goose Up
-- add column "successor_salt" to table: "sessions"
ALTER TABLE `sessions` ADD COLUMN `successor_salt` text NULL;

-- +goose Down
-- create "new_sessions" table
CREATE TABLE `new_sessions` (
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
-- copy rows from old table "sessions" to new temporary table "new_sessions"
INSERT INTO `new_sessions` (`id`, `family`, `token_hash`, `created_at`, `expires_at`, `used_at`, `user_id`) SELECT `id`, `family`, `token_hash`, `created_at`, `expires_at`, `used_at`, `user_id` FROM `sessions`;
-- drop "sessions" table after copying rows
DROP TABLE `sessions`;
-- rename temporary table "new_sessions" to "sessions"
ALTER TABLE `new_sessions` RENAME TO `sessions`;
-- create index "session_token_hash" to table: "sessions"
CREATE UNIQUE INDEX `session_token_hash` ON `sessions` (`token_hash`);
-- create index "session_user_id" to table: "sessions"
CREATE INDEX `session_user_id` ON `sessions` (`user_id`);
-- create index "session_family" to table: "sessions"
CREATE INDEX `session_family` ON `sessions` (`family`);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
