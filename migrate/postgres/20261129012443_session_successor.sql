-- +goose Up
-- modify "sessions" table
ALTER TABLE "sessions" ADD COLUMN "successor_salt" character varying NULL COLLATE "C";

-- +goose Down
-- modify "sessions" table
ALTER TABLE "sessions" DROP COLUMN "successor_salt";
