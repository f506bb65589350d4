-- +goose Up
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "tokens_valid_after" timestamptz NULL;
-- create "sessions" table
CREATE TABLE "sessions" (
  "id" uuid NOT NULL,
  "family" uuid NOT NULL,
  "token_hash" character varying NOT NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "used_at" timestamptz NULL,
  "user_id" uuid NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sessions_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "session_expires_at" to table: "sessions"
CREATE INDEX "session_expires_at" ON "sessions" ("expires_at");
-- create index "session_family" to table: "sessions"
CREATE INDEX "session_family" ON "sessions" ("family");
-- create index "session_token_hash" to table: "sessions"
CREATE UNIQUE INDEX "session_token_hash" ON "sessions" ("token_hash");
-- create index "session_user_id" to table: "sessions"
CREATE INDEX "session_user_id" ON "sessions" ("user_id");

-- +goose Down
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "tokens_valid_after";
-- drop "sessions" table
DROP TABLE "sessions";
