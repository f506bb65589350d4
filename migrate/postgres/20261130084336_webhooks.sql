-- +goose Up
-- create "webhooks" table
CREATE TABLE "webhooks" (
  "id" uuid NOT NULL,
  "url" character varying NOT NULL COLLATE "C",
  "document" text NOT NULL COLLATE "C",
  "variables" text NULL COLLATE "C",
  "role" character varying NOT NULL COLLATE "C",
  "secret" character varying NOT NULL COLLATE "C",
  "previous_secret" character varying NULL COLLATE "C",
  "previous_until" timestamptz NULL,
  "position" text NOT NULL COLLATE "C",
  "due_at" timestamptz NOT NULL,
  "lease" uuid NULL,
  "leased_until" timestamptz NULL,
  "failures" integer NOT NULL DEFAULT 0,
  "failing_since" timestamptz NULL,
  "last_status" integer NULL,
  "last_error" text NULL COLLATE "C",
  "delivered_at" timestamptz NULL,
  "disabled_at" timestamptz NULL,
  "disabled_reason" text NULL COLLATE "C",
  "created_at" timestamptz NOT NULL,
  "user_id" uuid NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "webhooks_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "webhook_user_id" to table: "webhooks"
CREATE INDEX "webhook_user_id" ON "webhooks" ("user_id");

-- +goose Down
-- drop "webhooks" table
DROP TABLE "webhooks";
