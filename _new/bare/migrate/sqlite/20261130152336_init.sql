-- +goose Up
-- create "files" table
CREATE TABLE `files` (
  `id` blob NOT NULL,
  `name` text NOT NULL,
  `content_type` text NOT NULL,
  `size` integer NOT NULL,
  `width` integer NULL,
  `height` integer NULL,
  `blurhash` text NULL,
  `etag` text NULL,
  `state` text NOT NULL DEFAULT 'announced',
  `attached_at` datetime NULL,
  `created_at` datetime NOT NULL,
  `user_id` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `files_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT `files_attached_stored` CHECK (attached_at IS NULL OR state <> 'announced'),
  CONSTRAINT `files_name_length` CHECK (length(name) BETWEEN 1 AND 255),
  CONSTRAINT `files_size_not_negative` CHECK (size >= 0),
  CONSTRAINT `files_state_known` CHECK (state IN ('announced', 'stored', 'removed')),
  CONSTRAINT `files_stored_with_etag` CHECK (state <> 'stored' OR etag IS NOT NULL)
);
-- create index "file_user_id_created_at" to table: "files"
CREATE INDEX `file_user_id_created_at` ON `files` (`user_id`, `created_at`);
-- create index "file_created_at" to table: "files"
CREATE INDEX `file_created_at` ON `files` (`created_at`) WHERE attached_at IS NULL;
-- create index "file_id" to table: "files"
CREATE INDEX `file_id` ON `files` (`id`) WHERE state = 'removed';
-- create "credentials" table
CREATE TABLE `credentials` (
  `id` blob NOT NULL,
  `kind` text NOT NULL,
  `key` text NOT NULL,
  `name` text NULL,
  `data` blob NULL,
  `created_at` datetime NOT NULL,
  `confirmed_at` datetime NULL,
  `last_used_at` datetime NULL,
  `user_id` blob NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `credentials_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "credential_kind_key" to table: "credentials"
CREATE UNIQUE INDEX `credential_kind_key` ON `credentials` (`kind`, `key`);
-- create index "credential_user_id_kind" to table: "credentials"
CREATE INDEX `credential_user_id_kind` ON `credentials` (`user_id`, `kind`);
-- create "idempotency_keys" table
CREATE TABLE `idempotency_keys` (
  `id` blob NOT NULL,
  `viewer` text NOT NULL,
  `key` text NOT NULL,
  `fingerprint` text NOT NULL,
  `answer` text NULL,
  `expires_at` datetime NOT NULL,
  PRIMARY KEY (`id`)
);
-- create index "idempotencykey_viewer_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_viewer_key` ON `idempotency_keys` (`viewer`, `key`);
-- create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_expires_at` ON `idempotency_keys` (`expires_at`);
-- create "mails" table
CREATE TABLE `mails` (
  `id` blob NOT NULL,
  `template` text NOT NULL,
  `recipient` text NOT NULL,
  `language` text NULL,
  `data` text NULL,
  `created_at` datetime NOT NULL,
  `due_at` datetime NOT NULL,
  `lease` blob NULL,
  `leased_until` datetime NULL,
  `failures` integer NOT NULL DEFAULT 0,
  `last_error` text NULL,
  `failed_at` datetime NULL,
  `user_id` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `mails_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "mail_user_id" to table: "mails"
CREATE INDEX `mail_user_id` ON `mails` (`user_id`);
-- create index "mail_due_at" to table: "mails"
CREATE INDEX `mail_due_at` ON `mails` (`due_at`) WHERE failed_at IS NULL;
-- create "sessions" table
CREATE TABLE `sessions` (
  `id` blob NOT NULL,
  `family` blob NOT NULL,
  `token_hash` text NOT NULL,
  `created_at` datetime NOT NULL,
  `expires_at` datetime NOT NULL,
  `used_at` datetime NULL,
  `successor_salt` text NULL,
  `began_at` datetime NULL,
  `method` text NULL,
  `address` text NULL,
  `client` text NULL,
  `user_id` blob NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `sessions_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "session_token_hash" to table: "sessions"
CREATE UNIQUE INDEX `session_token_hash` ON `sessions` (`token_hash`);
-- create index "session_user_id" to table: "sessions"
CREATE INDEX `session_user_id` ON `sessions` (`user_id`);
-- create index "session_user_id_created_at" to table: "sessions"
CREATE INDEX `session_user_id_created_at` ON `sessions` (`user_id`, `created_at`) WHERE used_at IS NULL;
-- create index "session_family" to table: "sessions"
CREATE INDEX `session_family` ON `sessions` (`family`);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX `session_expires_at` ON `sessions` (`expires_at`);
-- create "sign_ins" table
CREATE TABLE `sign_ins` (
  `id` blob NOT NULL,
  `method` text NOT NULL,
  `succeeded` bool NOT NULL,
  `address` text NULL,
  `client` text NULL,
  `created_at` datetime NOT NULL,
  `user_id` blob NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `sign_ins_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signin_user_id_created_at" to table: "sign_ins"
CREATE INDEX `signin_user_id_created_at` ON `sign_ins` (`user_id`, `created_at`);
-- create index "signin_created_at" to table: "sign_ins"
CREATE INDEX `signin_created_at` ON `sign_ins` (`created_at`);
-- create "users" table
CREATE TABLE `users` (
  `id` blob NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `version` integer NOT NULL DEFAULT 1,
  `deleted_at` datetime NULL,
  `email` text NULL,
  `email_key` text NULL,
  `username` text NOT NULL,
  `hashed_password` text NULL,
  `tokens_valid_after` datetime NULL,
  `role` text NOT NULL DEFAULT 'USER',
  `is_active` bool NOT NULL DEFAULT true,
  `email_verified_at` datetime NULL,
  `erase_at` datetime NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `users_email_and_key` CHECK ((email IS NULL) = (email_key IS NULL)),
  CONSTRAINT `users_email_length` CHECK (length(email) BETWEEN 3 AND 254),
  CONSTRAINT `users_role_known` CHECK (role IN ('USER', 'ADMIN')),
  CONSTRAINT `users_username_length` CHECK (length(username) BETWEEN 1 AND 50)
);
-- create index "user_id" to table: "users"
CREATE INDEX `user_id` ON `users` (`id`) WHERE deleted_at IS NOT NULL;
-- create index "user_email_key" to table: "users"
CREATE UNIQUE INDEX `user_email_key` ON `users` (`email_key`) WHERE deleted_at IS NULL;
-- create index "user_username" to table: "users"
CREATE UNIQUE INDEX `user_username` ON `users` (`username`) WHERE deleted_at IS NULL;
-- create index "user_created_at_id" to table: "users"
CREATE INDEX `user_created_at_id` ON `users` (`created_at`, `id`) WHERE deleted_at IS NULL;
-- create index "user_updated_at_id" to table: "users"
CREATE INDEX `user_updated_at_id` ON `users` (`updated_at`, `id`) WHERE deleted_at IS NULL;
-- create index "user_tokens_valid_after" to table: "users"
CREATE INDEX `user_tokens_valid_after` ON `users` (`tokens_valid_after`) WHERE tokens_valid_after IS NOT NULL;
-- create index "user_erase_at" to table: "users"
CREATE INDEX `user_erase_at` ON `users` (`erase_at`) WHERE erase_at IS NOT NULL;
-- create "webhooks" table
CREATE TABLE `webhooks` (
  `id` blob NOT NULL,
  `url` text NOT NULL,
  `document` text NOT NULL,
  `variables` text NULL,
  `role` text NOT NULL,
  `secret` text NOT NULL,
  `previous_secret` text NULL,
  `previous_until` datetime NULL,
  `position` text NOT NULL,
  `due_at` datetime NOT NULL,
  `lease` blob NULL,
  `leased_until` datetime NULL,
  `failures` integer NOT NULL DEFAULT 0,
  `failing_since` datetime NULL,
  `last_status` integer NULL,
  `last_error` text NULL,
  `delivered_at` datetime NULL,
  `disabled_at` datetime NULL,
  `disabled_reason` text NULL,
  `created_at` datetime NOT NULL,
  `user_id` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `webhooks_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "webhook_user_id" to table: "webhooks"
CREATE INDEX `webhook_user_id` ON `webhooks` (`user_id`);
CREATE TABLE forge_search_users_57f536d889f5_keys (number INTEGER PRIMARY KEY, key NOT NULL UNIQUE);
CREATE VIRTUAL TABLE forge_search_users_57f536d889f5 USING fts5(words, detail=none, columnsize=0, tokenize="unicode61 remove_diacritics 2 categories 'L* N* M* Co'");
INSERT INTO forge_search_users_57f536d889f5_keys (key) SELECT "id" FROM "users";
INSERT INTO forge_search_users_57f536d889f5 (rowid, words) SELECT number, coalesce(substr(t."username", 1, 60000), '') FROM forge_search_users_57f536d889f5_keys JOIN "users" AS t ON t."id" = forge_search_users_57f536d889f5_keys.key;
-- +goose StatementBegin
CREATE TRIGGER forge_search_users_57f536d889f5_insert AFTER INSERT ON "users" BEGIN
  DELETE FROM forge_search_users_57f536d889f5 WHERE rowid IN (SELECT number FROM forge_search_users_57f536d889f5_keys WHERE key IN (new."id"));
  DELETE FROM forge_search_users_57f536d889f5_keys WHERE key IN (new."id");
  INSERT INTO forge_search_users_57f536d889f5_keys (key) VALUES (new."id");
  INSERT INTO forge_search_users_57f536d889f5 (rowid, words) SELECT number, coalesce(substr(new."username", 1, 60000), '') FROM forge_search_users_57f536d889f5_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_users_57f536d889f5_update AFTER UPDATE OF "id", "username" ON "users" BEGIN
  DELETE FROM forge_search_users_57f536d889f5 WHERE rowid IN (SELECT number FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id", new."id"));
  DELETE FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id", new."id");
  INSERT INTO forge_search_users_57f536d889f5_keys (key) VALUES (new."id");
  INSERT INTO forge_search_users_57f536d889f5 (rowid, words) SELECT number, coalesce(substr(new."username", 1, 60000), '') FROM forge_search_users_57f536d889f5_keys WHERE key = new."id";
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER forge_search_users_57f536d889f5_delete AFTER DELETE ON "users" BEGIN
  DELETE FROM forge_search_users_57f536d889f5 WHERE rowid IN (SELECT number FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id"));
  DELETE FROM forge_search_users_57f536d889f5_keys WHERE key IN (old."id");
END;
-- +goose StatementEnd
CREATE TABLE forge_keys_b89f6a3b9197 (
  purpose TEXT PRIMARY KEY,
  key BLOB NOT NULL,
  created_at INTEGER NOT NULL DEFAULT (unixepoch())
);
CREATE TABLE forge_onetime_52580d946a36 (
  hash BLOB PRIMARY KEY,
  purpose TEXT NOT NULL,
  account BLOB,
  data BLOB,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE (account, purpose, created_at, hash),
  UNIQUE (expires_at, hash)
);

-- +goose Down
DROP TRIGGER forge_search_users_57f536d889f5_delete;
DROP TRIGGER forge_search_users_57f536d889f5_insert;
DROP TRIGGER forge_search_users_57f536d889f5_update;
DROP TABLE forge_keys_b89f6a3b9197;
DROP TABLE forge_onetime_52580d946a36;
DROP TABLE forge_search_users_57f536d889f5;
DROP TABLE forge_search_users_57f536d889f5_keys;
-- drop "files" table
DROP TABLE `files`;
-- drop "credentials" table
DROP TABLE `credentials`;
-- drop "idempotency_keys" table
DROP TABLE `idempotency_keys`;
-- drop "mails" table
DROP TABLE `mails`;
-- drop "sessions" table
DROP TABLE `sessions`;
-- drop "sign_ins" table
DROP TABLE `sign_ins`;
-- drop "users" table
DROP TABLE `users`;
-- drop "webhooks" table
DROP TABLE `webhooks`;
