-- +goose Up
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

-- +goose Down
-- drop "idempotency_keys" table
DROP TABLE `idempotency_keys`;
