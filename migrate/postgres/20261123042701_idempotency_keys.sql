-- +goose Up
-- create "idempotency_keys" table
CREATE TABLE "idempotency_keys" (
  "id" uuid NOT NULL,
  "viewer" character varying NOT NULL COLLATE "C",
  "key" character varying NOT NULL COLLATE "C",
  "fingerprint" character varying NOT NULL COLLATE "C",
  "answer" text NULL COLLATE "C",
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_expires_at" ON "idempotency_keys" ("expires_at");
-- create index "idempotencykey_viewer_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_viewer_key" ON "idempotency_keys" ("viewer", "key");

-- +goose Down
-- drop "idempotency_keys" table
DROP TABLE "idempotency_keys";
